//! The sandbox on the network: one HTTPS listener for every host of an Azure, and a proxy that leads there.
//!
//! Both listen on this machine only. Reading order: `names`, `certificates`, `folder`, `front`, `proxy`,
//! then `control` beside them.

mod certificates;
mod control;
mod folder;
mod front;
mod names;
mod proxy;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{CLIENT_ID, CLIENT_SECRET, OpenError, Sandbox};
use folder::Folder;
use front::Front;

pub use folder::{Control, Ready, ready};
pub use names::CONTROL_HOST;

/// How long requests that are under way may take to end after a stop was asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(3);
/// How long to leave the system alone when it gives no more connections.
const BREATH: Duration = Duration::from_millis(50);

/// How to serve a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where HTTPS listens; port 0 takes one that is free.
    pub listen: SocketAddr,
    /// Where the proxy listens; port 0 takes one that is free.
    pub proxy: SocketAddr,
    /// The folder for the authority's certificate and for [`Ready`].
    pub folder: PathBuf,
    /// Where to write every exchange.
    pub record: Option<PathBuf>,
}

/// Why a sandbox cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address that other machines could reach.
    #[error("{0} is not an address of this machine alone; the sandbox listens on loopback only, such as 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The system refuses an address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Clients of the other server would be led astray.
    #[error("the folder {0} belongs to a sandbox that is being served; use another with --tls-dir")]
    FolderInUse(PathBuf),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file, or its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No certificates could be made.
    #[error("cannot make the certificates: {0}")]
    Certificates(Box<dyn std::error::Error + Send + Sync>),
}

/// A sandbox that listens.
pub struct Server {
    https: TcpListener,
    proxy: TcpListener,
    front: Arc<Front>,
    ready: Ready,
    /// Given back when the server ends.
    _folder: Folder,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Server").field("ready", &self.ready).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens, and tells the folder. Clients are served once [`Server::run`] is.
    pub async fn start(sandbox: Sandbox, options: &Options) -> Result<Self, ServeError> {
        let https = listen(options.listen).await?;
        let proxy = listen(options.proxy).await?;
        let folder = Folder::take(&options.folder)?;
        let write = |source| ServeError::Write { path: options.folder.clone(), source };
        let made = certificates::make(sandbox.now()).map_err(ServeError::Certificates)?;
        folder.write("server.pem", &made.server_pem).map_err(write)?;
        if let Some(path) = &options.record {
            sandbox.record(path).map_err(|source| ServeError::Write { path: path.clone(), source })?;
        }
        let (domain, tenant_id, subscriptions) =
            sandbox.world(|world| (world.domain(), world.tenant().to_owned(), world.subscriptions()));
        let key = random_key();
        let ready = Ready {
            event: "ready".to_owned(),
            arm: format!("https://{}", domain.arm()),
            login: format!("https://{}", domain.login()),
            proxy: format!("http://{}", proxy.local_addr().map_err(write)?),
            listen: https.local_addr().map_err(write)?.to_string(),
            ca_file: folder.write("ca.pem", &made.authority_pem).map_err(write)?,
            tenant_id,
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            subscriptions,
            control: Some(Control { host: CONTROL_HOST.to_owned(), key: key.clone() }),
        };
        folder.announce(&ready).map_err(write)?;
        let front = Front { sandbox, acceptor: made.acceptor, key, stopping: watch::Sender::new(false) };
        Ok(Self { https, proxy, front: Arc::new(front), ready, _folder: folder })
    }

    /// What clients have to know.
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Serves until `stop` ends. Requests that are under way then may end; new ones are not taken.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { https, proxy, front, ready: _, _folder } = self;
        let accepting = async {
            loop {
                tokio::select! {
                    accepted = https.accept() => spawn(accepted, &front, false).await,
                    accepted = proxy.accept() => spawn(accepted, &front, true).await,
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = accepting => {}
        }
        drop((https, proxy));
        // Every connection that is still there holds a clone; the last one to end lets go of the world.
        let mut waited = Duration::ZERO;
        front.stopping.send_replace(true);
        while Arc::strong_count(&front) > 1 && waited < LAST_REQUESTS {
            tokio::time::sleep(BREATH).await;
            waited += BREATH;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Gives a connection a task of its own, handshake included. What a client does wrong is nobody else's trouble.
async fn spawn(accepted: io::Result<(TcpStream, SocketAddr)>, front: &Arc<Front>, through_proxy: bool) {
    let Ok((stream, _)) = accepted else {
        tokio::time::sleep(BREATH).await;
        return;
    };
    // Without this every handshake waits for the other side's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let front = Arc::clone(front);
    tokio::spawn(async move {
        let served = if through_proxy { proxy::serve(stream, &front).await } else { front.tls(stream).await };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended badly");
        }
    });
}

/// 244 bits that nobody can guess.
fn random_key() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

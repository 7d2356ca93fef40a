//! The front of a running sandbox: TLS and HTTP outside, one request after the other inside.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::super::Sandbox;
use super::super::store::ExchangeError;
use super::super::wire::Answer;
use super::control;
use super::names::CONTROL_HOST;

/// As much as Resource Manager takes.
const BODY_LIMIT_BYTES: usize = 4 * 1024 * 1024;
const HEADERS_LIMIT_BYTES: u32 = 64 * 1024;
/// Longer than clients keep a connection that they do not use, so that they end it.
const HEADER_PATIENCE: Duration = Duration::from_secs(120);
const BODY_PATIENCE: Duration = Duration::from_secs(60);
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(20);

/// What every connection shares.
pub(super) struct Front {
    pub sandbox: Sandbox,
    pub acceptor: TlsAcceptor,
    /// What opens the control host.
    pub key: String,
    /// True once the server is asked to end.
    pub stopping: watch::Sender<bool>,
}

type Answered = http::Response<Full<Bytes>>;

/// The client must not get an answer: the connection is cut instead.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut, as a mishap asks for")
    }
}

impl std::error::Error for Cut {}

impl Front {
    /// Whether a host's name leads anywhere at this moment.
    pub(super) fn resolves(&self, host: &str) -> bool {
        let now = self.sandbox.now();
        self.sandbox.world(|world| world.resolves(now, host))
    }

    /// Shakes hands and serves one connection to its end.
    pub(super) async fn tls(
        self: &Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> io::Result<()> {
        let mut stopping = self.stopping.subscribe();
        let handshake = timeout(HANDSHAKE_PATIENCE, self.acceptor.accept(stream)).await;
        let stream = handshake.map_err(|_| io::ErrorKind::TimedOut)??;
        let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let front = Arc::clone(self);
        let service = service_fn(move |request| Arc::clone(&front).answer(request));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_PATIENCE);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADERS_LIMIT_BYTES);
        let builder = if speaks_http2 { builder.http2_only() } else { builder.http1_only() };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        ended.map_err(io::Error::other)
    }

    async fn answer(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Answered, Cut> {
        let (parts, body) = request.into_parts();
        let body = match timeout(BODY_PATIENCE, Limited::new(body, BODY_LIMIT_BYTES).collect()).await {
            Ok(Ok(body)) => body.to_bytes().to_vec(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Ok(too_large()),
            Ok(Err(_)) | Err(_) => return Err(Cut),
        };
        let request = http::Request::from_parts(parts, body);
        // To write the world down takes as long as the disk takes. Once begun it is ended, even if the client goes away.
        let asked = tokio::task::spawn_blocking(move || self.exchange(&request));
        asked.await.map_err(|_| Cut)?.map(|answer| answer.map(|body| Full::new(Bytes::from(body))))
    }

    fn exchange(&self, request: &http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, Cut> {
        let host = request.uri().host().or_else(|| request.headers().get("host")?.to_str().ok()).unwrap_or_default();
        if host.split(':').next().is_some_and(|host| host.eq_ignore_ascii_case(CONTROL_HOST)) {
            return Ok(control::answer(&self.sandbox, &self.key, request));
        }
        match self.sandbox.exchange(request) {
            Ok(answer) => Ok(answer),
            Err(ExchangeError::Unreachable(_)) => Err(Cut),
            Err(error @ ExchangeError::NotSaved { .. }) => {
                Ok(Answer::error(500, "InternalServerError", &error.to_string()).written())
            }
        }
    }
}

fn too_large() -> Answered {
    let text = format!("The request content size exceeds the maximum size of {BODY_LIMIT_BYTES} bytes.");
    let answer = Answer::error(413, "RequestEntityTooLarge", &text).gateway().written();
    answer.map(|body| Full::new(Bytes::from(body)))
}

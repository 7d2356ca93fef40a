//! Where the program runs: the only reader of the environment and of the clock, and the builder of the way to Azure.
//!
//! `--sandbox` selects a cloud, a credential and a transport here, and is heard of nowhere else.

use super::arguments::{Color, Global};
use super::ask::Ask;
use super::exit::Trouble;
use super::output::Output;
use super::session::trouble;
use crate::azure::credential::{self, Choice, Environment};
use crate::azure::{Azure, Cloud, Counted, Options, Retry, transport};
use crate::model::Timestamp;
use crate::report::Scene;
use crate::report::text::wrap;
use azure_core::http::HttpClient;
use indicatif::MultiProgress;
use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr, stdin, stdout};
#[cfg(feature = "sandbox")]
use std::path::PathBuf;
use std::sync::Arc;

/// Names the guard file that bounds every run in this environment.
const GUARD: &str = "CMK_GUARD";

/// The surroundings of a command.
#[derive(Debug)]
pub(super) struct Context {
    /// Where to write.
    pub(super) output: Output,
    /// How much may be under way at once.
    pub(super) concurrency: usize,
    scene: Scene,
    environment: Environment,
    stdin_is_terminal: bool,
    stderr_is_terminal: bool,
    #[cfg(feature = "sandbox")]
    sandbox: Option<PathBuf>,
}

/// What leads to one cloud.
struct Way {
    cloud: Cloud,
    choice: Choice,
    transport: Arc<dyn HttpClient>,
}

impl Context {
    /// Looks around.
    pub(super) fn new(global: &Global) -> Self {
        let environment = Environment(environment());
        let (stdout, stderr) = (stdout().is_terminal(), stderr().is_terminal());
        let can_move = environment.get("TERM") != Some("dumb");
        let styled = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && can_move && environment.get("NO_COLOR").is_none(),
        };
        // A log and a view that moves would write over each other.
        let live = stderr && can_move && !global.quiet && global.log.is_none();
        Self {
            output: Output::new(styled(stdout), styled(stderr), global.quiet, live.then(MultiProgress::new)),
            concurrency: usize::from(global.concurrency),
            scene: scene(global),
            stdin_is_terminal: stdin().is_terminal(),
            stderr_is_terminal: stderr,
            #[cfg(feature = "sandbox")]
            sandbox: global.sandbox.clone(),
            environment,
        }
    }

    /// The guard file that the environment names. A value that names no file is an error, lest a guard is off unseen.
    pub(super) fn guard_of_environment() -> Result<Option<String>, Trouble> {
        let bad = |what: &str| {
            Trouble::new(format!("{GUARD} {what}, so no guard could be read; no request was sent"))
                .help(format!("name the guard file in {GUARD}, or unset it"))
        };
        let value = std::env::vars_os().find(|(name, _)| name == GUARD).map(|(_, value)| value.into_string());
        match value {
            None => Ok(None),
            Some(Ok(path)) if path.is_empty() => Err(bad("is empty")),
            Some(Ok(path)) => Ok(Some(path)),
            Some(Err(_)) => Err(bad("is no Unicode text")),
        }
    }

    /// What to do about asking before apply.
    pub(super) fn ask(&self, yes: bool) -> Ask {
        Ask::of(yes, self.stdin_is_terminal, self.stderr_is_terminal)
    }

    /// Whether there is a person to ask.
    pub(super) fn has_person(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }

    /// Where plans are made.
    pub(super) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The client for the chosen cloud. Sends nothing yet.
    pub(super) fn azure(&self) -> Result<Azure, Trouble> {
        let Way { cloud, choice, transport } = self.way()?;
        let counted = Counted::new(cloud.clone(), transport);
        let retry = Retry::default();
        let credential = credential::build(&choice, &cloud, &counted, retry).map_err(|failure| trouble(&failure))?;
        let options = Options { concurrency: self.concurrency, retry };
        Ok(Azure::new(cloud, credential, counted, options))
    }

    #[cfg(feature = "sandbox")]
    fn way(&self) -> Result<Way, Trouble> {
        match &self.sandbox {
            Some(file) => practice::way(file, &self.environment),
            None => self.real_way(),
        }
    }

    #[cfg(not(feature = "sandbox"))]
    fn way(&self) -> Result<Way, Trouble> {
        self.real_way()
    }

    /// The public cloud, with the credential that the environment configures; which one is told.
    fn real_way(&self) -> Result<Way, Trouble> {
        let choice = credential::choose(&self.environment).map_err(|failure| trouble(&failure))?;
        self.output.stderr.remark(&wrap("", "  ", &format!("Signing in with: {choice}")));
        let transport = transport::https().map_err(|failure| trouble(&failure))?;
        Ok(Way { cloud: Cloud::public(), choice, transport })
    }

    /// The file that holds the sandbox's state.
    #[cfg(feature = "sandbox")]
    pub(super) fn sandbox_file(&self) -> PathBuf {
        self.sandbox.clone().unwrap_or_else(|| PathBuf::from(super::arguments::SANDBOX_FILE))
    }
}

/// Runs a task to its end. Threads are started here, so that commands that need none start at once.
pub(super) fn block_on<F: Future>(task: F) -> Result<F::Output, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("the system gives no threads to work with: {error}")))?;
    let output = runtime.block_on(task);
    // A question that nobody answered, or a name that is still being resolved, must not hold the end up.
    runtime.shutdown_background();
    Ok(output)
}

#[cfg(feature = "sandbox")]
fn scene(global: &Global) -> Scene {
    match &global.sandbox {
        Some(file) => Scene { cloud: practice::NAME.to_owned(), sandbox_file: Some(file.display().to_string()) },
        None => Scene { cloud: Cloud::public().name, sandbox_file: None },
    }
}

#[cfg(not(feature = "sandbox"))]
fn scene(_: &Global) -> Scene {
    Scene { cloud: Cloud::public().name, sandbox_file: None }
}

/// What time it is by this machine's clock, which nothing is decided by.
#[expect(clippy::disallowed_methods, reason = "it is only held against Azure's, to tell a person")]
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The value of one variable, which may be a secret: it is read when it is wanted, and not before.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where the environment is read, and a copy of all of it would hold the secret too"
)]
pub(super) fn secret_of_environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The environment. A variable that is not Unicode is none that we know.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The way to the Azure to practise on.
#[cfg(feature = "sandbox")]
pub(super) mod practice {
    use super::{Arc, Choice, Cloud, Environment, Trouble, Way};
    use crate::sandbox::{Abort, CLIENT_ID, CLIENT_SECRET, Clock, Local, Millis, Sandbox};
    use azure_core::credentials::Secret;
    use std::path::Path;
    use std::time::UNIX_EPOCH;

    /// The cloud's name.
    pub(super) const NAME: &str = "sandbox";

    /// Makes the process abort before or after an effect, `before:2`, to rehearse a crash.
    const ABORT: &str = "CMK_SANDBOX_ABORT";

    /// A file that gets every exchange, as `cmk sandbox serve --record` writes them.
    const RECORD: &str = "CMK_SANDBOX_RECORD";

    pub(super) fn way(file: &Path, environment: &Environment) -> Result<Way, Trouble> {
        let abort = match environment.get(ABORT) {
            Some(text) => Some(text.parse::<Abort>().map_err(|error| Trouble::new(format!("{ABORT}: {error}")))?),
            None => None,
        };
        let sandbox = Sandbox::open(file, clock(), abort).map_err(|error| Trouble::new(error.to_string()))?;
        if let Some(record) = environment.get(RECORD) {
            let bad = |error| Trouble::new(format!("{RECORD}: cannot write {record}: {error}"));
            sandbox.record(Path::new(record)).map_err(bad)?;
        }
        let (tenant, domain) = sandbox.world(|world| (world.tenant().to_owned(), world.domain()));
        let (client, secret) = (CLIENT_ID.to_owned(), Secret::new(CLIENT_SECRET));
        let choice = Choice::ClientSecret { tenant, client, secret };
        // Under the names that its world hands out: one that was served as the public cloud keeps those.
        let cloud = Cloud::at(NAME, domain.arm(), domain.login(), domain.vault_suffix());
        Ok(Way { cloud, choice, transport: Arc::new(Local(sandbox)) })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub(in crate::cli) fn clock() -> Clock {
        Arc::new(|| {
            let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }
}

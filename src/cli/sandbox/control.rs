//! The way to a sandbox that somebody is serving, or else to its file.

use super::super::context::{Context, block_on, practice};
use super::super::exit::Trouble;
use super::arguments::Where;
use super::{folder, state, told};
use crate::azure::transport;
use crate::sandbox::serve::{self, Control, Ready};
use crate::sandbox::{OpenError, Sandbox};
use reqwest::{Certificate, Method};
use serde_json::Value;
use std::time::Duration;

/// Where the world is that is meant.
pub(super) enum Place {
    /// A server holds it.
    Running(Box<Ready>),
    /// Nobody does, and now we do.
    Ours(Sandbox),
}

/// Finds the world: the file, if nobody holds it, else the server that does.
pub(super) fn find(context: &Context, place: &Where) -> Result<Place, Trouble> {
    let folder = folder(context, place);
    if let Some(ready) = serve::ready(&folder).map_err(told)? {
        return Ok(Place::Running(Box::new(ready)));
    }
    if place.tls_dir.is_some() && place.state.is_none() {
        return Err(no_server(&folder.display().to_string()));
    }
    let file = state(context, place);
    if !file.exists() {
        let what = format!("there is no sandbox in {}", file.display());
        return Err(Trouble::new(what).help("name its file with --state, or its server's folder with --tls-dir"));
    }
    match Sandbox::open(&file, practice::clock(), None) {
        Ok(sandbox) => Ok(Place::Ours(sandbox)),
        Err(error @ OpenError::InUse(_)) => {
            Err(told(error).help("if a server has it, name that server's folder with --tls-dir"))
        }
        Err(error) => Err(told(error)),
    }
}

/// There is nobody to ask.
pub(super) fn no_server(folder: &str) -> Trouble {
    Trouble::new(format!("no sandbox is being served with the folder {folder}"))
        .help("start one with `cmk sandbox serve`, or name the folder of the one that runs with --tls-dir")
}

/// Asks the server itself, past every proxy, and trusting its own authority only.
pub(super) fn ask(ready: &Ready, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
    let Some(Control { host, key }) = &ready.control else {
        return Err(Trouble::new("ready.json says nothing of how to reach the server itself"));
    };
    transport::install_crypto();
    let address = ready.listen.parse().map_err(told)?;
    let pem = std::fs::read(&ready.ca_file).map_err(told)?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(&pem).map_err(told)?])
        .resolve(host, address)
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(told)?;
    let request = client.request(method, format!("https://{host}:{}{path}", address.port()));
    let request = request.bearer_auth(key).body(body.map(Value::to_string).unwrap_or_default());
    block_on(async {
        let answer = request.send().await.map_err(unanswered)?;
        let is_good = answer.status().is_success();
        let body: Value = serde_json::from_slice(&answer.bytes().await.map_err(unanswered)?).map_err(told)?;
        let refusal = || body["error"]["message"].as_str().unwrap_or("no reason given").to_owned();
        if is_good { Ok(body) } else { Err(Trouble::new(format!("the sandbox's server refuses: {}", refusal()))) }
    })?
}

#[expect(clippy::needless_pass_by_value, reason = "it is the shape that `map_err` takes")]
fn unanswered(error: reqwest::Error) -> Trouble {
    Trouble::new(format!("the sandbox's server does not answer: {error}"))
}

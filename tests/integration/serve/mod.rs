//! The sandbox on the network: the real program serves, and clients come in through real sockets and real TLS.

mod clock;
mod crowd;
mod record;
mod seeds;
mod stop;
mod unawares;
mod way_in;

use crate::contracts::problems_of_record;
pub(super) use crate::program::cmk;
use reqwest::{Certificate, Client, Proxy, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A server of its own, with its state in a folder of its own. It is killed if a test forgets it.
pub(super) struct Served {
    pub(super) folder: tempfile::TempDir,
    pub(super) ready: Value,
    child: Child,
    /// Where the server writes its exchanges.
    record: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What went over the network is held against Azure's contracts too, unless the test has failed already.
        if !std::thread::panicking() {
            let record = std::fs::read_to_string(&self.record).unwrap_or_default();
            let problems = problems_of_record(&record);
            assert!(problems.is_empty(), "{}", problems.join("\n"));
        }
    }
}

/// All that was said, on one line: where it was wrapped depends on the length of paths.
pub(super) fn text(output: &Output) -> String {
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Served {
    /// Starts a server and waits until it is ready.
    pub(super) fn start(options: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), options)
    }

    pub(super) fn start_in(folder: tempfile::TempDir, options: &[&str]) -> Self {
        let mut command = cmk();
        command.args(["sandbox", "serve", "--format", "json", "--state"]).arg(state(folder.path())).args(options);
        let own = options.iter().position(|option| *option == "--record").and_then(|at| options.get(at + 1));
        let record = own.map_or_else(|| folder.path().join("exchanges.jsonl"), PathBuf::from);
        if own.is_none() {
            command.arg("--record").arg(&record);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("a line comes");
        let ready: Value = serde_json::from_str(&line).expect("the line is JSON");
        assert_eq!(ready["event"], "ready");
        Self { folder, ready, child, record }
    }

    pub(super) fn state(&self) -> PathBuf {
        state(self.folder.path())
    }

    /// What the ready line says.
    pub(super) fn said(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("the ready line has it")
    }

    /// Asks for an end as a system does, and waits for it. Gives the folder back.
    pub(super) fn stop(mut self, signal: &str) -> tempfile::TempDir {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args([signal, &pid]).status().expect("there is kill");
        assert!(killed.success());
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "after {signal}");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }

    /// `cmk sandbox …` about this server.
    pub(super) fn sandbox(&self, arguments: &[&str]) -> Output {
        let output = cmk().arg("sandbox").args(arguments).arg("--state").arg(self.state()).output();
        let output = output.expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        output
    }

    /// `cmk` as against the real cloud, with the environment that `cmk sandbox env` exports.
    pub(super) fn unawares(&self, arguments: &[&str]) -> Output {
        let script = "eval \"$(\"$0\" sandbox env --state \"$STATE\")\" && exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_cmk")]).args(arguments);
        command.env_clear().env("STATE", self.state()).stdin(Stdio::null());
        // What would lead past the sandbox, or show it something of the user's, has to be gone.
        command.env("NO_PROXY", "*").env("https_proxy", "http://127.0.0.1:9").env("SSL_CERT_DIR", "/nonexistent");
        command.env("AZURE_CLIENT_SECRET", "mine").env("AZURE_FEDERATED_TOKEN_FILE", "/mine");
        command.output().expect("there is a shell")
    }

    /// A client that comes in through the proxy and trusts the sandbox alone.
    pub(super) fn client(&self) -> Client {
        cmk::azure::transport::install_crypto();
        let pem = std::fs::read(self.said("caFile")).expect("the authority is there");
        let authority = Certificate::from_pem(&pem).expect("it is a certificate");
        let proxy = Proxy::https(self.said("proxy")).expect("it is a URL");
        Client::builder().proxy(proxy).tls_certs_only([authority]).build().expect("a client")
    }

    /// A token for Resource Manager.
    pub(super) async fn token(&self, client: &Client) -> String {
        let url = format!("{}/{}/oauth2/v2.0/token", self.said("login"), self.said("tenantId"));
        let scope = format!("{}/.default", self.said("arm"));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", self.said("clientId"))
            .append_pair("client_secret", self.said("clientSecret"))
            .append_pair("scope", &scope)
            .finish();
        let request = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
        let (status, body) = answer(request).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Makes a resource group, as any client would.
    pub(super) async fn make_group(&self, client: &Client, name: &str) {
        let subscription = self.ready["subscriptions"][0].as_str().expect("there is one");
        let token = self.token(client).await;
        let url =
            format!("{}/subscriptions/{subscription}/resourcegroups/{name}?api-version=2022-09-01", self.said("arm"));
        let body = json!({"location": "westeurope"}).to_string();
        let request = client.put(url).bearer_auth(token).header("content-type", "application/json").body(body);
        let (status, body) = answer(request).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
    }
}

pub(super) fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/quickstart.yaml")
}

fn state(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

/// An answer's status and its body, which is JSON or nothing.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.expect("an answer comes");
    let status = answer.status();
    let body = answer.bytes().await.expect("it comes whole");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

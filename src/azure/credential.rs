//! Which identity signs in, chosen by what is configured and never by what happens to work. Reads no environment itself.

use super::call::Effect;
use super::client::{Retry, client_options};
use super::cloud::Cloud;
use super::counted::Counted;
use super::failure::{Failure, Kind, chain, from_pipeline};
use super::retry::Resend;
use super::said;
use super::token::Cached;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, ClientOptions, Context, Request};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Environment variables, as the command line read them.
#[derive(Clone, Default)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// A variable that is set to something; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Names only: the values hold secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The way to sign in that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// An application with a secret.
    ClientSecret {
        /// The tenant.
        tenant: String,
        /// The application.
        client: String,
        /// Its secret.
        secret: Secret,
    },
    /// An application that trusts a token in a file, as in Kubernetes.
    WorkloadIdentity {
        /// The tenant.
        tenant: String,
        /// The application.
        client: String,
        /// The file with the token.
        file: PathBuf,
    },
    /// Whoever is signed in to the Azure CLI.
    AzureCli {
        /// The executable.
        executable: PathBuf,
        /// The tenant to sign in to; nothing for the CLI's own.
        tenant: Option<String>,
    },
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientSecret { tenant, client, secret: _ } => {
                write!(
                    f,
                    "client secret of application {client} in tenant {tenant}, because AZURE_CLIENT_SECRET is set"
                )
            }
            Self::WorkloadIdentity { tenant, client, file: _ } => write!(
                f,
                "workload identity of application {client} in tenant {tenant}, because AZURE_FEDERATED_TOKEN_FILE is set"
            ),
            Self::AzureCli { executable, tenant } => {
                write!(f, "Azure CLI at {}", executable.display())?;
                match tenant {
                    Some(tenant) => write!(f, " in tenant {tenant}, because no application is configured"),
                    None => f.write_str(", because no application is configured"),
                }
            }
        }
    }
}

const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Chooses by what is configured. Sends nothing and runs nothing, so that a missing credential is told at once.
///
/// The first that is configured wins: client secret, workload identity, Azure CLI.
/// One that is half configured is an error, not a reason to take the next.
pub fn choose(environment: &Environment) -> Result<Choice, Failure> {
    check_authority(environment)?;
    if let Some(secret) = environment.get("AZURE_CLIENT_SECRET") {
        let (tenant, client) = application(environment, "AZURE_CLIENT_SECRET")?;
        return Ok(Choice::ClientSecret { tenant, client, secret: Secret::new(secret.to_owned()) });
    }
    if let Some(file) = environment.get("AZURE_FEDERATED_TOKEN_FILE") {
        let (tenant, client) = application(environment, "AZURE_FEDERATED_TOKEN_FILE")?;
        return Ok(Choice::WorkloadIdentity { tenant, client, file: PathBuf::from(file) });
    }
    match find_az(environment.get("PATH").unwrap_or_default()) {
        Some(executable) => {
            Ok(Choice::AzureCli { executable, tenant: environment.get("AZURE_TENANT_ID").map(str::to_owned) })
        }
        None => Err(Failure::new(Kind::NoCredential, NOTHING_FOUND)),
    }
}

const NOTHING_FOUND: &str = "looked for, in this order: \
    (1) a client secret: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; \
    (2) a workload identity: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE; \
    (3) the Azure CLI: install `az` so that it is on PATH, and run `az login`. \
    To try without Azure, use --sandbox";

fn check_authority(environment: &Environment) -> Result<(), Failure> {
    match environment.get("AZURE_AUTHORITY_HOST") {
        Some(host) if !host.trim_end_matches('/').eq_ignore_ascii_case(PUBLIC_AUTHORITY) => Err(Failure::new(
            Kind::Unsupported,
            format!("AZURE_AUTHORITY_HOST is {host}, but clouds other than the public one are not supported yet"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn application(environment: &Environment, because: &str) -> Result<(String, String), Failure> {
    let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"];
    let missing: Vec<&str> = names.into_iter().filter(|name| environment.get(name).is_none()).collect();
    match names.map(|name| environment.get(name)) {
        [Some(tenant), Some(client)] => Ok((tenant.to_owned(), client.to_owned())),
        _ => Err(Failure::new(
            Kind::NoCredential,
            format!("{because} is set, but {} is not: set it too, or unset {because}", missing.join(" and ")),
        )),
    }
}

/// The Azure CLI's executable on a search path.
fn find_az(path: &str) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["az.cmd", "az.exe"] } else { &["az"] };
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// The chosen credential behind a cache of tokens. Sends nothing yet; a workload identity's file is read.
pub fn build(
    choice: &Choice,
    cloud: &Cloud,
    transport: &Arc<Counted>,
    retry: Retry,
) -> Result<Arc<dyn TokenCredential>, Failure> {
    let client_options = login_options(cloud, transport, retry);
    let built: azure_core::Result<Arc<dyn TokenCredential>> = match choice {
        Choice::ClientSecret { tenant, client, secret } => {
            let options = ClientSecretCredentialOptions { client_options };
            ClientSecretCredential::new(tenant, client.clone(), secret.clone(), Some(options)).map(|made| made as _)
        }
        Choice::WorkloadIdentity { tenant, client, file } => {
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions { client_options },
                client_id: Some(client.clone()),
                tenant_id: Some(tenant.clone()),
                token_file_path: Some(file.clone()),
            }))
            .map(|made| made as _)
        }
        Choice::AzureCli { executable: _, tenant } => {
            let options =
                AzureCliCredentialOptions { tenant_id: tenant.clone(), ..AzureCliCredentialOptions::default() };
            AzureCliCredential::new(Some(options)).map(|made| made as _)
        }
    };
    let inner = built.map_err(|error| Failure::new(Kind::Credential, chain(&error)))?;
    Ok(Arc::new(Cached::new(inner)))
}

/// How the credentials talk to Entra ID: as the client talks to Azure, and only to the cloud's own authority.
fn login_options(cloud: &Cloud, transport: &Arc<Counted>, retry: Retry) -> ClientOptions {
    let mut configuration = CustomConfiguration::default();
    configuration.authority_host = cloud.authority.to_string();
    // Asking for a token changes nothing.
    let resend =
        Resend { retry, effect: Some(Effect::Read), permits: None, counted: transport.clone(), holds: Arc::default() };
    ClientOptions {
        per_call_policies: vec![Arc::new(EntraAnswers), Arc::new(resend)],
        cloud: Some(Arc::new(CloudConfiguration::Custom(configuration))),
        ..client_options(transport)
    }
}

/// Reads Entra's answers before `azure_identity` does, which fails on any escape in an error's text, and panics on a
/// token that is said to last longer than the calendar.
#[derive(Debug)]
struct EntraAnswers;

/// The longest that a token is believed to last. Entra's last a day at most.
const LASTS_SECONDS_MAX: i64 = 30 * 86_400;

#[async_trait::async_trait]
impl Policy for EntraAnswers {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let mut failure = match next[0].send(context, request, &next[1..]).await {
            Ok(response) => {
                let (status, headers, body) = response.deconstruct();
                let body = body.collect().await?;
                match status.is_success().then(|| check_token(&body)) {
                    Some(Ok(())) => return Ok(AsyncRawResponse::from_bytes(status, headers, body)),
                    Some(Err(reason)) => Failure::new(Kind::Credential, reason),
                    None => Failure { kind: Kind::Credential, ..said::read(status.into(), &body) },
                }
            }
            Err(error) => from_pipeline(&error),
        };
        request.method().as_str().clone_into(&mut failure.said.method);
        failure.said.target = format!("{}{}", request.url().origin().ascii_serialization(), request.url().path());
        Err(azure_core::Error::with_error(ErrorKind::Credential, failure, "no token from Entra ID"))
    }
}

/// Whether a body is the answer with a token. Says nothing of the token itself.
fn check_token(body: &[u8]) -> Result<(), &'static str> {
    #[derive(serde::Deserialize)]
    struct Wire {
        access_token: String,
        expires_in: i64,
    }
    let Ok(wire) = serde_json::from_slice::<Wire>(body) else { return Err("Entra ID's answer holds no token") };
    if wire.access_token.is_empty() || !wire.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("what Entra ID gives for a token is none");
    }
    if !(1..=LASTS_SECONDS_MAX).contains(&wire.expires_in) {
        return Err("Entra ID's token does not last a sensible time");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply, options};
    use super::super::{Azure, Call};
    use super::*;
    use serde_json::json;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    const APPLICATION: [(&str, &str); 2] = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];

    fn chosen(more: &[(&str, &str)]) -> Result<String, Kind> {
        let variables = [&APPLICATION[..], more].concat();
        choose(&environment(&variables)).map(|choice| choice.to_string()).map_err(|failure| failure.kind)
    }

    #[test]
    fn what_is_configured_decides_in_order() {
        let secret = "client secret of application c in tenant t, because AZURE_CLIENT_SECRET is set";
        assert_eq!(chosen(&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_FEDERATED_TOKEN_FILE", "f")]).unwrap(), secret);
        let workload = "workload identity of application c in tenant t, because AZURE_FEDERATED_TOKEN_FILE is set";
        assert_eq!(chosen(&[("AZURE_CLIENT_SECRET", " "), ("AZURE_FEDERATED_TOKEN_FILE", "f")]).unwrap(), workload);
        assert_eq!(chosen(&[]), Err(Kind::NoCredential));
    }

    #[cfg(unix)]
    #[test]
    fn the_azure_cli_is_looked_for_on_the_path_that_was_handed_in() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let az = folder.path().join("az");
        std::fs::write(&az, "").unwrap();
        let path = format!("/nonexistent:{}", folder.path().display());
        assert_eq!(chosen(&[("PATH", &path)]), Err(Kind::NoCredential));
        std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
        let expected = format!("Azure CLI at {} in tenant t, because no application is configured", az.display());
        assert_eq!(chosen(&[("PATH", &path)]).unwrap(), expected);
    }

    #[test]
    fn half_a_configuration_is_an_error_and_not_a_reason_to_take_the_next() {
        let failure = choose(&environment(&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_CLIENT_ID", "c")])).unwrap_err();
        assert_eq!(failure.kind, Kind::NoCredential);
        assert!(failure.said.message.contains("AZURE_TENANT_ID is not"), "{failure}");
    }

    #[test]
    fn with_nothing_configured_all_ways_are_named() {
        let failure = choose(&environment(&[])).unwrap_err().to_string();
        for name in ["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "az login", "--sandbox"] {
            assert!(failure.contains(name), "{failure}");
        }
    }

    #[test]
    fn other_clouds_are_said_to_be_unsupported() {
        let host = |host| chosen(&[("AZURE_AUTHORITY_HOST", host), ("AZURE_CLIENT_SECRET", "s")]);
        assert_eq!(host("https://login.microsoftonline.us"), Err(Kind::Unsupported));
        assert!(host("https://login.microsoftonline.com/").is_ok());
    }

    #[test]
    fn no_secret_is_shown() {
        let variables = environment(&[&APPLICATION[..], &[("AZURE_CLIENT_SECRET", "hunter2")]].concat());
        let choice = choose(&variables).unwrap();
        let shown = format!("{variables:?} {choice:?} {choice}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    /// Sends one read with a client secret at a script.
    async fn read(script: Vec<(&str, Reply)>) -> (Result<u16, Failure>, Arc<Fake>, Azure) {
        let fake = Fake::new(script);
        let transport = Counted::new(Cloud::public(), fake.clone());
        let choice =
            Choice::ClientSecret { tenant: "t".to_owned(), client: "c".to_owned(), secret: Secret::new("hunter2") };
        let credential = build(&choice, &Cloud::public(), &transport, options().retry).unwrap();
        let azure = Azure::new(Cloud::public(), credential, transport, options());
        let result = azure.call(&Call::get("/x".to_owned(), "1")).await.map(|answer| answer.status);
        (result, fake, azure)
    }

    fn token() -> Reply {
        Reply::json(200, &json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "T" }))
    }

    #[tokio::test(start_paused = true)]
    async fn sign_in_is_tried_again_and_counted() {
        let script = vec![
            ("POST /t/oauth2/v2.0/token", Reply::empty(503)),
            ("POST /t/", token()),
            ("GET /x", Reply::empty(200)),
        ];
        let (result, fake, azure) = read(script).await;
        assert_eq!(result, Ok(200));
        assert_eq!(fake.asked()[2].authorization.as_deref(), Some("Bearer T"));
        let stats = azure.stats();
        assert_eq!(serde_json::to_value(&stats.requests).unwrap(), json!({ "arm": {"GET": 1}, "login": {"POST": 2} }));
        assert_eq!((stats.writes_sent, stats.retries), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_entra_says_is_told_in_one_line() {
        let body =
            json!({ "error": "invalid_client", "error_description": "AADSTS7000215: \"bad\" secret.\r\nTrace ID: 1" });
        let (result, fake, _) = read(vec![("POST /t/", Reply::json(401, &body))]).await;
        let failure = result.unwrap_err();
        assert_eq!(failure.kind, Kind::Credential);
        assert_eq!(failure.summary(), "401 invalid_client: AADSTS7000215: \"bad\" secret. Trace ID: 1");
        assert_eq!(failure.said.target, "https://login.microsoftonline.com/t/oauth2/v2.0/token");
        assert_eq!(fake.asked().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_never_made_to_entra_keeps_its_kind() {
        let (result, fake, _) = read(vec![("POST /t/", Reply::Untrusted)]).await;
        assert_eq!((result.unwrap_err().kind, fake.asked().len()), (Kind::Tls, 1));
    }
}

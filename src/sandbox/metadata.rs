//! The document in which a cloud says where its services are, without a token: how tools learn of a new cloud.
//!
//! `az cloud register --endpoint-resource-manager` reads version 2022-09-01, one object; tools for several
//! clouds read a list of versions 2019-05-01 to 2020-06-01; tools of Azure Stack read the flat form before those.

use serde_json::{Value, json};

use super::Domain;
use super::wire::{Answer, Ask, Reply};

/// Whether a request to Resource Manager is for the document.
pub(super) fn is_asked(ask: &Ask) -> bool {
    matches!(ask.path_lower().as_slice(), [one, two] if one == "metadata" && two == "endpoints")
}

/// Answers it with the names of the cloud that was asked.
pub(super) fn answer(ask: &Ask) -> Reply {
    if ask.method != "GET" {
        return Err(Answer::error(405, "MethodNotAllowed", "The requested resource does not support this method."));
    }
    let names = Names::of(Domain::of(&ask.host), &ask.tenant);
    match ask.api_version() {
        "" => {
            let text = "The api-version query parameter (?api-version=) is required for all requests.";
            Err(Answer::error(400, "MissingApiVersionParameter", text).gateway())
        }
        "1.0" | "2014-11-01-preview" | "2015-01-01" => Ok(Answer::json(200, names.flat())),
        "2018-05-01" => Ok(Answer::json(200, names.flat_with_clouds())),
        "2019-05-01" | "2019-10-01" | "2020-06-01" => Ok(Answer::json(200, json!([names.whole()]))),
        later if is_date(later) && later > "2020-06-01" => Ok(Answer::json(200, names.whole())),
        other => {
            let text = format!("The api-version '{other}' is invalid for the metadata endpoint.");
            Err(Answer::error(400, "InvalidApiVersionParameter", &text).gateway())
        }
    }
}

fn is_date(text: &str) -> bool {
    let day = text.strip_suffix("-preview").unwrap_or(text);
    day.len() == 10
        && day
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// Where one cloud's services are.
struct Names {
    cloud: &'static str,
    domain: Domain,
    /// What tokens for Resource Manager are for; the first is what tools ask for.
    audiences: Vec<String>,
    tenant: String,
    storage: &'static str,
    /// What the names of services that the sandbox does not have end in.
    absent: &'static str,
}

impl Names {
    fn of(domain: Domain, tenant: &str) -> Self {
        let audience = |host: &str| format!("https://{host}/");
        match domain {
            Domain::Sandbox => Self {
                cloud: "CmkSandbox",
                domain,
                audiences: vec![format!("https://{}", domain.arm())],
                tenant: tenant.to_owned(),
                storage: "storage.sandbox.test",
                absent: "sandbox.test",
            },
            Domain::Public => Self {
                cloud: "AzureCloud",
                domain,
                audiences: vec![audience("management.core.windows.net"), audience(domain.arm())],
                tenant: "common".to_owned(),
                storage: "core.windows.net",
                absent: "azure.com",
            },
        }
    }

    fn authentication(&self) -> Value {
        json!({
            "loginEndpoint": format!("https://{}", self.domain.login()), "audiences": self.audiences,
            "tenant": self.tenant, "identityProvider": "AAD",
        })
    }

    fn whole(&self) -> Value {
        let Self { cloud, domain, audiences: _, tenant: _, storage, absent } = self;
        let (arm, graph, vault) = (domain.arm(), domain.graph(), domain.vault_suffix());
        json!({
            "portal": format!("https://portal.{absent}"),
            "authentication": self.authentication(),
            "media": format!("https://rest.media.{absent}"),
            "graphAudience": format!("https://{graph}/"),
            "graph": format!("https://{graph}/"),
            "microsoftGraphResourceId": format!("https://{graph}/"),
            "name": cloud,
            "suffixes": {
                "acrLoginServer": format!("azurecr.{absent}"),
                "keyVaultDns": vault,
                "mhsmDns": format!("managedhsm.{absent}"),
                "sqlServerHostname": format!("database.{absent}"),
                "storage": storage,
            },
            "batch": format!("https://batch.{absent}/"),
            "resourceManager": format!("https://{arm}/"),
            "vmImageAliasDoc": format!("https://{arm}/metadata/absent/aliases.json"),
            "activeDirectoryDataLake": format!("https://datalake.{absent}/"),
            "sqlManagement": format!("https://sql.{absent}/"),
            "gallery": format!("https://gallery.{absent}/"),
            "logAnalyticsResourceId": format!("https://loganalytics.{absent}"),
            "appInsightsResourceId": format!("https://applicationinsights.{absent}"),
        })
    }

    fn flat(&self) -> Value {
        let Self { domain, absent, audiences, .. } = self;
        let (graph, login) = (domain.graph(), domain.login());
        json!({
            "galleryEndpoint": format!("https://gallery.{absent}/"),
            "graphEndpoint": format!("https://{graph}/"),
            "graphAudience": format!("https://{graph}/"),
            "portalEndpoint": format!("https://portal.{absent}"),
            "authentication": {"loginEndpoint": format!("https://{login}/"), "audiences": audiences},
        })
    }

    fn flat_with_clouds(&self) -> Value {
        let mut flat = self.flat();
        flat["cloudEndpoint"] =
            json!({"public": {"endpoint": self.domain.arm(), "locations": ["westeurope", "northeurope"]}});
        flat
    }
}

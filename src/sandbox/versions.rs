//! Which versions of its API each resource type speaks.

use super::wire::{Answer, Ask};

const STORAGE: &[&str] = &[
    "2019-06-01",
    "2020-08-01-preview",
    "2021-01-01",
    "2021-02-01",
    "2021-04-01",
    "2021-06-01",
    "2021-08-01",
    "2021-09-01",
    "2022-05-01",
    "2022-09-01",
    "2023-01-01",
    "2023-04-01",
    "2023-05-01",
    "2024-01-01",
    "2025-01-01",
    "2025-06-01",
    "2025-08-01",
    "2026-04-01",
    "2026-06-01",
    "2026-09-01",
];
const KEY_VAULT: &[&str] = &[
    "2015-06-01",
    "2016-10-01",
    "2018-02-14",
    "2019-09-01",
    "2020-04-01-preview",
    "2021-06-01-preview",
    "2021-10-01",
    "2021-11-01-preview",
    "2022-07-01",
    "2022-11-01",
    "2023-02-01",
    "2023-07-01",
    "2024-11-01",
    "2025-05-01",
    "2026-02-01",
    "2026-05-15",
];
const AUTHORIZATION: &[&str] = &[
    "2015-07-01",
    "2018-01-01-preview",
    "2018-09-01-preview",
    "2020-04-01-preview",
    "2020-08-01-preview",
    "2020-10-01-preview",
    "2022-01-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
];
/// Locks have versions of their own.
const LOCKS: &[&str] = &["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"];
const IDENTITY: &[&str] = &[
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
];

/// The versions that a provider of the sandbox speaks, by its name in lower case.
pub(super) fn of(namespace: &str) -> Option<&'static [&'static str]> {
    match namespace {
        "microsoft.storage" => Some(STORAGE),
        "microsoft.insights" => Some(&["2021-05-01-preview"]),
        "microsoft.keyvault" => Some(KEY_VAULT),
        "microsoft.managedidentity" => Some(IDENTITY),
        "microsoft.authorization" => Some(AUTHORIZATION),
        _ => None,
    }
}

/// Refuses a version that a provider of the sandbox does not speak; says nothing of unknown providers.
pub(super) fn check(namespace: &str, kind: &str, ask: &Ask) -> Result<(), Answer> {
    let supported = if (namespace, kind) == ("microsoft.authorization", "locks") { Some(LOCKS) } else { of(namespace) };
    let Some(supported) = supported else { return Ok(()) };
    let version = ask.api_version();
    if supported.contains(&version) {
        return Ok(());
    }
    let list = supported.join(", ");
    let text = format!(
        "No registered resource provider found for location '' and API version '{version}' for type '{kind}'. The supported api-versions are '{list}'."
    );
    Err(Answer::error(400, "NoRegisteredProviderFound", &text).gateway())
}

//! Operations for which there is no contract here. The list is short and stays short.

/// Method and path; `*` is any one segment, `**` any rest.
const UNCOVERED: &[(&str, &str)] = &[
    // Entra ID has no contract of this kind.
    ("POST", "*/oauth2/v2.0/token"),
    // Resource Manager's own operations.
    ("GET", "tenants"),
    ("GET", "subscriptions"),
    ("GET", "subscriptions/*"),
    ("GET", "subscriptions/*/locations"),
    ("GET", "subscriptions/*/resourcegroups"),
    ("GET", "subscriptions/*/resourcegroups/*"),
    ("HEAD", "subscriptions/*/resourcegroups/*"),
    ("PUT", "subscriptions/*/resourcegroups/*"),
    ("DELETE", "subscriptions/*/resourcegroups/*"),
    ("GET", "subscriptions/*/resources"),
    ("GET", "subscriptions/*/resourcegroups/*/resources"),
    ("GET", "subscriptions/*/operationresults/*"),
    ("GET", "subscriptions/*/providers"),
    ("GET", "subscriptions/*/providers/*"),
    ("POST", "subscriptions/*/providers/*/register"),
    ("POST", "subscriptions/*/providers/*/unregister"),
    // Locks.
    ("GET", "subscriptions/*/providers/microsoft.authorization/locks"),
    ("GET", "subscriptions/*/providers/microsoft.authorization/locks/*"),
    ("PUT", "subscriptions/*/providers/microsoft.authorization/locks/*"),
    ("DELETE", "subscriptions/*/providers/microsoft.authorization/locks/*"),
    ("GET", "subscriptions/*/resourcegroups/*/providers/microsoft.authorization/locks"),
    ("GET", "subscriptions/*/resourcegroups/*/providers/microsoft.authorization/locks/*"),
    ("PUT", "subscriptions/*/resourcegroups/*/providers/microsoft.authorization/locks/*"),
    ("DELETE", "subscriptions/*/resourcegroups/*/providers/microsoft.authorization/locks/*"),
    ("GET", "subscriptions/*/resourcegroups/*/providers/*/*/*/providers/microsoft.authorization/locks"),
    ("GET", "subscriptions/*/resourcegroups/*/providers/*/*/*/providers/microsoft.authorization/locks/*"),
    ("PUT", "subscriptions/*/resourcegroups/*/providers/*/*/*/providers/microsoft.authorization/locks/*"),
    ("DELETE", "subscriptions/*/resourcegroups/*/providers/*/*/*/providers/microsoft.authorization/locks/*"),
    // How a long operation is doing.
    ("GET", "subscriptions/*/providers/microsoft.storage/locations/*/asyncoperations/*"),
    ("GET", "subscriptions/*/providers/microsoft.keyvault/locations/*/operationresults/*"),
    // The file service of an account.
    ("GET", "subscriptions/*/resourcegroups/*/providers/microsoft.storage/storageaccounts/*/fileservices/**"),
    ("PUT", "subscriptions/*/resourcegroups/*/providers/microsoft.storage/storageaccounts/*/fileservices/default"),
];

/// Whether it is known that there is no contract.
pub(super) fn is_known(method: &str, path: &[String]) -> bool {
    UNCOVERED.iter().any(|(listed, template)| *listed == method && fits(template, path))
}

/// Whether a path has the form of a template, in whatever case.
pub(crate) fn fits(template: &str, path: &[String]) -> bool {
    let mut wanted = template.split('/').peekable();
    for segment in path {
        match wanted.next() {
            Some("**") => return true,
            Some("*") => {}
            Some(literal) if literal.eq_ignore_ascii_case(segment) => {}
            _ => return false,
        }
    }
    wanted.next().is_none_or(|rest| rest == "**")
}

//! Requests that nobody would send: the sandbox has an answer to each.

use proptest::prelude::*;

use super::*;

const SEGMENTS: [&str; 39] = [
    "subscriptions",
    SUBSCRIPTIONS[0],
    "resourceGroups",
    "rg",
    "providers",
    "Microsoft.KeyVault",
    "Microsoft.Storage",
    "vaults",
    "kv1",
    "keys",
    "main",
    "versions",
    "accessPolicies",
    "add",
    "remove",
    "storageAccounts",
    "st1",
    "listKeys",
    "locations",
    "westeurope",
    "deletedVaults",
    "purge",
    "asyncoperations",
    "checkNameAvailability",
    "deletedkeys",
    "recover",
    "create",
    "rotate",
    "%2F%00",
    "tenants",
    "Microsoft.Authorization",
    "roleAssignments",
    "roleDefinitions",
    TENANT,
    "v1.0",
    "servicePrincipals",
    "getByIds",
    "oauth2",
    "token",
];
const WORDS: [&str; 29] = [
    "properties",
    "location",
    "westeurope",
    "encryption",
    "keySource",
    "Microsoft.Keyvault",
    "Microsoft.Storage",
    "identity",
    "type",
    "SystemAssigned,UserAssigned",
    "userAssignedIdentities",
    "keyvaultproperties",
    "keyname",
    "keyvaulturi",
    "accessPolicies",
    "permissions",
    "keys",
    "networkAcls",
    "sku",
    "name",
    "attributes",
    "exp",
    "services",
    "tags",
    "roleDefinitionId",
    "principalId",
    "principalType",
    CALLER_OBJECT_ID,
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
];

fn json() -> impl Strategy<Value = Value> {
    let word = || proptest::sample::select(&WORDS[..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(word().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    let rest = proptest::collection::vec(proptest::sample::select(&SEGMENTS[..]), 0..8);
    let starts =
        vec![String::new(), group("rg"), vault("kv1"), account("st1"), "/keys/main".into(), "/deletedkeys".into()];
    (proptest::sample::select(starts), rest).prop_map(|(start, rest)| {
        let whole = format!("{start}/{}", rest.join("/"));
        if rest.is_empty() && !start.is_empty() { start } else { whole }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_request_has_an_answer_and_what_is_refused_changes_nothing(
        method in proptest::sample::select(vec!["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD"]),
        path in path(),
        body in json(),
        own_door in any::<bool>(),
    ) {
        let mut stage = Stage::new(Pace::instant());
        stage.has_bound_account();
        // Some of the noise is taken; what is answered to it is held to the contracts all the same.
        stage.world.set_watch(Watch::new(contracts::hold_answer));
        let before = stage.world.state.clone();
        let (host, audience) = if own_door { ("kv1.vault.sandbox.test", VAULT_SUFFIX) } else { (ARM_HOST, ARM_HOST) };
        let version = match path.as_str() {
            path if path.contains("Authorization") => "2022-04-01",
            path if path.contains("KeyVault") || own_door => VAULT_VERSION,
            _ => ARM_VERSION,
        };
        let url = format!("https://{host}{path}?api-version={version}");
        let answer = stage.at(method, audience, &url, &body);
        prop_assert!(answer.status < 500, "{answer:?}");
        if answer.status >= 400 {
            prop_assert!(stage.world.state == before);
        }
        let text = serde_json::to_string(&stage.world).unwrap();
        let back: World = serde_json::from_str(&text).unwrap();
        prop_assert!(back.state == stage.world.state, "the world survives being written down");
    }

    #[test]
    fn the_login_host_and_the_directory_have_an_answer_too(
        method in proptest::sample::select(vec!["GET", "PUT", "POST"]),
        host in proptest::sample::select(vec!["login.sandbox.test", "login.windows.net", "graph.microsoft.com"]),
        path in path(),
        text in any::<String>(),
        body in json(),
    ) {
        let mut stage = Stage::new(Pace::instant());
        let before = stage.world.state.clone();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$filter", &text)
            .append_pair("authorization_endpoint", &text)
            .finish();
        let answer = stage.at(method, "graph.microsoft.com", &format!("https://{host}{path}?{query}"), &body);
        prop_assert!(answer.status < 500, "{answer:?}");
        prop_assert!(stage.world.state == before, "nothing changes here");
    }
}

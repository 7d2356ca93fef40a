//! That the contracts are held against what is said at all: `tests/contracts` finds what is wrong on purpose.

use crate::contracts::{Exchange, problems, segments, shared};
use serde_json::Value;

#[test]
fn a_misspelt_field_and_an_unknown_operation_are_noticed() {
    if shared().is_none() {
        return;
    }
    let path = segments("/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st1");
    let exchange = |method: &str, path: &[String], sent: Value| Exchange {
        method: method.to_owned(),
        host: "arm.sandbox.test".to_owned(),
        path: path.to_vec(),
        api_version: "2025-06-01".to_owned(),
        sent: Some(sent),
        status: 200,
        answered: None,
    };
    let misspelt = serde_json::json!({"properties": {"encryption": {"keyVaultProperties": {}}}});
    for method in ["PATCH", "PUT"] {
        let found = problems(&exchange(method, &path, misspelt.clone()));
        assert!(found.iter().any(|line| line.contains("keyVaultProperties: undeclared")), "{method}: {found:?}");
    }
    let unknown = [path.as_slice(), &["turnInsideOut".to_owned()]].concat();
    assert_eq!(problems(&exchange("POST", &unknown, Value::Null)).len(), 1);
}

//! That all of these tests are held against Azure's contracts, whichever world they make.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::sandbox::{Fault, Mishap};

#[test]
fn a_world_that_breaks_a_contract_fails_its_test() {
    if contracts::shared().is_none() {
        return;
    }
    let mut stage = Stage::new(Pace::instant());
    let body = Some(json!({"value": [{"kynd": "StorageV2"}]}));
    stage.world.inject(Fault::once("GET", "storageAccounts", Mishap::Answer { status: 200, headers: vec![], body }));
    let list = format!("{}/providers/Microsoft.Storage/storageAccounts", group("rg"));
    let failed = catch_unwind(AssertUnwindSafe(|| stage.get(&list))).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("value[].kynd: undeclared"), "{said}");
}

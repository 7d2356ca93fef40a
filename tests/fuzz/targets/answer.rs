//! Any answer to any call: status, headers and body through the client, every reader, lists and operations.
//!
//! The first byte names the call; the rest is the answer, which every request gets.

#![no_main]

use cmk::azure::{
    Azure, Call, Cloud, Effect, Failure, Method, accounts, groups, keys, lro, page, subscriptions, vaults,
};
use cmk::model::*;
use cmk_fuzz::{Message, Script, Scripted, Tokens};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

struct Stage {
    runtime: Runtime,
    transport: Arc<Scripted>,
    azure: Azure,
}

thread_local! {
    static STAGE: RefCell<Stage> = RefCell::new(stage());
}

fn stage() -> Stage {
    let transport = Scripted::new(Cloud::public(), Script::default(), None);
    let azure = cmk_fuzz::azure(transport.clone(), Arc::new(Tokens), 2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    Stage { runtime, transport, azure }
}

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else { return };
    STAGE.with_borrow_mut(|stage| {
        *stage.transport.script.lock().unwrap() = Script { all: Some(Message::read(rest)), ..Script::default() };
        let result = stage.runtime.block_on(ask(&stage.azure, *which));
        match result {
            Ok(seen) => assert!(!seen.is_empty()),
            Err(failure) => {
                cmk_fuzz::check_shown(&failure.to_string());
                assert!(failure.to_string().len() < 20_000, "a failure is short enough to read");
            }
        }
    });
});

async fn ask(azure: &Azure, which: u8) -> Result<String, Failure> {
    let subscription = SubscriptionId::parse("abcdef00-0000-0000-0000-000000000000").unwrap();
    let group = GroupId { subscription: subscription.clone(), name: GroupName::parse("rg").unwrap() };
    let vault = VaultId { group: group.clone(), name: VaultName::parse("kv1").unwrap() };
    let account = AccountId { group: group.clone(), name: AccountName::parse("st1").unwrap() };
    let key = KeyName::parse("main").unwrap();
    let host = "kv1.vault.azure.net";
    let location = Location::parse("westeurope").unwrap();
    Ok(match which % 14 {
        0 => read(azure, groups::get(&group), groups::read).await?,
        1 => read(azure, vaults::get(&vault), vaults::read).await?,
        2 => read(azure, accounts::get(&account), accounts::read).await?,
        3 => read(azure, subscriptions::get(&subscription), subscriptions::read).await?,
        4 => read(azure, keys::arm_get(&vault, &key), keys::read_arm).await?,
        5 => read(azure, keys::vault_get(host, &key), keys::read_vault).await?,
        6 => read(azure, vaults::check_name(&subscription, &vault.name), vaults::read_name).await?,
        7 => read(azure, vaults::get_deleted(&subscription, &location, &vault.name), vaults::read_deleted).await?,
        8 => read(azure, vaults::add_access(&vault, "t", &[]), vaults::read_added).await?,
        9 => list(azure, keys::arm_versions(&vault, &key), keys::read_arm_version).await?,
        10 => list(azure, keys::vault_versions(host, &key), keys::read_vault_version).await?,
        11 => read(azure, vaults::protect(&vault), vaults::read).await?,
        12 => finish(azure, &accounts::get(&account)).await?,
        _ => {
            let create = KeyCreate { kind: KeyType::Rsa, size_bits: 3072 };
            read(azure, keys::arm_create(&vault, &key, &create, &Marks::default(), None), keys::read_arm).await?
        }
    })
}

type Read<T> = fn(&serde_json::Value) -> Result<T, String>;

async fn read<T: std::fmt::Debug>(azure: &Azure, call: Call, read: Read<T>) -> Result<String, Failure> {
    let answer = azure.call(&call).await?;
    answer.read(&call, read).map(|seen| format!("{seen:?}"))
}

async fn list<T: std::fmt::Debug>(azure: &Azure, call: Call, read: Read<T>) -> Result<String, Failure> {
    page::all(azure, call, read).await.map(|seen| format!("{seen:?}"))
}

async fn finish(azure: &Azure, thing: &Call) -> Result<String, Failure> {
    let create = Call { method: Method::Put, effect: Effect::Write, ..thing.clone() };
    let first = azure.call(&create).await?;
    let mut waits = 0;
    let limit = Duration::from_secs(120);
    let last = lro::finish(azure, first, thing, limit, &mut |_| waits += 1).await?;
    assert!(waits <= 120, "an operation is looked at once a second at most");
    last.read(thing, accounts::read).map(|seen| format!("{seen:?}"))
}

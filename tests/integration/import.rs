//! A spec is written of what is there, says it, and its plan is empty.

use super::practice::{Practice, comes_first, desired, example};
use cmk::import::import;
use cmk::model::SubscriptionId;
use cmk::{observe, sandbox, spec};
use std::collections::BTreeMap;

fn subscriptions() -> Vec<SubscriptionId> {
    sandbox::SUBSCRIPTIONS.iter().map(|id| SubscriptionId::parse(id).expect("a GUID")).collect()
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_an_imported_spec_is_empty_whatever_is_there() {
    let specs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut tried = 0;
    for file in std::fs::read_dir(specs).expect("the examples are there") {
        let name = file.expect("it can be listed").file_name().into_string().expect("a plain name");
        let practice = Practice::prompt();
        let first = comes_first(&name).map(example);
        if let Some(first) = &first {
            practice.converge(first).await;
        }
        let wanted = example(&name);
        practice.let_importer_in(&wanted).await;
        practice.converge(&wanted).await;
        let found = observe::found(&practice.azure(), &subscriptions()).await.expect("it can be looked at");
        assert!(found.unseen.is_empty(), "{name}: {:?}", found.unseen);
        let imported = import(&found, &BTreeMap::new());
        assert!(imported.left_out.is_empty(), "{name}: {:?}", imported.left_out);
        let text = spec::emit(&imported.document).expect("it can be written");
        let read = desired(&text);
        let accounts = first.iter().chain([&wanted]).flat_map(|spec| spec.accounts.values());
        let bound = accounts.filter(|account| account.encryption.is_some()).count();
        assert_eq!(read.accounts.len(), bound, "{name}:\n{text}");
        let (plan, stats) = practice.plan(&read).await;
        assert!(plan.is_empty() && plan.is_complete(), "{name}:\n{text}\n{plan:#?}");
        assert_eq!(stats.writes_sent, 0);
        tried += bound;
    }
    assert!(tried >= 9, "the examples have many accounts, and {tried} were tried");
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_was_not_searched_for_leaves_its_accounts_out_and_says_so() {
    let practice = Practice::prompt();
    practice.converge(&example("two-subscriptions.yaml")).await;
    let found = observe::found(&practice.azure(), &subscriptions()[..1]).await.expect("it can be looked at");
    let imported = import(&found, &BTreeMap::new());
    assert!(imported.document.accounts.is_empty(), "{:?}", imported.document);
    let (id, reason) = imported.left_out.first().expect("it is told");
    assert_eq!(id.name.as_str(), "stapp");
    assert!(reason.contains("kv-security"), "{reason}");
}

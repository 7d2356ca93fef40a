//! Zero noise: what Azure spells, orders or fills in differently is no difference, and neither is the order of a spec.

use super::practice::{Practice, desired, example};
use cmk::azure::{Call, accounts, groups, keys, vaults};
use cmk::model::{Desired, NameState, Observed, Seen, Timestamp};
use cmk::plan::{Plan, plan};
use cmk::report::{Scene, Traffic, human, json};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Chances taken one after another.
struct Dice(Vec<u8>, usize);

impl Dice {
    fn roll(&mut self, sides: u8) -> u8 {
        self.1 += 1;
        self.0[self.1 % self.0.len()] % sides
    }
}

/// Members whose text Azure gives back in any case.
const ANY_CASE: [&str; 11] = [
    "id",
    "vaultUri",
    "keyvaulturi",
    "keyname",
    "tenantId",
    "objectId",
    "principalId",
    "keySource",
    "type",
    "provisioningState",
    "name",
];

fn in_another_case(text: &str, dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// The same thing as Azure might show it another time.
fn noisy(name: &str, value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::String(text) if name == "keyvaulturi" || name == "vaultUri" => {
            let text = in_another_case(text.trim_end_matches('/'), dice);
            let text = text.replacen("HTTPS", "https", 1);
            json!(if dice.roll(2) == 0 { text } else { text + "/" })
        }
        Value::String(text) if name == "location" => json!(if dice.roll(2) == 0 { "West Europe" } else { text }),
        Value::String(text) if ANY_CASE.contains(&name) => json!(in_another_case(text, dice)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| noisy("keys", item, dice)).collect();
            let by = usize::from(dice.roll(8)) % items.len().max(1);
            items.rotate_left(by);
            Value::Array(items)
        }
        Value::String(text) if name == "keys" => json!(in_another_case(text, dice)),
        Value::Object(members) => {
            let mut other: serde_json::Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), noisy(name, value, dice))).collect();
            if dice.roll(2) == 0 {
                other.insert("aNewProperty".to_owned(), json!({ "of": ["a", "later", "version", null] }));
            }
            Value::Object(other)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What is said by leaving it out may as well be said by null or an empty text.
fn with_defaults(account: &mut Value, vault: &mut Value, dice: &mut Dice) {
    let properties = account.pointer_mut("/properties/encryption/keyvaultproperties").expect("it is bound");
    if properties["keyversion"].as_str().unwrap_or_default().is_empty() {
        properties["keyversion"] = if dice.roll(2) == 0 { json!("") } else { Value::Null };
    }
    account["properties"]["encryption"]["identity"] =
        if dice.roll(2) == 0 { Value::Null } else { json!({ "userAssignedIdentity": "" }) };
    vault["properties"]["enableRbacAuthorization"] = if dice.roll(2) == 0 { json!(false) } else { Value::Null };
    for entry in vault["properties"]["accessPolicies"].as_array_mut().into_iter().flatten() {
        entry["applicationId"] = if dice.roll(2) == 0 { json!("") } else { Value::Null };
    }
}

/// A converged estate, as Azure's own answers.
struct Estate {
    desired: Desired,
    observed: Observed,
    group: Value,
    vault: Value,
    key: Value,
    account: Value,
}

async fn converged(spec: Desired) -> Estate {
    let practice = Practice::new();
    practice.converge(&spec).await;
    let azure = practice.azure();
    let get = async |call: Call| azure.call(&call).await.expect("it is there").body;
    let vault = spec.vaults.values().next().expect("a vault").id.clone();
    let key = spec.keys().next().expect("a key").0;
    Estate {
        group: get(groups::get(spec.groups.keys().next().expect("a group"))).await,
        key: get(keys::arm_get(&vault, &key.name)).await,
        vault: get(vaults::get(&vault)).await,
        account: get(accounts::get(&spec.accounts.values().next().expect("an account").id)).await,
        observed: cmk::observe::observe(&spec, &azure).await.expect("it can be observed"),
        desired: spec,
    }
}

impl Estate {
    /// What is planned when Azure shows the estate in another way.
    fn shown_otherwise(&self, dice: &mut Dice) -> Plan {
        let Self { desired, observed, group, vault, key, account } = self;
        let (mut account, mut vault) = (account.clone(), vault.clone());
        with_defaults(&mut account, &mut vault, dice);
        let mut seen = observed.clone();
        let mut look = |value: &Value| noisy("", value, dice);
        let group = groups::read(&look(group)).expect("a group");
        let vault = vaults::read(&look(&vault)).expect("a vault");
        let account = accounts::read(&look(&account)).expect("an account");
        // The name of a key's version is its own, and its type is written in one way only.
        let key = keys::read_arm(key).expect("a key");
        seen.groups.values_mut().for_each(|one| *one = Seen::Known(group.clone()));
        seen.vaults.values_mut().for_each(|one| *one = Seen::Known(vault.clone()));
        seen.keys.values_mut().for_each(|one| *one = Seen::Known(key.clone()));
        seen.accounts.values_mut().for_each(|one| *one = Seen::Known(account.clone()));
        plan(desired, &seen)
    }
}

fn following() -> Desired {
    let mut spec = example("quickstart.yaml");
    for account in spec.accounts.values_mut() {
        account.encryption.as_mut().expect("it is encrypted").version = cmk::model::VersionRule::Auto;
    }
    spec
}

#[tokio::test(start_paused = true)]
async fn spelling_order_and_defaults_of_azures_are_never_a_difference() {
    for spec in [example("quickstart.yaml"), following()] {
        let estate = converged(spec).await;
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
        let chances = proptest::collection::vec(any::<u8>(), 97..199);
        let outcome = runner.run(&chances, |chances| {
            let plan = estate.shown_otherwise(&mut Dice(chances, 0));
            prop_assert!(plan.is_empty() && plan.is_complete(), "{:#?}", plan);
            prop_assert!(plan.notes.is_empty() && plan.waits.is_empty(), "{:#?}", plan);
            Ok(())
        });
        assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}

/// The parts of a spec, each in an order of its own.
fn shuffled(dice: &mut Dice) -> String {
    let mut pick = |entries: &[&str]| -> Vec<String> {
        let mut rest: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        let mut order = vec![];
        while !rest.is_empty() {
            order.push(rest.remove(usize::from(dice.roll(251)) % rest.len()));
        }
        order
    };
    let permissions = pick(&["get", "wrapKey", "unwrapKey", "recover"]).join(", ");
    let encryption = pick(&["key: kv-one/main", "version: auto", &format!("permissions: [{permissions}]")]).join(", ");
    let fields =
        pick(&["create: {}", "identity: systemAssigned", &format!("encryption: {{ {encryption} }}")]).join(", ");
    let accounts = pick(&[
        &format!("  stone: {{ {fields} }}"),
        "  sttwo: { create: {}, identity: systemAssigned, encryption: { key: kv-two/main } }",
        "  stthree: { create: { kind: StorageV2, sku: Standard_LRS }, identity: systemAssigned }",
    ])
    .join("\n");
    let keys = pick(&["main: { create: {} }", "spare: { create: { size: 3072, type: RSA } }"]).join(", ");
    let vaults = pick(&[
        &format!("  kv-one: {{ purgeProtection: true, create: {{}}, keys: {{ {keys} }} }}"),
        "  kv-two: { keys: { main: { create: {} } }, create: {}, purgeProtection: true }",
    ])
    .join("\n");
    let groups = pick(&["  rg-one: { create: {} }", "  rg-two: { create: {} }"]).join("\n");
    let defaults =
        "defaults: { location: westeurope, resourceGroup: rg-one, subscription: 11111111-1111-1111-1111-111111111111 }";
    let sections = pick(&[
        "version: 1",
        defaults,
        &format!("resourceGroups:\n{groups}"),
        &format!("vaults:\n{vaults}"),
        &format!("accounts:\n{accounts}"),
    ]);
    sections.join("\n") + "\n"
}

/// All that a person or a program reads of a plan.
fn shown(plan: &Plan) -> String {
    let scene = Scene { cloud: "sandbox".to_owned(), sandbox_file: None };
    human::plan(plan, &scene, false) + &json::plan(plan, &Traffic::default(), &scene) + &plan.digest
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_spec_changes_nothing_byte_for_byte() {
    let practice = Practice::new();
    let first = desired(&shuffled(&mut Dice(vec![0], 0)));
    let empty = cmk::observe::observe(&first, &practice.azure()).await.expect("it can be observed");
    let taken = names_are_taken(empty.clone());
    let (planned, refused) = (shown(&plan(&first, &empty)), shown(&plan(&first, &taken)));
    assert!(refused.contains("CMK202"), "{refused}");
    let chances = proptest::collection::vec(any::<u8>(), 37..61);
    let outcome = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300)).run(&chances, |chances| {
        let other = desired(&shuffled(&mut Dice(chances, 0)));
        prop_assert_eq!(&shown(&plan(&other, &empty)), &planned);
        prop_assert_eq!(&shown(&plan(&other, &taken)), &refused);
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());

    practice.converge(&first).await;
    for seed in [vec![1, 2, 3, 5], vec![9, 4, 7], vec![250, 3, 17, 80, 2]] {
        let (plan, stats) = practice.plan(&desired(&shuffled(&mut Dice(seed, 0)))).await;
        assert!(plan.is_empty() && plan.is_complete() && plan.notes.is_empty(), "{plan:#?}");
        assert_eq!(stats.writes_sent, 0);
    }
}

fn names_are_taken(mut seen: Observed) -> Observed {
    seen.at = Timestamp(1_767_225_600);
    let taken = || Seen::Known(NameState::Taken("in use".to_owned()));
    seen.vault_names.values_mut().for_each(|state| *state = taken());
    seen.account_names.values_mut().for_each(|state| *state = taken());
    seen
}

#[tokio::test(start_paused = true)]
async fn a_spec_in_another_case_finds_what_is_there() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/quickstart.yaml");
    let quickstart = std::fs::read_to_string(path).expect("the example is there");
    let otherwise = quickstart
        .replace("rg-quickstart", "RG-QuickStart")
        .replace("kv-quickstart", "KV-QuickStart")
        .replace("westeurope", "West Europe");
    let (plan, stats) = practice.plan(&desired(&otherwise)).await;
    assert!(plan.is_empty() && plan.is_complete() && plan.notes.is_empty(), "{plan:#?}");
    assert_eq!((stats.total(), stats.writes_sent), (5, 0), "{stats:?}");
}

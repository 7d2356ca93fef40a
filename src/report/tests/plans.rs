//! Plans of different character, made by the planner itself, on every surface. `UPDATE_EXPECT=1` writes them anew.

use super::super::requests::Requests;
use super::super::{human, json, markdown};
use super::{scene, traffic_of_a_look};
use crate::apply::Preview;
use crate::model::{AccessPolicy, Observed, RoleAssignment, Seen, Timestamp};
use crate::plan::tests::world;
use crate::plan::{Plan, plan, text_digest};
use expect_test::expect_file;
use serde_json::Value;
use std::collections::BTreeSet;

/// A plan by its name.
pub(super) struct Story {
    pub(super) name: &'static str,
    pub(super) wanted: String,
    pub(super) seen: String,
}

const LIVE: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
const GRANTED: &str = "vault kv1 protected st1=get+wrapKey+unwrapKey";

/// All stories. What the words mean stands in the planner's tests.
pub(super) fn stories() -> Vec<Story> {
    let two_vaults =
        "vault kv1 protected; vault kv2 protected; key kv1/main; key kv2/new; account st1 system uses kv2/new";
    let three = "vault kv1 protected; key kv1/main; account sta system uses kv1/main recover; account stb system uses kv1/main recover; account stc system uses kv1/main recover";
    let many: Vec<String> = (10..40).map(|n| format!("account st{n} create system uses kv1/main; ")).collect();
    let all = "group; vault kv1 create protected; key kv1/main create; account st1 create system uses kv1/main recover";
    [
        ("nothing-to-do", LIVE, &*format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A")),
        ("from-nothing", all, ""),
        ("newer-version", LIVE, &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@A")),
        (
            "follow-the-newest",
            "vault kv1 protected; key kv1/main; account st1 system uses kv1/main auto",
            &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@A"),
        ),
        (
            "another-vault",
            two_vaults,
            &format!("{GRANTED}; vault kv2 protected; key kv1/main A; key kv2/new B; account st1 system bound kv1/main@A"),
        ),
        ("access-was-taken", LIVE, "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A"),
        ("identity-was-removed", LIVE, "vault kv1 protected; key kv1/main A; account st1 bound kv1/main@A"),
        ("one-way-door", LIVE, "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system"),
        ("vault-that-can-be-purged", "vault kv1 create unprotected; group", "group"),
        ("refused", LIVE, ""),
        (
            "refused-with-steps",
            "vault kv1; key kv1/main; vault kv2 protected; key kv2/new create; account st1 system uses kv1/main",
            "vault kv1; key kv1/main A; vault kv2; account st1",
        ),
        ("vault-not-seen", LIVE, "vault kv1 hidden; account st1 system"),
        (
            "under-way",
            LIVE,
            &format!("{GRANTED} registering; key kv1/main A; account st1 system bound kv1/main@A creating"),
        ),
        (
            "shared-key",
            three,
            "vault kv1 protected sta=get+wrapKey+unwrapKey+recover stz=get+list+sign; key kv1/main A; account sta system bound kv1/main@A; account stb system; account stc system",
        ),
        (
            "everybody-was-looked-at",
            LIVE,
            &format!(
                "{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@A; sweep kv1/main st1 st1/hr st9 st9/pay \
                 unseen; sweep kv1/other st8/ops"
            ),
        ),
        (
            "revoked",
            "vault kv1 protected; key kv1/main; account st1 system uses kv1/main revoked",
            &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        ),
        (
            "back-to-microsoft",
            "vault kv1 protected; key kv1/main; account st1 system microsoft",
            &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        ),
        ("by-role", LIVE, "vault kv1 protected rbac; key kv1/main A; account st1 system"),
        (
            "thirty-accounts",
            &format!("group; vault kv1 create protected; key kv1/main create; {}", many.concat()),
            "group; vault kv1 protected; key kv1/main A",
        ),
    ]
    .into_iter()
    .map(|(name, wanted, seen)| Story { name, wanted: wanted.to_owned(), seen: seen.to_owned() })
    .collect()
}

impl Story {
    pub(super) fn observed(&self) -> Observed {
        let mut observed = world::observed(&self.wanted, &self.seen);
        for seen in observed.keys.values_mut() {
            if let Seen::Known(key) = seen {
                for (version, month) in key.versions.iter_mut().zip(1..) {
                    // Made in 2026, the newest last; each lasts a year.
                    version.created = Some(Timestamp(1_782_864_000 - month * 2_592_000));
                    version.expires = Some(Timestamp(1_814_400_000 - month * 2_592_000));
                }
            }
        }
        observed
    }

    pub(super) fn plan(&self) -> (Plan, Observed) {
        let observed = self.observed();
        // What is observed grows with every version; a snapshot is not to change for that.
        let fingerprint = text_digest(self.name);
        (Plan { fingerprint, ..plan(&world::desired(&self.wanted), &observed) }, observed)
    }
}

/// JSON to be read by a person: what fits on a line stands on one.
fn folded(value: &Value, indent: usize) -> String {
    let flat = value.to_string();
    if indent + flat.len() <= 110 {
        return flat;
    }
    let pad = " ".repeat(indent + 2);
    let (open, items, close): (_, Vec<String>, _) = match value {
        Value::Array(items) => ('[', items.iter().map(|item| folded(item, indent + 2)).collect(), ']'),
        Value::Object(fields) => {
            let field = |(name, item): (&String, &Value)| format!("\"{name}\": {}", folded(item, indent + 2));
            ('{', fields.iter().map(field).collect(), '}')
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return flat,
    };
    format!("{open}\n{pad}{}\n{}{close}", items.join(&format!(",\n{pad}")), " ".repeat(indent))
}

#[test]
fn every_plan_reads_well_on_every_surface() {
    let validator = jsonschema::validator_for(&json::schema()).unwrap();
    for story in stories() {
        let (plan, _) = story.plan();
        let name = story.name;
        let human = human::plan(&plan, &scene(), false);
        assert!(human.lines().all(|line| line.chars().count() <= 80), "{name}: {human}");
        expect_file![format!("plans/{name}.txt")].assert_eq(&human);
        let json = json::plan(&plan, &traffic_of_a_look(), &scene());
        let value: Value = serde_json::from_str(&json).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{name} does not keep to the schema");
        // Thirty times the same is nothing to read.
        if name != "thirty-accounts" {
            expect_file![format!("plans/{name}.json")].assert_eq(&format!("{}\n", folded(&value, 0)));
        }
        expect_file![format!("plans/{name}.md")].assert_eq(&markdown::plan(&plan, &scene()));
    }
}

#[test]
fn requests_are_shown_on_every_surface_as_they_are() {
    let story = stories().into_iter().find(|story| story.name == "newer-version").unwrap();
    let (plan, _) = story.plan();
    let preview = Preview {
        step: plan.steps[0].id.clone(),
        method: "PATCH".to_owned(),
        url: "https://management.azure.com/st1/{name that only Azure knows}?api-version=1".to_owned(),
        body: Some(serde_json::json!({ "keyversion": "{newest version of key kv1/main}", "`": "##vso[x]\n```\n" })),
    };
    let requests = Requests::new(vec![preview]);
    let human = human::showing(&plan, Some(&requests), &scene(), false);
    expect_file!["plans/requests.txt"].assert_eq(&human);
    let json = json::showing(&plan, Some(&requests), &traffic_of_a_look(), &scene());
    let value: Value = serde_json::from_str(&json).unwrap();
    assert!(jsonschema::validator_for(&json::schema()).unwrap().is_valid(&value));
    expect_file!["plans/requests.json"].assert_eq(&format!("{}\n", folded(&value["steps"][0]["requests"], 0)));
    let text = markdown::showing(&plan, Some(&requests), &scene());
    expect_file!["plans/requests.md"].assert_eq(&text);
    super::hostile::assert_sound("requests", &text);
}

#[test]
fn other_people_in_a_vault_are_named_and_left_alone() {
    let story = stories().into_iter().find(|story| story.name == "shared-key").unwrap();
    let mut observed = story.observed();
    if let Some(Seen::Known(vault)) = observed.vaults.values_mut().next() {
        let keys = BTreeSet::from(["get".to_owned(), "list".to_owned()]);
        vault.access_policies.push(AccessPolicy { object_id: "backup".to_owned(), application_id: None, keys });
    }
    let text = human::plan(&plan(&world::desired(&story.wanted), &observed), &scene(), false);
    assert!(text.contains("Left alone: vault kv1: backup: get, list; "), "{text}");
}

#[test]
fn other_people_are_named_by_the_roles_that_they_hold_and_where() {
    let wanted = "vault kv1 protected rbac; key kv1/main; account st1 system uses kv1/main";
    let seen = "vault kv1 protected rbac st1=role x1=role@rg x2=role@other; key kv1/main A; account st1 system";
    let mut observed = world::observed(wanted, seen);
    let roles = observed.vaults.values_mut().find_map(|seen| match seen {
        Seen::Known(vault) => vault.role_assignments.as_mut(),
        _ => None,
    });
    if let Some(Seen::Known(all)) = roles {
        let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635".to_owned();
        let held = RoleAssignment { role: owner, principal: "owner".to_owned(), ..all[0].clone() };
        let limited = RoleAssignment { principal: "limited".to_owned(), is_conditional: true, ..all[0].clone() };
        all.extend([held, limited]);
    }
    let made = plan(&world::desired(wanted), &observed);
    let told: Vec<(&str, &str)> =
        made.review.nearby.iter().map(|one| (one.principal.as_str(), one.permissions[0].as_str())).collect();
    let role = "Key Vault Crypto Service Encryption User";
    let group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg";
    let expected = [
        ("limited", format!("{role} at the vault, within a condition")),
        ("principal-of-x1", format!("{role} from above, at {group}")),
        ("principal-of-x2", format!("{role} at key other")),
    ];
    assert_eq!(told, expected.each_ref().map(|(who, what)| (*who, what.as_str())), "who uses no keys is not named");
}

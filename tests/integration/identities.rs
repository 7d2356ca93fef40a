//! User-assigned identities in whole runs, and how many requests binding many accounts takes, counted one by one.

use super::practice::{Practice, cloud, desired, example};
use cmk::apply::{Sight, prepare, previews};
use std::fmt::Write as _;

const HEAD: &str = "version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg, location: westeurope }
resourceGroups: { rg: { create: {} } }
vaults: { kv-many: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
identities: { id-many: { create: {} } }
accounts:
";

/// A spec of some accounts, each with these fields.
fn accounts(number: usize, fields: &str) -> String {
    (0..number).fold(HEAD.to_owned(), |mut text, n| {
        let _ = writeln!(text, "  stmany{n}: {{ create: {{}}{fields} }}");
        text
    })
}

/// Binds accounts that are there and bound to nothing; gives the requests, all of them, and the writes that this took.
async fn sent(number: usize, fields: &str) -> (u64, u64) {
    let practice = Practice::prompt();
    practice.converge(&desired(&accounts(number, ""))).await;
    let stats = practice.converge(&desired(&accounts(number, fields))).await.stats;
    assert_eq!(stats.writes_sent, stats.writes_succeeded, "nothing is sent twice");
    (stats.total(), stats.writes_sent)
}

/// What all accounts have in common: signing in, the looks at group, vault, key, identity and accounts, which are one
/// list, at locks and at accounts outside of the spec, a look at the vault before the grant, and the grant.
const COMMON: u64 = 10;

#[tokio::test(start_paused = true)]
async fn binding_many_accounts_takes_two_or_three_requests_each_and_one_grant_call_for_all() {
    for number in [1, 20] {
        // A look at each account before its first write. Its own identity has to be let at the key between two writes, and
        // the answer of the first is the look before the second; a user-assigned one comes with the key. The look at
        // planning is one list for all.
        let kinds = [("identity: systemAssigned", 3), ("identities: [id-many]", 2)];
        for ((identity, each), version) in kinds.into_iter().flat_map(|kind| [(kind, "auto"), (kind, "latest")]) {
            let fields = format!(", {identity}, encryption: {{ key: kv-many/main, version: {version} }}");
            let (requests, writes) = sent(number, &fields).await;
            let number = u64::try_from(number).expect("few");
            assert_eq!(writes, (each - 1) * number + 1, "{identity}");
            // Which version is the latest is looked at once for all.
            let latest = u64::from(version == "latest");
            assert_eq!(requests, each * number + latest + COMMON, "{identity} {version}");
            assert!(requests <= each * number + 25, "{identity}: {requests}");
        }
    }
}

/// Entra ID does not know a new principal at once, and refuses an assignment that does not say what kind it is.
#[tokio::test(start_paused = true)]
async fn principal_not_found() {
    let practice = Practice::new();
    let wanted = example("user-assigned.yaml");
    let (observed, plan) =
        prepare(&wanted, &practice.azure(), Sight::Accounts).await.expect("the sandbox can be observed");
    let all = previews(&plan, &observed, &cloud()).expect("all can be named");
    let mut assignments = all.iter().filter(|preview| preview.url.contains("/roleAssignments/"));
    let kind = assignments.next().and_then(|one| one.body.as_ref()?.pointer("/properties/principalType").cloned());
    assert_eq!(kind, Some("ServicePrincipal".into()));
    assert!(assignments.next().is_none(), "one assignment for three accounts");

    let applied = practice.converge(&wanted).await;
    assert_eq!(applied.stats.writes_succeeded, 8, "{:?}", applied.stats);
    let again = practice.apply(&wanted).await;
    assert!(again.plan.is_empty() && again.stats.writes_sent == 0, "{:?}", again.plan.steps);
}

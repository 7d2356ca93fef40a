//! A place to run whole plans: the product's real client against a sandbox in this process, in virtual time.

use crate::contracts;
use cmk::apply::{Budgets, Event, Outcome, Settings, Sight, apply, prepare};
use cmk::azure::{Azure, Call, Cloud, Counted, Effect, Method, Options, Retry, Service, Stats, credential};
use cmk::diag::Source;
use cmk::material::{Material, Materials};
use cmk::model::{Desired, KeyImport, MaterialSource};
use cmk::plan::{Accepted, Plan, judge};
use cmk::prove::AGREEABLE;
use cmk::sandbox::{self, Clock, Local, Millis, Pace, Sandbox, Watch, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A sandbox whose every exchange is held against Azure's contracts.
pub(crate) struct Practice {
    pub(crate) sandbox: Sandbox,
}

/// A run of `apply`: what was planned, what came of it, what was told and what was sent.
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
    pub(crate) stats: Stats,
}

/// Azure's time in the sandbox: 2026-01-01, plus what has passed on tokio's clock, which tests pause.
fn clock() -> Clock {
    let start = tokio::time::Instant::now();
    Arc::new(move || {
        let passed = i64::try_from(start.elapsed().as_millis()).expect("tests end within the age of the universe");
        Millis(1_767_225_600_000 + passed)
    })
}

/// The sandbox's endpoints, as the program's own `--sandbox` has them.
pub(crate) fn cloud() -> Cloud {
    Cloud::at("sandbox", sandbox::ARM_HOST, sandbox::LOGIN_HOST, sandbox::VAULT_SUFFIX)
}

impl Practice {
    /// An empty Azure with waits as long as Azure's own.
    pub(crate) fn new() -> Self {
        let mut world = World::new(Pace::azure());
        world.set_watch(Watch::new(contracts::hold));
        Self { sandbox: Sandbox::in_memory(world, clock()) }
    }

    /// An empty Azure in which grants arrive at once, so that nothing is sent again.
    pub(crate) fn prompt() -> Self {
        let mut world = World::new(Pace { grant_propagation: 0, ..Pace::azure() });
        world.set_watch(Watch::new(contracts::hold));
        Self { sandbox: Sandbox::in_memory(world, clock()) }
    }

    /// The Azure that a seed grows into, with waits as long as Azure's own.
    pub(crate) fn seeded(seed: &str) -> Self {
        let now = clock()();
        let mut world = sandbox::seed::Seed::parse(seed).unwrap().grow(now, sandbox::Domain::Sandbox).unwrap();
        world.set_pace(Pace::azure());
        world.set_watch(Watch::new(contracts::hold));
        Self { sandbox: Sandbox::in_memory(world, clock()) }
    }

    /// A client of its own, as a fresh run of the program has one.
    pub(crate) fn azure(&self) -> Azure {
        self.azure_as(sandbox::CLIENT_ID, sandbox::CLIENT_SECRET)
    }

    /// A client that signs in as another application of the sandbox.
    pub(crate) fn azure_as(&self, client: &str, secret: &str) -> Azure {
        let counted = Counted::new(cloud(), Arc::new(Local(self.sandbox.clone())));
        let choice = credential::Choice::ClientSecret {
            tenant: sandbox::TENANT.to_owned(),
            client: client.to_owned(),
            secret: secret.to_owned().into(),
        };
        let retry = Retry::default();
        let credential = credential::build(&choice, &cloud(), &counted, retry).expect("a secret is enough");
        Azure::new(cloud(), credential, counted, Options::default())
    }

    /// What is to be done for a spec, and what was sent to find out.
    pub(crate) async fn plan(&self, desired: &Desired) -> (Plan, Stats) {
        self.plan_seeing(desired, Sight::Accounts).await
    }

    /// The same, by somebody who wishes to see so far.
    pub(crate) async fn plan_seeing(&self, desired: &Desired, sight: Sight) -> (Plan, Stats) {
        let azure = self.azure();
        let (observed, plan) = prepare(desired, &azure, sight).await.expect("the sandbox can be observed");
        assert_eq!(judge(&plan, &observed), vec![], "the judge accepts what the planner makes");
        (plan, azure.stats())
    }

    /// Observes, plans and applies.
    pub(crate) async fn apply(&self, desired: &Desired) -> Applied {
        self.try_apply(desired).await.expect("the sandbox can be observed")
    }

    /// The same, where observing may fail.
    pub(crate) async fn try_apply(&self, desired: &Desired) -> Option<Applied> {
        let (_keep, stop) = watch::channel(false);
        self.run(desired, stop).await
    }

    /// The same, with a wish to stop after a while.
    pub(crate) async fn apply_until(&self, desired: &Desired, while_: Duration) -> Applied {
        let (ask, stop) = watch::channel(false);
        let asking = async {
            tokio::time::sleep(while_).await;
            ask.send(true).expect("somebody listens");
        };
        let (applied, ()) = futures::join!(self.run(desired, stop), asking);
        applied.expect("the sandbox can be observed")
    }

    async fn run(&self, desired: &Desired, stop: watch::Receiver<bool>) -> Option<Applied> {
        let azure = self.azure();
        let (observed, plan) = prepare(desired, &azure, Sight::Accounts).await.ok()?;
        assert_eq!(judge(&plan, &observed), vec![], "the judge accepts what the planner makes");
        let asked = plan.asks().into_iter().map(|ask| ask.what);
        let accepted = Accepted::named(asked.filter(|what| AGREEABLE.contains(&what.class)));
        let settings = Settings {
            concurrency: 8,
            budgets: Budgets::default(),
            run_id: uuid::Uuid::nil(),
            accepted,
            materials: materials(desired),
        };
        let mut events = vec![];
        let outcome = apply(&plan, desired, observed, &azure, &settings, stop, &mut |event| events.push(event)).await;
        Some(Applied { plan, outcome, events, stats: azure.stats() })
    }

    /// Lets whoever runs cmk do everything with keys in vaults that go by roles, where a spec brings a key of its own.
    pub(crate) async fn let_importer_in(&self, desired: &Desired) {
        if desired.keys().all(|(_, wanted)| wanted.import.is_none()) {
            return;
        }
        for subscription in desired.subscriptions() {
            let scope = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization");
            let body = json!({ "properties": {
                "roleDefinitionId": format!("{scope}/roleDefinitions/14b46e9e-c2b7-41b4-b07b-48a6ebf60603"),
                "principalId": sandbox::CALLER_OBJECT_ID, "principalType": "ServicePrincipal",
            }});
            let path = format!("{scope}/roleAssignments/{}", uuid::Uuid::nil());
            let call = Call::send(Method::Put, Effect::Write, path, "2022-04-01", body);
            self.azure().call(&call).await.expect("an owner may assign roles");
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
    }

    fn key_path(vault: &str, key: &str) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/rg-quickstart/providers/Microsoft.KeyVault/vaults/{vault}/keys/{key}",
            sandbox::SUBSCRIPTIONS[0]
        )
    }

    /// How many versions a key of the quickstart has.
    pub(crate) async fn key_versions(&self, vault: &str, key: &str) -> usize {
        let call = Call::get(format!("{}/versions", Self::key_path(vault, key)), "2026-02-01");
        let body = self.azure().call(&call).await.expect("the key is there").body;
        body["value"].as_array().expect("a list of versions").len()
    }

    /// Disables a key's newest version in the vault itself, as its owner would: first gets itself access, then waits for it.
    pub(crate) async fn disable_key(&self, vault: &str, key: &str) {
        let azure = self.azure();
        let vault_path = Self::key_path(vault, key).replace(&format!("/keys/{key}"), "/accessPolicies/add");
        let entry = json!({
            "tenantId": sandbox::TENANT, "objectId": sandbox::CALLER_OBJECT_ID, "permissions": { "keys": ["update"] },
        });
        let body = json!({ "properties": { "accessPolicies": [entry] } });
        let grant = Call::send(Method::Put, Effect::Write, vault_path, "2026-02-01", body);
        azure.call(&grant).await.expect("the caller may grant itself access");
        tokio::time::sleep(Duration::from_secs(120)).await;
        let host = format!("{vault}.{}", sandbox::VAULT_SUFFIX);
        let body = json!({ "attributes": { "enabled": false } });
        let disable = Call::send(Method::Patch, Effect::Write, format!("/keys/{key}"), "7.5", body);
        let disable = Call { service: Service::KeyVault { host }, ..disable };
        azure.call(&disable).await.expect("the key is disabled");
    }

    /// Applies and insists that every step succeeded and that a second plan is empty.
    pub(crate) async fn converge(&self, desired: &Desired) -> Applied {
        let applied = self.apply(desired).await;
        assert!(applied.plan.is_complete(), "{:#?}", applied.plan);
        assert!(applied.outcome.is_good(), "{:#?}", applied.outcome);
        let (second, _) = self.plan(desired).await;
        assert!(second.is_empty() && second.is_complete(), "{second:#?}");
        applied
    }
}

/// The keys for tests that a spec brings, each of which is a file in `tests/keys`.
fn materials(desired: &Desired) -> Materials {
    let mut materials = Materials::default();
    for (key, wanted) in desired.keys() {
        if let Some(KeyImport { source: MaterialSource::File(name), .. }) = &wanted.import {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
            let text = std::fs::read(path).expect("the key is there");
            materials.add(key, Material::read(&text, Some(b"test")).expect("a key"));
        }
    }
    materials
}

/// The desired state of a spec that has no fault.
pub(crate) fn desired(spec: &str) -> Desired {
    let source = Source { name: "test.yaml".to_owned(), text: spec.to_owned() };
    let (desired, diagnostics) = cmk::spec::load(&source);
    desired.ok_or_else(|| cmk::diag::render(&source, &diagnostics, false)).expect("a spec without fault")
}

/// The text of an example.
pub(crate) fn text(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name);
    std::fs::read_to_string(path).expect("the example is there")
}

/// The example that makes what another one expects to be there.
pub(crate) fn comes_first(name: &str) -> Option<&'static str> {
    match name {
        "guide.yaml" => Some("guide-start.yaml"),
        "key-by-id.yaml" => Some("two-subscriptions.yaml"),
        _ => None,
    }
}

/// An example of the project's own.
pub(crate) fn example(name: &str) -> Desired {
    desired(&text(name))
}

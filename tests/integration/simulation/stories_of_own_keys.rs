//! Stories of keys of one's own: imported once, whatever becomes of the answer, and never over another key.

use super::stories::End::{Converges, Refuses};
use super::stories::{Story, play, story};
use super::worlds::{desired, pace, world};
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
use cmk::prove::{Ended, How, Meddling, Mishap, Script, Stage, in_virtual_time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A key that is brought into a vault that is there.
const OWN: &str = "
vaults: { kv1: { keys: { main: { create: { size: 2048 }, import: { env: KEY, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs } } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The same with all to be made, in a vault where roles decide.
const NEW: &str = "
resourceGroups: { rg: { create: {} } }
vaults:
  kv1:
    create: { sku: premium }
    purgeProtection: true
    permissionModel: rbac
    keys:
      main:
        create: { type: RSA-HSM, size: 2048 }
        import: { file: main.pem, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs }
        tags: { team: pay }
        expires: 2099-01-31
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }
";

/// All to be made, in a vault that goes by access policies.
const POLICIES: &str = "
vaults:
  kv1:
    create: {}
    purgeProtection: true
    keys: { main: { create: {}, import: { env: KEY, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }
";

pub(super) const STORIES: &[Story] = &[
    story("a key of one's own is imported", "group\nvault kv1\naccount st1 identity", OWN, Converges),
    story("a key of one's own is there", "group\nvault kv1\nown kv1/main\naccount st1", OWN, Converges),
    story("a key of one's own in hardware, from nothing", "group\nofficer", NEW, Converges),
    story(
        "an account moves to a key of one's own",
        "group\nvault kv1\nkey kv1/next\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/next",
        OWN,
        Converges,
    ),
    story(
        "another key has the name of one's own",
        "group\nvault kv1\nkey kv1/main\naccount st1",
        OWN,
        Refuses("CMK270"),
    ),
    story("a key of one's own in a vault that nobody can be let into in time", "group", POLICIES, Refuses("CMK272")),
];

/// How many versions the key has in a world.
fn versions(stage: &Stage) -> usize {
    let (_, body) = stage.by_hand(|hand| hand.vault("kv1", "GET", "/keys/main/versions", &serde_json::Value::Null));
    body["value"].as_array().map_or(0, Vec::len)
}

#[test]
fn whatever_becomes_of_the_answer_an_import_makes_one_version() {
    let wanted = desired(OWN);
    in_virtual_time(async {
        let (world, start) = world("group\nvault kv1\naccount st1 identity", pace());
        let calm = Stage::new(&wanted, world.clone(), start, Meddling::none());
        calm.run(&wanted, &How::default()).await;
        let requests = calm.witness(|witness| witness.writes_of(0));
        for number in requests {
            // That the network delivers a request twice is the one thing that nobody here can help.
            for mishap in Mishap::ALL.into_iter().filter(|mishap| mishap.name() != Mishap::Twice.name()) {
                let stage = Stage::new(&wanted, world.clone(), start, Meddling::none());
                let how = How { script: Script::once(number, mishap), ..How::default() };
                stage.run(&wanted, &how).await;
                stage.converges(&wanted).await;
                let log = stage.witness(|witness| witness.log().join("\n"));
                stage.witness(|witness| assert!(witness.breaches().is_empty(), "{log}"));
                assert_eq!(versions(&stage), 1, "{} at request {number}\n{log}", mishap.name());
            }
        }
    })
    .unwrap();
}

#[test]
fn a_version_of_somebody_else_s_stops_everything_and_nothing_is_overwritten() {
    let wanted = desired(OWN);
    in_virtual_time(async {
        let (world, start) = world("group\nvault kv1\naccount st1 identity", pace());
        let stage = Stage::new(&wanted, world, start, Meddling::none());
        assert!(stage.run(&wanted, &How::default()).await.ended.is_good());
        assert_eq!(stage.by_hand(|hand| hand.rotate("kv1", "main")), 200);
        let run = stage.run(&wanted, &How::default()).await;
        let Ended::Applied(plan, _) = &run.ended else { unreachable!("nothing goes wrong with looking") };
        let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code).collect();
        assert_eq!((codes, run.effects, versions(&stage)), (vec!["CMK270"], 0, 2));
    })
    .unwrap();
}

#[test]
fn no_account_is_bound_where_the_vault_does_not_show_whose_key_it_is() {
    let wanted = desired(OWN);
    in_virtual_time(async {
        let (world, start) = world("group\nvault kv1\nown kv1/main\naccount st1 identity\ngrant st1 kv1", pace());
        let stage = Stage::new(&wanted, world, start, Meddling::none());
        let script = Script { hidden: vec!["/keys/main".to_owned()], ..Script::calm() };
        let run = stage.run(&wanted, &How { script, ..How::default() }).await;
        let log = stage.witness(|witness| witness.log().join("\n"));
        assert_eq!(run.effects, 0, "{log}");
        let mut played = super::stories::Played::default();
        play(&STORIES[1], &How::default(), "seen again", &mut played).await;
        played.assert_good();
    })
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_proof_from_live_plays_the_stand_in_for_the_key_that_was_seen() {
    use crate::practice::{Practice, example};
    // The example has a thumbprint of its own, and the key that was seen is that one.
    let practice = Practice::prompt();
    let wanted = example("own-key.yaml");
    practice.let_importer_in(&wanted).await;
    practice.converge(&wanted).await;
    let observed = cmk::observe::observe(&wanted, &practice.azure()).await.expect("all can be read");
    let live = cmk::prove::like(&wanted, &observed, cmk::prove::pace()).expect("a world like it");
    assert!(live.limits.iter().any(|limit| limit.starts_with("keys of your own are not read")), "{:?}", live.limits);
    let played = cmk::prove::with_stand_ins(&wanted);
    let stage = Stage::new(&played, live.world, live.now, Meddling::none());
    let run = stage.run(&played, &How::default()).await;
    assert!(run.ended.is_good() && run.effects == 0, "{}", run.ended);
}

/// Loses the answer of an import, and shows an older state from then on.
#[derive(Debug)]
struct Stale {
    inner: Arc<dyn HttpClient>,
    imports: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl HttpClient for Stale {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let is_key = request.url().path().ends_with("/keys/main");
        let answer = self.inner.execute_request(request).await?;
        let sent = self.imports.load(Ordering::SeqCst);
        match request.method() {
            Method::Put if is_key => {
                self.imports.store(sent + 1, Ordering::SeqCst);
                Err(azure_core::Error::with_message(ErrorKind::Io, "the answer was lost"))
            }
            Method::Get if is_key && sent > 0 => {
                let body = r#"{"error":{"code":"KeyNotFound","message":"A key was not found."}}"#;
                Ok(AsyncRawResponse::from_bytes(404.into(), answer.headers().clone(), body))
            }
            _ => Ok(answer),
        }
    }
}

#[test]
fn an_import_is_never_sent_again_even_where_a_look_shows_nothing_of_it() {
    let wanted = desired(OWN);
    in_virtual_time(async {
        let (world, start) = world("group\nvault kv1\naccount st1 identity", pace());
        let stage = Stage::new(&wanted, world, start, Meddling::none());
        let imports = Arc::new(AtomicU64::new(0));
        let counted = imports.clone();
        let wrap = move |inner: Arc<dyn HttpClient>| -> Arc<dyn HttpClient> {
            Arc::new(Stale { inner, imports: counted.clone() })
        };
        let run = stage.run(&wanted, &How { wrap: Some(Arc::new(wrap)), ..How::default() }).await;
        assert!(!run.ended.is_good(), "{}", run.ended);
        assert_eq!((imports.load(Ordering::SeqCst), versions(&stage)), (1, 1));
        // What comes of it, the next run sees.
        stage.converges(&wanted).await;
        assert_eq!(versions(&stage), 1);
    })
    .unwrap();
}

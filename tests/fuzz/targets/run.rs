//! A whole run, observe to report, against the sandbox, with some of its answers replaced by any others.
//!
//! The input is a list of answers between lines of `====`; each begins with a line
//! that has the number of the request that gets it.

#![no_main]

use cmk::apply::{Budgets, Settings, apply};
use cmk::azure::credential::{self, Choice};
use cmk::azure::{Azure, Cloud, Counted, Failure, Retry};
use cmk::diag::Source;
use cmk::model::Desired;
use cmk::report::verdict::Proof;
use cmk::report::{Scene, Traffic, human, json, outcome, progress};
use cmk::sandbox::{self, Local, Millis, Pace, Sandbox, World};
use cmk::{observe, plan, spec};
use cmk_fuzz::{Message, Script, Scripted, check_shown};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use tokio::sync::watch;

static DESIRED: LazyLock<Desired> = LazyLock::new(|| {
    let text = include_str!("../../../specs/quickstart.yaml").to_owned();
    spec::load(&Source { name: "quickstart.yaml".to_owned(), text }).0.expect("the quickstart has no fault")
});

fuzz_target!(|data: &[u8]| {
    let script = script(data);
    cmk_fuzz::block_on(async {
        let azure = azure(script);
        if let Err(failure) = run(&azure).await {
            check_shown(&failure.to_string());
        }
        assert!(azure.stats().total() < 20_000, "requests are bounded: {:?}", azure.stats());
    });
});

fn script(data: &[u8]) -> Script {
    let mut script = Script::default();
    let text = data.split(|byte| *byte == b'\n').collect::<Vec<_>>();
    for lines in text.split(|line| *line == b"====").take(8) {
        let number = lines.first().and_then(|line| std::str::from_utf8(line).ok()?.trim().parse().ok()).unwrap_or(1);
        let message = Message::read(&lines.get(1..).unwrap_or_default().join(&b'\n'));
        if number == 0 {
            script.all = Some(message);
        } else {
            script.answers.insert(number, message);
        }
    }
    script
}

fn azure(script: Script) -> Azure {
    let start = tokio::time::Instant::now();
    let clock = Arc::new(move || {
        Millis(1_767_225_600_000_i64.saturating_add(i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)))
    });
    let sandbox = Sandbox::in_memory(World::new(Pace::azure()), clock);
    let cloud = Cloud::at("sandbox", sandbox::ARM_HOST, sandbox::LOGIN_HOST, sandbox::VAULT_SUFFIX);
    let choice = Choice::ClientSecret {
        tenant: sandbox::TENANT.to_owned(),
        client: sandbox::CLIENT_ID.to_owned(),
        secret: sandbox::CLIENT_SECRET.into(),
    };
    let counted = Counted::new(cloud.clone(), Arc::new(Local(sandbox.clone())));
    let credential = credential::build(&choice, &cloud, &counted, Retry::default()).expect("a secret is enough");
    cmk_fuzz::azure(Scripted::new(cloud, script, Some(Arc::new(Local(sandbox)))), credential, 3)
}

async fn run(azure: &Azure) -> Result<(), Failure> {
    let observed = observe::observe(&DESIRED, azure).await?;
    let plan = plan::plan(&DESIRED, &observed);
    let scene = Scene { cloud: "sandbox".to_owned(), sandbox_file: None };
    let traffic = Traffic::default();
    check_shown(&human::plan(&plan, &scene, false));
    check_shown(&json::plan(&plan, &traffic, &scene));
    if !plan.refusals.is_empty() {
        return Ok(());
    }
    let (_keep, stop) = watch::channel(false);
    let settings = Settings {
        concurrency: 4,
        budgets: Budgets::default(),
        run_id: uuid::Uuid::nil(),
        accepted: plan::Accepted::whole_plan(),
        materials: cmk::material::Materials::default(),
    };
    let mut sink = |event| check_shown(&progress::line(&event));
    let ended = apply(&plan, &DESIRED, observed, azure, &settings, stop, &mut sink).await;
    let proof = match observe::observe(&DESIRED, azure).await {
        Ok(observed) => Proof::Looked(Box::new(plan::plan(&DESIRED, &observed))),
        Err(failure) => Proof::NotLooked(failure.to_string()),
    };
    check_shown(&outcome::outcome(&plan, &ended, &proof, &traffic, &scene, false));
    check_shown(&json::applied(&plan, &ended, &proof, &traffic, &scene));
    Ok(())
}

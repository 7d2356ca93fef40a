//! Whole runs: spec to plan to steps to a second, empty plan, against the sandbox in virtual time.

use super::practice::{Applied, Practice, desired, example};
use cmk::apply::StepOutcome;

fn ids(applied: &Applied) -> Vec<&str> {
    applied.plan.steps.iter().map(|step| step.id.0.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_quickstart_is_done_with_six_writes_and_then_there_is_nothing_to_do() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    let applied = practice.converge(&quickstart).await;
    assert_eq!(ids(&applied).len(), 6, "{:?}", ids(&applied));
    assert_eq!(applied.stats.writes_succeeded, 6);
    assert!(applied.outcome.steps.iter().all(|(_, outcome)| *outcome == StepOutcome::Done));

    let again = practice.apply(&quickstart).await;
    assert!(again.plan.is_empty());
    assert_eq!(again.stats.writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn planning_the_quickstart_takes_few_requests() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    let (_, first) = practice.plan(&quickstart).await;
    assert_eq!(first.total(), 7, "{first:?}");
    practice.converge(&quickstart).await;
    let (_, converged) = practice.plan(&quickstart).await;
    assert_eq!(converged.total(), 5, "{converged:?}");
}

#[tokio::test(start_paused = true)]
async fn the_account_reads_its_data_through_the_key_afterwards() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let now = practice.sandbox.now();
    let truth = practice.sandbox.world(|world| world.truth(now, "stquickstart"));
    assert!(truth.readable, "{}", truth.why);
}

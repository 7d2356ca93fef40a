//! What can be shown to hold, and what is said when something does not.

use super::practice::{Practice, example};
use cmk::model::{AccountName, Check};
use cmk::verify::{Evidence, moved, verify};

async fn evidence(practice: &Practice) -> Evidence {
    let quickstart = example("quickstart.yaml");
    let observed = cmk::observe::observe(&quickstart, &practice.azure()).await.expect("the sandbox can be observed");
    verify(&quickstart, &observed)
}

fn failing(evidence: &Evidence) -> Vec<String> {
    let bad = evidence.findings.iter().filter(|finding| !finding.check.is_yes());
    bad.map(|finding| format!("{}: {:?}", finding.statement, finding.check)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_applied_is_proved_and_what_was_not_is_not() {
    let practice = Practice::new();
    assert!(!evidence(&practice).await.is_proved());
    practice.converge(&example("quickstart.yaml")).await;
    assert_eq!(failing(&evidence(&practice).await), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_disabled_is_no_longer_proved_usable() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    practice.disable_key("kv-quickstart", "storage").await;
    let failing = failing(&evidence(&practice).await);
    assert!(failing.iter().any(|line| line.starts_with("key kv-quickstart/storage can be used")), "{failing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_version_in_use_that_is_not_the_wanted_one_is_told() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let quickstart = example("quickstart.yaml");
    let mut observed = cmk::observe::observe(&quickstart, &practice.azure()).await.expect("it can be observed");
    for seen in observed.accounts.values_mut() {
        if let cmk::model::Seen::Known(account) = seen {
            let other = cmk::model::Version::parse(&"0".repeat(32)).expect("32 digits");
            account.encryption.binding.as_mut().expect("bound").current = Some(other);
        }
    }
    let failing = failing(&verify(&quickstart, &observed));
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert!(failing[0].contains("Azure reports version 000"), "{failing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_did_not_move_is_told() {
    let practice = Practice::new();
    let before = evidence(&practice).await;
    practice.converge(&example("quickstart.yaml")).await;
    let after = evidence(&practice).await;
    let names = [AccountName::parse("stquickstart").expect("a name")];
    assert!(moved(&before, &after, &names).iter().all(|finding| finding.check.is_yes()));
    let unmoved = moved(&after, &after, &names);
    assert!(matches!(&unmoved[0].check, Check::No(why) if why.contains("is still")), "{unmoved:?}");
}

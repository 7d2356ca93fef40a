//! Look, act, confirm: how one step, or one batch of grants, is taken.

use super::event::StepOutcome;
use super::knowledge::Knowledge;
use super::perform::perform;
use super::wait::{Budgets, Over, Wait, Waiting};
use crate::azure::{Azure, Failure, Kind};
use crate::material::Materials;
use crate::model::audit::{SeenSetting, Sink};
use crate::model::{Check, Fact, GrantScope, KeyPermission, Seen, VaultId, Who};
use crate::plan::{Action, GrantBy, RiskClass, Step, StepId};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// What every step that runs can reach.
pub(super) struct Run<'a> {
    pub(super) azure: &'a Azure,
    pub(super) known: Knowledge<'a>,
    pub(super) waiting: Waiting,
    /// The material of keys that are imported.
    pub(super) materials: &'a Materials,
    /// Names this run; the request ids of its steps are made from it.
    pub(super) id: uuid::Uuid,
}

/// Takes a batch of steps and says how each of them ended.
pub(super) async fn take(run: &Run<'_>, steps: &[&Step], request_id: String) -> Vec<StepOutcome> {
    let names: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
    let turn = Turn { run, azure: run.azure.under(request_id), names };
    if let Err(ended) = turn.look_closely(steps).await {
        return vec![ended; steps.len()];
    }
    let mut outcomes: Vec<Option<StepOutcome>> = vec![];
    for step in steps {
        outcomes.push(match turn.first_missing(&step.gives) {
            None => Some(StepOutcome::Already),
            Some(_) => match turn.meet_needs(step).await {
                Ok(()) => turn.not_shut(step).err(),
                Err(outcome) => Some(outcome),
            },
        });
    }
    let open: Vec<&Step> =
        steps.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(s, _)| *s).collect();
    let result = if open.is_empty() { StepOutcome::Done } else { turn.act(&open).await };
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| result.clone())).collect()
}

impl Run<'_> {
    /// The `x-ms-client-request-id` of a batch, the same for all its requests in this run.
    pub(super) fn request_id(&self, names: &[StepId]) -> String {
        let names: Vec<&str> = names.iter().map(|name| name.0.as_str()).collect();
        uuid::Uuid::new_v5(&self.id, names.join(" ").as_bytes()).to_string()
    }
}

/// One batch being taken.
struct Turn<'a> {
    run: &'a Run<'a>,
    /// The client under the batch's own request id.
    azure: Azure,
    names: Vec<StepId>,
}

impl Turn<'_> {
    fn check(&self, fact: &Fact) -> Check {
        self.run.known.check(fact)
    }

    async fn look(&self, facts: impl Iterator<Item = &Fact>) -> Result<(), Failure> {
        let facts: Vec<Fact> = facts.cloned().collect();
        self.run.known.look(&self.azure, &facts).await
    }

    async fn look_before(&self, steps: &[&Step]) -> Result<(), Failure> {
        // Others come and go without a step of ours: that nobody needs an identity or a version any more is not taken from
        // the plan. Of an account, the look at itself is to be the last before the write.
        let needs = || steps.iter().flat_map(|step| &step.needs);
        self.look(needs().filter(|need| matches!(need, Fact::NoScopeUnderKey(..)))).await?;
        let gives: Vec<Fact> = steps.iter().flat_map(|step| &step.gives).cloned().collect();
        self.run.known.look_before(&self.azure, &gives).await?;
        self.look(needs().filter(|need| matches!(need, Fact::Retirable(..)))).await
    }

    /// Looks before the steps. A vault that somebody else has made since the look would be replaced, and Azure offers no
    /// condition against that: an answer that was long on its way is not acted upon.
    async fn look_closely(&self, steps: &[&Step]) -> Result<(), StepOutcome> {
        let is_delicate =
            steps.iter().any(|step| matches!(step.action, Action::CreateVault { .. } | Action::RecoverVault { .. }));
        for _ in 0..LOOKS_MAX {
            let asked = Instant::now();
            self.look_before(steps).await.map_err(|failure| failed(&failure))?;
            if !is_delicate || asked.elapsed() <= LOOK_LONGEST {
                return Ok(());
            }
        }
        let why =
            "Azure answers too slowly: the vault may have been made by somebody else since it said that there is none";
        Err(StepOutcome::Blocked(vec![format!("{why}. Run the same command again")]))
    }

    fn until(&self, what: String, budget: Duration) -> Wait<'_> {
        self.run.waiting.until(&self.names, what, budget)
    }

    fn budgets(&self) -> &Budgets {
        &self.run.waiting.budgets
    }

    /// The first fact that does not hold in what is known.
    fn first_missing<'f>(&self, facts: impl IntoIterator<Item = &'f Fact>) -> Option<(&'f Fact, Check)> {
        facts.into_iter().map(|fact| (fact, self.check(fact))).find(|(_, check)| !check.is_yes())
    }

    /// Waits until everything that a step needs holds, or says why it is blocked.
    async fn meet_needs(&self, step: &Step) -> Result<(), StepOutcome> {
        for need in &step.needs {
            let mut wait = self.until(need.to_string(), self.budgets().provisioning);
            loop {
                match self.check(need) {
                    Check::Yes => break,
                    Check::No(why) | Check::Unknown(why) => {
                        return Err(StepOutcome::Blocked(vec![format!("it needs that {need}, but {why}")]));
                    }
                    Check::Pending(why) => wait.pause().await.map_err(|over| not_sent(over, &why))?,
                }
                self.look(std::iter::once(need)).await.map_err(|failure| failed(&failure))?;
            }
        }
        Ok(())
    }

    /// Sends what the steps do until Azure has taken it, then confirms it.
    async fn act(&self, steps: &[&Step]) -> StepOutcome {
        let mut honoured = self.until(format!("Azure honours {}", grant_in_words(steps)), self.budgets().grant);
        let mut free = self.until(busy_in_words(steps), self.budgets().provisioning);
        let mut clear = self.until("Azure says what became of the request".to_owned(), UNCLEAR_FOR);
        let mut calm = self.until("Azure takes requests again".to_owned(), self.budgets().provisioning);
        let (mut unclear, mut refused) = (0, 0);
        loop {
            if let Err(blocked) =
                self.may_send(steps).and_then(|()| steps.iter().try_for_each(|one| self.not_shut(one)))
            {
                return blocked;
            }
            let failure = match self.send(steps).await {
                Ok(()) => break,
                Err(failure) => failure,
            };
            tracing::debug!(step = %self.names[0], %failure, "the write did not go through");
            let paused = match next(&failure, steps) {
                Next::UntilHonoured => honoured.pause().await,
                Next::UntilFree => free.pause().await,
                Next::LookAgain if unclear < UNCLEAR_MAX => {
                    unclear += 1;
                    clear.pause().await
                }
                Next::LookOnly => return self.only_look(steps, clear, &failure).await,
                // The look after it waits for as long as Azure has asked for.
                Next::UntilCalm if refused < THROTTLED_MAX => {
                    refused += u32::from(failure.said.status.is_some());
                    calm.pause().await
                }
                Next::LookAgain | Next::UntilCalm | Next::GiveUp => return failed(&failure),
            };
            if let Err(over) = paused {
                return refused_until(over, &failure);
            }
            match self.look_again(steps).await {
                Ok(Settled::Holds) => return StepOutcome::Done,
                Ok(Settled::UnderWay) => break,
                Ok(Settled::Open) => {}
                Err(outcome) => return outcome,
            }
        }
        drop((honoured, free, clear, calm));
        self.confirm(steps).await
    }

    /// Looks what became of a write that is never sent a second time. Whoever runs cmk again looks first.
    async fn only_look(&self, steps: &[&Step], mut clear: Wait<'_>, failure: &Failure) -> StepOutcome {
        for _ in 0..UNCLEAR_MAX {
            if let Err(over) = clear.pause().await {
                return refused_until(over, failure);
            }
            match self.look_again(steps).await {
                Ok(Settled::Holds) => return StepOutcome::Done,
                Ok(Settled::UnderWay) => return self.confirm(steps).await,
                Ok(Settled::Open) => {}
                Err(outcome) => return outcome,
            }
        }
        failed(failure)
    }

    async fn send(&self, steps: &[&Step]) -> Result<(), Failure> {
        let what = steps.iter().flat_map(|step| &step.gives).map(ToString::to_string).next().unwrap_or_default();
        let budget = self.budgets().provisioning;
        let mut wait = self.until(what, budget);
        perform(&self.azure, &self.run.known, self.run.materials, steps, budget, &mut |elapsed| wait.waited(elapsed))
            .await
    }

    /// Looks at what the steps give, and at what they need, since more than one cause has the same symptom:
    /// an expired key fails like a grant that has not arrived.
    async fn look_again(&self, steps: &[&Step]) -> Result<Settled, StepOutcome> {
        let facts = steps.iter().flat_map(|step| step.gives.iter().chain(&step.needs));
        self.look(facts).await.map_err(|failure| failed(&failure))?;
        for step in steps {
            match self.first_missing(&step.gives) {
                None => {}
                Some((_, Check::Pending(_))) => return Ok(Settled::UnderWay),
                Some(_) => {
                    self.meet_needs(step).await?;
                    return Ok(Settled::Open);
                }
            }
        }
        Ok(Settled::Holds)
    }

    /// Access that somebody took away since the plan was made is not given back, and a key that somebody closed gets no
    /// version that would open it.
    ///
    /// An account that is bound to a key of the vault had what Storage needs when the plan was made, or the step says
    /// that it re-opens, and the operator has said yes to that.
    fn not_shut(&self, step: &Step) -> Result<(), StepOutcome> {
        if step.risks.iter().any(|risk| risk.class == RiskClass::Reopening) {
            return Ok(());
        }
        if let Action::RotateKey { key, .. } = &step.action
            && self.run.known.is_shut(key)
        {
            let why = format!("the newest version of key {key} was disabled since the plan was made: plan again");
            return Err(StepOutcome::Blocked(vec![why]));
        }
        let Action::Grant { who, vault, key, by, .. } = &step.action else { return Ok(()) };
        let Some(seen_vault) = self.run.known.vault(vault) else { return Ok(()) };
        let reaching = self.run.known.reaching_as(who);
        let bound_here = reaching.iter().find(|seen| {
            let binding = seen.encryption.binding.as_ref();
            // A role at one key says nothing of another.
            let reaches = |name: &str| match by {
                GrantBy::AccessPolicy | GrantBy::Role(GrantScope::Vault) => true,
                GrantBy::Role(GrantScope::Key) => name.eq_ignore_ascii_case(key.name.as_str()),
            };
            binding.is_some_and(|one| one.vault_host.eq_ignore_ascii_case(&seen_vault.host) && reaches(&one.key))
        });
        let needed = Fact::CanUnwrap(who.clone(), key.clone(), KeyPermission::needed());
        match (self.check(&needed), bound_here) {
            (Check::No(_), Some(account)) => Err(StepOutcome::Blocked(vec![format!(
                "account {} is bound to a key of vault {}, but its access was taken away since the plan was made: plan again",
                account.id.name, vault.name
            )])),
            (Check::Yes | Check::No(_) | Check::Pending(_) | Check::Unknown(_), _) => Ok(()),
        }
    }

    /// Nothing that exists is made again: a PUT on a live vault would replace other teams' access policies.
    fn may_send(&self, steps: &[&Step]) -> Result<(), StepOutcome> {
        for step in steps {
            let given = match &step.action {
                Action::AttachIdentity { id, .. } | Action::DetachIdentity { id, .. } => Some(id),
                Action::SetEncryption { account, attach, .. } if !attach.is_empty() => Some(account),
                _ => None,
            };
            if let Some(id) = given
                && let Some(lost) = self.run.known.lost_identity(id)
            {
                let why = format!(
                    "{} had the identity {lost} when the plan was made, and has not now, or Azure shows an older state: plan again",
                    id.name
                );
                return Err(StepOutcome::Blocked(vec![why]));
            }
        }
        let observed = self.run.known.observed();
        for step in steps {
            let absent = match &step.action {
                Action::CreateGroup { id, .. } => observed.groups.get(id).is_some_and(Seen::is_absent),
                Action::CreateVault { id, .. } | Action::RecoverVault { id, .. } => {
                    observed.vaults.get(&id.name).is_some_and(Seen::is_absent)
                }
                Action::CreateKey { key, .. } | Action::ImportKey { key, .. } | Action::RecoverKey { key, .. } => {
                    observed.keys.get(key).is_some_and(Seen::is_absent)
                }
                Action::CreateAccount { id, .. } => observed.accounts.get(&id.name).is_some_and(Seen::is_absent),
                Action::SetAudit { vault, sinks, loses, .. } => {
                    sends_only(observed.audits.get(&vault.name), sinks, loses)
                }
                Action::CreateIdentity { id, .. } => observed.identities.get(id).is_some_and(Seen::is_absent),
                Action::ProtectVault { .. }
                | Action::MarkKey { .. }
                | Action::SetRotation { .. }
                | Action::RotateKey { .. }
                | Action::EnableVersion { .. }
                | Action::DisableVersion { .. }
                | Action::AttachIdentity { .. }
                | Action::DetachIdentity { .. }
                | Action::Grant { .. }
                | Action::RevokeAccess { .. }
                | Action::LeaveKey { .. }
                | Action::SetEncryption { .. }
                | Action::SwitchIdentity { .. } => true,
            };
            if !absent {
                let why = "it exists by now, or cannot be seen, and is not as planned: plan again";
                return Err(StepOutcome::Blocked(vec![why.to_owned()]));
            }
        }
        Ok(())
    }

    /// Looks until what the steps give is seen to hold. The answer of a write was a look already.
    async fn confirm(&self, steps: &[&Step]) -> StepOutcome {
        let gives = || steps.iter().flat_map(|step| &step.gives);
        let Some((first, check)) = self.first_missing(gives()) else { return StepOutcome::Done };
        let under_way = matches!(check, Check::Pending(_));
        let budget = if under_way { self.budgets().provisioning } else { self.budgets().visible };
        let mut wait = self.until(first.to_string(), budget);
        while let Some((fact, check)) = self.first_missing(gives()) {
            if let Err(over) = wait.pause().await {
                return unconfirmed(over, fact, &check);
            }
            if let Err(failure) = self.look(std::iter::once(fact)).await {
                return StepOutcome::Unconfirmed(format!("it was sent, but looking at its effect failed: {failure}"));
            }
        }
        StepOutcome::Done
    }
}

/// Whether our diagnostic setting, which is replaced as a whole, sends nowhere that the plan does not speak of.
fn sends_only(seen: Option<&Seen<Vec<SeenSetting>>>, sinks: &BTreeSet<Sink>, loses: &BTreeSet<Sink>) -> bool {
    let Some(Seen::Known(all)) = seen else { return false };
    let ours = all.iter().filter(|one| one.is_ours());
    ours.flat_map(|one| &one.sinks).all(|sink| sinks.contains(sink) || loses.contains(sink))
}

/// How long the answer to a look may take, if a vault is made upon it, and how often it is asked for.
const LOOK_LONGEST: Duration = Duration::from_secs(3);
const LOOKS_MAX: u32 = 4;

/// How often a write whose answer was lost or unclear is looked into and, if nothing came of it, sent again.
const UNCLEAR_MAX: u32 = 2;

/// How often a write that Azure answered with 429 is looked into and sent again.
const THROTTLED_MAX: u32 = 3;

/// The time within which an unclear one is cleared up.
const UNCLEAR_FOR: Duration = Duration::from_secs(120);

/// Where things stand after a failed write was looked into.
enum Settled {
    /// What it gives holds: it arrived after all.
    Holds,
    /// It is under way.
    UnderWay,
    /// Nothing came of it.
    Open,
}

/// What to do about a write that failed.
enum Next {
    GiveUp,
    UntilHonoured,
    UntilFree,
    UntilCalm,
    LookAgain,
    /// Never sent again in this run: sent twice, it would be done twice, and a look may be out of date.
    LookOnly,
}

fn next(failure: &Failure, steps: &[&Step]) -> Next {
    let binds = steps.iter().any(|step| binding(&step.action).is_some());
    let once = steps.iter().any(|step| {
        matches!(step.action, Action::RotateKey { .. } | Action::ImportKey { .. } | Action::RecoverKey { .. })
    });
    match failure.kind {
        _ if binds && failure.is("KeyVaultAuthenticationFailure") => Next::UntilHonoured,
        // The same role is held under another name: what is wanted may be so already.
        _ if failure.is("RoleAssignmentExists") => Next::LookAgain,
        Kind::Busy => Next::UntilFree,
        Kind::Throttled => Next::UntilCalm,
        Kind::Lost | Kind::Server | Kind::Unintelligible if once => Next::LookOnly,
        Kind::Lost | Kind::Server | Kind::Unintelligible | Kind::NotSent => Next::LookAgain,
        Kind::NoCredential
        | Kind::Unsupported
        | Kind::Credential
        | Kind::Denied
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Rejected
        | Kind::OperationFailed
        | Kind::Deadline
        | Kind::Dns
        | Kind::Tls
        | Kind::Foreign => Next::GiveUp,
    }
}

fn grant_in_words(steps: &[&Step]) -> String {
    steps.iter().find_map(|step| binding(&step.action)).map_or_else(
        || "the grant".to_owned(),
        |(who, vault)| format!("the grant of {} on vault {}", who.name(), vault.name),
    )
}

/// As whom a step has an account reach a key, and the key's vault, if it does.
fn binding(action: &Action) -> Option<(&Who, &VaultId)> {
    match action {
        Action::SetEncryption { who, vault, .. } | Action::SwitchIdentity { who, vault, .. } => Some((who, vault)),
        Action::CreateAccount { key, .. } => key.as_ref().map(|binds| (&binds.who, &binds.vault)),
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::RecoverVault { .. }
        | Action::RecoverKey { .. }
        | Action::SetAudit { .. }
        | Action::ProtectVault { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::CreateIdentity { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::Grant { .. }
        | Action::RevokeAccess { .. }
        | Action::LeaveKey { .. } => None,
    }
}

fn busy_in_words(steps: &[&Step]) -> String {
    steps.first().map_or_else(String::new, |step| format!("{} is no longer busy", step.action.resource()))
}

/// A failure for people: what was tried, what was said, what to do.
fn failed(failure: &Failure) -> StepOutcome {
    let help = failure.help().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    StepOutcome::Failed(format!("{} {failure}{help}", failure.diagnostic_code()))
}

/// A write that Azure refused all the while that was granted it.
fn refused_until(over: Over, failure: &Failure) -> StepOutcome {
    match (over, failed(failure)) {
        (Over::Budget(budget), StepOutcome::Failed(text)) => {
            StepOutcome::Failed(format!("after {} s of trying: {text}", budget.as_secs()))
        }
        (Over::Stopped, _) => StepOutcome::Skipped("stopped before Azure had taken it".to_owned()),
        (Over::Budget(_), outcome) => outcome,
    }
}

fn not_sent(over: Over, why: &str) -> StepOutcome {
    match over {
        Over::Budget(budget) => StepOutcome::Blocked(vec![format!("after {} s, still {why}", budget.as_secs())]),
        Over::Stopped => StepOutcome::Skipped("stopped before it was sent".to_owned()),
    }
}

fn unconfirmed(over: Over, fact: &Fact, check: &Check) -> StepOutcome {
    let why = match check {
        Check::Yes => "",
        Check::No(why) | Check::Pending(why) | Check::Unknown(why) => why,
    };
    StepOutcome::Unconfirmed(match over {
        Over::Budget(budget) => {
            format!("it was sent, but after {} s it is not seen that {fact}: {why}", budget.as_secs())
        }
        Over::Stopped => format!("it was sent; stopped before it was seen that {fact}"),
    })
}

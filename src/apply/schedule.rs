//! Which steps may start now: a plain state machine over the plan, without IO and without a clock.
//!
//! A step may start when every step it goes after has ended well and nobody writes to
//! the same account or vault. The grants of one vault go together, in one batch, since
//! Azure takes them in one call.

use crate::plan::{Action, GrantBy, Plan, Step, StepId};
use std::collections::BTreeSet;

/// Steps by their place in the plan that are taken together, with one request.
pub(super) type Batch = Vec<usize>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Good,
    Bad,
}

/// Where every step of a plan stands.
#[derive(Debug)]
pub(super) struct Schedule {
    states: Vec<State>,
    after: Vec<Vec<usize>>,
    writes_to: Vec<Option<String>>,
    grants_of: Vec<Option<String>>,
    ids: Vec<StepId>,
}

impl Schedule {
    pub(super) fn new(plan: &Plan) -> Self {
        let place = |id: &StepId| plan.steps.iter().position(|step| step.id == *id);
        Self {
            states: vec![State::Waiting; plan.steps.len()],
            after: plan.steps.iter().map(|step| step.after.iter().filter_map(place).collect()).collect(),
            writes_to: plan.steps.iter().map(writes_to).collect(),
            grants_of: plan.steps.iter().map(grants_of).collect(),
            ids: plan.steps.iter().map(|step| step.id.clone()).collect(),
        }
    }

    /// Takes the batches that may start now, up to a number, and marks them as running.
    pub(super) fn start(&mut self, batches_max: usize) -> Vec<Batch> {
        let mut started = vec![];
        for at in 0..self.states.len() {
            if started.len() == batches_max {
                break;
            }
            if !self.is_ready(at) {
                continue;
            }
            let batch = match &self.grants_of[at] {
                Some(vault) => match self.grant_batch(vault) {
                    Some(batch) => batch,
                    None => continue,
                },
                None => vec![at],
            };
            for member in &batch {
                self.states[*member] = State::Running;
            }
            started.push(batch);
        }
        started
    }

    /// Says how a running step ended.
    pub(super) fn finish(&mut self, step: usize, good: bool) {
        self.states[step] = if good { State::Good } else { State::Bad };
    }

    /// Takes the next step that can never start, since one that it goes after ended badly: the step, and that one's name.
    pub(super) fn skip(&mut self) -> Option<(usize, StepId)> {
        let (step, culprit) =
            (0..self.states.len()).filter(|at| self.states[*at] == State::Waiting).find_map(|at| {
                let culprit = self.after[at].iter().find(|before| self.states[**before] == State::Bad)?;
                Some((at, *culprit))
            })?;
        self.states[step] = State::Bad;
        Some((step, self.ids[culprit].clone()))
    }

    /// The steps that have not begun.
    pub(super) fn waiting(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|at| self.states[*at] == State::Waiting).collect()
    }

    fn is_ready(&self, at: usize) -> bool {
        self.states[at] == State::Waiting
            && self.after[at].iter().all(|before| self.states[*before] == State::Good)
            && !self.is_written_to(at)
    }

    fn is_written_to(&self, at: usize) -> bool {
        let busy: BTreeSet<&String> = (0..self.states.len())
            .filter(|other| self.states[*other] == State::Running)
            .filter_map(|other| self.writes_to[other].as_ref())
            .collect();
        self.writes_to[at].as_ref().is_some_and(|place| busy.contains(place))
    }

    /// All grants of a vault that can still be made, once each of them is ready.
    fn grant_batch(&self, vault: &String) -> Option<Batch> {
        let open: Batch = (0..self.states.len())
            .filter(|at| self.states[*at] == State::Waiting && self.grants_of[*at].as_ref() == Some(vault))
            .filter(|at| !self.is_lost(*at))
            .collect();
        open.iter().all(|at| self.is_ready(*at)).then_some(open)
    }

    /// Whether a step can never start.
    fn is_lost(&self, at: usize) -> bool {
        self.after[at].iter().any(|before| match self.states[*before] {
            State::Bad => true,
            State::Waiting => self.is_lost(*before),
            State::Running | State::Good => false,
        })
    }
}

/// What a step writes to that takes one writer at a time. Keys of a vault are things of their own.
fn writes_to(step: &Step) -> Option<String> {
    match &step.action {
        // Role assignments are things of their own, whatever they are for.
        Action::CreateGroup { .. }
        | Action::CreateKey { .. }
        | Action::CreateIdentity { .. }
        | Action::Grant { by: GrantBy::Role(_), .. } => None,
        Action::SetAudit { vault, .. } => Some(format!("{vault}/diagnosticSettings")),
        Action::RecoverKey { vault, key }
        | Action::ImportKey { vault, key, .. }
        | Action::MarkKey { vault, key, .. }
        | Action::SetRotation { vault, key, .. }
        | Action::RotateKey { vault, key, .. }
        | Action::EnableVersion { vault, key, .. }
        | Action::DisableVersion { vault, key, .. } => Some(format!("{vault}/keys/{}", key.name)),
        Action::CreateVault { id, .. } | Action::RecoverVault { id, .. } | Action::ProtectVault { id } => {
            Some(id.to_string())
        }
        Action::Grant { vault, .. } | Action::RevokeAccess { vault, .. } => Some(vault.to_string()),
        Action::CreateAccount { id, .. } | Action::AttachIdentity { id, .. } | Action::DetachIdentity { id, .. } => {
            Some(id.to_string())
        }
        Action::SetEncryption { account, .. }
        | Action::SwitchIdentity { account, .. }
        | Action::LeaveKey { account, .. } => Some(account.to_string()),
    }
}

fn grants_of(step: &Step) -> Option<String> {
    match &step.action {
        Action::Grant { vault, by: GrantBy::AccessPolicy, .. } => Some(vault.to_string()),
        Action::Grant { by: GrantBy::Role(_), .. }
        | Action::CreateGroup { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::CreateVault { .. }
        | Action::RecoverVault { .. }
        | Action::RecoverKey { .. }
        | Action::SetAudit { .. }
        | Action::ProtectVault { .. }
        | Action::CreateIdentity { .. }
        | Action::SwitchIdentity { .. }
        | Action::CreateAccount { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::RevokeAccess { .. }
        | Action::LeaveKey { .. }
        | Action::SetEncryption { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        AccountId, AccountName, GroupId, GroupName, Identities, KeyName, KeyRef, SubscriptionId, VaultId, VaultName,
        Who,
    };

    fn group() -> GroupId {
        let subscription = SubscriptionId::parse("11111111-1111-1111-1111-111111111111").unwrap();
        GroupId { subscription, name: GroupName::parse("rg").unwrap() }
    }

    fn vault(name: &str) -> VaultId {
        VaultId { group: group(), name: VaultName::parse(name).unwrap() }
    }

    fn account(name: &str) -> AccountId {
        AccountId { group: group(), name: AccountName::parse(name).unwrap() }
    }

    fn step(id: &str, action: Action, after: &[&str]) -> Step {
        let after = after.iter().map(|id| StepId((*id).to_owned())).collect();
        let id = StepId(id.to_owned());
        Step { id, action, because: vec![], needs: vec![], gives: vec![], after, risks: vec![] }
    }

    fn attach(name: &str) -> Step {
        step(
            &format!("identity/{name}"),
            Action::AttachIdentity {
                id: account(name),
                identity: Identities { system: true, ..Identities::default() },
            },
            &[],
        )
    }

    fn grant(name: &str, after: &[&str]) -> Step {
        let permissions = BTreeSet::new();
        let key = KeyRef { vault: vault("kv1").name, name: KeyName::parse("main").unwrap() };
        let by = GrantBy::AccessPolicy;
        let action = Action::Grant { who: Who::System(account(name)), vault: vault("kv1"), key, permissions, by };
        step(&format!("grant/{name}"), action, after)
    }

    fn schedule(steps: Vec<Step>) -> Schedule {
        Schedule::new(&Plan { steps, ..Plan::default() })
    }

    #[test]
    fn a_step_waits_for_what_it_goes_after() {
        let mut schedule = schedule(vec![attach("st1"), grant("st1", &["identity/st1"])]);
        assert_eq!(schedule.start(8), [[0]]);
        assert!(schedule.start(8).is_empty());
        schedule.finish(0, true);
        assert_eq!(schedule.start(8), [[1]]);
    }

    #[test]
    fn the_grants_of_one_vault_go_together_once_all_are_ready() {
        let steps =
            vec![attach("st1"), attach("st2"), grant("st1", &["identity/st1"]), grant("st2", &["identity/st2"])];
        let mut schedule = schedule(steps);
        assert_eq!(schedule.start(8), [[0], [1]]);
        schedule.finish(0, true);
        assert!(schedule.start(8).is_empty());
        schedule.finish(1, true);
        assert_eq!(schedule.start(8), [[2, 3]]);
    }

    #[test]
    fn a_grant_does_not_wait_for_one_that_can_no_longer_be_made() {
        let steps =
            vec![attach("st1"), attach("st2"), grant("st1", &["identity/st1"]), grant("st2", &["identity/st2"])];
        let mut schedule = schedule(steps);
        assert_eq!(schedule.start(8).len(), 2);
        schedule.finish(0, true);
        schedule.finish(1, false);
        assert_eq!(schedule.start(8), [[2]]);
        assert_eq!(schedule.skip(), Some((3, StepId("identity/st2".to_owned()))));
        assert_eq!(schedule.skip(), None);
    }

    #[test]
    fn one_account_has_one_writer_at_a_time() {
        let mut schedule = schedule(vec![attach("st1"), attach("st1")]);
        assert_eq!(schedule.start(8), [[0]]);
        schedule.finish(0, true);
        assert_eq!(schedule.start(8), [[1]]);
    }

    #[test]
    fn no_more_start_than_are_asked_for() {
        let mut schedule = schedule(vec![attach("st1"), attach("st2"), attach("st3")]);
        assert_eq!(schedule.start(2), [[0], [1]]);
        assert_eq!(schedule.waiting(), [2]);
    }
}

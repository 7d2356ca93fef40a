//! `cmk import`: writes a spec of what is there; sends no write.

use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::interrupt::{self, stopped};
use super::session::trouble;
use crate::azure::{Azure, Failure};
use crate::diag::Source;
use crate::import::{Import, import};
use crate::model::{AccountId, AccountName, Found, GroupName, SubscriptionId, Who};
use crate::plan::{Action, Plan};
use crate::report::text::wrap;
use crate::{apply, observe, spec};
use std::collections::BTreeMap;

/// Where to search.
#[derive(Debug, clap::Args)]
pub(super) struct Wishes {
    /// A subscription to search; may be given more than once
    #[arg(long, value_name = "ID", required = true, value_parser = SubscriptionId::parse)]
    subscription: Vec<SubscriptionId>,
    /// Only accounts of this resource group; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = GroupName::parse)]
    resource_group: Vec<GroupName>,
    /// Only this account; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = AccountName::parse)]
    account: Vec<AccountName>,
}

impl Wishes {
    fn want(&self, id: &AccountId) -> bool {
        (self.resource_group.is_empty() || self.resource_group.contains(&id.group.name))
            && (self.account.is_empty() || self.account.contains(&id.name))
    }
}

/// Prints the spec, and on stderr what is not in it. Exits with 1 when not everything could be seen.
pub(super) fn run(context: &mut Context, wishes: &Wishes) -> Result<Exit, Trouble> {
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (found, written) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        tokio::select! {
            written = written(wishes, &azure) => written,
            () = stopped(stop) => Err(Trouble::new("interrupted while looking, which changes nothing")),
        }
    })??;
    let mut told = String::new();
    for (id, reason) in &written.import.left_out {
        told.push_str(&wrap("left out: ", "  ", &format!("account {}: {reason}", id.name)));
    }
    for unseen in &found.unseen {
        let text = format!("{}: {} ({} would show it)", unseen.what, unseen.why, unseen.permission);
        told.push_str(&wrap("not seen: ", "  ", &text));
    }
    context.output.stderr.tell(&told);
    context.output.document(&written.text)?;
    Ok(if found.unseen.is_empty() { Exit::Good } else { Exit::Error })
}

/// A spec as text, with what it was written from.
struct Written {
    import: Import,
    text: String,
}

/// Searches, and writes the spec whose plan is empty: an account that a plan would touch or refuse is left out.
async fn written(wishes: &Wishes, azure: &Azure) -> Result<(Found, Written), Trouble> {
    let failed = |failure: Failure| trouble(&failure);
    let mut found = observe::found(azure, &wishes.subscription).await.map_err(failed)?;
    found.bound.retain(|one| wishes.want(&one.account.id));
    let mut except = BTreeMap::new();
    loop {
        let import = import(&found, &except);
        let spec = spec::emit(&import.document).map_err(Trouble::new)?;
        let source = Source { name: "the imported spec".to_owned(), text: spec.clone() };
        let (Some(desired), _) = spec::load(&source) else {
            return Err(Trouble::new("the spec that was written cannot be read back: please report this"));
        };
        let (_, plan) = apply::prepare(&desired, azure).await.map_err(failed)?;
        let more = touched(&plan, &found);
        let before = except.len();
        except.extend(more);
        if except.len() == before {
            let text = head(&import, &found, &plan) + &spec;
            return Ok((found, Written { import, text }));
        }
    }
}

/// The accounts that a plan would touch, or refuses, with the reason.
fn touched(plan: &Plan, found: &Found) -> BTreeMap<AccountId, String> {
    let mut touched = BTreeMap::new();
    for one in &found.bound {
        let name = &one.account.id.name;
        let step = plan.steps.iter().find(|step| match &step.action {
            Action::Grant { who: Who::User(id), .. } => one.identity.as_ref() == Some(id),
            action => action.account() == Some(name),
        });
        let refusal = plan.refusals.iter().find(|refusal| refusal.resource == format!("account {name}"));
        let stepped = step.and_then(|step| step.gives.first()).map(|fact| format!("it is not so that {fact}"));
        let reason = refusal.map(|refusal| format!("{}: {}", refusal.code, refusal.detail)).or(stepped);
        touched.extend(reason.map(|reason| (one.account.id.clone(), reason)));
    }
    touched
}

/// The lines above the spec: what it is, and whether its plan is empty.
fn head(import: &Import, found: &Found, plan: &Plan) -> String {
    let state = if plan.is_empty() && plan.is_complete() {
        "A plan of it has no steps."
    } else {
        "Its plan is not empty, or not all could be seen: `cmk plan` says why."
    };
    let accounts = import.document.accounts.len();
    format!(
        "# Written by `cmk import` from what is there. {state}\n\
         # {accounts} of the {} accounts that were looked at are in it: those under keys of your own.\n",
        found.accounts
    )
}

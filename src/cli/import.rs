//! `cmk import`: writes a spec of what is there; sends no write.

use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::interrupt::{self, stopped};
use super::session::trouble;
use crate::import::{Unwritten, Written, search};
use crate::model::{AccountId, AccountName, GroupName, SubscriptionId};
use crate::report::text::wrap;

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
    let written = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        tokio::select! {
            written = search(&azure, &wishes.subscription, |id| wishes.want(id)) => written.map_err(unwritten),
            () = stopped(stop) => Err(Trouble::new("interrupted while looking, which changes nothing")),
        }
    })??;
    let mut told = String::new();
    for (id, reason) in &written.import.left_out {
        told.push_str(&wrap("left out: ", "  ", &format!("account {}: {reason}", id.name)));
    }
    for unseen in &written.found.unseen {
        let text = format!("{}: {} ({} would show it)", unseen.what, unseen.why, unseen.permission);
        told.push_str(&wrap("not seen: ", "  ", &text));
    }
    context.output.stderr.tell(&told);
    context.output.document(&(head(&written) + &written.text))?;
    Ok(if written.found.unseen.is_empty() { Exit::Good } else { Exit::Error })
}

fn unwritten(why: Unwritten) -> Trouble {
    match why {
        Unwritten::Failed(failure) => trouble(&failure),
        Unwritten::Unreadable(_) => Trouble::new(why.to_string()),
    }
}

/// The lines above the spec: what it is, and whether its plan is empty.
fn head(written: &Written) -> String {
    let state = if written.is_so() {
        "A plan of it has no steps."
    } else {
        "Its plan is not empty, or not all could be seen: `cmk plan` says why."
    };
    let accounts = written.import.document.accounts.len();
    format!(
        "# Written by `cmk import` from what is there. {state}\n\
         # {accounts} of the {} accounts that were looked at are in it: those under keys of your own.\n",
        written.found.accounts
    )
}

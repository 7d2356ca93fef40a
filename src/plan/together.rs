//! What goes into one request: an identity that an account is given for its key, and the binding to that key.

use super::action::Action;
use super::draft::Proposal;
use crate::model::{AccountId, Identities, Observed, Seen, Who};

/// Joins the attaching of user-assigned identities to the first binding of the same account as one of them.
///
/// Azure takes both in one PATCH as long as the account is under Microsoft's key, and either both come about or none. A
/// system-assigned identity is never joined: it has to be let at the key in between.
pub(super) fn join(proposals: &mut Vec<Proposal>, observed: &Observed) {
    let mut at = 0;
    while let Some((action, _)) = proposals.get(at) {
        let with = match action {
            Action::AttachIdentity { id, identity } if !identity.system => {
                first_binding(proposals, id, identity, observed)
            }
            _ => None,
        };
        let Some(binding) = with else {
            at += 1;
            continue;
        };
        let (attaching, mut because) = proposals.remove(at);
        // What stood behind the removed one has moved up.
        let binding = if binding > at { binding - 1 } else { binding };
        if let Some((Action::SetEncryption { attach, .. }, changes)) = proposals.get_mut(binding)
            && let Action::AttachIdentity { identity, .. } = attaching
        {
            *attach = identity;
            because.append(changes);
            *changes = because;
        }
    }
}

/// Where the binding stands of an account that is under Microsoft's key, as one of these identities.
fn first_binding(proposals: &[Proposal], id: &AccountId, new: &Identities, observed: &Observed) -> Option<usize> {
    let seen = observed.accounts.get(&id.name).and_then(Seen::known)?;
    if seen.encryption.binding.is_some() {
        return None;
    }
    proposals.iter().position(|(action, _)| match action {
        Action::SetEncryption { account, who: Who::User(who), then: None, .. } => {
            account == id && new.user.contains(who)
        }
        _ => false,
    })
}

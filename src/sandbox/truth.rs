//! Who can read what, right now: worked out from the world alone, by none of the product's code.

use super::world::State;
use super::{Millis, World, access, encryption};

/// Whether an account can read its data, and why or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readability {
    /// Whether the account can unwrap its data key.
    pub readable: bool,
    /// One sentence for people.
    pub why: String,
}

impl World {
    /// Whether an account can unwrap its data key at this moment, as its own identity.
    ///
    /// That takes the identity, a live vault that lets Azure Storage in, a grant of `unwrapKey` that has
    /// arrived, and the version that wraps the data key, enabled. It does not take a date: an expired key
    /// still unwraps, it only wraps no more.
    pub fn truth(&self, now: Millis, account: &str) -> Readability {
        let now = self.resources(now);
        readability(&self.settled(now), now, account)
    }

    /// What exists once time has passed up to `now`.
    pub(super) fn settled(&self, now: Millis) -> State {
        let mut state = self.state.clone();
        state.settle(now, self.pace);
        state
    }
}

/// Whether an account can read its data in a state to which time has been let pass.
pub(super) fn readability(state: &State, now: Millis, account: &str) -> Readability {
    match reading(state, now, account) {
        Ok(why) => Readability { readable: true, why },
        Err(why) => Readability { readable: false, why },
    }
}

fn reading(state: &State, now: Millis, account: &str) -> Result<String, String> {
    let account = state.accounts.get(account).ok_or_else(|| format!("there is no account {account}"))?;
    let Some(binding) = &account.encryption.binding else {
        return Ok("it is encrypted with a key of Microsoft's".to_owned());
    };
    let principal = encryption::principal(account, state)
        .ok_or("the identity that its encryption names is not attached to it any more")?;
    let host = binding.host();
    let vault = state.vault_at(&host).ok_or_else(|| format!("the vault {host} is not live"))?;
    if !vault.resolves(now) {
        return Err(format!("the vault {host} does not resolve"));
    }
    if !vault.open_to_storage() {
        return Err(format!("the firewall of {host} keeps Azure Storage out"));
    }
    if !access::lets(state, vault, Some(&binding.key), principal, "unwrapKey", now) {
        return Err(format!("{principal} may not unwrap with keys of {host}, or not yet"));
    }
    let key = state.key_at(&host, &binding.key).map(|(_, key)| key).filter(|key| key.visible <= now);
    let key = key.ok_or_else(|| format!("the key {} is not in {host}", binding.key))?;
    let (name, id) = (&binding.key, &binding.current);
    let version = key.version(id).ok_or_else(|| format!("the version {id} of {name} is not in {host}"))?;
    if !version.unwraps() {
        return Err(format!("the version {id} of {name} is disabled or does not unwrap"));
    }
    Ok(format!("{principal} unwraps with {name}/{id} of {host}"))
}

//! What became of each write: the world before it and after it, held against all that must not happen.

use super::custody;
use super::diff;
use super::facts;
use super::honest::{Finding, Scene};
use super::keys;
use super::sight::Sight;
use super::{Sent, Witness};
use crate::model::Access;
use crate::sandbox::{Census, ExchangeError, Millis, Readability};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Witness {
    /// Takes in a request that may change the world, with the world before and after it.
    pub(in crate::prove) fn wrote(
        &mut self,
        sent: &Sent,
        response: &Result<http::Response<Vec<u8>>, ExchangeError>,
        before: &Census,
        after: &Census,
    ) {
        let run = sent.run;
        self.runs[run].writes.push(sent.number);
        let planned = self.runs[run].planned && !self.runs[run].expects_nothing;
        self.holds("S13", planned, || "a write was sent where only looking was allowed".to_owned());
        let lower = sent.path.to_ascii_lowercase();
        // A role assignment is a grant; whose it was is judged by what became of it.
        let may_go = sent.method != "DELETE" || lower.contains("/roleassignments/");
        let gentle = may_go && !lower.contains("purge") && !lower.contains("deletedvaults");
        self.holds("S2", gentle, || "a request that deletes or purges".to_owned());
        if before == after {
            return;
        }
        self.runs[run].effects += 1;
        let status = response.as_ref().map_or(0, |response| response.status().as_u16());
        self.say(sent.at, &format!("run {} #{} {} has its effect ({status})", run + 1, sent.number, sent.line()));
        let named = self.runs[run].is_named(&sent.host, &sent.path, sent.request_id.as_deref());
        self.holds("S7", named, || "a write does not carry its step's request id".to_owned());
        let findings = if self.is_in_window(sent) { vec![] } else { self.findings(sent, before, after) };
        for (invariant, is_so, what) in findings {
            self.holds(invariant, is_so, || what);
        }
        for (_, notes) in self.runs.iter_mut().enumerate().filter(|(at, _)| *at != run) {
            notes.changed_since.insert(sent.place());
        }
        self.know_principals(after, sent.at);
        self.readable(sent.at, before, after);
        self.spells.note(&self.desired, sent.at, after);
    }

    /// Whether two make the same vault in the same moment, which Azure lets nobody notice: the later PUT replaces what
    /// the other made. The one window that is not promised; that accounts stay readable (S1) is held even there.
    fn is_in_window(&mut self, sent: &Sent) -> bool {
        let notes = &self.runs[sent.run];
        let place = sent.place();
        let is_vault = place.rsplit('/').nth(1) == Some("vaults") && sent.method == "PUT";
        let made_meanwhile = notes.told.get(&place) == Some(&(404, true)) && notes.changed_since.contains(&place);
        if is_vault && made_meanwhile {
            self.met("window", "two make one vault");
        }
        is_vault && made_meanwhile
    }

    fn findings(&self, sent: &Sent, before: &Census, after: &Census) -> Vec<Finding> {
        let notes = &self.runs[sent.run];
        let (before, after) = (Sight { census: before, now: sent.at }, Sight { census: after, now: sent.at });
        let scene = Scene { desired: &self.desired, notes, sent, before, after, principals: &self.principals };
        let changes = diff::changes(before.census, after.census);
        let mut findings: Vec<Finding> = changes.iter().flat_map(|change| scene.judge(change)).collect();
        let renewed =
            changes.iter().any(|change| matches!(change.path.as_slice(), ["vaults", _, "keys", _, "versions"]));
        // What was not touched is as it was, and what holds of it holds.
        let had = facts::facts_since(&self.desired, before, Some(after.census));
        let has = facts::facts_since(&self.desired, after, Some(before.census));
        findings.extend(
            had.into_iter()
                .filter(|(_, held)| *held)
                // With a newer version there, an account is no longer under the newest, until it moves.
                .filter(|(fact, _)| !(renewed && fact.ends_with("is under its key")))
                .map(|(fact, _)| ("S8", has.get(&fact) == Some(&true), format!("no longer so: {fact}"))),
        );
        findings.extend(custody::findings(&self.guard, before, after));
        // Somebody asked this run by name to open what was closed.
        let doors = if notes.opens { vec![] } else { self.doors.opened(sent.run, before, after) };
        findings.extend(doors.into_iter().map(|(is_so, what)| ("S14", is_so, what)));
        findings
    }

    pub(super) fn know_principals(&mut self, census: &Census, now: Millis) {
        let sight = Sight { census, now };
        for name in self.desired.accounts.keys() {
            if let Some(principal) = sight.principal(name.as_str()) {
                self.principals.insert(principal.to_ascii_lowercase(), name.as_str().to_owned());
            }
        }
    }

    /// The accounts that the spec puts out of reach on purpose.
    pub(super) fn revoked(&self, sight: Sight<'_>) -> BTreeSet<String> {
        let mut closed = keys::closed(&self.desired, sight);
        let revoked = self.desired.accounts.values().filter(|account| account.access == Access::Revoked);
        closed.extend(revoked.map(|account| account.id.name.to_string()));
        closed
    }

    /// S1: whoever could read before can read after, but for the accounts that a revocation names.
    fn readable(&mut self, now: Millis, before: &Census, after: &Census) {
        let revoked = self.revoked(Sight { census: before, now });
        let readable = |(name, truth): &(&String, &Arc<Readability>)| truth.readable && !revoked.contains(*name);
        for (account, truth) in before.truths().iter().filter(readable) {
            let now = after.truths().get(account);
            let still = now.is_some_and(|truth| truth.readable);
            self.holds("S1", still, || {
                format!("account {account} cannot read its data any more: {now:?}; before: {}", truth.why)
            });
        }
    }
}

//! The guards of a run: read before anything is sent, and never silently off.
//!
//! `--guard` and `CMK_GUARD` both hold where both are given: whoever can change a
//! command line must not thereby lift what the environment's owner set.

use super::arguments::GuardFile;
use super::context::Context;
use super::exit::Trouble;
use super::{source, validate};
use crate::azure::{Azure, Failure};
use crate::diag::{self, Source};
use crate::model::{Guard, Observed};
use crate::plan::{self, Plan, Refusal};
use crate::{observe, spec};

/// A guard and the file that it is from.
#[derive(Debug, Clone)]
struct Held {
    name: String,
    digest: String,
    guard: Guard,
}

/// The guards of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Guards(Vec<Held>);

impl Guards {
    /// Reads the guard files that the command line and the environment name.
    pub(super) fn read(context: &Context, file: &GuardFile) -> Result<Self, Trouble> {
        let named = file.guard.iter().map(|path| path.display().to_string());
        let by_environment = Context::guard_of_environment()?;
        named.chain(by_environment).map(|path| read(context, &path)).collect::<Result<_, _>>().map(Self)
    }

    /// The digests of the files' texts, for receipts.
    pub(super) fn digests(&self) -> Vec<String> {
        self.0.iter().map(|held| held.digest.clone()).collect()
    }

    /// Refuses what a plan does beyond the guards. Looks at the tenants that this takes.
    pub(super) async fn check(&self, plan: &mut Plan, observed: &mut Observed, azure: &Azure) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        observe::add_subscriptions(observed, plan::guard::subscriptions(plan), azure).await?;
        plan.refusals.extend(self.breaches(plan, observed));
        Ok(())
    }

    /// What a plan does beyond the guards, as far as the tenants that this takes were looked at.
    pub(super) fn breaches(&self, plan: &Plan, observed: &Observed) -> Vec<Refusal> {
        self.each().flat_map(|(name, guard)| plan::guard::breaches(plan, observed, guard, name)).collect()
    }

    /// The guards with the names of their files.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &Guard)> {
        self.0.iter().map(|Held { name, digest: _, guard }| (name.as_str(), guard))
    }
}

fn read(context: &Context, path: &str) -> Result<Held, Trouble> {
    let source: Source = source::read(path).map_err(|trouble| Trouble {
        what: format!("the guard cannot be read, so nothing was sent: {}", trouble.what),
        ..trouble
    })?;
    let (guard, diagnostics) = spec::load_guard(&source);
    let stderr = &context.output.stderr;
    if !diagnostics.is_empty() {
        stderr.tell(&format!("{}\n", diag::render(&source, &diagnostics, stderr.styled)));
    }
    let digest = plan::text_digest(&source.text);
    match guard {
        Some(guard) => Ok(Held { name: source.name, digest, guard }),
        None => Err(Trouble::new(format!(
            "the guard {} has {}; no request was sent",
            source.name,
            validate::errors(&diagnostics)
        ))
        .help("`cmk explain CODE` tells the long story of each code; docs/guard.md is the reference")),
    }
}

//! What is to be applied, a spec or a saved plan, and what of it was approved.

use super::context::Context;
use super::exit::Trouble;
use super::{session, source};
use crate::diag::Source;
use crate::model::Desired;
use crate::plan::approval::{self, BadPlanFile, Difference, SavedPlan};
use crate::plan::{Accepted, Plan};
use crate::report::text::wrap;

/// The largest saved plan that is read, in bytes: a spec of the largest size with all its steps.
const PLAN_LIMIT_BYTES: usize = 32 << 20;

/// The ending of the names of saved plans.
const ENDING: &str = ".cmk";

/// What was approved.
#[derive(Debug)]
pub(super) enum Approval {
    /// Nothing yet.
    Nothing,
    /// The plan of this digest.
    Digest(String),
    /// This saved plan. Whether its digest came from outside, so that it is known who approved it.
    Saved(Box<SavedPlan>, bool),
}

/// What is to be applied.
pub(super) struct Given {
    pub(super) source: Source,
    pub(super) desired: Desired,
    pub(super) approval: Approval,
}

/// Why nothing may be done: what differs from what was approved.
pub(super) struct NotApproved(pub(super) Vec<String>);

/// Reads what is to be applied. A saved plan whose digest is not the approved one is not even looked at.
pub(super) fn given(
    context: &Context,
    path: &str,
    approved: Option<&str>,
) -> Result<Result<Given, NotApproved>, Trouble> {
    let is_named_so = path.ends_with(ENDING);
    let source = if is_named_so { source::read_up_to(path, PLAN_LIMIT_BYTES)? } else { source::read(path)? };
    if !is_named_so && !approval::is_saved(&source.text) {
        let desired = session::resolved(context, &source)?;
        let approval = approved.map_or(Approval::Nothing, |digest| Approval::Digest(digest.to_owned()));
        return Ok(Ok(Given { source, desired, approval }));
    }
    let saved = approval::read(&source.text).map_err(|bad| unusable(path, &bad))?;
    if saved.cloud != context.scene().cloud {
        let (then, now) = (&saved.cloud, &context.scene().cloud);
        return Err(coded("CMK250", format!("the plan {path} was made for the cloud {then}, and this is {now}"))
            .help("choose the cloud that the plan was made for"));
    }
    if let Some(digest) = approved.filter(|digest| **digest != saved.digest) {
        return Ok(Err(NotApproved(vec![format!(
            "the plan {path} has the digest {}, and {digest} was approved",
            saved.digest
        )])));
    }
    if approved.is_none() {
        let text = "note: without --approved DIGEST this only detects a plan file that was damaged. Whoever could write \
                    the file could write its digest too: an approval has to come from elsewhere";
        context.output.stderr.tell(&wrap("", "  ", text));
    }
    let source = Source { name: saved.spec_name.clone(), text: saved.spec.clone() };
    let desired = session::resolved(context, &source)?;
    Ok(Ok(Given { source, desired, approval: Approval::Saved(Box::new(saved), approved.is_some()) }))
}

impl Approval {
    /// Whether somebody has said yes to it beforehand.
    pub(super) fn is_given(&self) -> bool {
        match self {
            Self::Nothing | Self::Saved(_, false) => false,
            Self::Digest(_) | Self::Saved(_, true) => true,
        }
    }

    /// What may be accepted of a fresh plan; or how it goes beyond what was approved.
    pub(super) fn admits(&self, plan: &Plan, accepted: &Accepted) -> Result<Accepted, NotApproved> {
        match self {
            Self::Nothing => Ok(accepted.clone()),
            Self::Digest(digest) if *digest == plan.digest => Ok(Accepted::whole_plan()),
            Self::Digest(digest) => Err(NotApproved(vec![format!(
                "the plan has the digest {}, and {digest} was approved: it would do something else, or to something else",
                plan.digest
            )])),
            Self::Saved(saved, is_approved) => {
                let differences = approval::same_or_safer(saved, plan);
                if !differences.is_empty() {
                    let told = differences.into_iter().map(|Difference { subject, what }| format!("{subject}: {what}"));
                    return Err(NotApproved(told.collect()));
                }
                // Its own risks and no others, should the comparison ever overlook one.
                Ok(if *is_approved { accepted.clone().and(saved.asks()) } else { accepted.clone() })
            }
        }
    }
}

impl NotApproved {
    /// What differs, for people.
    pub(super) fn render(&self) -> String {
        let mut out =
            wrap("", "  ", "not approved: this is not what was approved, or more than that. Nothing was sent");
        for one in &self.0 {
            out.push_str(&wrap("  ", "    ", one));
        }
        out.push_str(&wrap("help: ", "      ", "plan again, have the new plan reviewed, and pass its digest"));
        out
    }
}

fn unusable(path: &str, bad: &BadPlanFile) -> Trouble {
    match bad {
        BadPlanFile::Foreign => coded("CMK250", format!("{path} is no plan that `cmk plan --save` wrote"))
            .help("name the file that `cmk plan --save` wrote; a spec's name must not end in `.cmk`"),
        BadPlanFile::OtherVersion(version) => coded(
            "CMK251",
            format!("the plan {path} is written in version {version} of the form, and this cmk reads version 1"),
        )
        .help("plan, approve and apply with the same version of cmk"),
        BadPlanFile::Damaged(how) => {
            coded("CMK252", format!("the plan {path} is damaged: {how}")).help("save the plan again, and copy it whole")
        }
    }
}

fn coded(code: &str, what: String) -> Trouble {
    Trouble { code: Some(code.to_owned()), ..Trouble::new(what) }
}

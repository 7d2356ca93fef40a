//! `cmk rotate`, `disable`, `revoke` and `restore`: what a spec says, edited for one run, and then applied like any other.

use super::apply;
use super::approval::{self, Approval, Given};
use super::arguments::{Beside, Format, GuardFile, digest, time};
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::who_uses::KeyArgument;
use super::{interrupt, session};
use crate::apply::Sight;
use crate::model::{AccountName, Desired, KeyRef, Timestamp};
use crate::plan::{Accepted, Acknowledgement};
use crate::report::text::wrap;
use crate::spec::Edit;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How a spec is to be applied.
#[derive(Debug, Args)]
pub(super) struct Applying {
    /// Do not ask first
    #[arg(long, short)]
    pub(super) yes: bool,
    /// The form of the plan and the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// Stop in order when this time is over, and exit with 1: `90s`, `30m`, `1h`
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// Write what was done, and what Azure reports of it afterwards, to FILE
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// The folder that holds the files of keys of your own, which the spec names under `import`
    #[arg(long, value_name = "DIR")]
    key_dir: Option<PathBuf>,
    /// Say yes to one risk by its code and object, as the plan prints them: `CMK404:account/stbilling`
    #[arg(long, value_name = "CODE:OBJECT", value_parser = Acknowledgement::parse)]
    accept: Vec<Acknowledgement>,
    /// Go ahead only with the plan of this digest, or with less than a saved plan of it; else exit with 4
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    approved: Option<String>,
    /// What may be touched at all
    #[command(flatten)]
    guard: GuardFile,
    /// How far is looked for others
    #[command(flatten)]
    beside: Beside,
}

impl Applying {
    /// The wishes of one run.
    pub(super) fn wishes(self, context: &Context) -> Result<apply::Wishes, Trouble> {
        let Self { yes, format: _, timeout, receipt, key_dir, accept, approved, guard, beside } = self;
        let (accepted, guards) = (Accepted::named(accept), Guards::read(context, &guard)?);
        Ok(apply::Wishes { yes, timeout, receipt, key_dir, accepted, approved, guards, sight: beside.sight() })
    }
}

/// The key that a verb is about.
#[derive(Debug, Args)]
pub(super) struct OfKey {
    /// The spec file; `-` is stdin
    #[arg(value_name = "SPEC")]
    spec: String,
    /// The key, by its vault and name
    #[arg(long, value_name = "VAULT/KEY")]
    key: KeyArgument,
    #[command(flatten)]
    applying: Applying,
}

/// A rotation.
#[derive(Debug, Args)]
pub(super) struct Rotation {
    /// The key, and how to apply
    #[command(flatten)]
    of: OfKey,
    /// A version of this moment or later is new enough: `2027-01-31T12:00:00Z`. Without it, now; has to be said where nobody sits at a terminal
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
}

/// The account, or the key, that is given back.
#[derive(Debug, Args)]
pub(super) struct Restoration {
    /// The spec file; `-` is stdin
    #[arg(value_name = "SPEC")]
    spec: String,
    /// The account that is to have its access again
    #[arg(long, value_name = "NAME", value_parser = account, required_unless_present = "key")]
    account: Option<AccountName>,
    /// The key of which the versions that accounts use are to be usable again
    #[arg(long, value_name = "VAULT/KEY", conflicts_with = "account")]
    key: Option<KeyArgument>,
    #[command(flatten)]
    applying: Applying,
}

/// The account whose access is taken.
#[derive(Debug, Args)]
pub(super) struct Revocation {
    /// The spec file; `-` is stdin
    #[arg(value_name = "SPEC")]
    spec: String,
    /// The account whose data is to be out of reach
    #[arg(long, value_name = "NAME", value_parser = account)]
    account: AccountName,
    #[command(flatten)]
    applying: Applying,
}

fn account(text: &str) -> Result<AccountName, String> {
    AccountName::parse(text).map_err(|error| format!("the account's name {error}"))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a moment with its time zone, as in `2027-01-31T12:00:00Z`".to_owned())
}

/// Makes a new version of a key, and moves the accounts to it that are pinned.
pub(super) fn rotate(context: &mut Context, wishes: Rotation) -> Result<Exit, Trouble> {
    let Rotation { of: OfKey { spec, key, applying }, since } = wishes;
    let key = whole(&key)?;
    if since.is_none() && !context.has_person() {
        return Err(Trouble::new("`--since` is missing, and nobody sits at a terminal. Nothing was sent").help(
            "say since when: a run that is repeated then makes no second version, as in `--since 2027-01-31T12:00:00Z`",
        ));
    }
    let given = given(context, &spec, applying.approved.as_deref())?;
    if let Some(since) = since {
        return go(context, given, &Edit::Rotate(key, since), applying);
    }
    let now = azure_now(context, &given.desired, &key)?;
    let again = format!("to repeat this very rotation, and no other: cmk rotate {spec} --key {key} --since {now}");
    context.output.stderr.tell(&wrap("", "  ", &again));
    go(context, given, &Edit::Rotate(key, now), applying)
}

/// Takes a key, or a version of it, out of use.
pub(super) fn disable(context: &mut Context, wishes: OfKey) -> Result<Exit, Trouble> {
    let OfKey { spec, key, applying } = wishes;
    let given = given(context, &spec, applying.approved.as_deref())?;
    let edit = Edit::Disable(key.reference(), key.version().cloned());
    go(context, given, &edit, applying)
}

/// Takes an account's access to its key away.
pub(super) fn revoke(context: &mut Context, wishes: Revocation) -> Result<Exit, Trouble> {
    let Revocation { spec, account, applying } = wishes;
    let given = given(context, &spec, applying.approved.as_deref())?;
    go(context, given, &Edit::Revoke(account), applying)
}

/// Gives back what was taken.
pub(super) fn restore(context: &mut Context, wishes: Restoration) -> Result<Exit, Trouble> {
    let Restoration { spec, account, key, applying } = wishes;
    let edit = match (account, key) {
        (Some(account), _) => Edit::RestoreAccount(account),
        (None, Some(key)) => Edit::RestoreKey(whole(&key)?),
        (None, None) => return Err(Trouble::new("neither an account nor a key is named")),
    };
    let given = given(context, &spec, applying.approved.as_deref())?;
    go(context, given, &edit, applying)
}

/// A key, of which no single version is meant.
fn whole(key: &KeyArgument) -> Result<KeyRef, Trouble> {
    match key.version() {
        None => Ok(key.reference()),
        Some(version) => Err(Trouble::new(format!("this is about a whole key, and not about its version {version}"))
            .help(format!("write `--key {}`", key.reference()))),
    }
}

/// The spec that a verb edits. A saved plan says what it does already.
fn given(context: &Context, path: &str, approved: Option<&str>) -> Result<Given, Trouble> {
    match approval::given(context, path, approved)? {
        Ok(given) if !matches!(given.approval, Approval::Saved(..)) => Ok(given),
        Ok(_) | Err(_) => Err(Trouble::new(format!("{path} is a saved plan, and a verb edits a spec"))
            .help("name the spec; to go ahead only with a plan that was approved, add `--approved DIGEST`")),
    }
}

/// What time it is in Azure, from a look at the key: a key is as old as Azure says, whatever this machine's clock shows.
fn azure_now(context: &Context, desired: &Desired, key: &KeyRef) -> Result<Timestamp, Trouble> {
    // A threshold that is long past asks for nothing.
    let look = Edit::Rotate(key.clone(), Timestamp(0)).of(desired).map_err(Trouble::new)?;
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, _) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(&look, &azure, &Guards::default(), Sight::Accounts, stop, &stderr).await
    })??;
    Ok(observed.at)
}

fn go(context: &mut Context, given: Given, edit: &Edit, applying: Applying) -> Result<Exit, Trouble> {
    let desired = edit.of(&given.desired).map_err(|why| {
        Trouble::new(format!("{why}; no request was sent"))
            .help("a verb is for what the spec names: correct the name, or add it")
    })?;
    let format = applying.format;
    let wishes = applying.wishes(context)?;
    let ended = apply::go(context, Given { desired, ..given }, format, wishes)?;
    if ended == Exit::Good {
        let text =
            format!("to make it last, so that the next apply goes by it, write into the spec: {}", edit.lasting());
        context.output.stderr.tell(&wrap("", "  ", &text));
    }
    Ok(ended)
}

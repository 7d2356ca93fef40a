//! `cmk prove`: a spec under every fault, in a simulator inside this process. No credential, no network and
//! no file, unless it is to begin from what is in Azure or to keep what failed.

use super::arguments::Format;
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::{interrupt, private, session};
use crate::apply::Sight;
use crate::diag::Source;
use crate::model::Desired;
use crate::prove::{self, Extent, Failed, Live, Verdict};
use crate::report::text::clean;
use crate::sandbox::Sandbox;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is to be proved, and how much of it.
#[derive(Debug, clap::Args)]
pub(super) struct Wishes {
    /// The spec file; `-` is stdin
    #[arg(value_name = "SPEC")]
    spec: String,
    /// How many scenes to play by chance, after all those in order
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,
    /// Of a long spec, try every crash and every mishap at every request, not a share of them
    #[arg(long)]
    exhaustive: bool,
    /// Keep what failed in DIR: the spec, the sandbox that it began from, and what happened
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Begin from what is in Azure now, which is read and not written, not from nothing
    #[arg(long)]
    from_live: bool,
    /// The form of the verdict
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Proves a spec and tells the verdict.
pub(super) fn run(context: &mut Context, wishes: &Wishes) -> Result<Exit, Trouble> {
    let Wishes { spec, seeds, exhaustive, save, from_live, format } = wishes;
    let (source, desired) = session::desired(context, spec)?;
    let extent = Extent { seeds: *seeds, is_exhaustive: *exhaustive };
    if desired.keys().any(|(_, wanted)| wanted.import.is_some()) {
        let text = "keys of your own are not read: others of the same size stand for them\n";
        context.output.stderr.remark(text);
    }
    let live = if *from_live { Some(seen(context, &desired)?) } else { None };
    let verdict = prove::prove(&desired, extent, live).map_err(|why| not_set_up(&why))?;
    let text = match format {
        Format::Human => prove::as_text(&clean(spec), &verdict),
        Format::Json => prove::as_json(spec, &verdict),
    };
    context.output.document(&text)?;
    if verdict.is_good() {
        return Ok(Exit::Good);
    }
    let told = match save {
        Some(folder) => keep_all(folder, &source, &verdict)?,
        None => "To look at what failed, add `--save DIR`: the same proof fails in the same way again\n".to_owned(),
    };
    context.output.stderr.tell(&told);
    Ok(Exit::Error)
}

/// A world like the one that is in Azure now.
fn seen(context: &Context, desired: &Desired) -> Result<Live, Trouble> {
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, _) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(desired, &azure, &Guards::default(), Sight::Accounts, stop, &stderr).await
    })??;
    let live = prove::like(desired, &observed, prove::pace()).map_err(|why| not_set_up(&clean(&why)))?;
    let limits = live.limits.iter().map(|limit| clean(limit)).collect();
    Ok(Live { limits, ..live })
}

fn not_set_up(why: &str) -> Trouble {
    Trouble::new(format!("the simulator cannot be set up for this spec: {why}"))
        .help("this says nothing about the spec; `cmk plan` shows more")
}

/// Keeps every failure that the verdict holds, each in a folder of its own; says how to look at them.
fn keep_all(folder: &Path, source: &Source, verdict: &Verdict) -> Result<String, Trouble> {
    let mut told = String::new();
    for (failure, number) in verdict.failures.iter().zip(1..) {
        let folder = folder.join(format!("failure-{number}"));
        let [spec, sandbox, _] = keep(&folder, source, failure)?;
        let (scene, spec, sandbox) = (clean(&failure.scene), shown(&spec), shown(&sandbox));
        let _ = writeln!(told, "Kept of {scene}:\n  cmk plan {spec} --sandbox={sandbox}");
    }
    Ok(told)
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = clean(&path.display().to_string());
    let is_plain = text.chars().all(|letter| letter.is_alphanumeric() || "/._-".contains(letter));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Writes the spec, the sandbox that the failed scene began from, and its log.
fn keep(folder: &Path, source: &Source, failure: &Failed) -> Result<[PathBuf; 3], Trouble> {
    let Failed { scene, breach, log, world } = failure;
    let files = ["spec.yaml", "sandbox.json", "log.txt"].map(|name| folder.join(name));
    let [spec, sandbox, told] = &files;
    private::folder(folder).map_err(|why| unkept(folder, &why))?;
    private::write(spec, &source.text).map_err(|why| unkept(spec, &why))?;
    Sandbox::write(sandbox, world).map_err(|why| unkept(sandbox, &why))?;
    let text = format!("{scene}\n{}: {}\n\n{}\n", breach.invariant, breach.what, log.join("\n"));
    private::write(told, &text).map_err(|why| unkept(told, &why))?;
    Ok(files)
}

fn unkept(path: &Path, why: &dyn std::fmt::Display) -> Trouble {
    Trouble::new(format!("what failed cannot be kept in {}: {why}", path.display())).help("name another folder")
}

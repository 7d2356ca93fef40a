//! `cmk prove`: a spec under every fault, in a simulator inside this process. No credential, no network and
//! no file, unless it is to begin from what is in Azure or to keep what failed.

use super::arguments::{Format, GuardFile};
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::{interrupt, private, session};
use crate::apply::Sight;
use crate::diag::Source;
use crate::model::{Desired, Guard, Pattern};
use crate::plan::{self, Refusal};
use crate::prove::{self, Extent, Failed, First, Guarded, Live, Verdict};
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
    /// What may be touched at all
    #[command(flatten)]
    guard: GuardFile,
}

/// Proves a spec and tells the verdict.
pub(super) fn run(context: &mut Context, wishes: &Wishes) -> Result<Exit, Trouble> {
    let Wishes { spec, seeds, exhaustive, save, from_live, format, guard } = wishes;
    let guards = Guards::read(context, guard)?;
    let (source, desired) = session::desired(context, spec)?;
    let extent = Extent { seeds: *seeds, is_exhaustive: *exhaustive };
    if desired.keys().any(|(_, wanted)| wanted.import.is_some()) {
        let text = "keys of your own are not read: others of the same size stand for them\n";
        context.output.stderr.remark(text);
    }
    let (live, guarded) = if *from_live {
        let (live, guarded) = seen(context, &desired, &guards)?;
        (Some(live), guarded)
    } else {
        (None, in_simulator(&desired, &guards)?)
    };
    let guard = guards.each().next().map(|_| harmless(guarded));
    let verdict = Verdict { guard, ..prove::prove(&desired, extent, live).map_err(|why| not_set_up(&why))? };
    let text = match format {
        Format::Human => prove::as_text(&clean(spec), &verdict),
        Format::Json => prove::as_json(spec, &verdict),
    };
    context.output.document(&text)?;
    if !verdict.is_good() {
        let told = match save {
            Some(folder) => keep_all(folder, &source, &verdict)?,
            None => "To look at what failed, add `--save DIR`: the same proof fails in the same way again\n".to_owned(),
        };
        context.output.stderr.tell(&told);
    }
    Ok(match (verdict.is_outside(), verdict.is_good()) {
        // What is refused is not even begun, whatever would become of it.
        (true, _) => Exit::Refused,
        (false, true) => Exit::Good,
        (false, false) => Exit::Error,
    })
}

/// Holds the first plan, where nothing is there, against the guards as far as the simulator knows better than to guess.
fn in_simulator(desired: &Desired, guards: &Guards) -> Result<Guarded, Trouble> {
    let mut guarded = Guarded::default();
    if guards.each().next().is_none() {
        return Ok(guarded);
    }
    let First { plan, observed, invented } = prove::first(desired).map_err(|why| not_set_up(&why))?;
    for (name, guard) in guards.each() {
        let any = Pattern::new("*");
        if !guard.tenants.contains(&any) {
            guarded.unchecked.push(format!(
                "the tenants of {name}: those of the simulator are invented; `cmk plan` and `--from-live` see the real ones"
            ));
        }
        if guard.key_types.is_some() || guard.key_sizes_bits.is_some() {
            guarded.unchecked.extend(invented.iter().map(|key| {
                format!(
                    "the type and size of key {key} against {name}: the spec makes it not, and only Azure knows them"
                )
            }));
        }
        if guard.accounts_max.is_some() || guard.risk_max.is_some() {
            guarded.unchecked.push(format!(
                "how much less a run does where some of it is there already: the limits of one run of {name} are held \
                 against a first run"
            ));
        }
        let guard = Guard { tenants: vec![any], ..guard.clone() };
        guarded.breaches.extend(plan::guard::breaches(&plan, &observed, &guard, name));
    }
    Ok(guarded)
}

/// The same, with what others chose of it made harmless.
fn harmless(Guarded { breaches, unchecked }: Guarded) -> Guarded {
    let breach = |Refusal { code, resource, detail, help }| Refusal {
        code,
        resource: clean(&resource),
        detail: clean(&detail),
        help: clean(&help),
    };
    Guarded {
        breaches: breaches.into_iter().map(breach).collect(),
        unchecked: unchecked.iter().map(|what| clean(what)).collect(),
    }
}

/// A world like the one that is in Azure now, and what the guards say of a plan from there.
fn seen(context: &Context, desired: &Desired, guards: &Guards) -> Result<(Live, Guarded), Trouble> {
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, plan) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(desired, &azure, guards, Sight::Accounts, stop, &stderr).await
    })??;
    let live = prove::like(desired, &observed, prove::pace()).map_err(|why| not_set_up(&clean(&why)))?;
    let limits = live.limits.iter().map(|limit| clean(limit)).collect();
    let breaches = guards.breaches(&plan, &observed);
    Ok((Live { limits, ..live }, Guarded { breaches, unchecked: vec![] }))
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

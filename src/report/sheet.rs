//! What a plan says, in the order in which it is said, before any surface writes it down.
//!
//! Terminal and Markdown are written from this one sheet, so neither can say less than the other. Texts in it are as
//! they came: each surface makes them harmless in its own way.

use super::story;
use super::text::count;
use super::verdict::{PlanVerdict, is_unjudged};
use super::words;
use crate::model::Timestamp;
use crate::plan::review::{AccessChange, KeyMove, Readability, Reads, Sharer, VersionUse};
use crate::plan::{Ask, Change, Consent, Plan, RiskClass, Step, StepId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

/// Everything that a plan says.
pub(super) struct Sheet<'a> {
    pub(super) plan: &'a Plan,
    /// The verdict in a sentence or two.
    pub(super) verdict: String,
    /// Whether somebody has to say yes by name.
    pub(super) consent: &'static str,
    /// What has to be said.
    pub(super) asks: Vec<Ask>,
    /// The risks, the gravest first.
    pub(super) risks: Vec<RiskGroup>,
    /// What the steps touch, a kind of thing each.
    pub(super) touches: Vec<Things>,
    /// Accounts that no step touches and that use a key of a vault which one does.
    pub(super) beside: Vec<String>,
    /// Who was seen under which key of the vaults that are touched, encryption scopes included; nothing where nobody looked.
    pub(super) under: Option<Vec<(String, Vec<String>)>>,
    /// Who can read what, before, during and after.
    pub(super) readable: Vec<ReadGroup>,
    /// Who gains or loses what.
    pub(super) access: Vec<AccessGroup>,
    /// Which key versions accounts move between.
    pub(super) versions: Vec<MoveGroup>,
    /// The steps in order.
    pub(super) steps: Vec<StepStory<'a>>,
    /// How steps are undone: the way, and the steps that go this way. What cannot be undone comes first.
    pub(super) undo: Vec<(String, Vec<usize>)>,
    /// Who else has access to keys of the vaults that are touched: by vault, the principals with what they may do.
    pub(super) nearby: Vec<(String, Vec<String>)>,
}

/// Risks of one kind for one reason.
pub(super) struct RiskGroup {
    pub(super) class: RiskClass,
    pub(super) consent: Consent,
    pub(super) why: String,
    /// The things at risk, and how often each.
    pub(super) objects: BTreeMap<String, usize>,
    pub(super) steps: Vec<usize>,
}

/// Things of one kind: "account" or "2 accounts:", and their names.
pub(super) struct Things {
    pub(super) what: String,
    pub(super) names: Vec<String>,
}

/// Accounts of which the same can be said about reading their data.
pub(super) struct ReadGroup {
    pub(super) accounts: Vec<String>,
    pub(super) before: String,
    pub(super) during: Option<String>,
    pub(super) after: String,
    pub(super) steps: Vec<usize>,
    /// Whether there is a time at which the data cannot be read.
    pub(super) unreadable: bool,
}

/// Identities that gain or lose the same.
pub(super) struct AccessGroup {
    pub(super) gains: bool,
    /// What kind of identities they are: "the system-assigned identity of account".
    pub(super) kind: String,
    /// Whose, and the principal id where it is known.
    pub(super) who: Vec<(String, Option<String>)>,
    pub(super) permissions: String,
    pub(super) scope: String,
    pub(super) by: &'static str,
    pub(super) more_than_needed: String,
    pub(super) steps: Vec<usize>,
}

/// Accounts that move between the same key versions.
pub(super) struct MoveGroup {
    pub(super) accounts: Vec<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) steps: Vec<usize>,
}

/// One step with its story.
pub(super) struct StepStory<'a> {
    pub(super) number: usize,
    pub(super) step: &'a Step,
    /// What it does, as an order.
    pub(super) title: String,
    /// The codes and names of its risks.
    pub(super) risks: Vec<String>,
    pub(super) why: &'static str,
    /// Whether everything it writes belongs to a thing that it makes.
    pub(super) makes: bool,
    /// The steps that it goes after; an id stands for a step that is not in the plan.
    pub(super) after: Vec<String>,
    pub(super) waits: Option<String>,
    pub(super) leaves: String,
    /// An earlier step of which the same is to be told, but for names.
    pub(super) like: Option<usize>,
}

/// What stands above those who were seen under keys of the vaults that are touched.
pub(super) const UNDER: &str = "Under keys of these vaults, encryption scopes included";

/// Which operations fail while data cannot be read, and with which codes.
pub(super) const UNREADABLE: &str = "While its data cannot be read, every read and write of blobs and files answers 403: Get Blob, Put Blob, \
     Copy Blob, Put Block, Put Page, Set Blob Metadata, Set Blob Tier, reads and writes of files, with the code \
     KeyVaultEncryptionKeyNotFound, KeyVaultAccessTokenCannotBeAcquired or KeyVaultVaultNotFound.";

impl<'a> Sheet<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let numbers: Numbers<'_> = plan.steps.iter().map(|step| &step.id).zip(1..).collect();
        let asks = plan.asks();
        Self {
            plan,
            verdict: verdict(plan),
            consent: consent(plan, &asks),
            asks,
            risks: risks(plan),
            touches: touches(plan),
            beside: beside(plan),
            under: under(plan),
            readable: readable(plan, &numbers),
            access: access(plan, &numbers),
            versions: versions(plan, &numbers),
            steps: steps(plan, &numbers),
            undo: undo(plan),
            nearby: nearby(plan),
        }
    }

    /// The risks that cannot be undone.
    pub(super) fn doors(&self) -> impl Iterator<Item = &RiskGroup> {
        self.risks.iter().filter(|group| group.class == RiskClass::Irreversible)
    }

    /// Whether some data cannot be read at some time.
    pub(super) fn is_unreadable(&self) -> bool {
        self.readable.iter().any(|group| group.unreadable)
    }
}

type Numbers<'a> = HashMap<&'a StepId, usize>;

/// The verdict in a sentence or two.
pub(super) fn verdict(plan: &Plan) -> String {
    match PlanVerdict::of(plan) {
        PlanVerdict::Refused => {
            let codes: BTreeSet<&str> = plan.refusals.iter().map(|refusal| refusal.code).collect();
            let codes: Vec<&str> = codes.into_iter().collect();
            let steps = match plan.steps.len() {
                0 => String::new(),
                number => {
                    format!(" {} would be left. {}", capital(&count(number, "step")), highest(plan))
                }
            };
            let reasons = count(plan.refusals.len(), "reason");
            format!("Refused, for {reasons} ({}): nothing is sent.{steps}", codes.join(", "))
        }
        PlanVerdict::Steps => {
            let unseen = if is_unjudged(plan) { " Not everything could be seen." } else { "" };
            format!("{} to take. {}{unseen}", count(plan.steps.len(), "step"), highest(plan))
        }
        PlanVerdict::Unjudged => "No steps, but not everything could be seen.".to_owned(),
        PlanVerdict::NothingToDo if plan.waits.is_empty() => "Nothing to do: all is as the spec wants it.".to_owned(),
        PlanVerdict::NothingToDo => "Nothing to do. Something is still under way in Azure.".to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn highest(plan: &Plan) -> String {
    let class = plan.gravest();
    match class.code() {
        None => "Highest risk: none.".to_owned(),
        Some(code) => format!("Highest risk: {} ({code}).", words::risk_name(class)),
    }
}

fn consent(plan: &Plan, asks: &[Ask]) -> &'static str {
    match (plan.is_empty(), plan.refusals.is_empty(), asks) {
        (true, _, _) => "",
        (false, true, []) => "No acknowledgement needed.",
        (false, true, [_]) => "Nothing is sent without this acknowledgement:",
        (false, true, _) => "Nothing is sent without these acknowledgements:",
        (false, false, []) => "They need no acknowledgement.",
        (false, false, _) => "Even then, nothing is sent without:",
    }
}

fn risks(plan: &Plan) -> Vec<RiskGroup> {
    let mut groups: BTreeMap<(std::cmp::Reverse<RiskClass>, Consent, &str), RiskGroup> = BTreeMap::new();
    for (number, step) in (1..).zip(&plan.steps) {
        for risk in &step.risks {
            let group =
                groups.entry((std::cmp::Reverse(risk.class), risk.consent, &risk.why)).or_insert_with(|| RiskGroup {
                    class: risk.class,
                    consent: risk.consent,
                    why: risk.why.clone(),
                    objects: BTreeMap::new(),
                    steps: vec![],
                });
            *group.objects.entry(risk.object.clone()).or_default() += 1;
            group.steps.push(number);
        }
    }
    groups.into_values().collect()
}

/// Whoever else is under keys of the vaults that are touched; those outside of the spec with their groups.
fn beside(plan: &Plan) -> Vec<String> {
    let radius = &plan.review.radius;
    let outside = radius.outsiders.iter().map(|id| format!("{} (not in the spec, group {})", id.name, id.group.name));
    radius.others.iter().map(ToString::to_string).chain(outside).collect()
}

/// Who was seen under which key: accounts, and encryption scopes with their accounts; those outside of the spec with their
/// groups.
fn under(plan: &Plan) -> Option<Vec<(String, Vec<String>)>> {
    let user = |Sharer { account, scope, is_in_spec }: &Sharer| {
        let of = scope.as_ref().map_or(String::new(), |scope| format!("encryption scope {scope} of "));
        let beyond =
            if *is_in_spec { String::new() } else { format!(" (not in the spec, group {})", account.group.name) };
        format!("{of}{}{beyond}", account.name)
    };
    let keys = plan.review.radius.under.as_ref()?;
    Some(keys.iter().map(|(key, users)| (key.clone(), users.iter().map(user).collect())).collect())
}

fn touches(plan: &Plan) -> Vec<Things> {
    let radius = &plan.review.radius;
    let things = |noun: &str, names: Vec<String>| {
        let what = if names.len() == 1 { noun.to_owned() } else { format!("{}:", count(names.len(), noun)) };
        Things { what, names }
    };
    let all = [
        things("account", radius.accounts.iter().map(ToString::to_string).collect()),
        things("vault", radius.vaults.iter().map(ToString::to_string).collect()),
        things("key", radius.keys.iter().map(ToString::to_string).collect()),
    ];
    all.into_iter().filter(|things| !things.names.is_empty()).collect()
}

fn readable(plan: &Plan, numbers: &Numbers<'_>) -> Vec<ReadGroup> {
    let mut places: HashMap<(String, Option<&str>, String), usize> = HashMap::new();
    let mut groups: Vec<ReadGroup> = vec![];
    for Readability { account, before, during, after, steps } in &plan.review.readability {
        // Of an account that is not there yet nobody asks what happens to its data meanwhile.
        let during = during.as_ref().filter(|_| !(*before == Reads::NotThere && after.is_yes()));
        let (before_words, after_words) = (reads(before), reads(after));
        let key = (before_words.clone(), during.map(String::as_str), after_words.clone());
        let at = *places.entry(key).or_insert_with(|| {
            let shut = |reads: &Reads| matches!(reads, Reads::No(_));
            groups.push(ReadGroup {
                accounts: vec![],
                before: before_words,
                during: during.cloned(),
                after: after_words,
                steps: vec![],
                unreadable: shut(before) || shut(after) || during.is_some_and(|text| text.starts_with("not readable")),
            });
            groups.len() - 1
        });
        groups[at].accounts.push(account.to_string());
        groups[at].steps.extend(steps.iter().filter_map(|id| numbers.get(id)));
    }
    // Who cannot read comes first: that is what a reader looks for.
    groups.sort_by_key(|group| !group.unreadable);
    groups
}

/// Whether data can be read, in words.
pub(super) fn reads(reads: &Reads) -> String {
    match reads {
        Reads::NotThere => "no data, no account".to_owned(),
        Reads::ByMicrosoft => "yes, by Microsoft's key".to_owned(),
        Reads::ByKey(key) => format!("yes, by {key}"),
        Reads::No(why) => format!("NO: {why}"),
        Reads::Unknown(why) => format!("not known: {why}"),
    }
}

fn access(plan: &Plan, numbers: &Numbers<'_>) -> Vec<AccessGroup> {
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut groups: Vec<AccessGroup> = vec![];
    for change in &plan.review.access {
        let AccessChange { step, gains, who, principal, permissions, by, scope, more_than_needed } = change;
        let (kind, name) = who.rsplit_once(' ').unwrap_or(("", who));
        let at = *places.entry((*gains, kind, permissions, *by, scope, more_than_needed)).or_insert_with(|| {
            groups.push(AccessGroup {
                gains: *gains,
                kind: kind.to_owned(),
                who: vec![],
                permissions: permissions.join(", "),
                scope: scope.clone(),
                by,
                more_than_needed: more_than_needed.join(", "),
                steps: vec![],
            });
            groups.len() - 1
        });
        groups[at].who.push((name.to_owned(), principal.clone()));
        groups[at].steps.extend(numbers.get(step));
    }
    // Who loses something comes first: it may be what makes data unreadable.
    groups.sort_by_key(|group| group.gains);
    groups
}

fn versions(plan: &Plan, numbers: &Numbers<'_>) -> Vec<MoveGroup> {
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut groups: Vec<MoveGroup> = vec![];
    for KeyMove { step, account, from, to } in &plan.review.versions {
        let from = from.as_ref().map_or_else(|| "Microsoft's key".to_owned(), |from| version(from, "not known"));
        let to = version(to, "made by this plan");
        let at = *places.entry((from.clone(), to.clone())).or_insert_with(|| {
            groups.push(MoveGroup { accounts: vec![], from, to, steps: vec![] });
            groups.len() - 1
        });
        groups[at].accounts.push(account.to_string());
        groups[at].steps.extend(numbers.get(step));
    }
    groups
}

/// A key version in use: which, whether Azure follows the newest, and its dates.
fn version(used: &VersionUse, unknown: &str) -> String {
    let VersionUse { key, version, follows, created, expires } = used;
    let which = version.as_ref().map_or_else(|| format!("version {unknown}"), |version| format!("version {version}"));
    let mut about = vec![if *follows { "auto".to_owned() } else { "pinned".to_owned() }];
    about.extend(created.map(|at| format!("made {}", day(at))));
    match (version, expires) {
        (_, Some(at)) => about.push(format!("expires {}", day(*at))),
        (Some(_), None) if created.is_some() => about.push("does not expire".to_owned()),
        (_, None) => {}
    }
    format!("{key} {which} ({})", about.join(", "))
}

/// A moment as a date in UTC.
pub(super) fn day(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(at.0).ok();
    moment.map_or_else(|| format!("{} s after 1970", at.0), |moment| moment.strftime("%Y-%m-%d").to_string())
}

fn steps<'a>(plan: &'a Plan, numbers: &Numbers<'_>) -> Vec<StepStory<'a>> {
    let grants: BTreeSet<&StepId> =
        plan.steps.iter().filter(|step| story::is_grant(&step.action)).map(|step| &step.id).collect();
    let mut told: HashMap<String, usize> = HashMap::new();
    let story = |(number, step): (usize, &'a Step)| {
        let mut story = StepStory {
            number,
            step,
            title: words::action(&step.action),
            risks: step.risks.iter().map(|risk| coded(risk.class)).collect(),
            why: story::why(&step.action),
            makes: makes(step),
            after: step
                .after
                .iter()
                .map(|id| numbers.get(id).map_or_else(|| id.to_string(), ToString::to_string))
                .collect(),
            waits: story::waits(&step.action, step.after.iter().any(|id| grants.contains(id))),
            leaves: story::leaves(&step.action),
            like: None,
        };
        let first = *told.entry(but_for_names(&story)).or_insert(number);
        story.like = (first != number).then_some(first);
        story
    };
    (1..).zip(&plan.steps).map(story).collect()
}

/// All that is told of a step below its title, but for the step's own names, which its title has.
fn but_for_names(story: &StepStory<'_>) -> String {
    let StepStory { number: _, step, title: _, risks, why, makes, after: _, waits, leaves, like: _ } = story;
    let mut text = format!("{risks:?} {why} {makes} {waits:?} {leaves}");
    for Change { resource, path, before, after } in &step.because {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{resource:?} {path:?} {before:?} {after:?}");
    }
    let names = step.id.0.split('/').skip(1).filter(|name| !name.is_empty());
    names.fold(text, |text, name| text.replace(name, "\0"))
}

/// A kind of risk with its code: "CMK402 irreversible".
pub(super) fn coded(class: RiskClass) -> String {
    class.code().map_or_else(String::new, |code| format!("{code} {}", words::risk_name(class)))
}

/// Whether all that a step writes belongs to a thing that it makes.
fn makes(step: &Step) -> bool {
    let target = words::target(&step.action);
    let is_new = |change: &Change| change.resource == target && change.before.is_none();
    words::is_creation(&step.action) && step.because.iter().all(is_new)
}

fn undo(plan: &Plan) -> Vec<(String, Vec<usize>)> {
    let mut ways: BTreeMap<(bool, String), Vec<usize>> = BTreeMap::new();
    for (number, step) in (1..).zip(&plan.steps) {
        let way = story::undo(&step.action);
        let key = (way.is_ok(), way.unwrap_or_else(str::to_owned));
        ways.entry(key).or_default().push(number);
    }
    let mut ways: Vec<((bool, String), Vec<usize>)> = ways.into_iter().collect();
    ways.sort_by_key(|((possible, _), steps)| (*possible, steps.first().copied()));
    ways.into_iter().map(|((_, way), steps)| (way, steps)).collect()
}

fn nearby(plan: &Plan) -> Vec<(String, Vec<String>)> {
    let mut vaults: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for neighbour in &plan.review.nearby {
        let who = match &neighbour.account {
            Some(account) => format!("account {account} ({})", neighbour.principal),
            None => neighbour.principal.clone(),
        };
        let text = format!("{who}: {}", neighbour.permissions.join(", "));
        vaults.entry(neighbour.vault.to_string()).or_default().push(text);
    }
    vaults.into_iter().collect()
}

/// Numbers with runs drawn together: "2, 5 to 9".
pub(super) fn ranges(numbers: &[usize]) -> String {
    let sorted: BTreeSet<usize> = numbers.iter().copied().collect();
    let mut runs: Vec<(usize, usize)> = vec![];
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            Some(_) | None => runs.push((number, number)),
        }
    }
    let texts: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first}, {last}"),
            _ => format!("{first} to {last}"),
        })
        .collect();
    texts.join(", ")
}

/// "step 2", "steps 2, 5 to 9".
pub(super) fn in_steps(numbers: &[usize]) -> String {
    match numbers {
        [] => "no step".to_owned(),
        [one] => format!("step {one}"),
        many => format!("steps {}", ranges(many)),
    }
}

/// Who has to say yes to a risk, or has done so.
pub(super) fn consent_of(consent: Consent) -> &'static str {
    match consent {
        Consent::Plan => "agreeing to the plan is enough",
        Consent::Spec => "the spec has said yes",
        Consent::Operator => "needs the operator",
    }
}

//! Answers that are wrong on purpose: a clear failure, no panic, no endless work, and no token sent elsewhere.

#![expect(clippy::panic, reason = "in a test a panic is the answer")]

mod audience;
mod escapes;
mod files;
mod middle;
mod paths;

use super::practice::{Practice, example};
use cmk::azure::{Failure, Kind};
use middle::{Middle, Reply};
use serde_json::{Value, json};

/// The quickstart's things, as parts of the lines of requests: the first request for each.
const THINGS: [&str; 4] =
    ["/resourceGroups/rg-quickstart?", "/vaults/kv-quickstart?", "/keys/storage?", "/storageAccounts/stquickstart?"];

/// A world in which the quickstart is done.
async fn converged() -> Practice {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    practice
}

/// Observes the quickstart where the reads of one thing are answered otherwise.
async fn observed(
    practice: &Practice,
    thing: &'static str,
    change: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Option<Failure> {
    let middle = Middle::new(practice, move |line, reply| if line.contains(thing) { change(reply) } else { reply });
    let failure = middle.observe(&example("quickstart.yaml")).await.err();
    assert!(middle.asked().len() < 60, "{thing}: {} requests", middle.asked().len());
    failure
}

/// A failure that says what, where and why in a few lines, with Azure's id for the request.
fn assert_clear(failure: Option<Failure>, story: &str) -> Failure {
    let failure = failure.unwrap_or_else(|| panic!("{story}: taken for good"));
    assert!(matches!(failure.kind, Kind::Unintelligible | Kind::Foreign), "{story}: {failure}");
    assert!(failure.said.request_id.is_some(), "{story}: {failure}");
    assert!(!failure.said.target.is_empty() && !failure.said.message.is_empty(), "{story}: {failure}");
    assert!(failure.to_string().len() < 5000, "{story}: {failure}");
    failure
}

type Change = fn(Reply) -> Reply;

/// Every leaf of a document, changed.
fn leaves(value: &mut Value, change: fn(&Value) -> Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| leaves(field, change)),
        Value::Array(items) => items.iter_mut().for_each(|item| leaves(item, change)),
        leaf => *leaf = change(leaf),
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_makes_no_sense_is_a_clear_failure() {
    let practice = converged().await;
    let nonsense: [(&str, Change); 12] = [
        ("truncated", |reply| {
            let half = reply.body[..reply.body.len() / 2].to_vec();
            reply.body(half)
        }),
        ("HTML", |reply| reply.with("content-type", "text/html").body("<html><title>Sign in</title></html>")),
        ("HTML that claims to be JSON", |reply| reply.body("<html>")),
        ("JSON that claims to be HTML", |reply| reply.with("content-type", "text/html; charset=utf-8")),
        ("empty", |reply| reply.body("")),
        ("a list", |reply| reply.body("[]")),
        ("nothing in it", |reply| reply.body("{}")),
        ("nulls everywhere", |reply| reply.json(|body| leaves(body, |_| Value::Null))),
        ("numbers everywhere", |reply| reply.json(|body| leaves(body, |_| json!(5)))),
        ("lists everywhere", |reply| reply.json(|body| leaves(body, |_| json!([])))),
        ("too deep", |reply| reply.body("[".repeat(1_000_000))),
        ("no text", |reply| reply.body(vec![0xff, 0xfe, 0, 1])),
    ];
    for (story, change) in nonsense {
        for thing in THINGS {
            assert_clear(observed(&practice, thing, change).await, &format!("{story} for {thing}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_taken_up_to_eight_megabytes() {
    let practice = converged().await;
    let padded = |bytes: usize| {
        move |reply: Reply| {
            let mut body = reply.body.clone();
            body.resize(bytes, b' ');
            reply.body(body)
        }
    };
    assert_eq!(observed(&practice, THINGS[1], padded(8 << 20)).await, None);
    let failure = assert_clear(observed(&practice, THINGS[1], padded((8 << 20) + 1)).await, "too large");
    assert!(failure.said.message.contains("8 MiB"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn words_that_azure_may_add_one_day_do_no_harm() {
    let practice = converged().await;
    let unheard = |place: &'static str| {
        move |reply: Reply| {
            reply.json(|body| {
                if let Some(word) = body.pointer_mut(place) {
                    *word = json!("Unheard");
                }
            })
        }
    };
    for place in ["/kind", "/sku/name", "/identity/type", "/properties/provisioningState", "/properties/accessTier"] {
        assert_eq!(observed(&practice, THINGS[3], unheard(place)).await, None, "{place}");
    }
    for place in
        ["/properties/sku/name", "/properties/provisioningState", "/properties/accessPolicies/0/permissions/keys/0"]
    {
        assert_eq!(observed(&practice, THINGS[1], unheard(place)).await, None, "{place}");
    }
    assert_eq!(observed(&practice, THINGS[2], unheard("/properties/kty")).await, None);
    // Whatever encrypts the data then, it is not to be replaced.
    assert_clear(observed(&practice, THINGS[3], unheard("/properties/encryption/keySource")).await, "key source");
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_thing_is_refused() {
    let practice = converged().await;
    let renamed = |from: &'static str, to: &'static str| {
        move |reply: Reply| {
            let text = String::from_utf8(reply.body.clone()).unwrap().replace(from, to);
            reply.body(text)
        }
    };
    for (thing, from) in THINGS.into_iter().zip(["rg-quickstart", "kv-quickstart", "keys/storage", "stquickstart"]) {
        let failure = assert_clear(observed(&practice, thing, renamed(from, "keys/other")).await, thing);
        assert!(failure.said.message.contains("about another"), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_redirect_is_followed() {
    let practice = converged().await;
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for to in ["https://evil.example/steal", "http://management.sandbox.cmk/plain", "/elsewhere", ""] {
            let change = move |reply: Reply| Reply { status, ..reply }.with("location", to);
            let failure = assert_clear(observed(&practice, THINGS[0], change).await, &format!("{status} to {to}"));
            assert_eq!(failure.said.status, Some(status));
            assert!(failure.said.message.contains("not followed"), "{failure}");
        }
    }
}

/// Where links that lead away may lead.
const AWAY: [&str; 7] = [
    "https://evil.example/next",
    "http://ARM/next",
    "https://ARM:8443/next",
    "https://ARM@evil.example/next",
    "https://ARM.evil.example/next",
    "//evil.example/next",
    "ftp://ARM/next",
];

fn away() -> impl Iterator<Item = String> {
    AWAY.into_iter().map(|link| link.replace("ARM", cmk::sandbox::ARM_HOST))
}

/// Observes where the current version of the key seems to be disabled, so that all versions are listed, and where
/// `link` makes the link to the next page from the number of the page.
async fn listed(
    practice: &Practice,
    link: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> (Option<Failure>, usize) {
    let pages = std::sync::atomic::AtomicUsize::new(0);
    let middle = Middle::new(practice, move |line, reply| match line {
        _ if line.contains(THINGS[2]) => reply.json(|body| body["properties"]["attributes"]["enabled"] = json!(false)),
        _ if line.contains("/versions?") => {
            let page = pages.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            reply.json(|body| body["nextLink"] = link(page))
        }
        _ => reply,
    });
    let failure = middle.observe(&example("quickstart.yaml")).await.err();
    let times = middle.times("/versions?");
    (failure, times)
}

#[tokio::test(start_paused = true)]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let practice = converged().await;
    for link in away() {
        let (failure, times) = listed(&practice, {
            let link = link.clone();
            move |_| json!(link)
        })
        .await;
        assert_clear(failure, &link);
        assert_eq!(times, 1, "{link}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_ends() {
    let practice = converged().await;
    let path = |page: usize| format!("{}/versions?api-version=2026-02-01&page={page}", key_path());
    let (failure, times) = listed(&practice, move |page| json!(path(page))).await;
    assert!(assert_clear_without_id(failure).contains("1000 pages"));
    // Azure throttles so many, which makes a few more.
    assert!((1000..1100).contains(&times), "{times}");
    let (failure, times) = listed(&practice, move |page| json!(path(page % 3))).await;
    assert!(assert_clear(failure, "a circle").said.message.contains("read already"));
    assert_eq!(times, 4);
    for link in [json!(5), json!({}), json!(["x"]), json!(true)] {
        let (failure, _) = listed(&practice, {
            let link = link.clone();
            move |_| link.clone()
        })
        .await;
        assert_clear(failure, &format!("{link} is no end"));
    }
}

fn assert_clear_without_id(failure: Option<Failure>) -> String {
    let failure = failure.expect("an endless list is no list");
    assert_eq!(failure.kind, Kind::Unintelligible, "{failure}");
    failure.said.message.clone()
}

fn key_path() -> String {
    let subscription = cmk::sandbox::SUBSCRIPTIONS[0];
    format!(
        "/subscriptions/{subscription}/resourceGroups/rg-quickstart/providers/Microsoft.KeyVault/vaults/kv-quickstart/keys/storage"
    )
}

#[tokio::test(start_paused = true)]
async fn an_operation_elsewhere_is_not_looked_at() {
    for header in ["location", "azure-asyncoperation"] {
        for link in away() {
            let practice = Practice::new();
            let to = link.clone();
            let middle = Middle::new(&practice, move |line, reply| {
                if line.starts_with("PUT") && line.contains(THINGS[3]) { reply.with(header, &to) } else { reply }
            });
            let run = middle.run(&example("quickstart.yaml")).await;
            assert!(!run.good && run.shown.contains("CMK317"), "{header} {link}: {}", run.shown);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn headers_that_make_no_sense_change_nothing() {
    for (name, value) in [
        ("date", "yesterday"),
        ("date", "Wed, 99 Foo 10000 99:99:99 GMT"),
        ("date", "\u{1b}[2J"),
        ("retry-after", "-5"),
        ("retry-after", "soon"),
        ("retry-after", "99999999999999999999999"),
        ("retry-after", "18446744073709551615"),
        ("retry-after-ms", "18446744073709551615"),
        ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("location", "http://[::1"),
        ("content-type", "application/json;charset=\u{1b}"),
        ("x-ms-request-id", "\u{1b}[31m\u{202e}"),
    ] {
        let practice = Practice::new();
        let start = tokio::time::Instant::now();
        let middle = Middle::new(&practice, move |_, reply| {
            if name == "location" && reply.status == 202 { reply } else { reply.with(name, value) }
        });
        let run = middle.run(&example("quickstart.yaml")).await;
        assert!(run.good, "{name}: {value}: {}", run.shown);
        let minutes = start.elapsed().as_secs() / 60;
        assert!(minutes < 30, "{name}: {value}: {minutes} minutes");
        escapes::assert_harmless(&run.shown);
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_without_end_is_given_up() {
    for asked in ["0", "-1", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let practice = converged().await;
        let start = tokio::time::Instant::now();
        let change = move |reply: Reply| Reply { status: 429, ..reply }.with("retry-after", asked);
        let failure = observed(&practice, THINGS[0], change).await.expect("throttled");
        assert_eq!(failure.kind, Kind::Throttled);
        assert!(start.elapsed().as_secs() <= 150, "{asked}: {} s", start.elapsed().as_secs());
    }
}

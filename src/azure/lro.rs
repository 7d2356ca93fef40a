//! Long-running operations: waits until what Azure accepted is over. Sends reads only.

use super::call::{Answer, Call};
use super::client::Azure;
use super::failure::{Failure, Kind};
use super::said;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The longest wait of our own choosing, when Azure names none.
const WAIT_OWN_MAX: Duration = Duration::from_secs(8);

/// Called before each wait with the time since the start.
pub type OnWait<'a> = &'a mut (dyn FnMut(Duration) + Send);

/// Where the operation's state can be read.
enum Watch {
    /// `Azure-AsyncOperation`: a body with a `status` of its own.
    Operation(Call),
    /// `Location`: 202 until it is over.
    Location(Call),
    /// The thing itself, with its `provisioningState`.
    Thing,
}

/// What a look at an operation gave.
enum Look {
    /// It is over, and this is the thing.
    Over(Value),
    /// It is over; the thing has to be read.
    OverUnread,
    /// It goes on.
    UnderWay(Option<Duration>),
}

/// Waits until the operation behind an answer is over, and gives the thing's final body.
///
/// `thing` reads the thing. A poll that fails for a passing reason is repeated until
/// the deadline. Fails with `OperationFailed` when Azure says that the operation
/// failed, and with `Deadline` when it is not over in time; it may still succeed then.
pub async fn finish(
    azure: &Azure,
    answer: Answer,
    thing: &Call,
    deadline: Duration,
    on_wait: OnWait<'_>,
) -> Result<Value, Failure> {
    let start = Instant::now();
    let (mut watch, mut look) = first(azure, &answer, thing)?;
    let mut own_wait = WAIT_MIN;
    loop {
        let asked = match look {
            Look::Over(body) => return Ok(body),
            Look::OverUnread => {
                watch = Watch::Thing;
                None
            }
            Look::UnderWay(asked) => {
                let wait = asked.unwrap_or(own_wait).clamp(WAIT_MIN, WAIT_MAX);
                own_wait = (own_wait * 2).min(WAIT_OWN_MAX);
                Some(wait)
            }
        };
        if let Some(wait) = asked {
            if start.elapsed() + wait > deadline {
                return Err(late(thing, start.elapsed()));
            }
            on_wait(start.elapsed());
            tokio::time::sleep(wait).await;
        }
        look = match poll(azure, &watch, thing).await {
            Err(failure) if is_passing(&watch, &failure) => Look::UnderWay(None),
            result => result?,
        };
    }
}

fn late(thing: &Call, waited: Duration) -> Failure {
    Failure::new(Kind::Deadline, format!("still under way after {} seconds", waited.as_secs())).of(thing)
}

fn first(azure: &Azure, answer: &Answer, thing: &Call) -> Result<(Watch, Look), Failure> {
    let follow = |link: &Url| thing.follow(link, azure.cloud());
    let under_way = Look::UnderWay(answer.retry_after);
    if let Some(link) = &answer.operation {
        return Ok((Watch::Operation(follow(link)?), under_way));
    }
    match (&answer.location, &answer.body) {
        (Some(link), Value::Null) => Ok((Watch::Location(follow(link)?), under_way)),
        (Some(link), _) if answer.status == 202 => Ok((Watch::Location(follow(link)?), under_way)),
        (None, Value::Null) if answer.status == 202 => Ok((Watch::Thing, under_way)),
        (None, Value::Null) => Ok((Watch::Thing, Look::OverUnread)),
        (_, body) => Ok((Watch::Thing, state(body, answer.retry_after, thing)?)),
    }
}

async fn poll(azure: &Azure, watch: &Watch, thing: &Call) -> Result<Look, Failure> {
    match watch {
        Watch::Operation(call) => {
            let answer = azure.call(call).await?;
            operation(&answer, call)
        }
        Watch::Location(call) => {
            let answer = azure.call(call).await?;
            match (answer.status, &answer.body) {
                (202, _) => Ok(Look::UnderWay(answer.retry_after)),
                (_, Value::Null) => Ok(Look::OverUnread),
                (_, body) => state(body, answer.retry_after, thing),
            }
        }
        Watch::Thing => {
            let answer = azure.call(thing).await?;
            state(&answer.body, answer.retry_after, thing)
        }
    }
}

/// Whether a failed poll says nothing about the operation.
fn is_passing(watch: &Watch, failure: &Failure) -> bool {
    match failure.kind {
        Kind::Server | Kind::Lost | Kind::NotSent | Kind::Throttled | Kind::Busy => true,
        // A thing that was just accepted is not always found at once.
        Kind::NotFound => matches!(watch, Watch::Thing),
        Kind::NoCredential
        | Kind::Unsupported
        | Kind::Credential
        | Kind::Denied
        | Kind::Conflict
        | Kind::Rejected
        | Kind::OperationFailed
        | Kind::Deadline
        | Kind::Dns
        | Kind::Tls
        | Kind::Foreign
        | Kind::Unintelligible => false,
    }
}

/// Reads the body of an `Azure-AsyncOperation`.
fn operation(answer: &Answer, call: &Call) -> Result<Look, Failure> {
    let Some(status) = answer.body.get("status").and_then(Value::as_str) else {
        return Err(Failure::unintelligible(call, "the operation has no status"));
    };
    match status.to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Look::OverUnread),
        "failed" | "canceled" | "cancelled" => Err(failed(status, &answer.body, call)),
        _ => Ok(Look::UnderWay(answer.retry_after)),
    }
}

/// Reads a thing's `provisioningState`; a thing without one is ready.
fn state(body: &Value, asked: Option<Duration>, thing: &Call) -> Result<Look, Failure> {
    let state = body.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or("Succeeded");
    match state.to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Look::Over(body.clone())),
        "failed" | "canceled" | "cancelled" => Err(failed(state, body, thing)),
        _ => Ok(Look::UnderWay(asked)),
    }
}

fn failed(status: &str, body: &Value, call: &Call) -> Failure {
    let error = body.get("error").or_else(|| body.pointer("/properties/error")).unwrap_or(&Value::Null);
    let mut failure = Failure::new(Kind::OperationFailed, format!("it ended as {status}"));
    let said = said::of_operation(error);
    if said.code.is_some() || !said.message.is_empty() {
        *failure.said = said;
    }
    failure.of(call)
}

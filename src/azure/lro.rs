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
    /// It is over, and this answer holds the thing.
    Over(Box<Answer>),
    /// It is over; the thing has to be read.
    OverUnread,
    /// It goes on.
    UnderWay(Option<Duration>),
}

/// Waits until the operation behind an answer is over, and gives the answer that holds the thing as it is then.
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
) -> Result<Answer, Failure> {
    let start = Instant::now();
    let (mut watch, mut look) = first(azure, answer, thing)?;
    let mut own_pause = WAIT_MIN;
    loop {
        let asked = match look {
            Look::Over(answer) => return Ok(*answer),
            Look::OverUnread => {
                watch = Watch::Thing;
                None
            }
            Look::UnderWay(asked) => {
                let pause = asked.unwrap_or(own_pause).clamp(WAIT_MIN, WAIT_MAX);
                own_pause = (own_pause * 2).min(WAIT_OWN_MAX);
                Some(pause)
            }
        };
        if let Some(pause) = asked {
            if start.elapsed() + pause > deadline {
                return Err(late(thing, start.elapsed()));
            }
            on_wait(start.elapsed());
            tokio::time::sleep(pause).await;
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

fn first(azure: &Azure, answer: Answer, thing: &Call) -> Result<(Watch, Look), Failure> {
    let follow =
        |link: &Url| thing.follow(link, azure.cloud()).map_err(|failure| failure.under(answer.request_id.as_deref()));
    let under_way = Look::UnderWay(answer.retry_after);
    if let Some(link) = &answer.operation {
        return Ok((Watch::Operation(Call { thing: None, ..follow(link)? }), under_way));
    }
    match (&answer.location, &answer.body) {
        (Some(link), Value::Null) => Ok((Watch::Location(follow(link)?), under_way)),
        (Some(link), _) if answer.status == 202 => Ok((Watch::Location(follow(link)?), under_way)),
        (None, Value::Null) if answer.status == 202 => Ok((Watch::Thing, under_way)),
        (None, Value::Null) => Ok((Watch::Thing, Look::OverUnread)),
        (_, _) => Ok((Watch::Thing, state(answer, thing)?)),
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
                (_, _) => state(answer, thing),
            }
        }
        Watch::Thing => {
            let answer = azure.call(thing).await?;
            state(answer, thing)
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
        let failure = Failure::unintelligible(call, "the operation has no status");
        return Err(failure.under(answer.request_id.as_deref()));
    };
    match status.to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Look::OverUnread),
        "failed" | "canceled" | "cancelled" => Err(failed(status, answer, call)),
        _ => Ok(Look::UnderWay(answer.retry_after)),
    }
}

/// Reads a thing's `provisioningState`; a thing without one is ready.
fn state(answer: Answer, thing: &Call) -> Result<Look, Failure> {
    let state = answer.body.pointer("/properties/provisioningState").and_then(Value::as_str).unwrap_or("Succeeded");
    match state.to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Look::Over(Box::new(answer))),
        "failed" | "canceled" | "cancelled" => Err(failed(state, &answer, thing)),
        _ => Ok(Look::UnderWay(answer.retry_after)),
    }
}

fn failed(status: &str, answer: &Answer, call: &Call) -> Failure {
    let body = &answer.body;
    let error = body.get("error").or_else(|| body.pointer("/properties/error")).unwrap_or(&Value::Null);
    let mut failure = Failure::new(Kind::OperationFailed, format!("it ended as {status}"));
    let said = said::of_operation(error);
    if said.code.is_some() || !said.message.is_empty() {
        *failure.said = said;
    }
    failure.of(call).under(answer.request_id.as_deref())
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn thing() -> Call {
        Call::get("/thing".to_owned(), "1")
    }

    fn ready(state: &str) -> Reply {
        Reply::json(200, &json!({ "name": "t", "properties": { "provisioningState": state } }))
    }

    const OPERATION: &str = "https://management.azure.com/op/1";

    /// Finishes a first answer against a script; gives the result, the waits and the requests.
    async fn run(first: Reply, script: Vec<(&str, Reply)>) -> (Result<Value, Failure>, usize, Vec<String>) {
        let fake: Arc<Fake> = Fake::new([("GET /first", first)].into_iter().chain(script));
        let azure = fake.azure();
        let answer = azure.call(&Call::get("/first".to_owned(), "1")).await.unwrap();
        let mut waits = 0;
        let result = finish(&azure, answer, &thing(), Duration::from_secs(60), &mut |_| waits += 1).await;
        let result = result.map(|answer| answer.body);
        let paths = fake.lines().into_iter().skip(1).map(|line| line.replace("GET https://management.azure.com", ""));
        (result, waits, paths.collect())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_ready_needs_no_request() {
        let (result, waits, asked) = run(ready("Succeeded"), vec![]).await;
        assert_eq!((result.unwrap()["name"].clone(), waits, asked.len()), (json!("t"), 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_thing_that_is_under_way_is_looked_at_until_it_is_ready() {
        let script = vec![("GET /thing", ready("RegisteringDns")), ("GET /thing", ready("Succeeded"))];
        let (result, waits, _) = run(ready("RegisteringDns"), script).await;
        assert!(result.is_ok());
        assert_eq!(waits, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_location_is_polled_through_errors_until_it_gives_the_thing() {
        let first = Reply::empty(202).with("location", OPERATION).with("retry-after", "17");
        let script = vec![
            ("GET /op/1", Reply::empty(202)),
            ("GET /op/1", Reply::error(400, "StorageAccountOperationInProgress")),
        ];
        let (result, _, _) = run(first.clone(), script).await;
        assert_eq!(result.unwrap_err().kind, Kind::Rejected);
        let mut script = vec![("GET /op/1", Reply::empty(500)); 4];
        script.push(("GET /op/1", ready("Succeeded")));
        let (result, _, asked) = run(first, script).await;
        assert!(result.is_ok());
        assert_eq!(asked.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_end_means_that_the_thing_has_to_be_read() {
        let first = Reply::empty(202).with("location", "/op/1");
        let script = vec![("GET /op/1", Reply::empty(204)), ("GET /thing", ready("Succeeded"))];
        let (result, waits, asked) = run(first, script).await;
        assert!(result.is_ok());
        assert_eq!((waits, asked), (1, vec!["/op/1".to_owned(), "/thing?api-version=1".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_succeeds_ends_with_the_thing() {
        let first = ready("Updating").with("azure-asyncoperation", OPERATION);
        let status = |status: &str| ("GET /op/1", Reply::json(200, &json!({ "status": status })));
        let script = vec![status("InProgress"), status("Succeeded"), ("GET /thing", ready("Succeeded"))];
        assert!(run(first, script).await.0.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_fails_says_why() {
        let first = Reply::empty(202).with("azure-asyncoperation", OPERATION);
        let body = json!({ "status": "Failed", "error": { "code": "Broken", "message": "it \"broke\"" } });
        let failure = run(first, vec![("GET /op/1", Reply::json(200, &body))]).await.0.unwrap_err();
        assert_eq!((failure.kind, failure.summary().as_str()), (Kind::OperationFailed, "Broken: it \"broke\""));
        let failure = run(ready("Canceled"), vec![]).await.0.unwrap_err();
        assert_eq!(failure.summary(), "it ended as Canceled");
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_never_leaves_the_host() {
        let first = Reply::empty(202).with("location", "https://evil.example/op/1");
        let (result, _, asked) = run(first, vec![]).await;
        assert_eq!((result.unwrap_err().kind, asked.len()), (Kind::Foreign, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_over_in_time_is_told_as_such() {
        let script = vec![("GET /thing", ready("Creating")); 99];
        let (result, _, asked) = run(ready("Creating"), script).await;
        assert_eq!(result.unwrap_err().kind, Kind::Deadline);
        assert!(asked.len() < 15, "{}", asked.len());
    }
}

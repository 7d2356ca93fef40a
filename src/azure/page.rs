//! Lists: every page, followed on the same host only and within limits. Reads nothing into the items.

use super::call::{Answer, Call};
use super::client::Azure;
use super::failure::Failure;
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// No list that we read is this long; a service that goes on is broken.
const PAGES_MAX: usize = 1000;

/// Nor this large, all its pages together.
const LIST_BYTES_MAX: usize = 64 << 20;

/// All items of a list, read one by one.
pub async fn all<T>(azure: &Azure, first: Call, read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut size_bytes = 0;
    let mut call = first;
    for _ in 0..PAGES_MAX {
        let answer = azure.call(&call).await?;
        let wrong = |reason: &str| Failure::unintelligible(&call, reason).under(answer.request_id.as_deref());
        let page =
            answer.body.get("value").and_then(Value::as_array).ok_or_else(|| wrong("the list has no `value`"))?;
        for item in page {
            items.push(answer.read(&call, |_| read(item))?);
        }
        size_bytes += answer.size_bytes;
        if size_bytes > LIST_BYTES_MAX {
            return Err(wrong(&format!("the list has more than {LIST_BYTES_MAX} bytes")));
        }
        let Some(link) = link(&answer).map_err(wrong)? else { return Ok(items) };
        if !seen.insert(link.to_owned()) {
            return Err(wrong("the list leads back to a page that was read already"));
        }
        call = next(azure, &call, link).map_err(|failure| failure.under(answer.request_id.as_deref()))?;
    }
    Err(Failure::unintelligible(&call, format!("the list has more than {PAGES_MAX} pages")))
}

/// The link to the next page. At the end it is absent, null or empty, depending on the service; anything else must
/// not pass for the end, or the rest of the list would be taken for absent.
fn link(answer: &Answer) -> Result<Option<&str>, &'static str> {
    match answer.body.get("nextLink") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(link)) => Ok(Some(link.as_str()).filter(|link| !link.is_empty())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err("the link to the next page is not a text")
        }
    }
}

fn next(azure: &Azure, call: &Call, link: &str) -> Result<Call, Failure> {
    let here: Url = call.url(azure.cloud())?;
    let link = here.join(link).map_err(|_| Failure::unintelligible(call, "the link to the next page is not a URL"))?;
    call.follow(&link, azure.cloud())
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::super::fake::{Fake, Reply};
    use super::*;
    use serde_json::json;

    fn page(items: &[u32], link: &Value) -> Reply {
        Reply::json(200, &json!({ "value": items, "nextLink": link }))
    }

    async fn all_of(script: Vec<(&str, Reply)>) -> Result<Vec<Value>, Failure> {
        all(&Fake::new(script).azure(), Call::get("/list".to_owned(), "1"), |item| Ok(item.clone())).await
    }

    #[tokio::test(start_paused = true)]
    async fn pages_are_joined_and_the_default_port_is_the_same_host() {
        let items = all_of(vec![
            ("GET /list", page(&[1], &json!("https://management.azure.com:443/list?skip=1"))),
            ("GET /list?skip=1", page(&[2], &json!("/list?skip=2"))),
            ("GET /list?skip=2", page(&[], &json!(null))),
        ]);
        assert_eq!(items.await.unwrap(), [json!(1), json!(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_ends_without_a_link_ends() {
        let absent = Reply::json(200, &json!({ "value": [3] }));
        assert_eq!(all_of(vec![("GET /list", absent)]).await.unwrap(), [json!(3)]);
        assert_eq!(all_of(vec![("GET /list", page(&[4], &json!("")))]).await.unwrap(), [json!(4)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_to_another_host_is_not_followed() {
        let failure = all_of(vec![("GET /list", page(&[1], &json!("https://evil.example/list")))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Foreign);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_runs_in_a_circle_is_refused() {
        let again = || ("GET /list", page(&[1], &json!("https://management.azure.com/list")));
        assert_eq!(all_of(vec![again(), again(), again()]).await.unwrap_err().kind, Kind::Unintelligible);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_is_no_text_is_not_the_end() {
        for link in [json!(5), json!(true), json!({ "href": "/list" }), json!([])] {
            let failure = all_of(vec![("GET /list", page(&[1], &link))]).await.unwrap_err();
            assert_eq!(failure.kind, Kind::Unintelligible, "{link}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_without_end_is_given_up() {
        let endless = (0..=PAGES_MAX).map(|at| ("GET /list", page(&[1], &json!(format!("/list?skip={at}")))));
        assert_eq!(all_of(endless.collect()).await.unwrap_err().kind, Kind::Unintelligible);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_of_huge_pages_is_given_up() {
        let padded = |at: usize| {
            let mut body = json!({ "value": [at], "nextLink": format!("/list?skip={at}") }).to_string();
            body.push_str(&" ".repeat((8 << 20) - body.len()));
            ("GET /list", Reply::Answer(200, Vec::new(), body))
        };
        let failure = all_of((0..9).map(padded).collect()).await.unwrap_err();
        assert!(failure.said.message.contains("more than 67108864 bytes"), "{failure}");
    }
}

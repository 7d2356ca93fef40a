//! Lists: every page, followed on the same host only and within a limit. Reads nothing into the items.

use super::call::Call;
use super::client::Azure;
use super::failure::Failure;
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// No list that we read is this long; a service that goes on is broken.
const PAGES_MAX: usize = 1000;

/// All items of a list. `nextLink` may be absent, null or empty at the end, depending on the service.
pub async fn all(azure: &Azure, first: Call) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut call = first;
    for _ in 0..PAGES_MAX {
        let answer = azure.call(&call).await?;
        let Some(page) = answer.body.get("value").and_then(Value::as_array) else {
            return Err(Failure::unintelligible(&call, "the list has no `value`"));
        };
        items.extend(page.iter().cloned());
        let Some(link) = answer.body.get("nextLink").and_then(Value::as_str).filter(|link| !link.is_empty()) else {
            return Ok(items);
        };
        if !seen.insert(link.to_owned()) {
            return Err(Failure::unintelligible(&call, "the list leads back to a page that was read already"));
        }
        call = next(azure, &call, link)?;
    }
    Err(Failure::unintelligible(&call, format!("the list has more than {PAGES_MAX} pages")))
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
        all(&Fake::new(script).azure(), Call::get("/list".to_owned(), "1")).await
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
}

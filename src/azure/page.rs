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

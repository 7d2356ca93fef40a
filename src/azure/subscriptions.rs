//! Subscriptions: read only, for the tenant that they trust.

use super::call::Call;
use super::paths::{has_id, read_as};
use crate::model::{SeenSubscription, SubscriptionId};
use serde::Deserialize;
use serde_json::Value;

/// The current version; it has said `tenantId` since 2016.
const API_VERSION: &str = "2022-12-01";

/// The permission that shows a subscription.
pub const READ: &str = "Microsoft.Resources/subscriptions/read";

/// Looks at a subscription.
pub fn get(id: &SubscriptionId) -> Call {
    Call::get(format!("/subscriptions/{id}"), API_VERSION)
}

/// Reads a subscription.
pub fn read(body: &Value) -> Result<SeenSubscription, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        tenant_id: String,
    }
    has_id(body, "the subscription")?;
    let wire: Wire = read_as(body, "the subscription")?;
    Ok(SeenSubscription { tenant: wire.tenant_id.to_ascii_lowercase() })
}

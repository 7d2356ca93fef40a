//! The directory that a world is of, and the subscriptions that trust it. Both are there from the beginning and stay
//! as they are: nobody makes a tenant by a request.

use serde::{Deserialize, Serialize};

use super::{SUBSCRIPTIONS, TENANT};

/// A directory and its subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Directory {
    /// In lower case, as all ids here.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// Its first domain.
    pub domain: String,
    /// In the order in which they are listed.
    pub subscriptions: Vec<Subscription>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub id: String,
    pub name: String,
    pub state: SubscriptionState,
}

/// Whether anything may be made or changed in a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SubscriptionState {
    #[default]
    Enabled,
    /// What is there can be looked at and deleted.
    Disabled,
}

impl SubscriptionState {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
        }
    }
}

impl Directory {
    /// Adds a subscription, by its id in lower case, under a name by its place.
    pub(super) fn add(&mut self, id: String) {
        let name = format!("Practice {}", self.subscriptions.len() + 1);
        self.subscriptions.push(Subscription { id, name, state: SubscriptionState::Enabled });
    }

    /// A subscription by its id in lower case.
    pub(super) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.id == id)
    }
}

/// That of the default world.
impl Default for Directory {
    fn default() -> Self {
        let subscription = |id: &str, name: &str| Subscription {
            id: id.to_owned(),
            name: name.to_owned(),
            state: SubscriptionState::Enabled,
        };
        let [one, two] = SUBSCRIPTIONS;
        Self {
            tenant: TENANT.to_owned(),
            name: "Sandbox".to_owned(),
            domain: "sandbox.test".to_owned(),
            subscriptions: vec![subscription(one, "Practice one"), subscription(two, "Practice two")],
        }
    }
}

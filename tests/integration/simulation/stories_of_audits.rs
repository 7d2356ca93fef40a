//! Stories of audit logs: sent by a setting of our own, beside those of others.

use super::stories::End::{Converges, Refuses};
use super::stories::{Story, story};

/// A vault whose audit log goes to the workspace `soc`.
const AUDITED: &str = "
resourceGroups: { rg: { create: {} } }
vaults: { kv1: { create: {}, purgeProtection: true, audit: { logAnalytics: /subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-soc/providers/Microsoft.OperationalInsights/workspaces/soc } } }
";

/// The same with a storage account beside it.
const TWO: &str = "
vaults:
  kv1:
    audit:
      logAnalytics: /subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-soc/providers/Microsoft.OperationalInsights/workspaces/soc
      storageAccount: /subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-soc/providers/Microsoft.Storage/storageAccounts/stsoc
";

pub(super) const STORIES: &[Story] = &[
    story("a vault is made with its audit log", "", AUDITED, Converges),
    story("another team's setting is enough", "group\nvault kv1\naudited kv1 theirs soc", AUDITED, Converges),
    story(
        "another team's setting is enough for one of two places",
        "group\nvault kv1\naudited kv1 theirs soc",
        TWO,
        Converges,
    ),
    story(
        "our setting sends it elsewhere, and goes to another place of that kind",
        "group\nvault kv1\naudited kv1 cmk-audit old",
        TWO,
        Converges,
    ),
    story(
        "there is no room for a setting",
        "group\nvault kv1\naudited kv1 a one\naudited kv1 b two\naudited kv1 c three\naudited kv1 d four\naudited kv1 e five",
        AUDITED,
        Refuses("CMK276"),
    ),
];

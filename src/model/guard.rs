//! A guard: what a pipeline may touch at all, whatever the spec says.

use super::grant::KeyPermission;
use std::collections::BTreeSet;
use std::fmt;

/// What may be touched. Whoever runs `cmk` gives it; a spec cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// The tenants, by id.
    pub tenants: Vec<Pattern>,
    /// The subscriptions, by id.
    pub subscriptions: Vec<Pattern>,
    /// The resource groups, by name.
    pub resource_groups: Vec<Pattern>,
    /// The vaults, by name.
    pub vaults: Vec<Pattern>,
    /// The storage accounts, by name.
    pub accounts: Vec<Pattern>,
    /// The types of keys that may be made or bound to, in Key Vault's words. Nothing: any.
    pub key_types: Option<BTreeSet<String>>,
    /// Their sizes in bits. Nothing: any.
    pub key_sizes_bits: Option<BTreeSet<u32>>,
    /// The permissions on keys that may be granted. Nothing: any.
    pub permissions: Option<BTreeSet<KeyPermission>>,
    /// How many accounts one run may touch. Nothing: any number.
    pub accounts_max: Option<u64>,
    /// The gravest risk that one run may bear, by its name in documents. Nothing: any.
    pub risk_max: Option<String>,
}

/// A name, or several: `*` stands for any characters, none included. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern of these characters.
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// Whether a whole name fits.
    pub fn fits(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let parts: Vec<&str> = self.0.split('*').collect();
        let [first, middle @ .., last] = parts.as_slice() else { return self.0 == name };
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        for part in middle {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_name_fits_as_a_whole() {
        for (pattern, fitting, not) in [
            ("kv-pay", vec!["kv-pay", "KV-PAY"], vec!["kv-payroll", "xkv-pay", ""]),
            ("kv-*", vec!["kv-", "kv-a"], vec!["kv", "a-kv-"]),
            ("*-prod", vec!["a-prod", "-prod"], vec!["a-prod2"]),
            ("a*b*c", vec!["abc", "aXbYc", "abbc"], vec!["acb", "ab", "ac"]),
            ("a*a", vec!["aa", "aba"], vec!["a"]),
            ("*", vec!["", "anything"], vec![]),
            ("", vec![""], vec!["a"]),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(fitting.iter().all(|name| pattern.fits(name)), "{pattern}");
            assert!(!not.iter().any(|name| pattern.fits(name)), "{pattern}");
        }
    }
}

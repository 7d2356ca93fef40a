//! What a look at one thing gave: it, its absence, or the reason why it could not be seen.

use std::fmt;

/// The result of looking at one thing.
///
/// What may not be seen is `Hidden`, never `Absent`: a tool that takes a 403 for
/// absence creates what is already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is there, and this is what it looks like.
    Known(T),
    /// Azure said that it is not there.
    Absent,
    /// Whether it is there, or what it looks like, could not be read.
    Hidden(HiddenReason),
}

/// Why something could not be seen, for people: what Azure said and which permission would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenReason {
    /// What was refused or failed: `403 AuthorizationFailed: The client …`.
    pub what: String,
    /// The permission that would show it, when it is known: `Microsoft.KeyVault/vaults/read`.
    pub permission: Option<String>,
}

impl<T> Seen<T> {
    /// The thing, when it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(thing) => Some(thing),
            Self::Absent | Self::Hidden(_) => None,
        }
    }

    /// Whether Azure said that the thing is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl fmt::Display for HiddenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

//! Codes of calls to Azure that failed.

use super::Code;

pub(super) const CODES: &[Code] = &[];

//! What went wrong with a call, classified once, and how to say it. Decides nothing about sending again.

use super::call::Call;
use crate::model::text::is_unsafe;
use std::fmt;

/// The kinds of failure, closed: what a caller may do differs between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No way to sign in is configured.
    NoCredential,
    /// Something is configured that this version cannot do.
    Unsupported,
    /// Signing in failed, or Azure did not take the token.
    Credential,
    /// Azure said that this identity may not do it.
    Denied,
    /// Azure said that the thing, or something above it, is not there.
    NotFound,
    /// The state of the thing does not allow it.
    Conflict,
    /// Another operation is under way on the thing; it ends by itself.
    Busy,
    /// Too many requests: a read even after waiting, a write at once.
    Throttled,
    /// Azure refused the request for another reason.
    Rejected,
    /// Azure failed.
    Server,
    /// An operation that Azure had accepted failed later.
    OperationFailed,
    /// It was not over within the time that was allowed.
    Deadline,
    /// The request may have arrived; its answer did not.
    Lost,
    /// No connection could be made; nothing was sent.
    NotSent,
    /// A host's name is not known; nothing was sent.
    Dns,
    /// No trusted TLS connection could be made; nothing was sent.
    Tls,
    /// A host outside the chosen cloud; nothing was sent.
    Foreign,
    /// An answer that makes no sense.
    Unintelligible,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: Kind,
    /// What was said about it.
    pub said: Box<Said>,
}

/// What is known about a failed call. Texts from outside hold no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Azure's error code: `AuthorizationFailed`.
    pub code: Option<String>,
    /// The code inside Azure's inner error: `ForbiddenByRbac`.
    pub inner_code: Option<String>,
    /// What Azure said, or what went wrong on the way there.
    pub message: String,
    /// The call's method; empty when there was no call.
    pub method: String,
    /// The call's path, with its host unless that is Azure Resource Manager's.
    pub target: String,
    /// Azure's id for the request, which its support asks for.
    pub request_id: Option<String>,
    /// The Azure Policies that forbade it.
    pub policies: Vec<Policy>,
}

/// An Azure Policy, by the names that its owners gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Who applies it where: the assignment.
    pub assignment: Option<String>,
    /// What it says: the definition.
    pub definition: Option<String>,
}

impl Failure {
    /// A failure with nothing known but its kind and a message.
    pub fn new(kind: Kind, message: impl AsRef<str>) -> Self {
        let said = Said { message: clean(message.as_ref()), ..Said::default() };
        Self { kind, said: Box::new(said) }
    }

    /// The same failure, of this call.
    #[must_use]
    pub fn of(mut self, call: &Call) -> Self {
        call.method.as_str().clone_into(&mut self.said.method);
        self.said.target = match &call.service {
            super::call::Service::Arm => call.path.clone(),
            super::call::Service::KeyVault { host } => format!("https://{host}{}", call.path),
        };
        self
    }

    /// An answer that could not be read: what of it, and why.
    pub fn unintelligible(call: &Call, reason: impl AsRef<str>) -> Self {
        Self::new(Kind::Unintelligible, reason).of(call)
    }

    /// The same failure, with Azure's id for the request unless it has one.
    #[must_use]
    pub fn under(mut self, request_id: Option<&str>) -> Self {
        self.said.request_id = self.said.request_id.or_else(|| request_id.map(clean));
        self
    }

    /// Whether Azure's error code, or its inner one, is this one, whatever the case.
    pub fn is(&self, code: &str) -> bool {
        [&self.said.code, &self.said.inner_code].into_iter().flatten().any(|said| said.eq_ignore_ascii_case(code))
    }

    /// What was said, in one line: `403 AuthorizationFailed: The client …`.
    pub fn summary(&self) -> String {
        let Said { status, code, inner_code, message, .. } = &*self.said;
        let mut words: Vec<String> = Vec::new();
        words.extend(status.map(|status| status.to_string()));
        words.extend(code.clone());
        words.extend(inner_code.as_ref().map(|inner| format!("({inner})")));
        match (words.is_empty(), message.is_empty()) {
            (_, true) => words.join(" "),
            (true, false) => message.clone(),
            (false, false) => format!("{}: {message}", words.join(" ")),
        }
    }

    /// The permission that Azure said is missing: `Microsoft.Storage/storageAccounts/write`.
    pub fn permission(&self) -> Option<&str> {
        let message = &self.said.message;
        // Of two, as with a linked scope, the last one is the one that is missing.
        let (_, rest) = message.rsplit_once("action '").or_else(|| message.rsplit_once("Action: '"))?;
        rest.split_once('\'').map(|(action, _)| action).filter(|_| self.kind == Kind::Denied)
    }

    /// The code of this kind of problem in the list of codes.
    pub fn diagnostic_code(&self) -> &'static str {
        match self.kind {
            Kind::NoCredential => "CMK301",
            Kind::Unsupported => "CMK302",
            Kind::Credential => "CMK303",
            Kind::Denied => "CMK304",
            Kind::NotFound => "CMK305",
            Kind::Conflict => "CMK306",
            Kind::Busy => "CMK307",
            Kind::Throttled => "CMK308",
            Kind::Rejected => "CMK309",
            Kind::Server => "CMK310",
            Kind::OperationFailed => "CMK311",
            Kind::Deadline => "CMK312",
            Kind::Lost => "CMK313",
            Kind::NotSent => "CMK314",
            Kind::Dns => "CMK315",
            Kind::Tls => "CMK316",
            Kind::Foreign => "CMK317",
            Kind::Unintelligible => "CMK318",
        }
    }

    /// What the reader can do about it, when there is something to say.
    pub fn help(&self) -> Option<String> {
        if let Some(help) = super::meaning::of(self) {
            return Some(help);
        }
        let help = match self.kind {
            // Says itself what was looked for and how to provide each.
            Kind::NoCredential => return None,
            Kind::Unsupported => "unset AZURE_AUTHORITY_HOST to use the public cloud",
            Kind::Credential => "check the credential that is named above; `az login` or a new secret may be needed",
            Kind::Denied => "ask for a role that allows this, or for an access policy entry if it is a key",
            Kind::Busy => "wait for the other operation to end, then run the same command again",
            Kind::Throttled => "wait a few minutes, then run the same command again, perhaps with less concurrency",
            Kind::Server | Kind::Lost | Kind::Deadline => {
                "run the same command again: it looks first and repeats nothing that is done"
            }
            Kind::NotSent => "check the network, and HTTPS_PROXY and NO_PROXY if there is a proxy",
            Kind::Dns => "check the network's name resolution and the vault's or endpoint's name",
            Kind::Tls => "if a proxy replaces certificates, name its authority's file in SSL_CERT_FILE",
            Kind::Foreign => "nothing was sent there; check what names this host",
            Kind::NotFound | Kind::Conflict | Kind::Rejected | Kind::OperationFailed | Kind::Unintelligible => {
                return None;
            }
        };
        Some(help.to_owned())
    }
}

/// One text without control characters, so that nothing from outside can move a terminal's cursor or forge a line.
pub(crate) fn clean(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect();
    let mut words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(MESSAGE_CHARS_MAX) {
        words.truncate(end);
        words.push('…');
    }
    words
}

const MESSAGE_CHARS_MAX: usize = 1000;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCredential => "no way to sign in is configured",
            Self::Unsupported => "not supported yet",
            Self::Credential => "signing in failed",
            Self::Denied => "Azure refused access",
            Self::NotFound => "Azure found nothing there",
            Self::Conflict => "the state of the resource does not allow this",
            Self::Busy => "another operation is under way on the resource",
            Self::Throttled => "Azure is throttling",
            Self::Rejected => "Azure refused the request",
            Self::Server => "Azure failed",
            Self::OperationFailed => "the operation failed",
            Self::Deadline => "not over in time",
            Self::Lost => "the answer was lost",
            Self::NotSent => "no connection; nothing was sent",
            Self::Dns => "the host's name is not known; nothing was sent",
            Self::Tls => "no trusted connection; nothing was sent",
            Self::Foreign => "a host outside the cloud; nothing was sent",
            Self::Unintelligible => "the answer makes no sense",
        })
    }
}

/// Two to four lines: what, where, what Azure said, and its id for the request.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { method, target, request_id, .. } = &*self.said;
        write!(f, "{}", self.kind)?;
        if !target.is_empty() {
            write!(f, "\n  {}", format!("{method} {target}").trim_start())?;
        }
        let summary = self.summary();
        if !summary.is_empty() {
            write!(f, "\n  {summary}")?;
        }
        match request_id {
            Some(id) => write!(f, "\n  request id {id}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The failure that one of our own policies put into an error of the pipeline's, however often it was wrapped.
pub(crate) fn inside(error: &azure_core::Error) -> Option<&Failure> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return Some(failure);
        }
        next = error.source();
    }
    None
}

/// What an error and its causes say, in one line; a cause that repeats what was said is left out.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = clean(&error.to_string());
    let mut next = error.source();
    while let Some(cause) = next {
        let text = clean(&cause.to_string());
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        next = cause.source();
    }
    said
}

/// The failure behind an error of the pipeline's: ours when there is one inside, else by the error's kind.
pub(crate) fn from_pipeline(error: &azure_core::Error) -> Failure {
    use azure_core::error::ErrorKind;
    if let Some(failure) = inside(error) {
        return failure.clone();
    }
    let kind = match error.kind() {
        ErrorKind::Connection => Kind::NotSent,
        ErrorKind::Io => Kind::Lost,
        ErrorKind::Credential => Kind::Credential,
        _ => Kind::Unintelligible,
    };
    Failure::new(kind, chain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str) -> Failure {
        Failure::new(Kind::Denied, message)
    }

    #[test]
    fn the_permission_that_is_missing_is_named() {
        let arm = "The client 'a' does not have authorization to perform action 'Microsoft.X/read' over scope '/s'.";
        assert_eq!(denied(arm).permission(), Some("Microsoft.X/read"));
        let linked = "has permission to perform action 'Microsoft.X/write' on scope '/s'; however, it does not have \
                      permission to perform action 'Microsoft.Y/assign/action' on the linked scope(s) '/t'";
        assert_eq!(denied(linked).permission(), Some("Microsoft.Y/assign/action"));
        assert_eq!(
            denied("Caller: a Action: 'Microsoft.Z/read' Resource: '/r'").permission(),
            Some("Microsoft.Z/read")
        );
        assert_eq!(denied("no").permission(), None);
    }

    #[test]
    fn a_long_message_is_cut() {
        assert!(clean(&"é".repeat(5000)).chars().count() <= MESSAGE_CHARS_MAX + 1);
    }
}

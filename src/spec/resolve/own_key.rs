//! Keys whose material comes from outside: where it is, and which key it is.

use super::Resolver;
use crate::diag::Diagnostic;
use crate::model::{KeyImport, MaterialSource, Thumbprint};
use crate::spec::shown::shown;
use crate::spec::types::{ImportEntry, KeyEntry};
use std::ops::Range;

type Path<'p> = [&'p str; 4];

impl Resolver<'_> {
    /// What the key is to be made of, if that is said and sound.
    pub(super) fn own_key(&mut self, path: Path<'_>, entry: &KeyEntry) -> Option<KeyImport> {
        let ImportEntry { file, env, thumbprint, passphrase } = entry.import.as_ref()?;
        self.is_made_once(path, entry);
        let source = match (file, env) {
            (Some(file), None) => self.material_file(path, file).map(MaterialSource::File),
            (None, Some(name)) => self.variable(&at(path, &["env"]), name).map(MaterialSource::Variable),
            (one, _) => {
                self.one_source(path, one.is_some());
                None
            }
        };
        let passphrase = match passphrase {
            Some(from) => Some(self.variable(&at(path, &["passphrase", "env"]), &from.env)?),
            None => None,
        };
        let thumbprint = self.thumbprint(path, thumbprint);
        Some(KeyImport { source: source?, passphrase, thumbprint: thumbprint? })
    }

    /// Its type and size stand in `create`, and nothing makes another version of it.
    fn is_made_once(&mut self, path: Path<'_>, entry: &KeyEntry) {
        let key = shown(path[3]);
        let import = self.spec.key_span(&at(path, &[]));
        if entry.create.is_none() && !self.spec.has(&[path[0], path[1], path[2], path[3], "create"]) {
            self.say(
                Diagnostic::error("CMK078", import.clone(), format!("`{key}` is imported and not to be made"))
                    .label("`create` is missing beside it")
                    .help("add `create: { type: RSA, size: 3072 }` with the type and size of your key"),
            );
        }
        let renews = [("rotation", entry.rotation.is_some()), ("maxAge", entry.max_age.is_some())];
        for (field, _) in renews.into_iter().filter(|(_, is_said)| *is_said) {
            let span = self.spec.key_span(&[path[0], path[1], path[2], path[3], field]);
            self.say(
                Diagnostic::error("CMK077", span, format!("`{field}` would replace the key that you bring"))
                    .label("makes a version of Key Vault's own")
                    .related(import.clone(), "this is your own key")
                    .help(format!("remove `{field}`; for a new key of your own, add it under another name and move the accounts to it")),
            );
        }
    }

    fn one_source(&mut self, path: Path<'_>, both: bool) {
        let label = if both { "both a `file` and an `env`" } else { "neither a `file` nor an `env`" };
        self.say(
            Diagnostic::error(
                "CMK073",
                self.spec.key_span(&at(path, &[])),
                format!("where is `{}` to come from?", shown(path[3])),
            )
            .label(label)
            .help("write one of them: `file: NAME.pem`, below the folder that `--key-dir` names, or `env: VARIABLE`"),
        );
    }

    /// A file below the folder of keys: nothing that leads out of it, on any system.
    fn material_file(&mut self, path: Path<'_>, written: &str) -> Option<String> {
        let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.ends_with([' ', '.']);
        let is_plain = |c: char| !c.is_control() && !matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
        if written.split('/').all(is_part) && written.chars().all(is_plain) && written.len() <= 255 {
            return Some(written.to_owned());
        }
        self.say(
            Diagnostic::error(
                "CMK074",
                self.spec.value_span(&at(path, &["file"])),
                format!("`{}` is no file in the folder of keys", shown(written)),
            )
            .label("no path that begins with a slash, and no `..` in it")
            .help(
                "write the file's name, as in `file: payroll.pem`, and name its folder with `--key-dir` when you apply",
            ),
        );
        None
    }

    fn variable(&mut self, place: &[&str], written: &str) -> Option<String> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name = written.starts_with(first) && written.chars().all(|c| first(c) || c.is_ascii_digit());
        if is_name && written.len() <= 255 {
            return Some(written.to_owned());
        }
        let span: Range<usize> = self.spec.value_span(place);
        self.say(
            // What stands here may be the secret itself.
            Diagnostic::error("CMK075", span, "that is no name of an environment variable")
                .label("letters, digits and underscores")
                .secret()
                .help("write the variable's name, as in `env: PAYROLL_KEY`; a spec holds no key and no passphrase"),
        );
        None
    }

    fn thumbprint(&mut self, path: Path<'_>, written: &str) -> Option<Thumbprint> {
        let read = Thumbprint::parse(written);
        if read.is_err() {
            self.say(
                Diagnostic::error(
                    "CMK076",
                    self.spec.value_span(&at(path, &["thumbprint"])),
                    format!("`{}` is no thumbprint of a key", shown(written)),
                )
                .label("43 characters of base64url, as in RFC 7638")
                .help("`cmk thumbprint FILE` prints it"),
            );
        }
        read.ok()
    }
}

/// A place below a key's `import`.
fn at<'p>([vaults, vault, keys, key]: Path<'p>, more: &[&'p str]) -> Vec<&'p str> {
    [&[vaults, vault, keys, key, "import"], more].concat()
}

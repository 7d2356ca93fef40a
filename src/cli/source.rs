//! Reading a spec file, or stdin, as text of a sensible size.

use super::exit::Trouble;
use crate::diag::Source;
use crate::spec::READ_LIMIT_BYTES;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};

/// Reads the spec that a command names; `-` is stdin.
pub(super) fn read(path: &str) -> Result<Source, Trouble> {
    read_up_to(path, READ_LIMIT_BYTES)
}

/// Reads the file that a command names, of at most so many bytes; `-` is stdin.
pub(super) fn read_up_to(path: &str, limit_bytes: usize) -> Result<Source, Trouble> {
    let (name, bytes) = if path == "-" {
        ("<stdin>", take(io::stdin().lock(), "stdin", limit_bytes)?)
    } else {
        (path, take(open(path)?, path, limit_bytes)?)
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { name: name.to_owned(), text }),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            Err(Trouble::new(format!("{name} is not UTF-8 text: line {line} holds a byte that cannot be read"))
                .help("save the file as UTF-8"))
        }
    }
}

/// Opens a file, or what a shell's `<(…)` gives in place of one. Opening any other pipe would wait for its writer.
fn open(path: &str) -> Result<File, Trouble> {
    let bad = |error| unreadable(path, &error);
    let from_shell = path.starts_with("/dev/fd/") || path == "/dev/stdin";
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    if !from_shell {
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    }
    // Looked at before it is opened, since opening a device can have an effect, and after, since it may be replaced.
    plain(path, from_shell, &std::fs::metadata(path).map_err(bad)?)?;
    let file = options.open(path).map_err(bad)?;
    plain(path, from_shell, &file.metadata().map_err(bad)?)?;
    Ok(file)
}

fn plain(path: &str, from_shell: bool, about: &Metadata) -> Result<(), Trouble> {
    if about.is_dir() {
        Err(Trouble::new(format!("{path} is a folder, not a spec file")).help("name the file in it"))
    } else if about.is_file() || from_shell {
        Ok(())
    } else {
        Err(Trouble::new(format!("{path} is a device or a pipe, not a spec file"))
            .help("to read what another program writes, pipe it in and name the file `-`"))
    }
}

fn take(reader: impl Read, name: &str, limit_bytes: usize) -> Result<Vec<u8>, Trouble> {
    let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(Trouble::new(format!("{name} is larger than {limit} bytes, too large for a spec"))
            .help("split it into several specs"));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::NotFound => Trouble::new(format!("there is no file {name}")).help("check the path; `-` reads stdin"),
        _ => Trouble::new(format!("cannot read {name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &str) -> String {
        read(path).unwrap_err().what
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("latin1"), b"a: 1\nb: \xe9\n").unwrap();
        std::fs::write(path("large"), vec![b'#'; READ_LIMIT_BYTES + 1]).unwrap();
        assert!(problem(&path("none")).starts_with("there is no file"));
        assert!(problem(&path("")).ends_with("is a folder, not a spec file"));
        assert!(problem(&path("latin1")).contains("line 2"));
        assert!(problem(&path("large")).contains("too large for a spec"));
    }
}

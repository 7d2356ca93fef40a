//! Key material of one's own: read for `cmk apply` right before the first step, and for `cmk thumbprint`. Nothing of it is
//! ever shown.

use super::context::{Context, secret_of_environment};
use super::exit::{Exit, Trouble};
use crate::material::{Bad, Material, Materials, READ_LIMIT_BYTES};
use crate::model::{Desired, KeyImport, KeyRef, MaterialSource};
use crate::plan::{Action, Plan};
use clap::Args;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A text that is wiped when it is done with.
type Secret = Zeroizing<Vec<u8>>;

/// A key file whose thumbprint is asked for.
#[derive(Debug, Args)]
pub(super) struct Wishes {
    /// The key: PEM (PKCS#8 or PKCS#1) or a JSON web key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The environment variable that holds the passphrase of an encrypted file
    #[arg(long, value_name = "VARIABLE")]
    passphrase_env: Option<String>,
}

/// Prints the thumbprint that a spec names a key by.
pub(super) fn thumbprint(context: &mut Context, wishes: &Wishes) -> Result<Exit, Trouble> {
    let read = || {
        let passphrase = wishes.passphrase_env.as_deref().map(variable).transpose()?;
        let text = plain_file(&wishes.file, Links::Followed)?;
        material(&text, passphrase.as_ref())
    };
    let material = read().map_err(|why| {
        Trouble::new(format!("{} gives no thumbprint: {why}", wishes.file.display()))
            .help("name the file of an RSA private key, and for an encrypted one `--passphrase-env VARIABLE`")
    })?;
    let stderr = &context.output.stderr;
    stderr.remark(&format!("RSA, {} bits\n", material.bits()));
    context.output.document(&format!("{}\n", material.thumbprint()))?;
    Ok(Exit::Good)
}

/// The material of the keys that a plan imports. What is wrong with any of them is told of all at once: each by its key.
pub(super) fn materials(
    plan: &Plan,
    desired: &Desired,
    folder: Option<&Path>,
) -> Result<Materials, Vec<(KeyRef, String)>> {
    let mut materials = Materials::default();
    let mut wrong = vec![];
    for step in &plan.steps {
        let Action::ImportKey { key, create, thumbprint, .. } = &step.action else { continue };
        let read = desired.key(key).and_then(|wanted| wanted.import.as_ref());
        let read = read.ok_or_else(|| "the spec does not say where its material is".to_owned());
        match read.and_then(|own| of_key(own, folder)) {
            Ok(material) if material.thumbprint() != *thumbprint => {
                wrong.push((key.clone(), format!("its material has another thumbprint, {}", material.thumbprint())));
            }
            Ok(material) if material.bits() != create.size_bits => {
                let (is, wanted) = (material.bits(), create.size_bits);
                wrong.push((key.clone(), format!("its material has {is} bits, and `create` says {wanted}")));
            }
            Ok(material) => materials.add(key.clone(), material),
            Err(why) => wrong.push((key.clone(), why)),
        }
    }
    if wrong.is_empty() { Ok(materials) } else { Err(wrong) }
}

fn of_key(own: &KeyImport, folder: Option<&Path>) -> Result<Material, String> {
    let KeyImport { source, passphrase, thumbprint: _ } = own;
    let passphrase = passphrase.as_deref().map(variable).transpose()?;
    let text = match source {
        MaterialSource::Variable(name) => variable(name)?,
        MaterialSource::File(path) => match folder {
            Some(folder) => below(folder, path)?,
            None => return Err(format!("it is in file {path}, and `--key-dir` does not say in which folder")),
        },
    };
    material(&text, passphrase.as_ref()).map_err(|why| format!("{source}: {why}"))
}

fn material(text: &Secret, passphrase: Option<&Secret>) -> Result<Material, String> {
    Material::read(text, passphrase.map(|text| text.as_slice())).map_err(|bad: Bad| bad.to_string())
}

fn variable(name: &str) -> Result<Secret, String> {
    let value = secret_of_environment(name).map(std::ffi::OsString::into_encoded_bytes);
    let value = value.filter(|value| !value.is_empty()).map(Zeroizing::new);
    value.ok_or_else(|| format!("environment variable {name} is not set"))
}

/// A file below a folder. The spec names it, so no link is followed on the way: it could lead anywhere.
fn below(folder: &Path, path: &str) -> Result<Secret, String> {
    let mut whole = folder.to_path_buf();
    let parts: Vec<&str> = path.split('/').collect();
    for (at, part) in parts.iter().enumerate() {
        whole.push(part);
        let about = whole.symlink_metadata().map_err(|error| format!("file {path}: {error}"))?;
        if about.is_symlink() {
            return Err(format!("file {path}: it is a link, or behind one, and none is followed"));
        }
        if at + 1 < parts.len() && !about.is_dir() {
            return Err(format!("file {path}: {part} is no folder"));
        }
    }
    plain_file(&whole, Links::Refused).map_err(|why| format!("file {path}: {why}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Followed,
    Refused,
}

/// Reads a plain file, and never waits for a pipe or wakes a device.
fn plain_file(path: &Path, links: Links) -> Result<Secret, String> {
    let told = |error: std::io::Error| error.to_string();
    let plain = |about: &Metadata| if about.is_file() { Ok(()) } else { Err("it is no plain file".to_owned()) };
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        let follow = if links == Links::Refused { libc::O_NOFOLLOW } else { 0 };
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | follow);
    }
    let about = if links == Links::Refused { path.symlink_metadata() } else { path.metadata() };
    plain(&about.map_err(told)?)?;
    let file = options.open(path).map_err(told)?;
    plain(&file.metadata().map_err(told)?)?;
    // As large as it may become, lest a copy is left behind when it grows.
    let mut text = Zeroizing::new(Vec::with_capacity(READ_LIMIT_BYTES + 1));
    let limit = u64::try_from(READ_LIMIT_BYTES + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut text).map_err(told)?;
    if text.len() > READ_LIMIT_BYTES { Err(format!("it is larger than {READ_LIMIT_BYTES} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_of_a_spec_is_plain_and_below_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("team")).unwrap();
        std::fs::write(at("team/key.pem"), "x").unwrap();
        std::fs::write(at("large.pem"), vec![b'x'; READ_LIMIT_BYTES + 1]).unwrap();
        std::os::unix::fs::symlink(at("team/key.pem"), at("link.pem")).unwrap();
        std::os::unix::fs::symlink(at("team"), at("linked")).unwrap();
        assert_eq!(*below(folder.path(), "team/key.pem").unwrap(), b"x");
        let why = |path: &str| below(folder.path(), path).unwrap_err();
        assert!(why("link.pem").contains("none is followed"));
        assert!(why("linked/key.pem").contains("none is followed"));
        assert!(why("team").contains("no plain file"));
        assert!(why("large.pem").contains("larger than"));
        assert!(why("team/key.pem/more").contains("is no folder"));
        assert!(why("none.pem").contains("none.pem"));
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_by_its_name_alone() {
        assert_eq!(variable("CMK_NO_SUCH_KEY").unwrap_err(), "environment variable CMK_NO_SUCH_KEY is not set");
    }
}

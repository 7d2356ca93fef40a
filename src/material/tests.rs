//! Every form in which a key comes, and what is no key.

use super::{Bad, Material, Materials, wipe};
use crate::model::{KeyName, KeyRef, Thumbprint, VaultName};
use serde_json::{Value, json};

const THUMBPRINT: &str = "MOFWr57oMpI2nHaYGzmjtULVmBKjqwys1H1bzLJgBaY";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/keys/", $name)).as_slice()
    };
}

fn read(text: &[u8]) -> Material {
    Material::read(text, Some(b"test")).unwrap()
}

#[test]
fn a_key_is_the_same_in_every_form() {
    let plain = read(file!("test-key.pem"));
    assert_eq!((plain.thumbprint().as_str(), plain.bits()), (THUMBPRINT, 2048));
    let forms = [
        file!("test-key-pkcs1.pem"),
        file!("test-key-encrypted.pem"),
        file!("test-key-scrypt.pem"),
        file!("test-key.jwk.json"),
    ];
    for form in forms {
        assert_eq!(read(form).jwk(), plain.jwk());
    }
}

#[test]
fn what_is_no_key_to_import_is_told_without_its_text() {
    let encrypted = file!("test-key-encrypted.pem");
    let cut = &file!("test-key.pem")[..900];
    let said = |text: &[u8], passphrase: Option<&[u8]>| Material::read(text, passphrase).unwrap_err();
    assert_eq!(said(encrypted, None), Bad::Encrypted);
    assert_eq!(said(encrypted, Some(b"wrong")), Bad::Locked);
    assert_eq!(said(file!("test-ec.pem"), None), Bad::NotRsa);
    assert_eq!(said(file!("test-public.pem"), None), Bad::Public);
    for wrong in [b"".as_slice(), b"hunter2", b"{}", b"\xff\xfe", cut, br#"{"kty":"oct","k":"AAAA"}"#.as_slice()] {
        assert!(matches!(said(wrong, None), Bad::Form | Bad::NotRsa));
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let jwk = read(file!("test-key.pem")).jwk();
    let with = |name: &str, value: Value| {
        let mut other = jwk.clone();
        other[name] = value;
        Material::read(other.to_string().as_bytes(), None).unwrap_err()
    };
    let n = jwk["n"].as_str().unwrap();
    let flipped = format!("{}{}", if n.starts_with('A') { "B" } else { "A" }, &n[1..]);
    assert!(matches!(with("n", flipped.into()), Bad::Broken | Bad::Size(_)));
    assert_eq!(with("n", n[..172].into()), Bad::Size(1024 + 8));
    assert_eq!(with("p", jwk["q"].clone()), Bad::Broken);
    assert_eq!(with("qi", Value::Null), Bad::Broken);
    assert_eq!(with("d", Value::Null), Bad::Public);
    assert_eq!(with("e", "AA".into()), Bad::Broken);
    assert_eq!(with("kty", "EC".into()), Bad::NotRsa);
}

#[test]
fn what_is_shown_of_a_key_is_its_thumbprint_alone() {
    let material = read(file!("test-key.pem"));
    assert_eq!(format!("{material:?}"), format!("Material({THUMBPRINT})"));
    let mut materials = Materials::default();
    let key = KeyRef { vault: VaultName::parse("kv1").unwrap(), name: KeyName::parse("main").unwrap() };
    materials.add(key.clone(), material);
    assert!(format!("{materials:?}").ends_with(&format!("Material({THUMBPRINT})}})")), "{materials:?}");
    assert!(materials.get(&key, &Thumbprint::parse(THUMBPRINT).unwrap()).is_some());
    assert!(materials.get(&key, &Thumbprint::of_rsa(&[5], &[3])).is_none(), "another key is not handed out for it");
    wipe(Some(json!({ "d": "secret" })));
}

//! Any bytes as a key file: read with and without a passphrase, and nothing of it in what is said.

#![no_main]

use cmk::material::Material;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for passphrase in [None, Some(b"test".as_slice())] {
        match Material::read(bytes, passphrase) {
            Ok(material) => {
                assert!([2048, 3072, 4096].contains(&material.bits()));
                assert_eq!(format!("{material:?}"), format!("Material({})", material.thumbprint()));
            }
            // Each of them is a fixed sentence; a size is the one thing that is told.
            Err(bad) => cmk_fuzz::check_shown(&bad.to_string()),
        }
    }
});

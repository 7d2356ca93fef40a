//! Importing a key: its public half is kept and shown, its private half is neither.

use azure_core::base64::decode_url_safe;
use serde_json::{Map, Value, json};

use super::key_vault::{Door, bad_parameter};
use super::keys::{self, Recipe};
use super::wire::Reply;

impl Door<'_> {
    /// A new version from a JSON web key.
    pub(super) fn import(&mut self, name: &str) -> Reply {
        let sent = self.ask.object()?;
        let vault = self.vault("import")?;
        let premium = vault.sku["name"] == "premium";
        let (recipe, public) = read(&sent).map_err(|text| bad_parameter(&text))?;
        if !keys::valid_name(name) {
            return Err(bad_parameter(&format!("The request URI contains an invalid name: {name}")));
        }
        if recipe.kty.ends_with("-HSM") && !premium {
            return Err(bad_parameter("The vault's SKU does not support HSM keys."));
        }
        self.add(name, recipe, Some(public))
    }
}

/// The recipe in a request and the public parts of its key.
fn read(sent: &Value) -> Result<(Recipe, Map<String, Value>), String> {
    let jwk = &sent["key"];
    let hsm = sent["Hsm"] == json!(true) || sent["hsm"] == json!(true);
    let kty = jwk["kty"].as_str().unwrap_or_default();
    let kind = if hsm && !kty.ends_with("-HSM") { format!("{kty}-HSM") } else { kty.to_owned() };
    let elliptic = kind.starts_with("EC");
    let names: &[&str] = if elliptic { &["x", "y"] } else { &["n", "e"] };
    let mut public = Map::new();
    for name in names.iter().copied().chain(["d"]) {
        let bytes = jwk[name].as_str().and_then(|part| decode_url_safe(part).ok());
        if bytes.is_none_or(|bytes| bytes.is_empty()) {
            return Err(format!("Property has invalid value: key.{name}"));
        }
        if name != "d" {
            public.insert(name.to_owned(), jwk[name].clone());
        }
    }
    let size = if elliptic { Value::Null } else { json!(bits(&public)) };
    let recipe = Recipe::read(&json!(kind), &size, &jwk["crv"], &jwk["key_ops"], sent)?;
    Ok((recipe, public))
}

/// The size of a modulus.
fn bits(public: &Map<String, Value>) -> usize {
    let modulus = public.get("n").and_then(Value::as_str).and_then(|part| decode_url_safe(part).ok());
    let modulus = modulus.unwrap_or_default();
    modulus.iter().skip_while(|byte| **byte == 0).count() * 8
}

//! The vault's own door: keys at `https://{vault}.{suffix}`, for callers with an access policy.

use serde_json::{Map, Value, json};

use super::crypto::Turn;
use super::hosts::{Domain, Service};
use super::keys::{self, DeletedKey, Key, Recipe, Version};
use super::tokens::{self, Distrust};
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, access, vault_versions};

const PAGE: usize = 25;

/// A request at the door, with the vault it stands before.
pub(super) struct Door<'a> {
    pub world: &'a mut World,
    pub now: Millis,
    pub ask: &'a Ask,
    /// The vault's name in lower case.
    pub vault: String,
}

/// Answers a vault's host. The vault is live: its name resolved.
pub(super) fn answer(world: &mut World, now: Millis, ask: &mut Ask) -> Reply {
    let vault = ask.host.split('.').next().unwrap_or_default().to_owned();
    let region = world.state.vaults.get(&vault).map_or_else(String::new, |vault| vault.location.clone());
    let lower = ask.path_lower();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let admitted = admit(ask);
    let door = Door { world, now, ask, vault };
    let reply = admitted.and_then(|()| route(door, &lower));
    let reply = reply.map(|answer| vault_versions::shaped(answer, ask.api_version()));
    match reply {
        Ok(answer) => Ok(answer.header("x-ms-keyvault-region", region)),
        Err(answer) => Err(answer.header("x-ms-keyvault-region", region)),
    }
}

fn admit(ask: &mut Ask) -> Result<(), Answer> {
    let caller = tokens::check(ask, Service::KeyVault);
    ask.caller = caller.map_err(|distrust| challenge(ask, &distrust))?;
    vault_versions::check(ask.api_version())
}

fn route(mut door: Door<'_>, lower: &[&str]) -> Reply {
    // The name as written: keys keep the spelling they were made with.
    let name = door.ask.path.get(1).cloned().unwrap_or_default();
    match (door.ask.method.as_str(), lower) {
        ("GET", ["keys"]) => door.list(),
        ("POST", ["keys", _, "create"]) => door.create(&name),
        ("POST", ["keys", _, "rotate"]) => door.rotate(&name),
        ("GET", ["keys", _, "versions"]) => door.versions(&name),
        ("GET", ["keys", _, "rotationpolicy"]) => door.rotation_policy(&name),
        ("PUT", ["keys", _, "rotationpolicy"]) => door.set_rotation_policy(&name),
        ("PUT", ["keys", _]) => door.import(&name),
        ("POST", ["keys", _, version, "wrapkey"]) => door.turn(&name, version, Turn::Wrap),
        ("POST", ["keys", _, version, "unwrapkey"]) => door.turn(&name, version, Turn::Unwrap),
        ("GET", ["keys", _]) => door.get(&name, None),
        ("GET", ["keys", _, version]) => door.get(&name, Some(version)),
        ("PATCH", ["keys", _]) => door.update(&name, None),
        ("PATCH", ["keys", _, version]) => door.update(&name, Some(version)),
        ("DELETE", ["keys", _]) => door.delete(&name),
        ("GET", ["deletedkeys"]) => door.list_deleted(),
        ("GET", ["deletedkeys", _]) => door.get_deleted(&name),
        ("POST", ["deletedkeys", _, "recover"]) => door.recover(&name),
        ("DELETE", ["deletedkeys", _]) => door.purge(&name),
        _ => Err(Answer::error(404, "NotFound", "The sandbox's vaults do not know this operation.")),
    }
}

impl Door<'_> {
    /// The vault, if the caller may do this with its keys.
    pub(super) fn vault(&mut self, permission: &str) -> Result<&mut Vault, Answer> {
        let now = self.now;
        let state = &mut self.world.state;
        let vault = state.vaults.get(&self.vault).ok_or_else(|| Answer::empty(500))?;
        if !vault.open_to_callers() {
            let text = format!(
                "Client address is not authorized and caller is not a trusted service.\r\nVault: {};location={}",
                vault.name, vault.location
            );
            return Err(Answer::inner_error(403, "Forbidden", &text, "ForbiddenByFirewall"));
        }
        // Keys and deleted keys alike have their name in second place; without one it is the list that is asked.
        let key = self.ask.path.get(1).map(String::as_str);
        if !access::lets(state, vault, key, &self.ask.caller.object, permission, now) {
            return Err(access::denied(vault, key, &self.ask.caller, permission));
        }
        state.vaults.get_mut(&self.vault).map(|vault| &mut **vault).ok_or_else(|| Answer::empty(500))
    }

    fn list(&mut self) -> Reply {
        let now = self.now;
        let vault = &*self.vault("list")?;
        let seen = vault.keys.iter().filter(|(_, key)| key.visible <= now);
        let rows = seen.filter_map(|(id, key)| {
            let newest = key.newest()?;
            let kid = format!("{}/keys/{}", vault.uri(), key.name);
            Some((id.clone(), item(vault, newest, &kid)))
        });
        let rows: Vec<(String, Value)> = rows.collect();
        Ok(page(self.ask, rows))
    }

    /// Versions come in the order of their ids, which says nothing of their age.
    fn versions(&mut self, name: &str) -> Reply {
        let now = self.now;
        let vault = &*self.vault("list")?;
        let rows = find(vault, name, now).map_or_else(Vec::new, |key| {
            let kid = |version: &Version| format!("{}/keys/{}/{}", vault.uri(), key.name, version.id);
            let rows = key.versions.iter().map(|version| (version.id.clone(), item(vault, version, &kid(version))));
            rows.collect()
        });
        Ok(page(self.ask, rows))
    }

    fn get(&mut self, name: &str, version: Option<&str>) -> Reply {
        let now = self.now;
        let vault = &*self.vault("get")?;
        let (key, version) = pick(vault, name, version, now)?;
        Ok(Answer::json(200, bundle(vault, key, version)))
    }

    /// Always a new version, however alike: this verb does not know "if absent".
    fn create(&mut self, name: &str) -> Reply {
        let sent = self.ask.object()?;
        let vault = self.vault("create")?;
        let premium = vault.sku["name"] == "premium";
        let recipe = Recipe::read(&sent["kty"], &sent["key_size"], &sent["crv"], &sent["key_ops"], &sent);
        let recipe = recipe.map_err(|text| bad_parameter(&text))?;
        if !keys::valid_name(name) {
            return Err(bad_parameter(&format!("The request URI contains an invalid name: {name}")));
        }
        if recipe.kty.ends_with("-HSM") && !premium {
            return Err(bad_parameter("The vault's SKU does not support HSM keys."));
        }
        self.add(name, recipe, None)
    }

    /// A new version like the newest one, good for as long as the rotation policy says.
    fn rotate(&mut self, name: &str) -> Reply {
        let now = self.now;
        let vault = &*self.vault("rotate")?;
        let (key, newest) = pick(vault, name, None, now)?;
        let recipe = Recipe {
            kty: newest.kty.clone(),
            size: newest.size,
            curve: newest.curve.clone(),
            ops: newest.ops.clone(),
            enabled: true,
            not_before: None,
            expires: key.rotation.as_ref().and_then(|policy| policy.expiry(now)),
            tags: newest.tags.clone(),
        };
        self.add(name, recipe, None)
    }

    /// Adds a version, whose public parts may come from outside.
    pub(super) fn add(&mut self, name: &str, recipe: Recipe, public: Option<Map<String, Value>>) -> Reply {
        let now = self.now;
        let vault = self.world.state.vaults.get(&self.vault).ok_or_else(|| Answer::empty(500))?;
        if let Some((inner, text)) = keys::reserved(vault, name, now) {
            return Err(Answer::inner_error(409, "Conflict", &text, inner));
        }
        let mut version = recipe.made(&mut self.world.ids, now);
        version.public = public.unwrap_or(version.public);
        let vault =
            self.world.state.vaults.get_mut(&self.vault).map(|vault| &mut **vault).ok_or_else(|| Answer::empty(500))?;
        keys::add_version(vault, name, version, now);
        let (key, version) = pick(vault, name, None, now)?;
        Ok(Answer::json(200, bundle(vault, key, version)))
    }

    fn update(&mut self, name: &str, version: Option<&str>) -> Reply {
        let sent = self.ask.object()?;
        let now = self.now;
        let vault = self.vault("update")?;
        let (_, found) = pick(vault, name, version, now)?;
        let id = found.id.clone();
        let versions = vault.keys.get_mut(&name.to_ascii_lowercase()).map(|key| &mut key.versions);
        let version = versions.and_then(|versions| versions.iter_mut().find(|version| version.id == id));
        let version = version.ok_or_else(|| Answer::empty(500))?;
        let attributes = &sent["attributes"];
        version.enabled = attributes["enabled"].as_bool().unwrap_or(version.enabled);
        version.expires = attributes["exp"].as_i64().or(version.expires);
        version.not_before = attributes["nbf"].as_i64().or(version.not_before);
        if let Some(ops) = sent["key_ops"].as_array() {
            version.ops = ops.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        if sent["tags"].is_object() {
            version.tags = sent["tags"].clone();
        }
        version.updated = now;
        let (key, version) = pick(vault, name, Some(&id), now)?;
        Ok(Answer::json(200, bundle(vault, key, version)))
    }

    fn delete(&mut self, name: &str) -> Reply {
        let now = self.now;
        let visible = now.plus(self.world.pace.deleted_object);
        let vault = self.vault("delete")?;
        pick(vault, name, None, now)?;
        let lower = name.to_ascii_lowercase();
        let key = vault.keys.remove(&lower).ok_or_else(|| Answer::empty(500))?;
        let deleted = DeletedKey { key, deleted: now, visible, purge: now.plus_days(vault.retention()) };
        let body = deleted_bundle(vault, &deleted);
        vault.deleted_keys.insert(lower, deleted);
        Ok(Answer::json(200, body))
    }

    fn list_deleted(&mut self) -> Reply {
        let now = self.now;
        let vault = &*self.vault("list")?;
        let seen = vault.deleted_keys.iter().filter(|(_, deleted)| deleted.visible <= now);
        let rows = seen.map(|(id, deleted)| {
            let mut row = deleted_bundle(vault, deleted);
            row["kid"] = json!(format!("{}/keys/{}", vault.uri(), deleted.key.name));
            if let Some(row) = row.as_object_mut() {
                row.remove("key");
            }
            (id.clone(), row)
        });
        let rows: Vec<(String, Value)> = rows.collect();
        Ok(page(self.ask, rows))
    }

    fn get_deleted(&mut self, name: &str) -> Reply {
        let now = self.now;
        let vault = &*self.vault("get")?;
        let deleted = find_deleted(vault, name, now)?;
        Ok(Answer::json(200, deleted_bundle(vault, deleted)))
    }

    fn recover(&mut self, name: &str) -> Reply {
        let now = self.now;
        let visible = now.plus(self.world.pace.deleted_object);
        let vault = self.vault("recover")?;
        if find(vault, name, now).is_some() {
            let text = format!("Key exists already: {name}");
            return Err(Answer::inner_error(400, "MethodNotAllowed", &text, "RequestNotAllowedOnNonDeletedObject"));
        }
        let mut key = find_deleted(vault, name, now)?.key.clone();
        let lower = name.to_ascii_lowercase();
        vault.deleted_keys.remove(&lower);
        key.visible = visible;
        let body = key.newest().map_or(Value::Null, |newest| bundle(vault, &key, newest));
        vault.keys.insert(lower, key);
        Ok(Answer::json(200, body))
    }

    fn purge(&mut self, name: &str) -> Reply {
        let now = self.now;
        let vault = self.vault("purge")?;
        find_deleted(vault, name, now)?;
        if vault.purge_protection {
            let text = "Operation \"purge\" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.";
            return Err(Answer::error(403, "Forbidden", text));
        }
        vault.deleted_keys.remove(&name.to_ascii_lowercase());
        Ok(Answer::empty(204))
    }
}

fn find<'a>(vault: &'a Vault, name: &str, now: Millis) -> Option<&'a Key> {
    vault.keys.get(&name.to_ascii_lowercase()).filter(|key| key.visible <= now)
}

fn find_deleted<'a>(vault: &'a Vault, name: &str, now: Millis) -> Result<&'a DeletedKey, Answer> {
    let deleted = vault.deleted_keys.get(&name.to_ascii_lowercase()).filter(|deleted| deleted.visible <= now);
    deleted.ok_or_else(|| Answer::error(404, "KeyNotFound", &format!("Deleted Key not found: {name}")))
}

/// A version of a key, the newest if none is named.
pub(super) fn pick<'a>(
    vault: &'a Vault,
    name: &str,
    version: Option<&str>,
    now: Millis,
) -> Result<(&'a Key, &'a Version), Answer> {
    let key = find(vault, name, now);
    let found = key.and_then(|key| {
        let version = version.map_or_else(|| key.newest(), |version| key.version(version));
        Some((key, version?))
    });
    found.ok_or_else(|| {
        let whole = version.map_or_else(|| name.to_owned(), |version| format!("{name}/{version}"));
        let text = format!("A key with (name/id) {whole} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182");
        Answer::error(404, "KeyNotFound", &text)
    })
}

fn attributes(vault: &Vault, version: &Version) -> Value {
    let mut attributes = version.attributes(vault);
    attributes["recoverableDays"] = json!(vault.retention());
    attributes["hsmPlatform"] = json!("0");
    attributes
}

fn item(vault: &Vault, version: &Version, kid: &str) -> Value {
    let mut item = json!({"kid": kid, "attributes": attributes(vault, version)});
    if version.tags.is_object() {
        item["tags"] = version.tags.clone();
    }
    item
}

fn bundle(vault: &Vault, key: &Key, version: &Version) -> Value {
    let kid = format!("{}/keys/{}/{}", vault.uri(), key.name, version.id);
    let mut jwk = json!({"kid": kid, "kty": version.kty, "key_ops": version.ops});
    if let Some(curve) = &version.curve {
        jwk["crv"] = json!(curve);
    } else {
        jwk["n"] = json!(version.modulus);
        jwk["e"] = json!("AQAB");
    }
    for (name, part) in &version.public {
        jwk[name] = part.clone();
    }
    let mut bundle = json!({"key": jwk, "attributes": attributes(vault, version)});
    if version.tags.is_object() {
        bundle["tags"] = version.tags.clone();
    }
    bundle
}

fn deleted_bundle(vault: &Vault, deleted: &DeletedKey) -> Value {
    let newest = deleted.key.newest();
    let mut body = newest.map_or_else(|| json!({}), |newest| bundle(vault, &deleted.key, newest));
    body["recoveryId"] = json!(format!("{}/deletedkeys/{}", vault.uri(), deleted.key.name));
    body["deletedDate"] = json!(deleted.deleted.seconds());
    body["scheduledPurgeDate"] = json!(deleted.purge.seconds());
    body
}

/// A page of rows in the order of their ids. The next page's host carries a port, and no next page is `null`.
fn page(ask: &Ask, mut rows: Vec<(String, Value)>) -> Answer {
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let after = ask.query.get("$skiptoken").and_then(|token| azure_core::base64::decode_url_safe(token).ok());
    let after = after.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let size = ask.query.get("maxresults").and_then(|size| size.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let mut rest = rows.into_iter().filter(|(id, _)| *id > after).peekable();
    let page: Vec<(String, Value)> = rest.by_ref().take(size).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|(last, _)| {
        let token = azure_core::base64::encode_url_safe(last);
        let (host, path, version) = (&ask.host, ask.path.join("/"), ask.api_version());
        format!("https://{host}:443/{path}?api-version={version}&$skiptoken={token}&maxresults={size}")
    });
    let value: Vec<Value> = page.iter().map(|(_, row)| row.clone()).collect();
    Answer::json(200, json!({"value": value, "nextLink": next}))
}

pub(super) fn bad_parameter(text: &str) -> Answer {
    Answer::error(400, "BadParameter", text)
}

/// Clients refuse a challenge for a resource that is not above the host they asked.
fn challenge(ask: &Ask, distrust: &Distrust) -> Answer {
    let Ask { host, tenant, .. } = ask;
    let domain = Domain::of(host);
    let (login, suffix) = (domain.login(), domain.vault_suffix());
    let text = match distrust {
        Distrust::Missing => "AKV10000: Request is missing a Bearer or PoP token.".to_owned(),
        Distrust::Unreadable => "AKV10046: Unable to resolve the key used for signature validation.".to_owned(),
        Distrust::Expired(_) => "[TokenExpired] Error validating token: 'S2S12086'.".to_owned(),
        Distrust::WrongAudience(audience) => {
            format!("AKV10022: Invalid audience. Expected https://{suffix}, found: {audience}.")
        }
        Distrust::WrongIssuer(issuer) => {
            format!("AKV10032: Invalid issuer. Expected one of {}, found {issuer}.", domain.issuer(tenant))
        }
    };
    let header = format!("Bearer authorization=\"https://{login}/{tenant}\", resource=\"https://{suffix}\"");
    Answer::error(401, "Unauthorized", &text).header("www-authenticate", header)
}

//! OpenAPI 2.0, as much of it as Microsoft's contracts for these services use, made into JSON Schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Side;

/// All specifications and the operations in them.
pub(super) struct Specifications {
    files: BTreeMap<PathBuf, Value>,
    operations: Vec<Operation>,
}

/// An operation of a specification.
pub(super) struct Operation {
    pub(super) file: PathBuf,
    pub(super) id: String,
    method: String,
    template: Vec<String>,
    /// Of the data plane of a vault.
    vault: bool,
    version: String,
    body: Value,
}

impl Operation {
    pub(super) fn answers(&self, status: u16) -> bool {
        !self.body["responses"][status.to_string()].is_null()
    }

    /// How many segments fit literally, if the path fits at all.
    fn fit(&self, path: &[String]) -> Option<usize> {
        let (template, path) = match self.template.as_slice() {
            // A scope is as many segments as it likes.
            [first, rest @ ..] if ["{scope}", "{resourceUri}"].contains(&first.as_str()) => {
                (rest, path.get(path.len().checked_sub(rest.len())?..)?)
            }
            [first] if first.starts_with('{') => return None,
            whole => (whole, path),
        };
        let short = self.vault && path.len() + 1 == template.len();
        let unversioned = short && template.last().is_some_and(|last| last == "{key-version}");
        if path.len() != template.len() && !unversioned {
            return None;
        }
        let mut literal = 0;
        for (wanted, segment) in template.iter().zip(path) {
            if wanted.starts_with('{') {
                continue;
            }
            if !wanted.eq_ignore_ascii_case(segment) {
                return None;
            }
            literal += 1;
        }
        // A whole path is preferred to one that lacks its version.
        Some(literal * 2 + usize::from(!unversioned))
    }
}

pub(super) fn read(file: &Path) -> Value {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn collect(folder: &Path, into: &mut BTreeMap<PathBuf, Value>) {
    for entry in std::fs::read_dir(folder).expect("the contracts can be read").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "examples") {
            collect(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "json") {
            into.insert(path.clone(), read(&path));
        }
    }
}

impl Specifications {
    pub(super) fn load(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(root, &mut files);
        let operations = files.iter().flat_map(|(file, content)| operations(file, content)).collect();
        Self { files, operations }
    }

    /// The operation that a request is, by the contract of its version or else of the newest.
    pub(super) fn operation(&self, method: &str, path: &[String], vault: bool, version: &str) -> Option<&Operation> {
        let alike = self.operations.iter().filter(|one| one.method == method && one.vault == vault);
        let fitting = alike.filter_map(|one| Some((one.fit(path)?, one)));
        let best = fitting.max_by_key(|(fit, one)| (*fit, one.version == version, one.version.clone()));
        best.map(|(_, operation)| operation)
    }

    /// Method and path of every operation.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let all = self.operations.iter().map(|one| {
            let mark = if one.vault { "vault:" } else { "" };
            (one.method.clone(), format!("{mark}/{}", one.template.join("/")))
        });
        // An id in one piece is another way to say what has a path of its own.
        all.filter(|(_, path)| !path.starts_with("/{") || path.starts_with("/{scope}/")).collect()
    }

    /// The schema of a body, if the contract has one.
    pub(super) fn schema(&self, operation: &Operation, side: Side, status: u16) -> Option<Value> {
        let schema = match side {
            Side::Answer => operation.body["responses"][status.to_string()].get("schema")?.clone(),
            Side::Request => {
                let parameters = operation.body["parameters"].as_array()?;
                let whole = parameters.iter().map(|one| self.resolved(&operation.file, one).1);
                whole.into_iter().find(|one| one["in"] == "body")?["schema"].clone()
            }
        };
        let mut defs = Map::new();
        let mut root = self.convert(&operation.file, &schema, side, &mut defs);
        root["$defs"] = Value::Object(defs);
        Some(root)
    }

    /// Follows references until there is none, and says in which file that ended.
    fn resolved<'a>(&'a self, file: &Path, schema: &'a Value) -> (PathBuf, &'a Value) {
        let Some(reference) = schema["$ref"].as_str() else { return (file.to_owned(), schema) };
        let (other, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let target = if other.is_empty() { file.to_owned() } else { beside(file, other) };
        let content = self.files.get(&target).unwrap_or_else(|| panic!("no such contract: {}", target.display()));
        let found = content.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", target.display()));
        self.resolved(&target, found)
    }

    fn convert(&self, file: &Path, schema: &Value, side: Side, defs: &mut Map<String, Value>) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let (target, found) = self.resolved(file, schema);
            let name = format!("{}{}", target.display(), reference.split_once('#').map_or("", |(_, rest)| rest));
            let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
            if !defs.contains_key(&name) {
                defs.insert(name.clone(), Value::Bool(true));
                let converted = self.convert(&target, found, side, defs);
                defs.insert(name.clone(), converted);
            }
            let link = json!({"$ref": format!("#/$defs/{name}")});
            return if schema["x-nullable"] == true { json!({"anyOf": [link, {"type": "null"}]}) } else { link };
        }
        let mut flat = Flat::default();
        self.flatten(file, schema, side, defs, &mut flat);
        if flat.is_object {
            return flat.schema(side);
        }
        let mut plain = Map::new();
        for name in ["type", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"] {
            if !schema[name].is_null() {
                plain.insert(name.to_owned(), schema[name].clone());
            }
        }
        // An open list of values is a hint.
        if schema["enum"].is_array() && schema["x-ms-enum"]["modelAsString"] != true {
            plain.insert("enum".to_owned(), schema["enum"].clone());
        }
        if schema["items"].is_object() {
            plain.insert("items".to_owned(), self.convert(file, &schema["items"], side, defs));
        }
        let plain = Value::Object(plain);
        if schema["x-nullable"] == true { json!({"anyOf": [plain, {"type": "null"}]}) } else { plain }
    }

    /// Lays a schema and what it inherits into one.
    fn flatten(&self, file: &Path, schema: &Value, side: Side, defs: &mut Map<String, Value>, flat: &mut Flat) {
        for base in schema["allOf"].as_array().into_iter().flatten() {
            let (target, base) = self.resolved(file, base);
            self.flatten(&target, base, side, defs, flat);
        }
        flat.is_object |= schema["properties"].is_object() || schema["type"] == "object" || schema["allOf"].is_array();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let read_only = property["readOnly"] == true || self.resolved(file, property).1["readOnly"] == true;
            if read_only {
                flat.read_only.push(name.clone());
            }
            flat.properties.insert(name.clone(), self.convert(file, property, side, defs));
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        flat.required.extend(required.map(str::to_owned));
        match &schema["additionalProperties"] {
            Value::Null => {}
            Value::Bool(open) => flat.rest = Some(Value::Bool(*open)),
            rest => flat.rest = Some(self.convert(file, rest, side, defs)),
        }
    }
}

/// An object with all that it inherits.
#[derive(Default)]
struct Flat {
    is_object: bool,
    properties: Map<String, Value>,
    required: Vec<String>,
    read_only: Vec<String>,
    rest: Option<Value>,
}

impl Flat {
    /// What is not declared is not expected, unless nothing at all is declared.
    fn schema(self, side: Side) -> Value {
        let Self { mut properties, mut required, read_only, rest, .. } = self;
        let open = Value::Bool(properties.is_empty());
        if side == Side::Request {
            required.retain(|name| !read_only.contains(name));
            properties.extend(read_only.into_iter().map(|name| (name, Value::Bool(false))));
        }
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": rest.unwrap_or(open),
        })
    }
}

fn operations(file: &Path, content: &Value) -> Vec<Operation> {
    let paths = content["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(template, methods)| {
        methods.as_object().into_iter().flatten().map(move |(method, body)| Operation {
            file: file.to_owned(),
            id: body["operationId"].as_str().unwrap_or_default().to_owned(),
            method: method.to_ascii_uppercase(),
            template: super::segments(template),
            vault: file.components().any(|part| part.as_os_str() == "data-plane"),
            version: content["info"]["version"].as_str().unwrap_or_default().to_owned(),
            body: body.clone(),
        })
    });
    all.collect()
}

/// A path relative to a file, without `.` and `..`.
fn beside(file: &Path, other: &str) -> PathBuf {
    let mut path = file.parent().unwrap_or(Path::new("")).to_owned();
    for part in other.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path
}

//! The keys that each object of the document may have, the walk over all of
//! them, and the checks of keys and references.

use serde_json::Value;

use super::{Place, Report, text};
use crate::{
    document::{Document, ROOT},
    operations::METHODS,
};

/// What an object of the document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Root,
    Info,
    Contact,
    License,
    Server,
    Tag,
    Components,
    PathItem,
    Operation,
    ExternalDocs,
    Parameter,
    RequestBody,
    Response,
    MediaType,
    Schema,
    Example,
    SecurityScheme,
}

/// What stands under a key.
#[derive(Clone, Copy)]
enum Below {
    /// Nothing that the walk goes into.
    Leaf,
    One(Kind),
    /// A list, or a mapping by name.
    Each(Kind),
}

use Below::{Each, Leaf, One};

impl Kind {
    /// All keys of the dialect. What OpenAPI has beyond them is ignored by
    /// progenitor or misread, so it is refused, and typing errors with it.
    #[allow(clippy::too_many_lines, clippy::match_same_arms)] // a table, read row by row
    fn keys(self) -> &'static [(&'static str, Below)] {
        match self {
            Kind::Root => &[
                ("openapi", Leaf),
                ("info", One(Kind::Info)),
                ("servers", Each(Kind::Server)),
                ("tags", Each(Kind::Tag)),
                ("paths", Each(Kind::PathItem)),
                ("components", One(Kind::Components)),
            ],
            Kind::Info => &[
                ("title", Leaf),
                ("version", Leaf),
                ("description", Leaf),
                ("termsOfService", Leaf),
                ("contact", One(Kind::Contact)),
                ("license", One(Kind::License)),
            ],
            Kind::Contact => &[("name", Leaf), ("url", Leaf), ("email", Leaf)],
            Kind::License => &[("name", Leaf), ("url", Leaf)],
            Kind::Server => &[("url", Leaf), ("description", Leaf)],
            Kind::Tag => &[
                ("name", Leaf),
                ("description", Leaf),
                ("externalDocs", One(Kind::ExternalDocs)),
                ("x-client", Leaf),
            ],
            Kind::Components => &[
                ("securitySchemes", Each(Kind::SecurityScheme)),
                ("parameters", Each(Kind::Parameter)),
                ("schemas", Each(Kind::Schema)),
                ("responses", Each(Kind::Response)),
                ("examples", Each(Kind::Example)),
            ],
            Kind::PathItem => &[
                (METHODS[0], One(Kind::Operation)),
                (METHODS[1], One(Kind::Operation)),
                (METHODS[2], One(Kind::Operation)),
                (METHODS[3], One(Kind::Operation)),
                (METHODS[4], One(Kind::Operation)),
                (METHODS[5], One(Kind::Operation)),
            ],
            Kind::Operation => &[
                ("operationId", Leaf),
                ("tags", Leaf),
                ("summary", Leaf),
                ("description", Leaf),
                ("externalDocs", One(Kind::ExternalDocs)),
                ("deprecated", Leaf),
                ("security", Leaf),
                ("x-idempotent", Leaf),
                ("x-grants", Leaf),
                ("x-revokes", Leaf),
                ("parameters", Each(Kind::Parameter)),
                ("requestBody", One(Kind::RequestBody)),
                ("responses", Each(Kind::Response)),
            ],
            Kind::ExternalDocs => &[("url", Leaf), ("description", Leaf)],
            Kind::Parameter => &[
                ("name", Leaf),
                ("in", Leaf),
                ("required", Leaf),
                ("description", Leaf),
                ("deprecated", Leaf),
                ("example", Leaf),
                ("x-secret", Leaf),
                ("schema", One(Kind::Schema)),
            ],
            Kind::RequestBody => &[
                ("description", Leaf),
                ("required", Leaf),
                ("x-document", Leaf),
                ("content", Each(Kind::MediaType)),
            ],
            Kind::Response => &[
                ("description", Leaf),
                ("x-payload", Leaf),
                ("x-flat", Leaf),
                ("x-success", Leaf),
                ("x-failed-status", Leaf),
                ("content", Each(Kind::MediaType)),
            ],
            Kind::MediaType => &[("schema", One(Kind::Schema)), ("examples", Each(Kind::Example))],
            Kind::Schema => &[
                ("x-rust", Leaf),
                ("x-secret", Leaf),
                ("description", Leaf),
                ("type", Leaf),
                ("nullable", Leaf),
                ("enum", Leaf),
                ("default", Leaf),
                ("deprecated", Leaf),
                ("example", Leaf),
                ("required", Leaf),
                ("properties", Each(Kind::Schema)),
                ("additionalProperties", One(Kind::Schema)),
                ("items", One(Kind::Schema)),
                ("oneOf", Each(Kind::Schema)),
                ("anyOf", Each(Kind::Schema)),
                ("allOf", Each(Kind::Schema)),
                ("pattern", Leaf),
                ("minLength", Leaf),
                ("maxLength", Leaf),
                ("minimum", Leaf),
                ("maximum", Leaf),
                ("minItems", Leaf),
                ("maxItems", Leaf),
                ("uniqueItems", Leaf),
            ],
            Kind::Example => &[
                ("summary", Leaf),
                ("description", Leaf),
                // What `externalValue` named before the document was loaded.
                ("value", Leaf),
                ("x-inferred", Leaf),
                ("x-when", Leaf),
                ("x-status", Leaf),
            ],
            Kind::SecurityScheme => &[
                ("type", Leaf),
                ("in", Leaf),
                ("name", Leaf),
                ("description", Leaf),
                ("x-lifetime-hours", Leaf),
            ],
        }
    }

    /// Why a key that OpenAPI knows is refused, and what to write instead.
    fn refusal(self, key: &str) -> Option<&'static str> {
        Some(match (self, key) {
            (Kind::Root, "security") => {
                "the operation table does not look here; write `security` in each operation"
            }
            (Kind::PathItem, "options" | "trace") => {
                "progenitor writes code for it that does not compile; write another method"
            }
            (Kind::PathItem, _) => "the operation table does not look here; write it in each operation",
            (Kind::Parameter, "content" | "style" | "explode" | "allowReserved") => {
                "progenitor refuses it or ignores it; write a plain `schema` and leave it out"
            }
            (Kind::MediaType, "example") => {
                "an example needs a name; write `examples` with `summary` and `externalValue`"
            }
            (Kind::MediaType, "encoding") => "it makes progenitor panic; leave it out",
            (Kind::Schema, "format") => {
                "it makes a type that refuses the provider's text, or says nothing; describe the form in \
                 `description`, or give the component an `x-rust` type"
            }
            (Kind::Schema, "readOnly" | "writeOnly") => {
                "the generated types ignore it; write two schemas, one for requests and one for answers"
            }
            (Kind::Example, "externalValue") => {
                "only examples of a request body, of status 200 and of components have files; leave it out"
            }
            _ => return None,
        })
    }

    /// Where components of this kind stand, if it can be one.
    fn section(self) -> Option<&'static str> {
        match self {
            Kind::Parameter => Some("parameters"),
            Kind::Schema => Some("schemas"),
            Kind::Response => Some("responses"),
            Kind::Example => Some("examples"),
            _ => None,
        }
    }
}

/// One object of the document.
pub struct Node<'a> {
    pub kind: Kind,
    pub parent: Kind,
    pub value: &'a Value,
    pub place: Place,
    /// The name or key under which it stands.
    pub key: String,
    /// Whether it belongs to a schema with `x-rust`: progenitor makes no type
    /// of it, so that it may say what would hurt a generated one.
    pub handwritten: bool,
}

impl<'a> Node<'a> {
    pub fn is_component(&self) -> bool {
        self.parent == Kind::Components
    }

    pub fn reference(&self) -> Option<&'a str> {
        self.value.get("$ref").map(text)
    }

    fn child<'b>(&self, kind: Kind, value: &'b Value, key: &str, place: Place) -> Node<'b> {
        let handwritten = kind == Kind::Schema && (self.handwritten || value.get("x-rust").is_some());
        Node { kind, parent: self.kind, value, place, key: key.to_owned(), handwritten }
    }
}

/// Every object of the document, the root first.
pub fn nodes(document: &Document) -> Vec<Node<'_>> {
    let place = Place { file: ROOT.to_owned(), owner: String::new(), path: String::new() };
    let root = Node {
        kind: Kind::Root,
        parent: Kind::Root,
        value: &document.merged,
        place,
        key: String::new(),
        handwritten: false,
    };
    let mut nodes = Vec::new();
    walk(document, root, &mut nodes);
    nodes
}

fn walk<'a>(document: &Document, node: Node<'a>, nodes: &mut Vec<Node<'a>>) {
    let index = nodes.len();
    nodes.push(node);
    let (kind, value, reference) = (nodes[index].kind, nodes[index].value, nodes[index].reference());
    if reference.is_some() {
        return;
    }
    for (key, below) in kind.keys() {
        let Some(value) = value.get(key) else { continue };
        match below {
            Leaf => {}
            // `true` or `false` in the place of a schema; schemas.rs looks at it.
            One(_) if *key == "additionalProperties" && value.is_boolean() => {}
            One(kind) => {
                let place = match kind {
                    Kind::Operation => operation_place(document, &nodes[index].key, key, value),
                    _ => nodes[index].place.at(key),
                };
                walk(document, nodes[index].child(*kind, value, key, place), nodes);
            }
            Each(kind) => {
                for (name, value) in entries(value) {
                    let place = match nodes[index].kind {
                        // These own what stands in them, and may come from any file.
                        Kind::Root if *kind == Kind::PathItem => owned(document, name.clone()),
                        Kind::Root | Kind::Components => owned(document, format!("{key}/{name}")),
                        _ => nodes[index].place.at(key).at(&name),
                    };
                    walk(document, nodes[index].child(*kind, value, &name, place), nodes);
                }
            }
        }
    }
}

/// The place of a path, component or tag by its key in `Document::origin`.
pub fn owned(document: &Document, key: String) -> Place {
    Place { file: document.file_of(&key).to_owned(), owner: key, path: String::new() }
}

/// The place of an operation, named by its id or, without one, by its path.
pub fn operation_place(document: &Document, path: &str, method: &str, operation: &Value) -> Place {
    let owner = match text(&operation["operationId"]) {
        "" => format!("{} {path}", method.to_uppercase()),
        id => id.to_owned(),
    };
    Place { file: document.file_of(path).to_owned(), owner, path: String::new() }
}

/// The members of a mapping by name, or those of a list by the best name they have.
fn entries(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(members) => members
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let name = value["name"].as_str();
                let target = value["$ref"].as_str().and_then(|target| target.rsplit('/').next());
                (name.or(target).map_or_else(|| index.to_string(), str::to_owned), value)
            })
            .collect(),
        _ => Vec::new(),
    }
}

pub fn check(document: &Document, nodes: &[Node], report: &mut Report) {
    for node in nodes {
        match (node.value.as_object(), node.reference()) {
            (None, _) => report.add(&node.place, "a mapping must stand here"),
            (_, Some(target)) => reference(&document.merged, node, target, report),
            (Some(members), None) => {
                for key in
                    members.keys().filter(|key| !node.kind.keys().iter().any(|(known, _)| known == key))
                {
                    let written = |key| if key == "value" { "externalValue" } else { key };
                    let known: Vec<&str> = node.kind.keys().iter().map(|(key, _)| written(*key)).collect();
                    match node.kind.refusal(key) {
                        Some(reason) => report.add(&node.place.at(key), reason),
                        None => report.add(
                            &node.place,
                            format!("`{key}` is no key of the dialect; write one of {}", known.join(", ")),
                        ),
                    }
                }
            }
        }
    }
}

fn reference(document: &Value, node: &Node, target: &str, report: &mut Report) {
    let place = node.place.at("$ref");
    let Some(section) = node.kind.section() else {
        report.add(&node.place, "progenitor does not follow a `$ref` here; write the content itself");
        return;
    };
    let components = &document["components"][section];
    let prefix = format!("#/components/{section}/");
    if node.is_component() {
        report.add(
            &place,
            "a component that is another's second name; write the other's name where it is used",
        );
    } else if !target.starts_with("#/") {
        report.add(
            &place,
            format!(
                "`{target}` is not in this document, which makes progenitor panic; list the file in `x-files` \
                 and write '{prefix}…'"
            ),
        );
    } else if target.strip_prefix(&prefix).is_none_or(|name| components.get(name).is_none()) {
        report.add(&place, format!("there is no `{target}`; write '{prefix}…' and the name of one there is"));
    }
    for (key, _) in node.value.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref") {
        report.add(
            &node.place,
            format!("`{key}` beside a `$ref` is ignored; write it in the component, or leave it out"),
        );
    }
}

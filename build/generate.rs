//! Runs progenitor for each family and makes a module of what it gives.
//!
//! progenitor is relied on for three things: the types of the schemas, a
//! builder struct an operation with a typed field a parameter, and the names
//! and documentation of the methods. Everything around them is written here,
//! above all the body of `send`, which hands the request to
//! `crate::request`. Where progenitor's output has another form than expected,
//! the build fails and says so: this file is the one place to mend then.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, panic,
};

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypeImpl, TypePatch};
use serde_json::{Map, Value, json};
use syn::{
    Attribute, Expr, ExprLit, GenericArgument, Ident, ImplItem, Item, ItemMod, Lit, Type, parse_quote,
};

use crate::operations::{self, all, component_type, credential, payload_type, resolve, text};

/// The source of one module for each family of the document.
pub fn families(document: &Value) -> Result<String, String> {
    let mut families: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    let ids = operations::sorted_ids(document);
    for (path, method, operation) in all(document) {
        let id = text(&operation["operationId"]);
        let position = ids.binary_search(&id).expect("listed a moment ago");
        families.entry(text(&operation["tags"][0])).or_default().push(Operation {
            path,
            method,
            id,
            position,
            node: operation,
        });
    }
    // Of all families, since one may use the types of another.
    let (mut used, mut sent) = (BTreeSet::new(), BTreeSet::new());
    for operation in families.values().flatten() {
        reachable(document, operation.node, &mut used);
        reachable(document, &operation.node["requestBody"], &mut sent);
    }
    let mut source = String::new();
    for (name, operations) in &families {
        let mut schemas = used.clone();
        schemas.retain(|schema| document["components"]["schemas"][schema]["x-family"] == *name);
        let module =
            family(document, name, operations, schemas, &sent).map_err(|error| format!("{name}: {error}"))?;
        source.push_str(&module);
    }
    Ok(source)
}

/// An operation of the document, with its place in the operation table.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    id: &'a str,
    position: usize,
    node: &'a Value,
}

/// The source of the module of one family, with types of `schemas` and of all
/// that its operations reach and no other family has; of `sent` with builders.
fn family(
    document: &Value,
    name: &str,
    operations: &[Operation],
    schemas: BTreeSet<String>,
    sent: &BTreeSet<String>,
) -> Result<String, String> {
    let mut file = run_progenitor(document, name, operations, schemas)?;
    let mut types = take_module(&mut file, "types")?;
    let structs = builder_structs(&mut file)?;
    let methods = methods(&file)?;

    only_needed_builders(sent, &mut types);
    box_large(sent, &mut types);
    let mut builders: Vec<Item> = Vec::new();
    let mut without_session: Vec<ImplItem> = Vec::new();
    let mut with_session: Vec<ImplItem> = Vec::new();
    let mut session_scheme = None;
    for operation in operations {
        let method = methods.get(operation.id).ok_or_else(|| changed("method", operation.id))?;
        let fields = structs.get(&method.builder).ok_or_else(|| changed("builder", operation.id))?;
        let builder = &method.builder;
        builders.extend(builder_items(document, name, operation, builder, fields)?);
        let (id, docs): (Ident, _) = (ident(operation.id), &method.docs);
        let call: ImplItem = parse_quote! {
            #(#docs)*
            pub fn #id(&self) -> builder::#builder<'_> {
                builder::#builder::new(&self.state)
            }
        };
        match session_of(operation.node) {
            Some(scheme) => {
                if *session_scheme.get_or_insert(scheme) != scheme {
                    return Err(
                        "its operations need the sessions of two kinds; write two families".to_owned()
                    );
                }
            }
            None => without_session.push(call.clone()),
        }
        with_session.push(call);
    }

    let description = document["tags"].as_array().into_iter().flatten().find(|tag| tag["name"] == name);
    let description = description.map_or("", |tag| text(&tag["description"])).trim();
    let mut handles: Vec<Item> = Vec::new();
    let module = ident(name);
    if !without_session.is_empty() {
        let of_client = operations::client_method(document, name);
        let about = format!(
            "{description}\n\nThe operations of `{name}` that need no session; returned by [`Client::{of_client}`](crate::Client::{of_client})."
        );
        let of_client = ident(of_client);
        handles.extend(handle("Api", &about, &without_session));
        handles.push(parse_quote! {
            impl crate::Client {
                #[doc = #description]
                #[must_use]
                pub fn #of_client(&self) -> Api {
                    Api { state: self.state().clone() }
                }
            }
        });
    }
    if let Some(scheme) = session_scheme {
        let kind = ident(&operations::kind_name(scheme));
        let about = format!(
            "{description}\n\nThe operations of `{name}`; returned by [`Session::{name}`](crate::Session::{name})."
        );
        handles.extend(handle("SessionApi", &about, &with_session));
        handles.push(parse_quote! {
            impl crate::Session<crate::session::kinds::#kind> {
                #[doc = #description]
                #[must_use]
                pub fn #module(&self) -> SessionApi {
                    SessionApi { state: self.state().clone() }
                }
            }
        });
    }
    let module: Item = parse_quote! {
        #[doc = #description]
        pub mod #module {
            #(#handles)*
            #types
            /// Builders of the requests, one an operation.
            pub mod builder {
                use super::types;
                use crate::request::{Given, Request};
                #(#builders)*
            }
        }
    };
    Ok(prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![module],
    }))
}

/// What is missing where progenitor's output is not what it was.
fn changed(what: &str, operation: &str) -> String {
    format!("progenitor gives no {what} for {operation}; it has changed, see build/generate.rs")
}

fn ident(name: &str) -> Ident {
    syn::parse_str(name).unwrap_or_else(|_| syn::parse_str(&format!("r#{name}")).expect("a name of Rust"))
}

/// The security scheme of the session that an operation needs, if it needs one.
fn session_of(operation: &Value) -> Option<&str> {
    credential(operation)?.session()
}

/// progenitor's output for the operations of a family, `schemas`, and those
/// that both reach. A response is the payload alone: the envelope is
/// one generic type of ours, and so are failures.
fn run_progenitor(
    document: &Value,
    family: &str,
    operations: &[Operation],
    schemas: BTreeSet<String>,
) -> Result<syn::File, String> {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let mut node = operation.node.clone();
        node["responses"] = json!({"200": operation.node["responses"]["200"]});
        paths.entry(operation.path).or_default().insert(operation.method.to_owned(), node);
    }
    let mut reduced = document.clone();
    reduced["paths"] = json!(paths);
    let mut names = BTreeSet::new();
    reachable(document, &reduced["paths"], &mut names);
    for schema in schemas {
        reachable(document, &json!({"$ref": format!("#/components/schemas/{schema}")}), &mut names);
    }
    if let Some(schemas) = reduced["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| names.contains(name.as_str()));
    }
    reduced["components"]["responses"] = json!({});
    let spec =
        serde_json::from_value(reduced).map_err(|error| format!("not an OpenAPI 3.0 document: {error}"))?;
    let settings = settings(document, family, &names);
    // progenitor asserts where it should report; the dialect check names the
    // operation for every case known, and this is the net under it.
    let tokens = panic::catch_unwind(|| Generator::new(&settings).generate_tokens(&spec))
        .map_err(|_| "progenitor panicked (see above); the dialect check has missed a case".to_owned())?
        .map_err(|error| format!("progenitor: {error}"))?;
    syn::parse2(tokens).map_err(|error| format!("the generated client does not parse: {error}"))
}

fn settings(document: &Value, family: &str, names: &BTreeSet<String>) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap");
    if env::var_os("CARGO_FEATURE_SCHEMARS").is_some() {
        settings.with_derive("schemars::JsonSchema");
    }
    for name in names {
        let schema = &document["components"]["schemas"][name];
        let elsewhere = schema["x-family"].as_str().is_some_and(|other| other != family);
        if elsewhere || schema.get("x-rust").is_some() {
            let traits: [TypeImpl; 0] = [];
            settings.with_replacement(name, component_type(document, name, family), traits.into_iter());
        } else {
            settings.with_patch(name, TypePatch::default().with_attr("#[non_exhaustive]"));
        }
    }
    settings
}

/// Adds the names of all schemas that `value` refers to, through parameters
/// and other schemas too.
fn reachable(document: &Value, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                let schema = target.strip_prefix("#/components/schemas/");
                if schema.is_none_or(|name| names.insert(name.to_owned())) {
                    reachable(document, resolve(document, value), names);
                }
            }
            let content = members.iter().filter(|(key, _)| *key != "examples");
            content.for_each(|(_, member)| reachable(document, member, names));
        }
        Value::Array(members) => members.iter().for_each(|member| reachable(document, member, names)),
        _ => {}
    }
}

fn take_module(file: &mut syn::File, name: &str) -> Result<ItemMod, String> {
    let found = file.items.iter().position(|item| matches!(item, Item::Mod(module) if module.ident == name));
    match found.map(|at| file.items.remove(at)) {
        Some(Item::Mod(module)) if module.content.is_some() => Ok(module),
        _ => Err(format!("progenitor gives no module `{name}`; it has changed, see build/generate.rs")),
    }
}

/// The fields of every operation's builder, by its name and then theirs.
fn builder_structs(file: &mut syn::File) -> Result<BTreeMap<Ident, BTreeMap<String, Type>>, String> {
    let (_, items) = take_module(file, "builder")?.content.expect("checked");
    let mut structs = BTreeMap::new();
    for item in items {
        let Item::Struct(builder) = item else { continue };
        let fields = builder.fields.into_iter().filter_map(|field| {
            let name = field.ident?.to_string();
            Some((plain(&name), parameter_type(&field.ty)?))
        });
        structs.insert(builder.ident, fields.collect());
    }
    Ok(structs)
}

/// `T` of `Result<T, String>` and of `Result<Option<T>, String>`.
fn parameter_type(field: &Type) -> Option<Type> {
    let result = first_argument(field, "Result")?;
    Some(first_argument(&result, "Option").unwrap_or(result))
}

fn first_argument(of: &Type, name: &str) -> Option<Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(argument) => Some(argument.clone()),
        _ => None,
    }
}

/// A generated method of the client: its documentation, and the builder it gives.
struct Method {
    docs: Vec<Attribute>,
    builder: Ident,
}

fn methods(file: &syn::File) -> Result<BTreeMap<String, Method>, String> {
    let mut methods = BTreeMap::new();
    for item in &file.items {
        let Item::Impl(block) = item else { continue };
        for item in &block.items {
            let ImplItem::Fn(function) = item else { continue };
            let syn::ReturnType::Type(_, output) = &function.sig.output else { continue };
            let Type::Path(path) = &**output else { continue };
            let segments: Vec<_> = path.path.segments.iter().collect();
            if let [module, builder] = segments.as_slice()
                && module.ident == "builder"
            {
                let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
                let docs = docs.map(without_sketch).collect::<Result<_, _>>()?;
                methods
                    .insert(function.sig.ident.to_string(), Method { docs, builder: builder.ident.clone() });
            }
        }
    }
    Ok(methods)
}

/// progenitor adds a sketch of a call to the documentation, which is none
/// that compiles. The reference has one that runs.
fn without_sketch(attribute: &Attribute) -> Result<Attribute, String> {
    let syn::Meta::NameValue(value) = &attribute.meta else {
        return Err("documentation of another form".into());
    };
    let Expr::Lit(ExprLit { lit: Lit::Str(docs), .. }) = &value.value else {
        return Err("documentation of another form".into());
    };
    let docs = docs.value();
    let docs = docs.split("```ignore").next().unwrap_or_default().trim_end();
    Ok(parse_quote!(#[doc = #docs]))
}

/// A struct with its `impl` block and constructor.
fn handle(name: &str, about: &str, methods: &[ImplItem]) -> Vec<Item> {
    let name = ident(name);
    vec![
        parse_quote! {
            #[doc = #about]
            #[derive(Clone, Debug)]
            pub struct #name {
                pub(crate) state: crate::client::ClientState,
            }
        },
        parse_quote! {
            impl #name {
                #(#methods)*
            }
        },
    ]
}

/// Letters and digits alone, so that `x-api-version` is `x_api_version`.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(|character: char| !character.is_ascii_alphanumeric(), "")
}

/// The name of the setter of a parameter: `fromDate` is `from_date`.
pub fn setter(name: &str) -> String {
    let mut setter = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            setter.push('_');
            setter.push(character.to_ascii_lowercase());
        } else {
            setter.push(if character.is_ascii_alphanumeric() { character } else { '_' });
        }
    }
    setter
}

/// The builder of an operation: a setter a parameter, and `send`.
fn builder_items(
    document: &Value,
    family: &str,
    operation: &Operation,
    name: &Ident,
    types: &BTreeMap<String, Type>,
) -> Result<Vec<Item>, String> {
    let mut fields: Vec<Ident> = Vec::new();
    let mut field_types: Vec<Type> = Vec::new();
    let mut setters: Vec<ImplItem> = Vec::new();
    let mut steps: Vec<syn::Stmt> = Vec::new();
    let parameters = operation.node["parameters"].as_array().into_iter().flatten();
    for (position, parameter) in parameters.map(|parameter| resolve(document, parameter)).enumerate() {
        let known = text(&parameter["name"]);
        let of_type =
            types.get(&plain(known)).ok_or_else(|| changed(&format!("field `{known}`"), operation.id))?;
        let field = ident(&setter(known));
        let docs = text(&parameter["description"]).trim_end();
        let schema = resolve(document, &parameter["schema"]);
        steps.push(if schema["type"] == "array" {
            parse_quote!(request.parameter(#position, self.#field)?;)
        } else {
            parse_quote!(request.parameter(#position, self.#field.once())?;)
        });
        setters.push(parse_quote! {
            #[doc = #docs]
            pub fn #field(mut self, value: impl TryInto<#of_type, Error: 'static>) -> Self {
                self.#field = Given::from(value);
                self
            }
        });
        fields.push(field);
        field_types.push(of_type.clone());
    }
    if let Some(body) = operation.node.get("requestBody") {
        let schema = &body["content"]["application/json"]["schema"];
        let mut of_type: Type = syn::parse_str(&payload_type(document, schema, family)).expect("a path");
        let field: Ident = parse_quote!(body);
        let needs: Vec<&str> = body["x-document"].as_array().into_iter().flatten().map(text).collect();
        if body.get("x-document").is_some() {
            of_type = parse_quote!(crate::Document<#of_type>);
        }
        setters.push(parse_quote! {
            /// The body, sent as JSON.
            pub fn body(mut self, value: impl TryInto<#of_type, Error: std::fmt::Display>) -> Self {
                self.body = Given::body(value);
                self
            }
        });
        steps.push(parse_quote!(request.body(self.body, &[#(#needs),*])?;));
        fields.push(field);
        field_types.push(of_type);
    }
    let answer = &operation.node["responses"]["200"]["content"]["application/json"]["schema"];
    let answer: Type = syn::parse_str(&payload_type(document, answer, family)).expect("a path");
    let position = operation.position;
    let dropped = if operation.node["x-idempotent"] == false {
        "\n\n**Cancel safety**: if the future is dropped after the request was sent, the request still \
         completes, and an event with the target `sandbox_client` reports the outcome and the id of a job."
    } else {
        ""
    };
    let sends = format!(
        "Sends the request: `{} {}`.{dropped}\n\n# Errors\n\nAny kind of [`ErrorKind`](crate::ErrorKind); \
         [`Input`](crate::ErrorKind::Input) with the name of a parameter that is missing or invalid, before anything is sent.",
        operation.method.to_uppercase(),
        operation.path
    );
    let about = format!("A request of `{}` before it is sent.", operation.id);
    let request: syn::Stmt = if steps.is_empty() {
        parse_quote!(let request = Request::new(self.state, #position);)
    } else {
        parse_quote!(let mut request = Request::new(self.state, #position);)
    };
    Ok(vec![
        parse_quote! {
            #[doc = #about]
            #[derive(Clone, Debug)]
            #[must_use = "nothing is sent before `send`"]
            pub struct #name<'a> {
                state: &'a crate::client::ClientState,
                #(#fields: Given<#field_types>,)*
            }
        },
        parse_quote! {
            impl<'a> #name<'a> {
                pub(crate) fn new(state: &'a crate::client::ClientState) -> Self {
                    Self { state, #(#fields: Given::Missing,)* }
                }
                #(#setters)*
                #[doc = #sends]
                pub async fn send(self) -> Result<crate::Answer<#answer>, crate::Error> {
                    #request
                    #(#steps)*
                    request.send().await
                }
            }
        },
    ])
}

/// Removes the builders of types that no request contains: more than half of
/// what progenitor writes, and of no use to anybody who reads an answer.
fn only_needed_builders(sent: &BTreeSet<String>, types: &mut ItemMod) {
    let unneeded = |of: &Type| last_ident(of).is_some_and(|name| !sent.contains(&name.to_string()));
    let Some((_, items)) = &mut types.content else { return };
    items.retain(|item| match item {
        // impl X { pub fn builder() -> builder::X }
        Item::Impl(block) if block.trait_.is_none() => {
            let builds =
                matches!(block.items.as_slice(), [ImplItem::Fn(function)] if function.sig.ident == "builder");
            !(builds && unneeded(&block.self_ty))
        }
        _ => true,
    });
    for item in items {
        let Item::Mod(module) = item else { continue };
        let Some((_, items)) = module.content.as_mut().filter(|_| module.ident == "builder") else {
            continue;
        };
        items.retain(|item| match item {
            Item::Struct(builder) => sent.contains(&builder.ident.to_string()),
            Item::Impl(block) => !unneeded(&block.self_ty),
            _ => true,
        });
    }
}

/// Bytes from which on a type is large.
const LARGE: usize = 512;

/// Puts optional members behind a pointer whose type is large, in types that no
/// request contains: a statement of many levels would otherwise be tens of
/// kilobytes, moved at each level and held by every call that waits for one.
fn box_large(sent: &BTreeSet<String>, types: &mut ItemMod) {
    let Some((_, items)) = &mut types.content else { return };
    let structs = items.iter().filter_map(|item| match item {
        Item::Struct(of) => Some((of.ident.to_string(), of.fields.clone())),
        _ => None,
    });
    let structs: BTreeMap<String, syn::Fields> = structs.collect();
    for item in items {
        let Item::Struct(of) = item else { continue };
        if sent.contains(&of.ident.to_string()) {
            continue;
        }
        for field in &mut of.fields {
            if let Some(inner) = first_argument(&field.ty, "Option")
                && size(&inner, &structs, sent) > LARGE
            {
                field.ty = parse_quote!(::std::option::Option<::std::boxed::Box<#inner>>);
            }
        }
    }
}

/// How many bytes a value of a type takes, about: of an optional one as many as
/// of the value, of a type that is not a struct of the family those of a text.
fn size(of: &Type, structs: &BTreeMap<String, syn::Fields>, sent: &BTreeSet<String>) -> usize {
    const POINTER: usize = 8;
    const TEXT: usize = 24;
    if let Some(inner) = first_argument(of, "Option") {
        return size(&inner, structs, sent);
    }
    let name = last_ident(of).map(ToString::to_string).unwrap_or_default();
    let Some(fields) = structs.get(&name) else { return TEXT };
    let boxed = |size: usize| if size > LARGE && !sent.contains(&name) { POINTER } else { size };
    fields.iter().map(|field| boxed(size(&field.ty, structs, sent))).sum()
}

fn last_ident(of: &Type) -> Option<&Ident> {
    let Type::Path(path) = of else { return None };
    Some(&path.path.segments.last()?.ident)
}

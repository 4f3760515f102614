//! Runs progenitor over the merged document.

use std::{env, panic};

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl, TypePatch};
use serde_json::Value;
use syn::{Expr, ImplItem, Item, Type, punctuated::Punctuated};

use crate::operations;

/// The source of the generated client.
pub fn client(document: &Value) -> Result<String, String> {
    let spec = serde_json::from_value(document.clone())
        .map_err(|error| format!("not an OpenAPI 3.0 document: {error}"))?;

    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type("crate::client::Scope".parse().expect("a type"))
        .with_map_type("::std::collections::BTreeMap");
    if env::var_os("CARGO_FEATURE_SCHEMARS").is_some() {
        settings.with_derive("schemars::JsonSchema");
    }
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        match schema["x-rust"].as_str() {
            Some(rust) => {
                let traits: [TypeImpl; 0] = [];
                settings.with_replacement(name, format!("crate::values::{rust}"), traits.into_iter());
            }
            None => {
                settings.with_patch(name, TypePatch::default().with_attr("#[non_exhaustive]"));
            }
        }
    }

    // progenitor asserts where it should report; the dialect check names the
    // operation for every case known, and this is the net under it.
    let tokens = panic::catch_unwind(|| Generator::new(&settings).generate_tokens(&spec))
        .map_err(|_| "progenitor panicked (see above); the dialect check has missed a case".to_owned())?
        .map_err(|error| format!("progenitor: {error}"))?;
    let mut file =
        syn::parse2(tokens).map_err(|error| format!("the generated client does not parse: {error}"))?;
    drop_constructors(&mut file)?;
    let wrapped = wrap_send(&mut file)?;
    let operations = operations::all(document).count();
    if wrapped != operations {
        return Err(format!(
            "the generated client sends {wrapped} requests for {operations} operations; progenitor has changed"
        ));
    }
    hand_over_decoding(&prettyplease::unparse(&file), operations)
}

/// Removes the generated constructors: a client made by them would have
/// neither credentials nor safety settings. `Client::builder` is the only door.
fn drop_constructors(file: &mut syn::File) -> Result<(), String> {
    let (mut dropped, mut hidden) = (0, 0);
    for item in &mut file.items {
        if let Item::Impl(block) = item
            && block.trait_.is_none()
            && matches!(&*block.self_ty, Type::Path(path) if path.path.is_ident("Client"))
        {
            let before = block.items.len();
            block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
            dropped += before - block.items.len();
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item
                    && function.sig.ident == "new_with_client"
                {
                    function.vis = syn::parse_quote!(pub(crate));
                    hidden += 1;
                }
            }
        }
    }
    if (dropped, hidden) == (1, 1) {
        Ok(())
    } else {
        Err("the generated client has other constructors; progenitor has changed".to_owned())
    }
}

/// Makes every `send` end in `crate::Error`, which knows its operation and
/// prints no body and no address. progenitor's error stays inside.
fn wrap_send(file: &mut syn::File) -> Result<usize, String> {
    let mut wrapped = 0;
    let builders = file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_mut(),
        _ => None,
    });
    for item in builders.into_iter().flat_map(|(_, items)| items) {
        let Item::Impl(block) = item else { continue };
        let Some(position) = block
            .items
            .iter()
            .position(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == "send"))
        else {
            continue;
        };
        let ImplItem::Fn(inner) = &mut block.items[position] else { unreachable!("matched above") };
        let operation =
            operation_id(inner).ok_or("a generated `send` names no operation; progenitor has changed")?;
        let lacks =
            |what: &str| format!("`send` of {} has no {what}; progenitor has changed", operation.value());
        let value = success_type(inner).ok_or_else(|| lacks("Result"))?;
        drop_version_header(inner).ok_or_else(|| lacks("api-version"))?;
        take_prepared_address(inner, &operation).ok_or_else(|| lacks("address"))?;
        add_headers_if_any(inner).ok_or_else(|| lacks("headers"))?;
        let attributes = std::mem::take(&mut inner.attrs);
        inner.vis = syn::Visibility::Inherited;
        inner.sig.ident = syn::parse_quote!(send_generated);
        let outer: ImplItem = syn::parse_quote! {
            #(#attributes)*
            pub async fn send(self) -> Result<#value, crate::Error> {
                self.send_generated().await.map_err(|error| crate::transport::into_error(error, #operation))
            }
        };
        block.items.insert(position, outer);
        wrapped += 1;
    }
    Ok(wrapped)
}

/// Removes the header that tells the server our document's version: this API
/// knows none such.
fn drop_version_header(function: &mut syn::ImplItemFn) -> Option<()> {
    // Without it the map is empty, mostly: nothing to make room for.
    *local(function, "header_map")? = syn::parse_quote!(::reqwest::header::HeaderMap::new());
    let before = function.block.stmts.len();
    function.block.stmts.retain(|statement| {
        let syn::Stmt::Expr(Expr::MethodCall(append), _) = statement else { return true };
        let Some(Expr::Call(name)) = append.args.first() else { return true };
        !matches!(
            name.args.first(),
            Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. })) if name.value() == "api-version"
        )
    });
    (before - function.block.stmts.len() == 1).then_some(())
}

/// Adds the headers that are parameters where there are some. The generated
/// code goes through the motions with an empty map too.
fn add_headers_if_any(function: &mut syn::ImplItemFn) -> Option<()> {
    let mut call = local(function, "request")?;
    loop {
        call = match call {
            // client.client.get(url).header(…).headers(header_map).build()?
            Expr::MethodCall(headers) if headers.method == "headers" => {
                *call = (*headers.receiver).clone();
                break;
            }
            Expr::MethodCall(other) => &mut other.receiver,
            Expr::Try(build) => &mut build.expr,
            _ => return None,
        };
    }
    let after = 1 + position(function, "request")?;
    function.block.stmts.insert(
        after,
        syn::parse_quote! {
            if !header_map.is_empty() {
                request.headers_mut().extend(header_map);
            }
        },
    );
    Some(())
}

/// Which statement of a generated `send` makes a local variable.
fn position(function: &syn::ImplItemFn, name: &str) -> Option<usize> {
    function.block.stmts.iter().position(|statement| {
        matches!(statement, syn::Stmt::Local(syn::Local { pat: syn::Pat::Ident(found), .. }) if found.ident == name)
    })
}

/// What the variable is made from.
fn local<'a>(function: &'a mut syn::ImplItemFn, name: &str) -> Option<&'a mut Expr> {
    let at = position(function, name)?;
    let syn::Stmt::Local(local) = &mut function.block.stmts[at] else { return None };
    local.init.as_mut().map(|init| &mut *init.expr)
}

/// Copies the address that the client has put together already or, where the
/// path has parameters, puts the path on the base URL that is parsed already.
/// The generated code parses the whole address for each request, host and all.
fn take_prepared_address(function: &mut syn::ImplItemFn, operation: &syn::LitStr) -> Option<()> {
    let address = local(function, "url")?;
    // format!("{}/path/{}", client.baseurl, encode_path(…))
    let Expr::Macro(format) = &*address else { return None };
    let mut arguments =
        format.mac.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated).ok()?.into_iter();
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(template), .. }) = arguments.next()? else { return None };
    let template = template.value().strip_prefix("{}")?.to_owned();
    if !matches!(arguments.next()?, Expr::Field(base) if base.member == syn::parse_quote!(baseurl)) {
        return None;
    }
    let parameters: Vec<Expr> = arguments.collect();
    *address = if parameters.is_empty() {
        syn::parse_quote!(client.inner.address(#operation))
    } else {
        syn::parse_quote!(client.inner.base_url().with_path(&format!(#template, #(#parameters),*)))
    };
    Some(())
}

/// The literal of `OperationInfo { operation_id: "…" }` in a generated `send`.
fn operation_id(function: &syn::ImplItemFn) -> Option<syn::LitStr> {
    function.block.stmts.iter().find_map(|statement| {
        let syn::Stmt::Local(local) = statement else { return None };
        let Expr::Struct(info) = &*local.init.as_ref()?.expr else { return None };
        let field = info
            .fields
            .iter()
            .find(|field| matches!(&field.member, syn::Member::Named(name) if name == "operation_id"))?;
        match &field.expr {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(id), .. }) => Some(id.clone()),
            _ => None,
        }
    })
}

/// `T` of a signature that ends in `Result<T, E>`.
fn success_type(function: &syn::ImplItemFn) -> Option<Type> {
    let syn::ReturnType::Type(_, output) = &function.sig.output else { return None };
    let Type::Path(path) = &**output else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(value) => Some(value.clone()),
        _ => None,
    }
}

/// Lets `transport::decode` read the answers. progenitor's own reader drops
/// status, headers and operation where a body does not fit its type.
fn hand_over_decoding(source: &str, operations: usize) -> Result<String, String> {
    const THEIRS: &str = "ResponseValue::from_response(";
    let found = source.matches(THEIRS).count();
    if found < operations {
        return Err(format!(
            "the generated client reads {found} answers for {operations} operations; progenitor has changed"
        ));
    }
    let source = source
        .replace(THEIRS, "crate::transport::decode(")
        // Its usage lines are a sketch, not a program: text, not a test that is skipped.
        .replace("```ignore", "```text");
    if source.contains("from_response") {
        return Err("the generated client reads answers in another way; progenitor has changed".to_owned());
    }
    Ok(source)
}

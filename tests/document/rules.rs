//! The dialect of `openapi/`: each test breaks one rule of the real document
//! and reads the message. The rules and their reasons: `openapi/README.md`.

use std::{fs, path::Path, sync::LazyLock};

use serde_json::{Value, json};

use crate::{
    dialect,
    document::{self, Document},
};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi"))
}

fn real() -> Document {
    static REAL: LazyLock<Document> = LazyLock::new(|| document::load(folder(), &|_| true).unwrap());
    Document { merged: REAL.merged.clone(), origin: REAL.origin.clone() }
}

/// Sets the value at a place, which `resolve` below reads; null removes it,
/// and `-` adds to a list.
type Change<'a> = (&'a str, Value);

/// A JSON pointer, which may begin with `count` (the one operation that every
/// version of the document has), `success` (its example `others`), or a
/// section of the components.
fn resolve(place: &str) -> String {
    const COUNT: &str = "/paths/~1gst~1compliance~1tax-payer~1invoices~1count/get";
    let (first, rest) = place.split_at(place.find('/').unwrap_or(place.len()));
    match first {
        "" => place.to_owned(),
        "count" => format!("{COUNT}{rest}"),
        "success" => format!("{COUNT}/responses/200/content/application~1json/examples/others{rest}"),
        _ => format!("/components/{place}"),
    }
}

fn apply(document: &mut Value, (place, value): &Change<'_>) {
    let pointer = resolve(place);
    let mut keys: Vec<String> = pointer.split('/').skip(1).map(|key| key.replace("~1", "/")).collect();
    let last = keys.pop().unwrap();
    let mut parent = document;
    for key in keys {
        parent = match parent {
            Value::Array(list) => &mut list[key.parse::<usize>().unwrap()],
            mapping => &mut mapping[key],
        };
    }
    match parent {
        Value::Array(list) if last == "-" => list.push(value.clone()),
        Value::Object(members) if value.is_null() => {
            members.remove(&last).unwrap_or_else(|| panic!("no {pointer}"));
        }
        parent => parent[last] = value.clone(),
    }
}

fn violations(changes: &[Change<'_>]) -> Vec<String> {
    let mut document = real();
    for change in changes {
        apply(&mut document.merged, change);
    }
    dialect::check(&document)
}

/// Applies the changes to the real document and expects these messages, the
/// name of a file before each. Which file, `a_violation_names_its_file` tests.
#[track_caller]
fn refused(changes: &[Change<'_>], expected: &[&str]) {
    let found = violations(changes);
    let found: Vec<&str> = found
        .iter()
        .map(|message| message.split_once(".yaml: ").expect("a message begins with its file").1)
        .collect();
    assert_eq!(found, expected, "{}", changes[0].0);
}

#[track_caller]
fn allowed(changes: &[Change<'_>]) {
    assert_eq!(violations(changes), [] as [String; 0]);
}

#[test]
fn the_document_keeps_to_the_dialect() {
    allowed(&[]);
}

/// The operation that `openapi/README.md` tells people to copy.
#[test]
fn the_recipe_keeps_to_the_dialect() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    // A line that ends in the name of a file stands before its content.
    let files = readme.split("`signature/").skip(1).map(|part| {
        let (name, rest) = part.split_once("`:\n\n```").unwrap();
        let content = rest.split_once('\n').and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
        (format!("signature/{name}"), content)
    });
    let files: Vec<_> = files.collect();
    let root = "x-files: [signature/signature.yaml]";
    let files = files.iter().map(|(name, content)| (name.as_str(), *content));
    let files: Vec<_> = [("sandbox.yaml", root)].into_iter().chain(files).collect();
    let alone = load("recipe", &files).unwrap().merged;

    let mut document = real();
    document.merged["tags"].as_array_mut().unwrap().extend(alone["tags"].as_array().unwrap().clone());
    for section in ["/paths", "/components/schemas"] {
        let target = document.merged.pointer_mut(section).unwrap().as_object_mut().unwrap();
        target.extend(alone.pointer(section).unwrap().as_object().unwrap().clone());
    }
    assert_eq!(dialect::check(&document), [] as [String; 0]);
}

// ---- head -------------------------------------------------------------------

#[test]
fn openapi_is_3_0_3() {
    for version in [json!("3.1.0"), json!("3.0.0"), json!(3.0), Value::Null] {
        refused(&[("/openapi", version)], &["openapi: progenitor reads OpenAPI 3.0 only; write 3.0.3"]);
    }
}

#[test]
fn the_version_is_ascii_semver() {
    for version in ["1", "1.0", "1.0.x", "01.0.0", "1..0", "1.0.0-", "v1.0.0", "1.0.0–rc", "", "1.0.0 "] {
        refused(
            &[("/info/version", json!(version))],
            &[
                "info.version: it stands in the documentation of the client as the version; write three numbers such as 0.1.0",
            ],
        );
    }
    for version in ["0.1.0", "10.20.30", "1.0.0-rc.1", "1.0.0+5", "1.0.0-a+b"] {
        allowed(&[("/info/version", json!(version))]);
    }
}

// ---- keys and references ----------------------------------------------------

#[test]
fn references_are_local_and_resolve() {
    let place = "schemas/InvoiceJobReport/properties/status_cd/$ref";
    refused(
        &[(place, json!("#/components/schemas/CountGroup"))],
        &[
            "schemas/InvoiceJobReport: properties.status_cd.$ref: there is no `#/components/schemas/CountGroup`; write '#/components/schemas/…' and the name of one there is",
        ],
    );
    refused(
        &[(place, json!("counts.yaml#/components/schemas/CountGroups"))],
        &[
            "schemas/InvoiceJobReport: properties.status_cd.$ref: `counts.yaml#/components/schemas/CountGroups` is not in this document, which makes progenitor panic; list the file in `x-files` and write '#/components/schemas/…'",
        ],
    );
    // progenitor looks at the last part only, whatever the section.
    for target in [
        "#/components/responses/ClientError",
        "#/components/schemas/CountGroups/properties/all_oth",
        "#/info",
    ] {
        assert_eq!(violations(&[(place, json!(target))]).len(), 1, "{target}");
    }
}

#[test]
fn a_reference_stands_alone() {
    refused(
        &[("schemas/InvoiceJobReport/properties/status_cd/nullable", json!(true))],
        &[
            "schemas/InvoiceJobReport: properties.status_cd: `nullable` beside a `$ref` is ignored; write it in the component, or leave it out",
        ],
    );
    refused(
        &[("schemas/Counts", json!({"$ref": "#/components/schemas/CountGroups"}))],
        &[
            "schemas/Counts: $ref: a component that is another's second name; write the other's name where it is used",
        ],
    );
}

#[test]
fn references_stand_where_progenitor_follows_them() {
    refused(
        &[("/paths/~1other", json!({"$ref": "#/paths/~1gst"}))],
        &["/other: progenitor does not follow a `$ref` here; write the content itself"],
    );
}

#[test]
fn a_path_holds_methods_only() {
    for key in ["parameters", "summary", "servers", "x-note"] {
        refused(
            &[(&format!("/paths/~1gst~1compliance~1tax-payer~1invoices~1count/{key}"), json!([]))],
            &[&format!(
                "/gst/compliance/tax-payer/invoices/count: {key}: the operation table does not look here; write it in each operation"
            )],
        );
    }
}

#[test]
fn methods_are_those_of_the_http_client() {
    for method in ["options", "trace"] {
        refused(
            &[(&format!("/paths/~1gst~1compliance~1tax-payer~1invoices~1count/{method}"), json!({}))],
            &[&format!(
                "/gst/compliance/tax-payer/invoices/count: {method}: progenitor writes code for it that does not compile; write another method"
            )],
        );
    }
}

#[test]
fn unknown_keys_are_refused() {
    refused(
        &[("count/x-idempotnt", json!(true))],
        &[
            "get_invoice_count: `x-idempotnt` is no key of the dialect; write one of operationId, tags, summary, description, externalDocs, deprecated, security, x-idempotent, x-grants, x-revokes, parameters, requestBody, responses",
        ],
    );
    refused(
        &[("success/x-wen", json!({}))],
        &[
            "get_invoice_count: responses.200.content.application/json.examples.others: `x-wen` is no key of the dialect; write one of summary, description, externalValue, x-inferred, x-when, x-status",
        ],
    );
    for place in [
        "/x-internal",
        "/info/x-logo",
        "/tags/0/x-order",
        "/servers/0/variables",
        "/components/requestBodies",
        "count/callbacks",
        "count/externalDocs/x-title",
        "count/parameters/0/x-rust",
        "count/responses/200/headers",
        "count/responses/200/content/application~1json/x-type",
        "parameters/ApiVersion/allowEmptyValue",
        "schemas/StatusCounts/properties/accept/x-note",
        "schemas/TypeOfGoods/title",
        "schemas/TypeOfGoods/x-rust-type",
        "securitySchemes/api_key/bearerFormat",
    ] {
        assert_eq!(violations(&[(place, json!("x"))]).len(), 1, "{place}");
    }
    // What an example shows is the provider's business.
    allowed(&[("success/value/x-new", json!(1))]);
}

#[test]
fn keys_that_openapi_knows_are_refused_with_a_reason() {
    refused(
        &[("/security", json!([]))],
        &["security: the operation table does not look here; write `security` in each operation"],
    );
    refused(
        &[("count/responses/200/content/application~1json/example", json!({}))],
        &[
            "get_invoice_count: responses.200.content.application/json.example: an example needs a name; write `examples` with `summary` and `externalValue`",
        ],
    );
    refused(
        &[("count/responses/200/content/application~1json/encoding", json!({}))],
        &[
            "get_invoice_count: responses.200.content.application/json.encoding: it makes progenitor panic; leave it out",
        ],
    );
    refused(
        &[("success/externalValue", json!("https://example.com"))],
        &[
            "get_invoice_count: responses.200.content.application/json.examples.others.externalValue: only examples of a request body, of status 200 and of components have files; leave it out",
        ],
    );
    refused(
        &[("schemas/ErrorResponse/properties/code/readOnly", json!(true))],
        &[
            "schemas/ErrorResponse: properties.code.readOnly: the generated types ignore it; write two schemas, one for requests and one for answers",
        ],
    );
}

#[test]
fn an_object_of_the_document_is_a_mapping() {
    refused(
        &[("schemas/ErrorResponse/properties/message", json!("text"))],
        &["schemas/ErrorResponse: properties.message: a mapping must stand here"],
    );
}

// ---- operations -------------------------------------------------------------

#[test]
fn operation_ids_are_snake_case() {
    for id in ["getInvoiceCount", "2b_get", "get__count", "get_count_", "_get", "get-count", "move", "match"]
    {
        refused(
            &[("count/operationId", json!(id))],
            &[&format!(
                "{id}: operationId: it becomes a method; write a snake_case verb phrase that is no Rust keyword, such as get_invoice_count"
            )],
        );
    }
    refused(
        &[("count/operationId", Value::Null)],
        &[
            "GET /gst/compliance/tax-payer/invoices/count: operationId: it becomes a method; write a snake_case verb phrase that is no Rust keyword, such as get_invoice_count",
        ],
    );
    for id in ["ping", "get_part_2b", "get_part2b"] {
        allowed(&[("count/operationId", json!(id))]);
    }
}

#[test]
fn operation_ids_are_unique() {
    let twin = real().merged.pointer(&resolve("count")).unwrap().clone();
    refused(
        &[("/paths/~1other", json!({ "get": twin }))],
        &[
            "get_invoice_count: operationId: `get_invoice_count` names two operations; write another id for one",
        ],
    );
}

#[test]
fn an_operation_has_one_declared_tag() {
    for tags in [json!([]), json!(["ims", "ims"]), json!(["other"]), json!("ims"), Value::Null] {
        refused(
            &[("count/tags", tags)],
            &[
                "get_invoice_count: tags: an operation belongs to one family; write one tag that `tags` declares",
            ],
        );
    }
}

#[test]
fn the_tag_is_the_folder() {
    refused(
        &[("count/tags", json!(["session"]))],
        &[
            "get_invoice_count: tags: the folder of the file is the family; write `ims`, or move the operation",
        ],
    );
}

#[test]
fn a_family_is_a_module() {
    for name in ["eInvoice", "gstr-1", "move", "mock", "values"] {
        let found = violations(&[("/tags/-", json!({"name": name, "description": "A family."}))]);
        let message = format!(
            "sandbox.yaml: tags/{name}: name: it becomes a module and a method; write snake_case, no Rust keyword and no module of the crate"
        );
        assert_eq!(found, [message]);
    }
}

#[test]
fn a_method_of_the_client_may_have_another_name_than_the_family() {
    for name in [json!("eInvoice"), json!("move"), json!(true)] {
        let found =
            violations(&[("/tags/-", json!({"name": "more", "description": "A family.", "x-client": name}))]);
        assert_eq!(
            found,
            [
                "sandbox.yaml: tags/more: x-client: it becomes a method of Client; write snake_case and no Rust keyword"
            ]
        );
    }
    let fits = json!({"name": "more", "description": "A family.", "x-client": "more_api"});
    assert_eq!(violations(&[("/tags/-", fits)]), [""; 0]);
}

#[test]
fn an_operation_is_documented() {
    for key in ["summary", "description"] {
        for prose in [json!(" "), Value::Null] {
            refused(
                &[(&format!("count/{key}"), prose)],
                &[&format!("get_invoice_count: {key}: it documents the method; write one")],
            );
        }
    }
    for (place, value) in
        [("count/externalDocs", Value::Null), ("count/externalDocs/url", json!("see there"))]
    {
        refused(
            &[(place, value)],
            &[
                "get_invoice_count: externalDocs.url: facts need a source; write the address of the provider's page",
            ],
        );
    }
}

#[test]
fn security_is_the_key_and_at_most_one_scheme_more() {
    for security in [
        json!([]),
        json!([{}]),
        json!([{"api_key": []}, {"api_secret": []}]),
        json!([{"taxpayer_token": []}]),
        json!([{"api_key": [], "platform_token": [], "taxpayer_token": []}]),
        Value::Null,
    ] {
        refused(
            &[("count/security", security)],
            &[
                "get_invoice_count: security: a request carries the key and at most one credential more; write one requirement, of api_key alone or with one of api_secret, platform_token and the scheme of a session",
            ],
        );
    }
    for scheme in ["api_secret", "platform_token", "taxpayer_token"] {
        allowed(&[("count/security", json!([{"api_key": [], scheme: []}]))]);
    }
    allowed(&[("count/security", json!([{"api_key": []}]))]);
}

/// A kind of session that no code knows.
fn other_token() -> Value {
    json!({"type": "apiKey", "in": "header", "name": "auth-token", "x-lifetime-hours": 1, "description": "A token."})
}

#[test]
fn a_scheme_is_a_kind_of_session() {
    let security = || ("count/security", json!([{"api_key": [], "other_token": []}]));
    allowed(&[("securitySchemes/other_token", other_token()), security()]);
    refused(
        &[security()],
        &[
            "get_invoice_count: security: there is no scheme `other_token`; write it in components.securitySchemes",
        ],
    );
    for name in ["OtherToken", "other-token", "2_token"] {
        refused(
            &[(&format!("securitySchemes/{name}"), other_token())],
            &[&format!(
                "securitySchemes/{name}: a kind of session becomes a type named after it; write snake_case, such as taxpayer_token"
            )],
        );
    }
}

#[test]
fn a_token_has_a_lifetime() {
    for scheme in ["platform_token", "taxpayer_token"] {
        for lifetime in [json!(0), json!(-6), json!(1.5), json!("6"), Value::Null] {
            refused(
                &[(&format!("securitySchemes/{scheme}/x-lifetime-hours"), lifetime)],
                &[&format!(
                    "securitySchemes/{scheme}: x-lifetime-hours: the mock server lets a token expire after it; write a whole number of hours, at least 1"
                )],
            );
        }
    }
    for scheme in ["api_key", "api_secret"] {
        refused(
            &[(&format!("securitySchemes/{scheme}/x-lifetime-hours"), json!(24))],
            &[&format!(
                "securitySchemes/{scheme}: x-lifetime-hours: key and secret do not expire; leave it out"
            )],
        );
    }
}

#[test]
fn security_schemes_are_declared_as_headers() {
    // Several operations may use a scheme; each is named.
    let messages = violations(&[("securitySchemes/taxpayer_token", Value::Null)]);
    assert!(messages.contains(&
        "ims/ims.yaml: get_invoice_count: security: there is no scheme `taxpayer_token`; write it in components.securitySchemes".to_owned()
    ), "{messages:?}");
    for (place, value) in [
        ("securitySchemes/taxpayer_token/type", json!("http")),
        ("securitySchemes/taxpayer_token/in", json!("query")),
        ("securitySchemes/taxpayer_token/name", Value::Null),
    ] {
        refused(
            &[(place, value)],
            &[
                "securitySchemes/taxpayer_token: credentials are sent as headers; write `type: apiKey`, `in: header` and the `name` of the header",
            ],
        );
    }
}

#[test]
fn an_operation_says_whether_it_may_be_repeated() {
    for value in [json!("yes"), json!(1), Value::Null] {
        refused(
            &[("count/x-idempotent", value)],
            &[
                "get_invoice_count: x-idempotent: retries depend on it; write true if repeating the request changes nothing, otherwise false",
            ],
        );
    }
}

#[test]
fn grants_and_revokes_name_a_token() {
    for key in ["x-grants", "x-revokes"] {
        let place = &format!("count/{key}");
        for value in [json!("api_key"), json!("api_secret"), json!("other_token"), json!(true)] {
            refused(
                &[(place, value)],
                &[&format!(
                    "get_invoice_count: {key}: it names a token; write the name of its security scheme"
                )],
            );
        }
        allowed(&[(place, json!("platform_token"))]);
        allowed(&[("securitySchemes/other_token", other_token()), (place, json!("other_token"))]);
    }
}

// ---- responses and bodies ---------------------------------------------------

#[test]
fn a_default_response_is_refused() {
    refused(
        &[("count/responses/default", json!({"$ref": "#/components/responses/ClientError"}))],
        &[
            "get_invoice_count: responses: a `default` response makes progenitor panic; write '4XX' and '5XX' with $ref to ClientError and ServerError",
        ],
    );
}

#[test]
fn responses_are_200_4xx_5xx() {
    for status in ["202", "404", "2XX"] {
        refused(
            &[(&format!("count/responses/{status}"), json!({"description": "Other."}))],
            &[&format!(
                "get_invoice_count: responses: `{status}` beside the others makes progenitor panic; write '200', '4XX' and '5XX' alone"
            )],
        );
    }
    for (status, component) in [("4XX", "ClientError"), ("5XX", "ServerError")] {
        let message = format!(
            "get_invoice_count: responses.{status}: a type of failure of its own makes progenitor panic; write $ref: '#/components/responses/{component}'"
        );
        let place = &format!("count/responses/{status}");
        refused(&[(place, Value::Null)], &[&message]);
        refused(&[(place, json!({"description": "Refused."}))], &[&message]);
    }
    refused(
        &[("count/responses/4XX/$ref", json!("#/components/responses/ServerError"))],
        &[
            "get_invoice_count: responses.4XX: a type of failure of its own makes progenitor panic; write $ref: '#/components/responses/ClientError'",
        ],
    );
}

#[test]
fn a_success_is_json_of_a_named_schema() {
    const MESSAGE: &str = "get_invoice_count: responses.200: progenitor makes one type of it; write application/json alone, its schema a $ref";
    let content = "count/responses/200/content";
    refused(&[(&format!("{content}/text~1csv"), json!({}))], &[MESSAGE]);
    refused(&[(&format!("{content}/application~1json/schema"), json!({"type": "string"}))], &[MESSAGE]);
    refused(&[(&format!("{content}/application~1json/schema"), Value::Null)], &[MESSAGE]);
}

#[test]
fn a_success_says_where_its_payload_lies() {
    for place in [json!(""), json!("data"), json!("/data/"), json!("//data"), json!(7), Value::Null] {
        let found = violations(&[("count/responses/200/x-payload", place.clone())]);
        assert!(
            found.contains(&"ims/ims.yaml: get_invoice_count: responses.200.x-payload: the client gives the payload without its envelope; write where it lies: /data/data, /data, or / for the whole body".to_owned()),
            "{place}: {found:?}"
        );
    }
    for place in ["/", "/data", "/data/data", "/data/data/all_oth"] {
        allowed(&[
            ("count/responses/200/x-payload", json!(place)),
            ("count/responses/200/content/application~1json/examples", success_alone()),
        ]);
    }
}

/// The example `others` as the one that there is.
fn success_alone() -> Value {
    json!({"others": real().merged.pointer(&resolve("success"))})
}

#[test]
fn every_success_has_a_payload() {
    const MESSAGE: &str = "get_invoice_count: responses.200.x-payload: the client would fail on example `others`, which has nothing there; correct one of the two";
    let examples = || ("count/responses/200/content/application~1json/examples", success_alone());
    refused(&[examples(), ("count/responses/200/x-payload", json!("/data/Data"))], &[MESSAGE]);
    refused(&[examples(), ("success/value/data/data", Value::Null)], &[MESSAGE]);
    // A failure has none, whatever form it has.
    for failure in [
        json!({"data": {"status_cd": "0"}}),
        json!({"data": {"status_cd": "1", "error": {"error_cd": "RET1"}}}),
        json!({"data": {"error_code": "RET1"}}),
    ] {
        let place = "count/responses/200/content/application~1json/examples/failure";
        allowed(&[(place, json!({"summary": "Refused.", "value": failure}))]);
    }
}

#[test]
fn failures_share_one_schema() {
    const MESSAGE: &str = "responses/ClientError: content: all failures share one type; write application/json alone, its schema a $ref to ErrorResponse";
    let content = "responses/ClientError/content";
    refused(
        &[(&format!("{content}/application~1json/schema/$ref"), json!("#/components/schemas/BusinessError"))],
        &[MESSAGE],
    );
    refused(&[(&format!("{content}/text~1html"), json!({}))], &[MESSAGE]);
    refused(
        &[("responses/NotFound", json!({"description": "Nothing there."}))],
        &[
            "responses/NotFound: no operation may refer to it; write its failures as examples of ClientError or ServerError",
        ],
    );
}

#[test]
fn a_body_is_required_json_of_a_named_schema() {
    let body = |content: Value| json!({"required": true, "content": content});
    let mut named = json!({"schema": {"$ref": "#/components/schemas/ErrorResponse"}});
    refused(
        &[("count/requestBody", body(json!({"application/json": named})))],
        &["get_invoice_count: requestBody: readers and tools need a body to try; write one in `examples`"],
    );
    named["examples"] = json!({"ok": {"summary": "Empty.", "value": {}}});
    allowed(&[("count/requestBody", body(json!({"application/json": named})))]);
    for content in [
        json!({"application/json": named, "application/xml": named}),
        json!({"application/x-www-form-urlencoded": named}),
        json!({"application/json": {"schema": {"type": "string"}}}),
        json!({}),
    ] {
        refused(
            &[("count/requestBody", body(content))],
            &[
                "get_invoice_count: requestBody.content: a second media type makes progenitor panic, and an inline schema gets a made-up name; write application/json alone, its schema a $ref",
            ],
        );
    }
    refused(
        &[("count/requestBody", json!({"content": {"application/json": named}}))],
        &[
            "get_invoice_count: requestBody.required: progenitor always sends the body; write `required: true`",
        ],
    );
}

#[test]
fn a_document_names_the_members_that_it_must_have() {
    let named = json!({
        "schema": {"$ref": "#/components/schemas/ErrorResponse"},
        "examples": {"ok": {"summary": "Empty.", "value": {}}},
    });
    let body =
        |needs: Value| json!({"required": true, "x-document": needs, "content": {"application/json": named}});
    allowed(&[("count/requestBody", body(json!(["code", "message"])))]);
    allowed(&[("count/requestBody", body(json!([])))]);
    for needs in [json!(["code", "cost"]), json!(true), json!([1])] {
        refused(
            &[("count/requestBody", body(needs))],
            &[
                "get_invoice_count: requestBody.x-document: it lists the members that must be there before the document is sent; write names of its schema, or []",
            ],
        );
    }
}

// ---- parameters -------------------------------------------------------------

fn parameter(name: &str, place: &str, schema: Value) -> Value {
    json!({"name": name, "in": place, "description": "A parameter.", "schema": schema})
}

#[test]
fn credentials_are_no_parameters() {
    for name in ["authorization", "Authorization", "x-api-key", "X-Api-Secret"] {
        refused(
            &[("count/parameters/-", parameter(name, "header", json!({"type": "string"})))],
            &[&format!(
                "get_invoice_count: parameters.{name}: credentials would become arguments and show in `Debug`; leave it out and write `security`"
            )],
        );
    }
}

#[test]
fn parameters_have_a_name_and_a_description() {
    refused(
        &[("parameters/ApiVersion/description", Value::Null)],
        &["parameters/ApiVersion: description: it documents the method; write one"],
    );
    refused(
        &[("count/parameters/0/name", Value::Null)],
        &["get_invoice_count: parameters.0.name: it becomes a method; write one"],
    );
}

#[test]
fn parameters_of_a_builder_do_not_hide_its_methods() {
    for name in ["body", "new", "send"] {
        refused(
            &[("count/parameters/0/name", json!(name))],
            &[&format!(
                "get_invoice_count: parameters.{name}: `{name}` is a method of every builder; such a parameter needs a change in build/generate.rs first"
            )],
        );
    }
}

#[test]
fn parameters_stand_in_query_path_or_header() {
    for place in [json!("cookie"), json!("body"), Value::Null] {
        refused(
            &[("count/parameters/0/in", place)],
            &[
                "get_invoice_count: parameters.type_of_goods.in: progenitor refuses it; write query, path or header",
            ],
        );
    }
}

#[test]
fn parameters_have_a_plain_schema() {
    refused(
        &[("count/parameters/0/schema", Value::Null)],
        &["get_invoice_count: parameters.type_of_goods.schema: progenitor needs a type; write a schema"],
    );
    for (key, value) in [
        ("content", json!({})),
        ("style", json!("deepObject")),
        ("explode", json!(false)),
        ("allowReserved", json!(true)),
    ] {
        refused(
            &[(&format!("count/parameters/0/{key}"), value)],
            &[&format!(
                "get_invoice_count: parameters.type_of_goods.{key}: progenitor refuses it or ignores it; write a plain `schema` and leave it out"
            )],
        );
    }
    allowed(&[(
        "count/parameters/-",
        parameter("ids", "query", json!({"type": "array", "items": {"type": "string"}})),
    )]);
}

#[test]
fn a_required_parameter_has_a_value_to_try() {
    let required = |extra: Value| {
        let mut parameter = parameter("ids", "query", json!({"type": "string"}));
        parameter["required"] = json!(true);
        parameter.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        [("count/parameters/-", parameter)]
    };
    refused(
        &required(json!({})),
        &[
            "get_invoice_count: parameters.ids.example: readers and tools need a value to try; write one as text",
        ],
    );
    allowed(&required(json!({"example": "17"})));
    allowed(&required(json!({"schema": {"$ref": "#/components/schemas/TypeOfGoods"}})));
}

#[test]
fn a_header_is_one_value() {
    refused(
        &[(
            "count/parameters/-",
            parameter("x-ids", "header", json!({"type": "array", "items": {"type": "string"}})),
        )],
        &[
            "get_invoice_count: parameters.x-ids.schema: a header is one text, and for a list progenitor writes code that does not compile; write a single value",
        ],
    );
}

#[test]
fn a_query_parameter_is_no_object() {
    refused(
        &[("count/parameters/-", parameter("filter", "query", json!({"type": "object"})))],
        &[
            "get_invoice_count: parameters.filter.schema: its members would be sent without its name; write one parameter for each member",
        ],
    );
}

#[test]
fn a_path_parameter_is_required_and_cannot_change_the_path() {
    let mut operation = real().merged.pointer(&resolve("count")).unwrap().clone();
    operation["operationId"] = json!("get_group");
    let examples = &mut operation["responses"]["200"]["content"]["application/json"]["examples"];
    for example in examples.as_object_mut().unwrap().values_mut() {
        // They are conditions on a parameter that this operation does not have.
        example.as_object_mut().unwrap().remove("x-when");
    }
    let mut with = |parameter: Value| {
        operation["parameters"] = json!([parameter]);
        ("/paths/~1groups~1{code}", json!({ "get": operation }))
    };
    let mut code = parameter("code", "path", json!({"$ref": "#/components/schemas/StatusCd"}));
    refused(
        &[with(code.clone())],
        &[
            "get_group: parameters.code.required: an optional one makes progenitor panic; write `required: true`",
        ],
    );
    code["required"] = json!(true);
    allowed(&[with(code.clone())]);
    for schema in [json!({"type": "string"}), json!({"$ref": "#/components/schemas/TypeOfGoods"})] {
        code["schema"] = schema;
        code["example"] = json!("b2b");
        refused(
            &[with(code.clone())],
            &[
                "get_group: parameters.code.schema: free text such as `..` would change the path; write a $ref to a component with `x-rust`",
            ],
        );
    }
}

#[test]
fn path_and_parameters_name_each_other() {
    let mut operation = real().merged.pointer(&resolve("count")).unwrap().clone();
    operation["operationId"] = json!("get_group");
    refused(
        &[("/paths/~1groups~1{code}", json!({ "get": operation }))],
        &[
            "get_group: parameters: the path has {code}, and progenitor panics where it is not declared; write a parameter `in: path` of that name",
        ],
    );
    operation["parameters"] = json!([
        {"name": "code", "in": "path", "required": true, "description": "A code.", "schema": {"$ref": "#/components/schemas/StatusCd"}}
    ]);
    refused(
        &[("/paths/~1groups", json!({ "get": operation }))],
        &[
            "get_group: parameters: `code` is not in the path, which makes progenitor panic; write {code} there, or `in: query`",
        ],
    );
    for path in ["/groups/", "groups", "/groups/a{code}", "/groups?x=1", "/groups//{code}", "/x y"] {
        let pointer = &format!("/paths/{}", path.replace('/', "~1"));
        refused(
            &[(pointer, json!({ "get": operation }))],
            &[&format!(
                "get_group: progenitor misreads the path `{path}`; write '/' before each part, a part being plain letters or one {{parameter}}"
            )],
        );
    }
}

#[test]
fn parameter_names_are_unique() {
    refused(
        &[("count/parameters/-", parameter("typeOfGoods", "query", json!({"type": "string"})))],
        &[
            "get_invoice_count: parameters: `typeOfGoods` and `type_of_goods` become one method; write names that differ in letters or digits",
        ],
    );
}

#[test]
fn a_secret_is_a_query_parameter() {
    allowed(&[("count/parameters/0/x-secret", json!(true))]);
    refused(
        &[("count/parameters/0/x-secret", json!("yes"))],
        &[
            "get_invoice_count: parameters.type_of_goods.x-secret: it hides a value in addresses; write true, on a query parameter",
        ],
    );
    refused(
        &[("parameters/ApiVersion/x-secret", json!(true))],
        &["parameters/ApiVersion: x-secret: it hides a value in addresses; write true, on a query parameter"],
    );
}

#[test]
fn a_secret_type_is_one_that_hides_its_value() {
    const RULE: &str =
        "generated types show their values; write true, on a component with an `x-rust` type that hides it";
    allowed(&[("schemas/StatusCd/x-secret", json!(true))]);
    for (place, value, at) in [
        ("schemas/StatusCd/x-secret", json!("yes"), "schemas/StatusCd: x-secret"),
        ("schemas/ErrorResponse/x-secret", json!(true), "schemas/ErrorResponse: x-secret"),
        (
            "schemas/ErrorResponse/properties/message/x-secret",
            json!(true),
            "schemas/ErrorResponse: properties.message.x-secret",
        ),
    ] {
        refused(&[(place, value)], &[&format!("{at}: {RULE}")]);
    }
}

// ---- schemas ----------------------------------------------------------------

#[test]
fn components_are_named_as_their_types() {
    for name in ["errorDetail", "Error_Detail", "GSTINDetail", "ErrorA1B-"] {
        refused(
            &[(&format!("schemas/{name}"), json!({"type": "string", "description": "A text."}))],
            &[&format!(
                "schemas/{name}: progenitor renames it; write UpperCamelCase, short forms as in `Gstin`"
            )],
        );
    }
    refused(
        &[("parameters/api_version", parameter("x-other", "header", json!({"type": "string"})))],
        &["parameters/api_version: progenitor renames it; write UpperCamelCase, short forms as in `Gstin`"],
    );
}

#[test]
fn whole_answers_have_names_of_their_own() {
    refused(
        &[("schemas/GetInvoiceCountAnswer", json!({"type": "string", "description": "A text."}))],
        &[
            "schemas/GetInvoiceCountAnswer: the build names whole answers so, such as GetInvoiceCountAnswer; write another name",
        ],
    );
}

#[test]
fn components_are_documented() {
    for value in [json!(""), Value::Null] {
        refused(
            &[("schemas/ErrorResponse/description", value)],
            &["schemas/ErrorResponse: description: it documents the type; write one"],
        );
    }
}

#[test]
fn types_are_named_components() {
    const REASON: &str = "an inline type gets a made-up name; write a component and a $ref to it";
    for (key, schema) in [
        ("properties", json!({"type": "object", "properties": {"a": {"type": "string"}}})),
        ("enum", json!({"type": "string", "enum": ["a", "b"]})),
        ("oneOf", json!({"oneOf": [{"type": "string"}, {"type": "integer"}]})),
        ("allOf", json!({"allOf": [{"$ref": "#/components/schemas/BusinessError"}]})),
    ] {
        refused(
            &[("schemas/ErrorResponse/properties/detail", schema.clone())],
            &[&format!("schemas/ErrorResponse: properties.detail.{key}: {REASON}")],
        );
        refused(
            &[(
                "schemas/ErrorResponse/properties/details",
                json!({"type": "array", "nullable": true, "items": schema}),
            )],
            &[&format!("schemas/ErrorResponse: properties.details.items.{key}: {REASON}")],
        );
    }
    refused(
        &[("parameters/ApiVersion/schema", json!({"type": "string", "enum": ["1.0.0"]}))],
        &[&format!("parameters/ApiVersion: schema.enum: {REASON}")],
    );
}

#[test]
fn a_schema_says_what_it_is() {
    refused(
        &[("schemas/ErrorResponse/properties/detail", json!({"description": "Something."}))],
        &[
            "schemas/ErrorResponse: properties.detail: a schema says what it is; write `type`, `$ref` or `oneOf`",
        ],
    );
    for kind in [json!("text"), json!(["string", "null"])] {
        refused(
            &[("schemas/ErrorResponse/properties/detail", json!({ "type": kind }))],
            &[
                "schemas/ErrorResponse: properties.detail.type: progenitor knows no such type; write one of string, integer, number, boolean, array, object",
            ],
        );
    }
    allowed(&[("schemas/ErrorResponse/additionalProperties", json!({}))]);
}

#[test]
fn required_names_properties() {
    refused(
        &[("schemas/ErrorResponse/required", json!(["cod"]))],
        &["schemas/ErrorResponse: required: there is no property `cod`; write one, or leave the name out"],
    );
}

#[test]
fn properties_have_different_names_in_rust() {
    refused(
        &[("schemas/ErrorResponse/properties/Transaction ID", json!({"type": "string"}))],
        &[
            "schemas/ErrorResponse: properties: `Transaction ID` and `transaction_id` become one field; give the component an `x-rust` type that reads both",
        ],
    );
    allowed(&[("schemas/StatusCounts/properties/Accept", json!({"type": "integer"}))]);
}

#[test]
fn optional_lists_and_maps_may_be_null() {
    for mut schema in [
        json!({"type": "array", "items": {"type": "string"}}),
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
    ] {
        let place = "schemas/ErrorResponse/properties/details";
        refused(
            &[(place, schema.clone())],
            &[
                "schemas/ErrorResponse: properties.details: an optional list or map may be absent, but null would be refused; write `nullable: true`",
            ],
        );
        allowed(&[(place, schema.clone()), ("schemas/ErrorResponse/required", json!(["details"]))]);
        schema["nullable"] = json!(true);
        allowed(&[(place, schema)]);
    }
}

#[test]
fn lists_have_items() {
    refused(
        &[("schemas/ErrorResponse/properties/details", json!({"type": "array", "nullable": true}))],
        &["schemas/ErrorResponse: properties.details: a list of what?; write `items`"],
    );
}

#[test]
fn decimals_are_handwritten() {
    refused(
        &[("schemas/ErrorResponse/properties/code/type", json!("number"))],
        &[
            "schemas/ErrorResponse: properties.code.type: it becomes f64, which cannot hold money; write a $ref to a component with `x-rust`",
        ],
    );
    allowed(&[("schemas/Amount", json!({"x-rust": "Amount", "type": "number", "description": "Rupees."}))]);
}

#[test]
fn formats_are_refused() {
    for format in
        ["date", "date-time", "uuid", "ipv4", "ipv6", "email", "byte", "binary", "password", "int32"]
    {
        refused(
            &[("schemas/ErrorResponse/properties/message/format", json!(format))],
            &[
                "schemas/ErrorResponse: properties.message.format: it makes a type that refuses the provider's text, or says nothing; describe the form in `description`, or give the component an `x-rust` type",
            ],
        );
    }
}

#[test]
fn enums_are_text() {
    for values in [json!([1, 2]), json!(["a", true]), json!("a")] {
        refused(
            &[("schemas/TypeOfGoods/enum", values)],
            &[
                "schemas/TypeOfGoods: enum: numbers and others break the derived JSON schema; write `type: string` and quoted values",
            ],
        );
    }
}

#[test]
fn enums_of_answers_stay_open() {
    let answer =
        ("schemas/InvoiceJobReport/properties/goods", json!({"$ref": "#/components/schemas/TypeOfGoods"}));
    refused(
        std::slice::from_ref(&answer),
        &[
            "schemas/TypeOfGoods: enum: check_invoice_status answers with it, and a new value would fail the call; give it an `x-rust` type that keeps any text",
        ],
    );
    allowed(&[answer, ("schemas/TypeOfGoods/x-rust", json!("TypeOfGoods"))]);
}

#[test]
fn limits_are_handwritten() {
    for (limit, value) in [
        ("pattern", json!("^a$")),
        ("minLength", json!(1)),
        ("maxLength", json!(9)),
        ("minimum", json!(1)),
        ("maximum", json!(9)),
        ("minItems", json!(1)),
        ("maxItems", json!(9)),
        ("uniqueItems", json!(true)),
    ] {
        refused(
            &[(&format!("schemas/ErrorResponse/properties/code/{limit}"), value.clone())],
            &[&format!(
                "schemas/ErrorResponse: properties.code.{limit}: answers beyond it would be refused; say it in `description`, or give the component an `x-rust` type"
            )],
        );
        allowed(&[(&format!("schemas/StatusCounts/properties/accept/{limit}"), value)]);
    }
}

#[test]
fn unknown_members_are_let_through() {
    refused(
        &[("schemas/ErrorResponse/additionalProperties", json!(false))],
        &[
            "schemas/ErrorResponse: additionalProperties: an answer with a new member would be refused; leave it out, or write {} to keep new members",
        ],
    );
    allowed(&[("schemas/ErrorResponse/additionalProperties", json!(true))]);
}

#[test]
fn any_of_is_handwritten() {
    refused(
        &[("schemas/StatusCd/x-rust", Value::Null)],
        &[
            "schemas/StatusCd: anyOf: progenitor flattens it into one struct, which reads neither form; write `oneOf`, or give the component an `x-rust` type",
        ],
    );
}

#[test]
fn a_component_is_not_nullable() {
    refused(
        &[("schemas/ErrorResponse/nullable", json!(true))],
        &[
            "schemas/ErrorResponse: nullable: it wraps the type in another; leave it out, and the property that refers to it out of `required`",
        ],
    );
}

#[test]
fn a_property_has_no_default() {
    refused(
        &[("schemas/ErrorResponse/properties/message/default", json!(""))],
        &[
            "schemas/ErrorResponse: properties.message.default: a property with a default refuses null and is sent unasked; say it in `description`",
        ],
    );
}

#[test]
fn x_rust_names_a_type_for_a_component() {
    for rust in [json!("status_cd"), json!("crate::StatusCd"), json!(true), json!("")] {
        refused(
            &[("schemas/StatusCd/x-rust", rust)],
            &["schemas/StatusCd: x-rust: it names a type of src/values; write it in UpperCamelCase"],
        );
    }
    refused(
        &[("schemas/ErrorResponse/properties/message/x-rust", json!("Message"))],
        &[
            "schemas/ErrorResponse: properties.message.x-rust: types replace components only; write a component and a $ref to it",
        ],
    );
}

// ---- examples ---------------------------------------------------------------

const SUCCESS: &str = "get_invoice_count: responses.200.content.application/json.examples.others";

#[test]
fn examples_have_a_summary_and_a_value() {
    refused(
        &[("success/summary", Value::Null)],
        &[&format!("{SUCCESS}.summary: readers choose by it; write what the example shows")],
    );
    refused(
        &[("success/value", Value::Null)],
        &[&format!("{SUCCESS}.value: an example without content; write `externalValue` and the file")],
    );
    // The same for those of the components and by reference.
    refused(
        &[("examples/twelve", json!({"value": {}}))],
        &["examples/twelve: summary: readers choose by it; write what the example shows"],
    );
    allowed(&[
        ("examples/twelve", json!({"summary": "Twelve.", "value": {"data": {"data": {}}}})),
        ("success", json!({"$ref": "#/components/examples/twelve"})),
    ]);
}

#[test]
fn example_names_are_snake_case() {
    refused(
        &[(
            "responses/ClientError/content/application~1json/examples/Gone",
            json!({"summary": "Gone.", "value": {"code": 410}}),
        )],
        &[
            "responses/ClientError: content.application/json.examples.Gone: tests ask for examples by name; write it in snake_case",
        ],
    );
}

#[test]
fn an_operation_has_an_example_of_success() {
    const MESSAGE: &str = "get_invoice_count: responses.200: the mock server has no success to answer with; write one in `examples`";
    let examples = "count/responses/200/content/application~1json/examples";
    refused(&[(examples, Value::Null)], &[MESSAGE]);
    for status in [json!("0"), json!(0)] {
        let failure = json!({"failure": {"summary": "Refused.", "value": {"data": {"status_cd": status}}}});
        refused(&[(examples, failure)], &[MESSAGE]);
    }
    let failure = json!({"failure": {"summary": "Broken.", "x-status": 500, "value": {"code": 422}}});
    refused(&[(examples, failure)], &[MESSAGE]);
    let other = json!({"summary": "Something else.", "value": {"data": {"status_cd": "P", "data": {}}}});
    allowed(&[(examples, json!({ "other": other })), ("count/responses/200/x-success", json!(["P"]))]);
    refused(&[(examples, json!({ "other": other }))], &[MESSAGE]);
}

#[test]
fn a_flat_answer_is_known_by_a_member() {
    const MESSAGE: &str = "get_invoice_count: responses.200.x-flat: the client looks for this member one level above the payload; name one, and have two keys in `x-payload`";
    const FLAT: &str = "count/responses/200/x-flat";
    for wrong in [json!(""), json!(true)] {
        refused(&[(FLAT, wrong)], &[MESSAGE]);
    }
    allowed(&[(FLAT, json!("all_oth"))]);
    // The example without the inner level is a success with a payload.
    let examples = "count/responses/200/content/application~1json/examples";
    let flat = json!({"summary": "Flat.", "value": {"data": {"all_oth": {}}}});
    allowed(&[(FLAT, json!("all_oth")), (examples, json!({"flat": flat}))]);
}

#[test]
fn values_of_success_and_failure_are_texts() {
    for key in ["x-success", "x-failed-status"] {
        let place = format!("count/responses/200/{key}");
        let message = format!(
            "get_invoice_count: responses.200.{key}: the client compares its texts with the answer; write a list such as ['1', '3']"
        );
        for wrong in [json!([]), json!("1"), json!([1]), json!(["1", ""])] {
            let found = violations(&[(&place, wrong.clone())]);
            assert!(found.iter().any(|line| line.ends_with(&message)), "{wrong}: {found:?}");
        }
        allowed(&[(&place, json!(["1", "failed"]))]);
    }
}

#[test]
fn inferred_examples_say_so_twice() {
    let message = format!(
        "{SUCCESS}: an example that no page shows must say so twice; write `x-inferred: true` and a summary that begins with \"Inferred\", or neither"
    );
    refused(&[("success/x-inferred", json!(true))], &[&message]);
    refused(&[("success/summary", json!("Inferred; twelve invoices"))], &[&message]);
    refused(
        &[("success/x-inferred", json!(false))],
        &[&format!(
            "{SUCCESS}.x-inferred: it marks what no page of the provider shows; write true or leave it out"
        )],
    );
}

#[test]
fn x_when_is_a_mapping_of_text() {
    for when in [json!("others"), json!({"page": 1}), json!({"valid": true}), json!({})] {
        refused(
            &[("success/x-when", when)],
            &[&format!(
                "{SUCCESS}.x-when: it is compared with the request as text; write a mapping of names to quoted text"
            )],
        );
    }
}

#[test]
fn x_when_names_what_a_request_has() {
    for name in ["goods", "x-api-version"] {
        refused(
            &[("success/x-when", json!({ name: "others" }))],
            &[&format!(
                "{SUCCESS}.x-when: no request has `{name}`; write a parameter of the operation or a member of its body"
            )],
        );
    }
}

#[test]
fn examples_of_failures_have_a_status() {
    for (component, class, value, status) in [
        ("ClientError", 4, json!({"message": "Refused"}), None),
        ("ClientError", 4, json!({"code": 500}), None),
        ("ServerError", 5, json!({"code": 422}), None),
        ("ServerError", 5, json!({"code": 500}), Some("500")),
    ] {
        let mut example = json!({"summary": "A failure.", "value": value});
        if let Some(status) = status {
            example["x-status"] = json!(status);
        }
        let place = &format!("responses/{component}/content/application~1json/examples/odd");
        refused(
            &[(place, example.clone())],
            &[&format!(
                "responses/{component}: examples.odd: the mock server needs its HTTP status; write `code` in the value, or `x-status`, of {class}00 to {class}99"
            )],
        );
        example["x-status"] = json!(class * 100 + 22);
        allowed(&[(place, example)]);
    }
}

// ---- prose ------------------------------------------------------------------

#[test]
fn prose_has_no_bare_square_brackets() {
    for prose in
        ["See [this].", "A list[].", "[text][reference]", "[text](no end", "`[a]` but ]", "a ` [x] b"]
    {
        refused(
            &[("count/description", json!(prose))],
            &[
                "get_invoice_count: description: rustdoc takes square brackets for a link; write `…` around them, or [text](address)",
            ],
        );
    }
    for prose in [
        "`[a]` and ``b ` [c]``",
        "[text](https://example.com)",
        "\\[x\\]",
        "```json\n[1, 2]\n```",
        "`[a\nb]`",
    ] {
        allowed(&[("count/description", json!(prose))]);
    }
    // Every description, not only that of an operation.
    refused(
        &[("schemas/ErrorResponse/properties/code/description", json!("See [this]."))],
        &[
            "schemas/ErrorResponse: properties.code.description: rustdoc takes square brackets for a link; write `…` around them, or [text](address)",
        ],
    );
}

#[test]
fn code_fences_are_labelled_and_closed() {
    for prose in
        ["```\nlet x;\n```", "```rust\nlet x;\n```", "~~~no_run\nx\n~~~", "- so\n  ```ignore\n  x\n  ```"]
    {
        refused(
            &[("count/description", json!(prose))],
            &[
                "get_invoice_count: description: rustdoc compiles a code block without a label of another language; write one of json, text, http, sh, yaml, xml",
            ],
        );
    }
    refused(
        &[("count/description", json!("```json\n{}"))],
        &[
            "get_invoice_count: description: a code fence is open at the end, and what follows would be code; write the closing fence",
        ],
    );
    allowed(&[("count/description", json!("```json\n    {}\n```\n\n~~~text\n```\n~~~"))]);
}

#[test]
fn code_is_not_indented() {
    for prose in ["So:\n\n    let x;", "So:\n\n\tlet x;"] {
        refused(
            &[("count/description", json!(prose))],
            &[
                "get_invoice_count: description: rustdoc compiles an indented block; write a code fence with a label, or indent less",
            ],
        );
    }
}

// ---- files ------------------------------------------------------------------

/// Writes the files to a folder of the test's own and loads them.
fn load(test: &str, files: &[(&str, &str)]) -> Result<Document, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    document::load(&folder, &|feature| feature != "off").map_err(|violations| violations.join("\n"))
}

const ROOT: &str = "openapi: 3.0.3\nx-files: [more.yaml]\n";

#[test]
fn files_are_merged_and_remembered() {
    let root = format!(
        "{ROOT}tags: [{{name: one}}]\npaths: {{/one: {{}}}}\ncomponents: {{schemas: {{One: {{}}}}}}\n"
    );
    let more =
        "tags: [{name: two}]\npaths: {/two: {}}\ncomponents: {schemas: {Two: {}}, examples: {two: {}}}\n";
    let document = load("merged", &[("sandbox.yaml", &root), ("more.yaml", more)]).unwrap();
    assert_eq!(
        document.merged,
        json!({
            "openapi": "3.0.3",
            "tags": [{"name": "one"}, {"name": "two"}],
            "paths": {"/one": {}, "/two": {}},
            "components": {"schemas": {"One": {}, "Two": {}}, "examples": {"two": {}}},
        })
    );
    for key in ["/one", "schemas/One", "tags/one", "anything else"] {
        assert_eq!(document.file_of(key), "sandbox.yaml", "{key}");
    }
    for key in ["/two", "schemas/Two", "examples/two", "tags/two"] {
        assert_eq!(document.file_of(key), "more.yaml", "{key}");
    }
}

#[test]
fn a_file_with_a_feature_counts_where_the_feature_is_on() {
    let paths = |feature| {
        let more = format!("x-feature: {feature}\npaths: {{/more: {{}}}}\n");
        load("feature", &[("sandbox.yaml", ROOT), ("more.yaml", &more)])
            .map(|document| document.merged["paths"].get("/more").is_some())
    };
    assert_eq!(paths("on"), Ok(true));
    assert_eq!(paths("off"), Ok(false));
    assert_eq!(
        paths("[a, b]"),
        Err("more.yaml: x-feature must be the name of a feature of the crate".to_owned())
    );
}

#[test]
fn a_violation_names_its_file() {
    let more = "tags: [{name: more, description: 'See [this].'}]\n\
                paths: {/more: {get: {operationId: GetMore}}}\n\
                components: {schemas: {Some: {type: text, description: Some.}}}\n";
    let document = load("violation", &[("sandbox.yaml", ROOT), ("more.yaml", more)]);
    let messages = dialect::check(&document.unwrap());
    for start in [
        "more.yaml: GetMore: operationId: ",
        "more.yaml: schemas/Some: type: ",
        "more.yaml: tags/more: description: ",
    ] {
        assert!(messages.iter().any(|message| message.starts_with(start)), "{start}: {messages:#?}");
    }
}

#[test]
fn two_files_cannot_hold_the_same() {
    for (name, content) in [
        ("/one", "paths: {/one: {}}"),
        ("One", "components: {schemas: {One: {}}}"),
        ("one", "tags: [{name: one}]"),
    ] {
        let error =
            load("twice_root", &[("sandbox.yaml", &format!("{ROOT}{content}")), ("more.yaml", content)])
                .err();
        assert_eq!(error, Some(format!("more.yaml: `{name}` stands in sandbox.yaml already")));
        let files = [("sandbox.yaml", "x-files: [a.yaml, b.yaml]"), ("a.yaml", content), ("b.yaml", content)];
        assert_eq!(load("twice", &files).err(), Some(format!("b.yaml: `{name}` stands in a.yaml already")));
    }
    // In different sections a name may come twice.
    let (root, more) =
        (format!("{ROOT}components: {{schemas: {{One: {{}}}}}}"), "components: {responses: {One: {}}}");
    assert!(load("sections", &[("sandbox.yaml", &root), ("more.yaml", more)]).is_ok());
}

#[test]
fn one_file_cannot_hold_the_same_twice() {
    let error = load("doubled", &[("sandbox.yaml", "paths:\n  /one: {}\n  /one: {}\n")]).err().unwrap();
    assert!(
        error.starts_with("sandbox.yaml: ") && error.contains("/one") && error.contains("line 3"),
        "{error}"
    );
}

#[test]
fn yaml_is_read_as_the_json_that_it_stands_for() {
    let text = "---\n# A comment\nplain: two words # and why\nquoted: '1'\nfolded: >-\n  one\n  two\nliteral: |\n  one\n  two\n\
                numbers: [0, -1, 2.50, 1e3]\nflags: [true, false]\nnothing:\nnull: null\n200: by number\n\
                words: [Y, N, yes, no, on, off, 2.0.1, 2024-11-05, 12:30, 1 of 2]\nempty: [{}, [], '']\n...\n";
    assert_eq!(
        load("yaml", &[("sandbox.yaml", text)]).unwrap().merged,
        json!({
            "plain": "two words",
            "quoted": "1",
            "folded": "one two",
            "literal": "one\ntwo\n",
            "numbers": [0, -1, 2.5, 1000.0],
            "flags": [true, false],
            "nothing": null,
            "null": null,
            "200": "by number",
            "words": ["Y", "N", "yes", "no", "on", "off", "2.0.1", "2024-11-05", "12:30", "1 of 2"],
            "empty": [{}, [], ""],
        })
    );
}

#[test]
fn yaml_that_json_does_not_have_is_refused() {
    const FEATURE: &str = "anchors, aliases and tags are not supported; write the value itself";
    let differently =
        |text: &str| format!("YAML and JSON read `{text}` differently; write it as in JSON, or in quotes");
    let numbers = ["007", "+1", ".5", "1.", "0x1F", "0o7", "-.inf", ".NaN", "True", "NULL"];
    let refused =
        numbers.map(|text| (format!("a: {text}"), format!("line 1, column 4: {}", differently(text))));
    let refused = refused.into_iter().chain(
        [
            ("a: &one 1", format!("line 1, column 9: {FEATURE}")),
            ("a: !!str 1", format!("line 1, column 10: {FEATURE}")),
            ("? [a, b]\n: 1", "line 1, column 3: a key must be plain text".to_owned()),
            ("a:\n  b: 1\n  b: 2", "line 3, column 3: duplicate key `b`".to_owned()),
            (
                "a: 1\n---\nb: 1",
                "line 2, column 1: a second document begins; write one for each file".to_owned(),
            ),
        ]
        .map(|(text, message)| (text.to_owned(), message)),
    );
    for (text, message) in refused {
        let error = load("yaml_refused", &[("sandbox.yaml", &text)]).err();
        assert_eq!(error, Some(format!("sandbox.yaml: {message}")), "{text}");
    }
    // The parser has words of its own.
    for text in ["a: [1", "a: 'open", "a: 1\n b: 2", "a: *one"] {
        let error = load("yaml_broken", &[("sandbox.yaml", text)]).err().unwrap();
        assert!(error.starts_with("sandbox.yaml: line "), "{error}");
    }
    for text in ["", "# only a comment\n", "a text", "[a list]"] {
        let error = load("yaml_top", &[("sandbox.yaml", text)]).err();
        assert_eq!(error, Some("sandbox.yaml: a mapping must stand at the top".to_owned()));
    }
}

#[test]
fn only_the_root_has_a_head() {
    for key in ["info", "openapi", "security", "x-files"] {
        let error = load("head", &[("sandbox.yaml", ROOT), ("more.yaml", &format!("{key}: []"))]).err();
        let expected = format!(
            "more.yaml: `{key}` belongs in sandbox.yaml; other files hold tags, paths and components"
        );
        assert_eq!(error, Some(expected));
    }
}

#[test]
fn sections_are_mappings() {
    for (content, section) in [
        ("paths: []", "`paths` must be a mapping"),
        ("components: text", "`components` must be a mapping"),
        ("components: {schemas: [One]}", "`components.schemas` must be a mapping"),
        ("tags: {name: one}", "`tags` must be a list"),
        ("tags: [one]", "a tag must have a `name`"),
    ] {
        let error = load("section", &[("sandbox.yaml", ROOT), ("more.yaml", content)]).err();
        assert_eq!(error, Some(format!("more.yaml: {section}")));
        let error =
            load("section", &[("sandbox.yaml", &format!("{ROOT}{content}")), ("more.yaml", "{}")]).err();
        assert_eq!(error, Some(format!("sandbox.yaml: {section}")));
    }
    // Empty is as good as absent.
    let files = [
        ("sandbox.yaml", &*format!("{ROOT}paths:\ncomponents:\ntags:\n")),
        ("more.yaml", "paths: {/one: {}}\n"),
    ];
    assert_eq!(load("empty", &files).unwrap().merged["paths"], json!({"/one": {}}));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = load("absent", &[("sandbox.yaml", ROOT)]).err().unwrap();
    assert!(error.starts_with("more.yaml: cannot be read: "), "{error}");
    let error = load("list", &[("sandbox.yaml", "x-files: more.yaml")]).err().unwrap();
    assert_eq!(error, "sandbox.yaml: x-files must be a list of file names");
    let error = load("text", &[("sandbox.yaml", "just text")]).err().unwrap();
    assert_eq!(error, "sandbox.yaml: a mapping must stand at the top");
}

#[test]
fn a_file_that_no_list_has_is_refused() {
    for name in ["a.yaml", "family/a.yaml", "family/a.yml"] {
        let error = load("unlisted", &[("sandbox.yaml", ROOT), ("more.yaml", "{}"), (name, "{}")]).err();
        let expected =
            format!("{name}: counts for nothing, since no list has it; add it to x-files in sandbox.yaml");
        assert_eq!(error, Some(expected));
    }
    // Other files may lie there.
    assert!(load("beside", &[("sandbox.yaml", ROOT), ("more.yaml", "{}"), ("README.md", "")]).is_ok());
}

#[test]
fn examples_are_files() {
    let file = "paths: {/one: {get: {operationId: one,\
                requestBody: {content: {application/json: {examples: {ok: {\
                externalValue: examples/one.request.ok.json}}}}},\
                responses: {'200': {content: {application/json: {examples: {ok: {\
                summary: Some, x-inferred: true, externalValue: examples/one.ok.inferred.json}}}}}}}}}\n\
                components:\n  responses: {Bad: {content: {application/json: {examples: {bad: {\
                externalValue: examples/Bad.bad.json}}}}}}\n  \
                examples: {alone: {externalValue: examples/alone.json}}\n";
    let document = load(
        "example_files",
        &[
            ("sandbox.yaml", "x-files: [family/family.yaml]"),
            ("family/family.yaml", file),
            ("family/examples/one.request.ok.json", "[1.10, \"Y\", null]"),
            ("family/examples/one.ok.inferred.json", "{\"b\": \"01\", \"a\": 12345678901234}"),
            ("family/examples/Bad.bad.json", "\"bad\""),
            ("family/examples/alone.json", "1"),
        ],
    )
    .unwrap()
    .merged;
    let operation = &document["paths"]["/one"]["get"];
    let body = "/content/application~1json/examples";
    let expected = json!({"ok": {"value": [1.1, "Y", null]}});
    assert_eq!(operation["requestBody"].pointer(body), Some(&expected));
    let expected = json!({"ok": {"summary": "Some", "x-inferred": true, "value": {"b": "01", "a": 12_345_678_901_234_u64}}});
    assert_eq!(operation["responses"]["200"].pointer(body), Some(&expected));
    let components = &document["components"];
    assert_eq!(components["responses"]["Bad"].pointer(body), Some(&json!({"bad": {"value": "bad"}})));
    assert_eq!(components["examples"], json!({"alone": {"value": 1}}));
}

/// The message about one example of status 200, with these files beside the document.
fn example_refused(example: &str, files: &[(&str, &str)]) -> String {
    let operation = format!(
        "operationId: one, responses: {{'200': {{content: {{application/json: {{examples: {{ok: {example}}}}}}}}}}}"
    );
    let root = format!("paths: {{/one: {{get: {{{operation}}}}}}}\n");
    let files: Vec<_> = [("sandbox.yaml", &*root)].iter().chain(files).copied().collect();
    load("example_refused", &files).err().unwrap()
}

#[test]
fn an_example_is_written_in_one_way() {
    let place = "sandbox.yaml: one: responses.200.examples.ok";
    let file = ("examples/one.ok.json", "{}");
    let inline = format!(
        "{place}: value: an example is a file of its own; move it to examples/one.ok.json and write \
         `externalValue: examples/one.ok.json`"
    );
    assert_eq!(example_refused("{value: {}}", &[]), inline);
    assert_eq!(example_refused("{value: {}, externalValue: examples/one.ok.json}", &[file]), inline);
    for (other, name) in [
        ("examples/other.json", "examples/one.ok.json"),
        ("one.ok.json", "examples/one.ok.json"),
        ("../family/examples/one.ok.json", "examples/one.ok.json"),
        ("https://example.com/one.ok.json", "examples/one.ok.json"),
        ("examples/one.ok.json, x-inferred: true", "examples/one.ok.inferred.json"),
        ("examples/one.ok.inferred.json", "examples/one.ok.json"),
    ] {
        let files = [("examples/other.json", "{}")];
        let files = if other.starts_with("examples/other") { &files[..] } else { &[] };
        assert_eq!(
            example_refused(&format!("{{externalValue: {other}}}"), files),
            format!(
                "{place}: externalValue: the name of the file follows from that of the example; write `{name}`"
            )
        );
    }
}

#[test]
fn a_file_of_an_example_is_there_and_json() {
    let example = "{externalValue: examples/one.ok.json}";
    let error = example_refused(example, &[]);
    assert!(
        error.starts_with("examples/one.ok.json: an example names it, and it cannot be read: "),
        "{error}"
    );
    for text in ["", "{a: 1}", "{\n  \"a\": 1,\n}", "{} {}"] {
        let error = example_refused(example, &[("examples/one.ok.json", text)]);
        assert!(
            error.starts_with("examples/one.ok.json: is no JSON: ") && error.contains("line "),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_no_example_names_is_refused() {
    for name in ["examples/one.json", "family/examples/one.json", "family/one.json"] {
        assert_eq!(
            load("stray", &[("sandbox.yaml", "paths: {}"), (name, "{}")]).err().unwrap(),
            format!("{name}: no example names it; write one with `externalValue`, or remove the file")
        );
    }
    // A family that is switched off names its files as well.
    let family = "x-feature: off\ncomponents: {examples: {one: {externalValue: examples/one.json}}}\n";
    let files = [
        ("sandbox.yaml", "x-files: [family/family.yaml]"),
        ("family/family.yaml", family),
        ("family/examples/one.json", "{}"),
    ];
    assert!(load("off", &files).is_ok());
}

#[test]
fn every_violation_of_the_examples_is_told_at_once() {
    let document = "paths: {/one: {get: {summary: One}}}\n\
                    components: {examples: {one: {value: 1}, two: {externalValue: examples/two.json}}}\n";
    let error =
        load("violations", &[("sandbox.yaml", document), ("examples/stray.json", "{}")]).err().unwrap();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 4, "{error}");
    assert_eq!(
        lines[0],
        "sandbox.yaml: GET /one: operationId: the files of its examples begin with it; write one"
    );
    for (line, start) in lines[1..].iter().zip([
        "sandbox.yaml: examples/one: value: ",
        "examples/two.json: ",
        "examples/stray.json: ",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn errors_in_yaml_name_file_and_line() {
    let error = load("yaml", &[("sandbox.yaml", ROOT), ("more.yaml", "paths:\n  /one: [\n")]).err().unwrap();
    assert!(error.starts_with("more.yaml: ") && error.contains("line 2"), "{error}");
}

#[test]
fn text_of_the_provider_stays_text() {
    let yaml = "paths: {n: Y, no: No, on: off, yes: y, empty: '', flag: true, number: 5, version: 1.0.0}";
    let document = load("text_values", &[("sandbox.yaml", yaml)]).unwrap();
    assert_eq!(
        document.merged["paths"],
        json!({
            "n": "Y", "no": "No", "on": "off", "yes": "y", "empty": "",
            "flag": true, "number": 5, "version": "1.0.0",
        })
    );
}

//! The promises of tolerant reading, on every example of every operation: each
//! value in turn is replaced by each odd form, and has the outcome that the
//! document's schema promises.

use std::{collections::HashSet, fmt};

use sandbox_client::{
    ErrorKind, Operation,
    mock::{document, round_trip, unread},
};
use serde_json::{Value, json};

use crate::{
    contract::is_secret,
    samples::{examples, is_failure, payload, resolve},
};

/// A step into a value.
#[derive(Clone)]
enum Step {
    Member(String),
    Entry(usize),
}

#[derive(Clone, Default)]
struct Path(Vec<Step>);

impl Path {
    fn member(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Member(name.to_owned()));
        path
    }

    fn entry(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Entry(index));
        path
    }

    fn of<'a>(&self, value: &'a mut Value) -> &'a mut Value {
        self.0.iter().fold(value, |value, step| match step {
            Step::Member(name) => &mut value[name],
            Step::Entry(index) => &mut value[index],
        })
    }

    /// The member; nothing for an entry of a list.
    fn name(&self) -> Option<String> {
        match self.0.last() {
            Some(Step::Member(name)) => Some(name.clone()),
            _ => None,
        }
    }
}

/// As `Answer::unread` writes it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if index == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Entry(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What the document says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Text,
    Flag,
    YesNo,
    Number,
    Money,
    List,
    Object,
    /// Of a type with rules of its own.
    Special,
    /// Kept as it came.
    Anything,
}

/// A value of an example with what the document says of it.
struct Place {
    path: Path,
    wanted: Wanted,
    /// An answer without it is refused.
    required: bool,
    /// Within a type with rules of its own.
    special: bool,
    /// The schema that it is a member of: one that many operations share is tried once.
    of: *const Value,
}

/// Types that are text in whatever an answer has in their place.
const TEXTS: [&str; 12] = [
    "ProviderDate",
    "InvoiceAction",
    "InvoiceType",
    "SourceForm",
    "FilingStatus",
    "JobStatus",
    "CountText",
    "ReturnType",
    "SupplierSection",
    "PathSegment",
    "Section",
    "Text",
];

fn wanted(schema: &Value) -> Wanted {
    match schema["x-rust"].as_str() {
        Some("Amount") => return Wanted::Money,
        Some("YesNo") => return Wanted::YesNo,
        Some("Json") => return Wanted::Anything,
        Some(name) if TEXTS.contains(&name) => return Wanted::Text,
        Some(_) => return Wanted::Special,
        None => {}
    }
    if schema.get("enum").is_some() || schema.get("oneOf").is_some() || schema.get("format").is_some() {
        return Wanted::Special;
    }
    match schema["type"].as_str() {
        Some("string") => Wanted::Text,
        Some("boolean") => Wanted::Flag,
        Some("integer") => Wanted::Number,
        Some("array") => Wanted::List,
        Some("object") if schema.get("properties").is_some() => Wanted::Object,
        Some("object") if schema["additionalProperties"].as_object().is_some_and(|of| !of.is_empty()) => {
            Wanted::Object
        }
        _ => Wanted::Anything,
    }
}

/// All values within the payload of an example.
fn places_of(operation: &Operation, schema: &Value, answer: &Value) -> Vec<Place> {
    let path = operation.payload.iter().fold(Path::default(), |path, key| path.member(key));
    let wanted = wanted(schema);
    let root = Place { path, wanted, required: true, special: wanted == Wanted::Special, of: schema };
    let mut found = Vec::new();
    places(schema, payload(operation, answer).unwrap(), root, &mut found);
    found.retain(|place| place.path.0.len() > operation.payload.len());
    found
}

fn places(schema: &Value, value: &Value, place: Place, found: &mut Vec<Place>) {
    let schema = resolve(document(), schema);
    let special = place.special || place.wanted == Wanted::Special;
    let schema_of: *const Value = schema;
    let below = |path: Path, schema: &Value, required: bool| Place {
        path,
        wanted: wanted(resolve(document(), schema)),
        required,
        special,
        of: schema_of,
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let known = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                let required = schema["required"].as_array().into_iter().flatten().any(|known| known == name);
                places(known, member, below(place.path.member(name), known, required), found);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                let known = &schema["items"];
                places(known, entry, below(place.path.entry(index), known, false), found);
            }
        }
        _ => {}
    }
    found.push(place);
}

/// What becomes of an odd form.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Read, and written back so.
    Read(Value),
    /// Nothing is there, and that is no surprise.
    Absent,
    /// Nothing is there, and the path is listed.
    Listed,
    Refused,
}

/// An odd form as JSON, since `1.0` and `1e400` are no values of their own.
const FORMS: [&str; 19] = [
    "7",
    "1.0",
    "10.5",
    "-3",
    "1e2",
    "123456789012345678901234",
    "1e400",
    "\"odd\"",
    "\"\"",
    "\" \"",
    "\"7\"",
    "\"1.0\"",
    "\"1,234.50\"",
    "\"Y\"",
    "true",
    "null",
    "[]",
    "{}",
    "[{\"a\": [1]}]",
];

/// The promise for a form; `None` where there is none.
#[allow(clippy::too_many_lines)] // one table
fn promise(place: &Place, form: &str) -> Option<Outcome> {
    let text = serde_json::from_str::<String>(form).ok();
    let blank = text.as_ref().is_some_and(|text| text.trim().is_empty());
    let outcome = match place.wanted {
        Wanted::Text | Wanted::YesNo => match (form, text) {
            ("true", _) if place.wanted == Wanted::YesNo => Outcome::Read(json!("Y")),
            (_, Some(text)) => Outcome::Read(json!(text)),
            ("null", _) => Outcome::Absent,
            ("[]" | "{}" | "[{\"a\": [1]}]", _) => Outcome::Listed,
            (scalar, _) => Outcome::Read(json!(scalar)),
        },
        Wanted::Number => match form {
            "7" | "\"7\"" => Outcome::Read(json!(7)),
            "1.0" | "\"1.0\"" => Outcome::Read(json!(1)),
            "-3" => Outcome::Read(json!(-3)),
            "1e2" => Outcome::Read(json!(100)),
            "null" => Outcome::Absent,
            _ if blank => Outcome::Absent,
            _ => Outcome::Listed,
        },
        Wanted::Flag => match form {
            "true" | "\"Y\"" => Outcome::Read(json!(true)),
            "null" => Outcome::Absent,
            _ if blank => Outcome::Absent,
            _ => Outcome::Listed,
        },
        Wanted::Money => match form {
            "7" | "\"7\"" => Outcome::Read(json!(7)),
            "1.0" | "\"1.0\"" => Outcome::Read(json!(1)),
            "10.5" => Outcome::Read(json!(10.5)),
            "-3" => Outcome::Read(json!(-3)),
            "1e2" => Outcome::Read(json!(100)),
            "\"1,234.50\"" => Outcome::Read(json!(1234.5)),
            "null" => Outcome::Absent,
            _ if blank => Outcome::Absent,
            _ => Outcome::Refused,
        },
        Wanted::Object => match form {
            "{}" => return None, // whether it may be empty is another question
            "null" | "[]" => Outcome::Absent,
            _ if blank => Outcome::Absent,
            _ => Outcome::Listed,
        },
        Wanted::List => match form {
            "null" if !place.required => Outcome::Absent,
            "[]" | "{}" | "null" => Outcome::Read(json!([])),
            _ if blank => Outcome::Read(json!([])),
            // What one entry may be differs.
            _ => return None,
        },
        Wanted::Special | Wanted::Anything => return None,
    };
    Some(match outcome {
        Outcome::Absent | Outcome::Listed if place.required => Outcome::Refused,
        outcome => outcome,
    })
}

/// What is compared: null is absent, and so is an entry that is; 10 is 10.0.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), if is_secret(key) { json!("secret") } else { normal(value) }))
            .collect(),
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(normal).collect(),
        Value::Number(number) => json!(number.as_f64().unwrap()),
        other => other.clone(),
    }
}

/// Every success in the document, with the schema of its payload.
fn successes() -> Vec<(&'static Operation, &'static Value, &'static Value)> {
    let mut found = Vec::new();
    for operation in sandbox_client::operations() {
        let described = &document()["paths"][operation.path][operation.method.to_lowercase()];
        let response = &described["responses"]["200"];
        let whole = &response["content"]["application/json"]["schema"];
        for (_, answer) in examples(document(), response).filter(|(name, answer)| !is_failure(answer, name)) {
            // Where the document says, and not one level above.
            let at = operation.payload.iter().try_fold(answer, |value, key| value.get(key));
            if at.is_some_and(|payload| !payload.is_null()) {
                found.push((operation, payload_schema(operation, whole), answer));
            }
        }
    }
    assert!(found.len() > 30, "{} examples were found", found.len());
    found
}

/// The schema of the payload within that of a whole answer.
fn payload_schema(operation: &Operation, whole: &'static Value) -> &'static Value {
    operation.payload.iter().fold(settled(whole), |schema, key| settled(&schema["properties"][*key]))
}

/// Where a failure may stand in the place of the payload, the payload comes first.
fn settled(schema: &'static Value) -> &'static Value {
    let schema = resolve(document(), schema);
    match schema["allOf"].as_array().or(schema["anyOf"].as_array()) {
        Some(choices) if schema.get("x-rust").is_none() => settled(&choices[0]),
        _ => schema,
    }
}

const MARK: &str = "\u{1}here\u{1}";

/// The answer without what is neither on the way to a place nor needed beside
/// it: a whole return takes long to read, and is read for each form of each place.
fn lean(operation: &Operation, schema: &Value, answer: &Value, place: &Place) -> Value {
    let mut answer = answer.clone();
    let payload = operation.payload.iter().fold(&mut answer, |value, key| &mut value[*key]);
    strip(schema, payload, &place.path.0[operation.payload.len()..]);
    answer
}

fn strip(schema: &Value, value: &mut Value, way: &[Step]) {
    let schema = resolve(document(), schema);
    match (value, way) {
        (Value::Object(members), [Step::Member(next), way @ ..]) => {
            let required = schema["required"].as_array();
            members.retain(|name, member| {
                let is_needed = required.into_iter().flatten().any(|needed| needed == name);
                name == next || is_needed || !(member.is_object() || member.is_array())
            });
            let known = schema["properties"].get(next).unwrap_or(&schema["additionalProperties"]);
            strip(known, &mut members[next], way);
        }
        (Value::Array(entries), [Step::Entry(index), way @ ..]) => {
            entries.truncate(index + 1);
            strip(&schema["items"], &mut entries[*index], way);
        }
        _ => {}
    }
}

/// The answer as JSON with a form in a place.
fn with(answer: &Value, path: &Path, form: &str) -> String {
    let mut answer = answer.clone();
    *path.of(&mut answer) = json!(MARK);
    answer.to_string().replace(&json!(MARK).to_string(), form)
}

#[test]
fn every_odd_form_has_the_promised_outcome() {
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut seen = HashSet::new();
    for (operation, schema, answer) in successes() {
        for place in places_of(operation, schema, answer) {
            if place.special || !seen.insert((place.of, place.path.name())) {
                continue;
            }
            let answer = lean(operation, schema, answer, &place);
            for form in FORMS {
                let Some(promised) = promise(&place, form) else { continue };
                tried += 1;
                if let Err(found) = check(operation, &answer, &place, form, &promised) {
                    wrong.push(format!(
                        "{} {} ({:?}) = {form}: promised {promised:?}, {found}",
                        operation.id, place.path, place.wanted
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 3000, "{tried} were tried");
}

fn check(
    operation: &Operation,
    answer: &Value,
    place: &Place,
    form: &str,
    promised: &Outcome,
) -> Result<(), String> {
    let sent = with(answer, &place.path, form);
    let path = place.path.to_string();
    let read = round_trip(operation.id, sent.as_bytes()).unwrap();
    let listed = unread(operation.id, sent.as_bytes()).unwrap();
    let (read, listed) = match (read, listed) {
        (Ok(read), Ok(listed)) => (read, listed),
        (Err(error), _) | (_, Err(error)) => {
            let told = error.kind() == ErrorKind::Decode && error.to_string().contains(&format!("`{path}`"));
            return if *promised == Outcome::Refused && told {
                Ok(())
            } else {
                Err(format!("refused: {error}"))
            };
        }
    };
    let mut expected = answer.clone();
    let target = place.path.of(&mut expected);
    let listed_as_promised = match promised {
        Outcome::Refused => return Err(format!("read, listed {listed:?}")),
        Outcome::Read(value) => {
            *target = value.clone();
            listed.is_empty()
        }
        Outcome::Absent => {
            *target = Value::Null;
            listed.is_empty()
        }
        Outcome::Listed => {
            *target = Value::Null;
            listed == [path]
        }
    };
    if !listed_as_promised {
        return Err(format!("listed {listed:?}"));
    }
    let expected = normal(payload(operation, &expected).unwrap());
    if normal(&read) == expected { Ok(()) } else { Err(format!("read as {read}")) }
}

/// Types with rules of their own promise less: nothing of the rest is lost, or
/// what was left out is listed, or the error names the place.
#[test]
fn odd_forms_in_types_of_our_own_cost_nothing_else() {
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut seen = HashSet::new();
    for (operation, schema, answer) in successes() {
        for place in places_of(operation, schema, answer) {
            let own = place.special || place.wanted == Wanted::Special;
            if !own || !seen.insert((place.of, place.path.name())) {
                continue;
            }
            for form in FORMS {
                tried += 1;
                if let Err(found) = check_rest(operation, answer, &place, form) {
                    wrong.push(format!("{} {} = {form}: {found}", operation.id, place.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 300, "{tried} were tried");
}

fn check_rest(operation: &Operation, answer: &Value, place: &Place, form: &str) -> Result<(), String> {
    let sent = with(answer, &place.path, form);
    let path = place.path.to_string();
    let read = match round_trip(operation.id, sent.as_bytes()).unwrap() {
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::Decode && error.to_string().contains(&path) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let below = Path(place.path.0[operation.payload.len()..].to_vec());
    let without = |mut value: Value| {
        if value.pointer(&pointer(&below)).is_some() {
            *below.of(&mut value) = Value::Null;
        }
        normal(&value)
    };
    let expected = without(payload(operation, answer).unwrap().clone());
    // An entry that was dropped has left its place to the next.
    let dropped = matches!(below.0.last(), Some(Step::Entry(_)));
    let read = if dropped { normal(&read) } else { without(read) };
    let listed = unread(operation.id, sent.as_bytes()).unwrap().unwrap();
    if covers(&read, &expected) || listed.iter().any(|listed| path.starts_with(listed)) {
        Ok(())
    } else {
        Err(format!("{read} lacks of {expected}, listed {listed:?}"))
    }
}

fn pointer(path: &Path) -> String {
    path.0
        .iter()
        .map(|step| match step {
            Step::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Entry(index) => format!("/{index}"),
        })
        .collect()
}

/// Whether everything of `part` is in `whole`; of a list, an entry may be
/// missing, and so may counts of zero.
fn covers(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| match whole.get(name) {
                Some(whole) => covers(whole, part),
                None => is_nothing(part),
            })
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.len() <= whole.len() + 1
                && part.iter().all(|part| whole.iter().any(|whole| covers(whole, part)) || part.is_null())
        }
        (whole, part) => whole == part,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_nothing),
        other => other.as_f64() == Some(0.0),
    }
}

/// One entry in the place of a list is the list of that entry.
#[test]
fn one_entry_stands_for_a_list_and_null_entries_for_nothing() {
    let mut tried = 0;
    for (operation, schema, answer) in successes() {
        let lists = places_of(operation, schema, answer).into_iter();
        for place in lists.filter(|place| place.wanted == Wanted::List && !place.special) {
            let mut alone = answer.clone();
            let Value::Array(entries) = place.path.of(&mut alone).clone() else { continue };
            let Some(first) = entries.first().filter(|first| first.is_object()) else { continue };
            *place.path.of(&mut alone) = json!([null, first, null]);
            let many = alone.to_string();
            *place.path.of(&mut alone) = json!([first]);
            let expected = normal(payload(operation, &alone).unwrap());
            let one = with(answer, &place.path, &first.to_string());
            for sent in [one, many] {
                tried += 1;
                let place = format!("{} {}", operation.id, place.path);
                let read = round_trip(operation.id, sent.as_bytes()).unwrap();
                assert_eq!(
                    normal(&read.unwrap_or_else(|error| panic!("{place}: {error}"))),
                    expected,
                    "{place}"
                );
                assert_eq!(unread(operation.id, sent.as_bytes()).unwrap().unwrap(), [""; 0], "{place}");
            }
        }
    }
    assert!(tried > 50, "{tried} were tried");
}

/// A member that nobody knows changes nothing, at whatever level it stands.
#[test]
fn an_unknown_member_changes_nothing() {
    const NAME: &str = "zz_unknown";
    let unknowns = [json!({"a": [1, {"b": null}], "c": "d"}), json!("text"), json!(7.5)];
    let mut tried = 0;
    for (operation, _, answer) in successes() {
        let expected = round_trip(operation.id, answer.to_string().as_bytes()).unwrap().unwrap();
        let mut objects = vec![Path::default()];
        collect_objects(answer, &Path::default(), &mut objects);
        for object in objects {
            tried += 1;
            let unknown = &unknowns[tried % unknowns.len()];
            let mut sent = answer.clone();
            object.of(&mut sent)[NAME] = unknown.clone();
            let (sent, place) = (sent.to_string(), format!("{} {object} + {unknown}", operation.id));
            let read = round_trip(operation.id, sent.as_bytes()).unwrap();
            let mut read = read.unwrap_or_else(|error| panic!("{place}: {error}"));
            remove(&mut read, NAME);
            assert_eq!(read, expected, "{place}");
            let listed = unread(operation.id, sent.as_bytes()).unwrap().unwrap();
            // Where members have any name, it is one of them.
            assert!(listed.iter().all(|path| path.contains(NAME)), "{place}: {listed:?}");
        }
    }
    assert!(tried > 500, "{tried} were tried");
}

fn collect_objects(value: &Value, path: &Path, found: &mut Vec<Path>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_object() {
                    found.push(path.member(name));
                }
                collect_objects(member, &path.member(name), found);
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate().take(1) {
                if entry.is_object() {
                    found.push(path.entry(index));
                }
                collect_objects(entry, &path.entry(index), found);
            }
        }
        _ => {}
    }
}

fn remove(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            members.remove(name);
            members.values_mut().for_each(|member| remove(member, name));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| remove(entry, name)),
        _ => {}
    }
}

//! What is read of JSON in another shape than documented.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::values::{Amount, YesNo};

fn read<T: de::DeserializeOwned>(json: &str) -> Result<(T, Vec<String>), String> {
    super::read(json).map_err(|unreadable| match unreadable {
        Unreadable::NotJson(at) => at.to_string(),
        Unreadable::Odd(odd) => format!("{} {}", odd.path(), odd.expected().unwrap_or_default()),
    })
}

#[derive(Deserialize, Debug, Default)]
#[allow(dead_code)] // printed
struct Sample {
    needed: Option<Needed>,
    text: Option<String>,
    number: Option<i64>,
    flag: Option<bool>,
    yes: Option<YesNo>,
    money: Option<Amount>,
    list: Option<Vec<Sample>>,
    texts: Option<Vec<String>>,
    map: Option<BTreeMap<String, i64>>,
    any: Option<serde_json::Value>,
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)] // printed
struct Needed {
    id: String,
    sum: Amount,
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)] // printed
struct Flat {
    money: Option<Amount>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// What is read of the one member, as Rust prints it, and what is noted.
fn member(json: &str) -> (String, Vec<String>) {
    let (read, unread) = read::<Sample>(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let read = format!("{read:?}");
    let members = read.trim_start_matches("Sample { ").trim_end_matches(" }").split(", ");
    let there: Vec<_> = members.filter(|member| !member.ends_with(": None")).collect();
    (there.join(", "), unread)
}

#[test]
fn what_has_another_shape_is_read_where_its_meaning_is_plain() {
    for (json, read) in [
        (r#"{"text": 10.50}"#, r#"text: Some("10.50")"#),
        (r#"{"text": 123456789012345678901234567890}"#, r#"text: Some("123456789012345678901234567890")"#),
        (r#"{"text": true}"#, r#"text: Some("true")"#),
        (r#"{"text": "a\u00e9\"b"}"#, r#"text: Some("aé\"b")"#),
        (r#"{"text": ""}"#, r#"text: Some("")"#),
        (r#"{"number": 1.0}"#, "number: Some(1)"),
        (r#"{"number": 1e3}"#, "number: Some(1000)"),
        (r#"{"number": " 12 "}"#, "number: Some(12)"),
        (r#"{"number": "7.0"}"#, "number: Some(7)"),
        (r#"{"flag": "Y"}"#, "flag: Some(true)"),
        (r#"{"flag": 0}"#, "flag: Some(false)"),
        (r#"{"flag": "false"}"#, "flag: Some(false)"),
        (r#"{"yes": true}"#, "yes: Some(Yes)"),
        (r#"{"yes": 0}"#, "yes: Some(No)"),
        (r#"{"yes": "Z"}"#, r#"yes: Some(Other("Z"))"#),
        (r#"{"money": "1,234.50"}"#, "money: Some(Amount(1234.5))"),
        (r#"{"yes": 10.50}"#, r#"yes: Some(Other("10.50"))"#),
        (r#"{"money": 9999999999999.99}"#, "money: Some(Amount(9999999999999.99))"),
        (r#"{"money": 12345678901234.50}"#, "money: Some(Amount(12345678901234.5))"),
        (r#"{"texts": "one"}"#, r#"texts: Some(["one"])"#),
        (r#"{"texts": ["a", null, 5]}"#, r#"texts: Some(["a", "5"])"#),
        (r#"{"texts": {}}"#, "texts: Some([])"),
        (r#"{"texts": ""}"#, "texts: Some([])"),
        (r#"{"map": {"a": 1, "b": null, "c": "2"}}"#, r#"map: Some({"a": 1, "c": 2})"#),
        (
            r#"{"any": {"a": [1, null, {"b": "c"}]}, "new": [{"x": 1e400}]}"#,
            r#"any: Some(Object {"a": Array [Number(1), Null, Object {"b": String("c")}]})"#,
        ),
        // Nothing, in its many forms.
        (r#"{"number": "", "flag": " ", "money": "", "needed": "", "map": [], "list": null}"#, ""),
        (r#"{"needed": [], "money": null, "number": null, "text": null}"#, ""),
    ] {
        let (member, unread) = member(json);
        assert_eq!((member.as_str(), unread.as_slice()), (read, &[][..]), "{json}");
    }
    let (sample, unread) =
        read::<Sample>(r#"{"list": {"text": "one", "list": [{"number": "3"}, null]}}"#).unwrap();
    let list = sample.list.unwrap();
    assert_eq!((list.len(), list[0].text.as_deref()), (1, Some("one")));
    assert_eq!(list[0].list.as_ref().unwrap()[0].number, Some(3));
    assert!(unread.is_empty());
}

#[test]
fn what_does_not_fit_is_absent_and_noted_and_the_rest_is_read() {
    for (json, noted) in [
        (r#"{"text": [1], "number": 7}"#, "text"),
        (r#"{"text": {"a": {"b": []}}, "number": 7}"#, "text"),
        (r#"{"number": 7, "flag": "perhaps"}"#, "flag"),
        (r#"{"flag": [], "number": 7}"#, "flag"),
        (r#"{"flag": 1e400, "number": 7}"#, "flag"),
        (r#"{"needed": 5, "number": 7}"#, "needed"),
        (r#"{"needed": [1, {"a": 2}], "number": 7}"#, "needed"),
        (r#"{"needed": [null], "number": 7}"#, "needed"),
        (r#"{"map": {"a": "x"}, "number": 7}"#, "map.a"),
        (r#"{"map": "x", "number": 7}"#, "map"),
        (r#"{"list": [5], "number": 7}"#, "list[0]"),
        (r#"{"list": 5, "number": 7}"#, "list"),
        (r#"{"list": "x", "number": 7}"#, "list"),
        (r#"{"list": [null, {"list": [{"text": []}]}], "number": 7}"#, "list[1].list[0].text"),
        (r#"{"texts": [{"a": 1}], "number": 7}"#, "texts[0]"),
        (r#"{"number": 7, "number": 8}"#, "number"),
        (r#"{"number": 7, "map": {"a": 1, "a": 2}}"#, "map.a"),
    ] {
        let (sample, unread) = read::<Sample>(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!((sample.number, unread), (Some(7), vec![noted.to_owned()]), "{json}");
    }
    let (sample, unread) = read::<Sample>(r#"{"number": 1.5, "text": "x"}"#).unwrap();
    assert_eq!((sample.number, sample.text.as_deref(), unread), (None, Some("x"), vec!["number".to_owned()]));
}

#[test]
fn what_the_answer_cannot_be_used_without_is_an_error_at_its_path() {
    for (json, error) in [
        (r#"{"list": [{"money": "x"}]}"#, "list[0].money expected an amount"),
        (r#"{"money": []}"#, "money expected an amount"),
        (r#"{"money": true}"#, "money expected an amount"),
        (r#"{"money": 1e400}"#, "money expected an amount"),
        (r#"{"needed": {"id": "a"}}"#, "needed missing field `sum`"),
        (r#"{"needed": {"id": [], "sum": 1}}"#, "needed.id expected"),
        (r#"{"needed": {"id": "a", "sum": ""}}"#, "needed.sum expected an amount"),
        (r#"{"needed": {"id": null, "sum": 1}}"#, "needed.id expected"),
        ("[1]", ". expected struct Sample"),
    ] {
        let told = read::<Sample>(json).map(|_| json).unwrap_err();
        assert!(told.starts_with(error), "{json}: {told}");
    }
    assert!(read::<Sample>(r#"{"text": "#).unwrap_err().contains("line 1, column 9"));
    let (needed, _) = read::<Needed>(r#"{"id": 5, "sum": "1.50"}"#).unwrap();
    assert_eq!((needed.id.as_str(), needed.sum.to_string()), ("5", "1.5".to_owned()));
}

/// Null stands for what is too deep, and what it is part of is noted.
#[test]
fn what_is_nested_too_deep_costs_nothing_else() {
    let deep = |levels: usize| format!("{}7{}", r#"[{"a":"#.repeat(levels / 2), "}]".repeat(levels / 2));
    for levels in [90, 2000, 200_000] {
        let fits = levels < 100;
        let noted = |paths: &[&str]| {
            if fits { Vec::new() } else { paths.iter().map(ToString::to_string).collect() }
        };
        let deep = deep(levels);
        let json = format!(
            r#"{{"any": {{"x": 1, "y": [{deep}, {deep}]}}, "number": 7, "new": {deep}, "list": [{{"any": {deep}, "number": 8}}]}}"#
        );
        let (sample, unread) = read::<Sample>(&json).unwrap();
        let list = &sample.list.unwrap()[0];
        assert_eq!((sample.number, list.number), (Some(7), Some(8)));
        assert_eq!((&sample.any.unwrap()["x"], unread), (&json!(1), noted(&["any", "list[0].any"])));

        let json = format!(r#"{{"money": 2, "a": 1, "b": {deep}}}"#);
        let (flat, unread) = read::<Flat>(&json).unwrap();
        assert_eq!((flat.money, &flat.rest["a"]), (Some(2.into()), &json!(1)));
        assert_eq!((flat.rest["b"].is_array(), unread), (true, noted(&["b"])));

        // What is typed and too deep is of another shape.
        let (sample, unread) = read::<Sample>(&format!(r#"{{"text": {deep}, "number": {deep}}}"#)).unwrap();
        assert!(sample.text.is_none() && sample.number.is_none());
        assert_eq!(unread, ["text", "number"]);

        for (apart, path) in [(1, "a"), (2, "a.c"), (3, "a.c[0]")] {
            let json = format!(r#"{{"a": {{"b": 1, "c": {deep}}}, "d": [null]}}"#);
            let (any, unread) = super::read_apart::<serde_json::Value>(&json, apart).unwrap();
            assert_eq!((&any["a"]["b"], &any["d"], unread), (&json!(1), &json!([null]), noted(&[path])));
        }
        let json = format!("[1, {deep}, 2]");
        let (any, unread) = read::<serde_json::Value>(&json).unwrap();
        assert_eq!((&any[2], unread), (&json!(2), noted(&[".[1]"])));
        let (any, unread) = read::<Vec<serde_json::Value>>(&json).unwrap();
        assert_eq!((any.len(), unread), (3, noted(&[".[1]"])));
    }
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

/// A closed list of words, as types of a caller have: an unknown word is of another shape.
#[test]
fn a_word_of_a_closed_list_is_read() {
    type Colours = BTreeMap<String, Option<Colour>>;
    let (colours, unread) = read::<Colours>(r#"{"a": "green", "b": null, "c": 5, "d": "\u0072ed"}"#).unwrap();
    let colour = |name: &str| colours.get(name).and_then(Option::as_ref);
    assert_eq!((colour("a"), colour("d")), (Some(&Colour::Green), Some(&Colour::Red)));
    assert_eq!((colour("b"), colour("c"), unread), (None, None, vec!["c".to_owned()]));
    for (json, error) in [("null", ". expected enum Colour"), (r#""blue""#, ". expected `red` or `green`")] {
        assert!(read::<Colour>(json).unwrap_err().starts_with(error), "{json}");
    }
}

/// A null in a list is no entry, and nothing is lost.
#[test]
fn a_list_of_words_has_no_entry_for_null() {
    let (colours, unread) = read::<Vec<Colour>>(r#"["red", null]"#).unwrap();
    assert_eq!((colours, unread), (vec![Colour::Red], Vec::new()));
}

#[derive(Deserialize, Debug)]
struct Listed {
    list: Option<Vec<Needed>>,
}

/// One entry in the place of the list is that entry, with what it cannot be used without.
#[test]
fn one_entry_in_the_place_of_a_list_is_read_like_an_entry() {
    let (listed, unread) = read::<Listed>(r#"{"list": {"id": "a", "sum": 1}}"#).unwrap();
    assert_eq!((listed.list.unwrap().len(), unread), (1, Vec::new()));
    let error = read::<Listed>(r#"{"list": {"id": "a"}}"#).unwrap_err();
    assert!(error.starts_with("list missing field `sum`"), "{error}");
}

#[test]
fn text_with_escapes_is_text() {
    let (read, unread) = member(r#"{"any": "a\"b"}"#);
    assert_eq!((read.as_str(), unread), (r#"any: Some(String("a\"b"))"#, Vec::new()));
    for list in [r#""a\"b""#, r#"["a\"b"]"#] {
        let (read, unread) = member(&format!(r#"{{"texts": {list}}}"#));
        assert_eq!((read.as_str(), unread), (r#"texts: Some(["a\"b"])"#, Vec::new()));
    }
}

#[test]
fn of_many_members_of_one_name_the_first_holds() {
    let (sample, unread) = read::<Sample>(r#"{"number": 7, "number": 8, "number": 9}"#).unwrap();
    assert_eq!((sample.number, unread), (Some(7), vec!["number".to_owned(); 2]));
}

#[test]
fn a_number_beyond_the_last_exact_float_is_no_integer() {
    let (read, unread) = member(r#"{"number": 9007199254740991.0}"#);
    assert_eq!((read.as_str(), unread), ("number: Some(9007199254740991)", Vec::new()));
    let (read, unread) = member(r#"{"number": 9007199254740992.0}"#);
    assert_eq!((read.as_str(), unread), ("", vec!["number".to_owned()]));
    let (floats, unread) =
        super::read::<BTreeMap<String, Option<f64>>>(r#"{"a": "1e400", "b": 1.5}"#).unwrap();
    assert_eq!((floats.get("a").copied().flatten(), floats["b"]), (None, Some(1.5)));
    assert_eq!(unread, ["a"]);
    let (read, unread) = member(r#"{"any": 1e400}"#);
    assert_eq!((read.as_str(), unread), (r#"any: Some(String("1e400"))"#, Vec::new()));
}

#[test]
fn a_hundred_levels_are_read() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for (levels, noted) in [(100, &[][..]), (101, &["any"])] {
            let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let (_, unread) = read::<Sample>(&format!(r#"{{"any": {deep}}}"#)).unwrap();
            assert_eq!(unread, noted, "{levels} of {open}");
        }
    }
}

#[test]
fn members_that_are_kept_for_later_are_kept_as_they_are() {
    let sent = json!({"money": "2", "new": {"a": [null, 1.5]}, "flag": "Y"});
    let (flat, unread) = read::<Flat>(&sent.to_string()).unwrap();
    assert_eq!(flat.money, Some(2.into()));
    assert_eq!((&flat.rest["new"], &flat.rest["flag"]), (&sent["new"], &sent["flag"]));
    assert!(unread.is_empty());
    let (flat, unread) = read::<Flat>(r#"{"money": 1, "money": 2, "a": 1}"#).unwrap();
    assert_eq!((flat.money, unread), (Some(1.into()), vec!["money".to_owned()]));
    assert!(read::<Flat>(r#"{"money": "x"}"#).is_err());
}

#[derive(Deserialize, Debug)]
struct Fixed {
    pair: Option<(String, i64)>,
    none: Option<[i64; 0]>,
    after: i64,
}

/// A type that takes a fixed number of entries does not ask for the end of the list.
#[test]
fn what_a_type_leaves_of_a_list_is_noted() {
    for (json, pair, noted) in [
        (r#"{"pair": ["a", 1], "none": [], "after": 7}"#, Some(1), &[][..]),
        (r#"{"pair": ["a", 1, [2]], "none": [], "after": 7}"#, Some(1), &["pair"]),
        (r#"{"pair": ["a"], "none": [5], "after": 7}"#, None, &["pair", "none"]),
        (r#"{"pair": [], "none": {"a": [1]}, "after": 7}"#, None, &["pair", "none"]),
    ] {
        let (fixed, unread) = read::<Fixed>(json).unwrap();
        assert_eq!((fixed.pair.map(|pair| pair.1), fixed.after), (pair, 7), "{json}");
        assert_eq!(
            (fixed.none.is_some(), unread.as_slice()),
            (true, &noted.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{json}"
        );
    }
}

/// Many notes below a name of megabytes would take up all memory.
#[test]
fn a_path_has_the_start_of_a_long_name() {
    let name = "é".repeat(1000);
    let (_, unread) = read::<BTreeMap<String, Vec<i64>>>(&format!(r#"{{"{name}": ["x", 1]}}"#)).unwrap();
    assert_eq!(unread, [format!("{}[0]", "é".repeat(120))]);
}

/// Whoever sees that the text is cut need not look for what is odd in it.
#[test]
fn a_text_that_is_cut_is_told_before_what_is_odd_in_it() {
    for (json, told) in [
        (r#"{"money": "x"}"#, "money expected an amount"),
        (r#"{"money": "x", "text": "#, "line 1, column 23"),
        (r#"{"money": "x"} 5"#, "line 1, column 16"),
    ] {
        let error = read::<Sample>(json).unwrap_err();
        assert!(error.starts_with(told), "{json}: {error}");
    }
}

#[test]
fn json_of_any_form_has_the_numbers_that_were_sent() {
    let json = "[0, -0, -1, 1.5, 1e3, 9223372036854775807, 18446744073709551615]";
    let sent: serde_json::Value = serde_json::from_str(json).unwrap();
    let (any, unread) = read::<serde_json::Value>(json).unwrap();
    // As text, since -0 equals 0.
    assert_eq!((any.to_string(), unread), (sent.to_string(), Vec::new()));
}

/// A list that must be there is empty for null.
#[test]
fn null_in_the_place_of_a_list_is_a_list_without_entries() {
    let (lists, unread) = read::<BTreeMap<String, Vec<i64>>>(r#"{"a": null, "b": [1]}"#).unwrap();
    assert_eq!((lists["a"].len(), lists["b"].len(), unread), (0, 1, Vec::new()));
}

/// The first name of an object; its visitor looks no further.
struct FirstName(String);

impl<'de> Deserialize<'de> for FirstName {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct First;

        impl<'de> Visitor<'de> for First {
            type Value = FirstName;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstName, A::Error> {
                let first: Option<(_, de::IgnoredAny)> = map.next_entry()?;
                first.map(|(name, _)| FirstName(name)).ok_or_else(|| de::Error::custom("empty"))
            }
        }

        json.deserialize_map(First)
    }
}

#[test]
fn what_an_object_has_too_much_is_noted() {
    let (names, unread) = read::<Vec<FirstName>>(r#"[{"a": 1, "b": {"c": 2}}, 3]"#).unwrap();
    assert_eq!((names.len(), names[0].0.as_str()), (1, "a"));
    assert_eq!(unread, [".[0]", ".[1]"]);
}

#[derive(Deserialize)]
#[allow(dead_code)] // read
struct Chain {
    next: Option<Box<Chain>>,
}

#[test]
fn lists_and_objects_of_a_type_are_read_to_the_last_level() {
    let last = format!("{}list", "list[0].".repeat(50));
    for (levels, noted) in [(50, None), (51, Some(last))] {
        let deep = format!("{}{}", r#"{"list": ["#.repeat(levels), "]}".repeat(levels));
        let (_, unread) = read::<Sample>(&deep).unwrap();
        assert_eq!(unread, Vec::from_iter(noted), "{levels}");
    }
    let objects = |levels: usize| format!("{}null{}", r#"{"next": "#.repeat(levels), "}".repeat(levels));
    for (levels, noted) in [(101, None), (102, Some(format!("{}next", "next.".repeat(100))))] {
        let (_, unread) = read::<Chain>(&objects(levels)).unwrap();
        assert_eq!(unread, Vec::from_iter(noted), "{levels}");
    }
}

/// Of a struct with more members than there are bits, the first ones are watched.
#[test]
fn names_beyond_the_bits_are_not_watched() {
    let names: Vec<&'static str> = (0..130).map(|n| &*n.to_string().leak()).collect();
    let mut seen = Seen::Fields { fields: names.clone().leak(), bits: 0, next: 0 };
    for (name, twice) in [(0, true), (127, true), (128, false), (129, false)] {
        let name = Cow::Borrowed(names[name]);
        assert_eq!([seen.before(&name), seen.before(&name)], [false, twice], "{name}");
    }
}

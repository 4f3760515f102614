//! A memory for the Invoice Management System.
//!
//! One of the two files of the mock that are written for certain operations; the
//! other is `nic.rs`. Examples
//! cannot agree with each other once something was done: after a batch is
//! processed, lists and counts have to show it, and no document says how.
//!
//! It begins with the invoices of the examples of `list_invoices` and keeps one
//! account, whoever asks. A job is processed when its status is asked for the
//! second time; the first answer is that it is in progress (inferred: no page
//! shows a job that is not done). Sections outside the examples are empty, and
//! counts other than those of `others` stay as documented.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    answer::{Call, Reply, succeeds},
    document::{Document, given, list, members, text},
    lock,
};

/// The invoices of the account, and the jobs on them.
pub(super) struct Ims {
    invoices: Vec<Invoice>,
    jobs: HashMap<String, Job>,
}

struct Invoice {
    section: String,
    content: Value,
}

enum Job {
    Waiting { kind: &'static str, items: Vec<Invoice>, asked: bool },
    Done(Value),
}

impl Ims {
    /// The account as the examples have it; `None` for a document without lists.
    pub(super) fn of(document: &Document) -> Option<Self> {
        let lists = document.examples(document.get("list_invoices")?);
        let whole = lists
            .into_iter()
            .map(|(_, example)| example)
            .filter(|example| members(&example["x-when"]).map(|(name, _)| name.as_str()).eq(["section"]));
        let invoices = whole.flat_map(|example| by_section(&example["value"]["data"]["data"])).collect();
        Some(Self { invoices, jobs: HashMap::new() })
    }

    fn list(&self, call: &Call) -> Option<Reply> {
        let section = key(&call.values("query", "section").concat());
        let status = call.values("query", "status").concat();
        let action = match status.as_str() {
            "accepted" => "A",
            "rejected" => "R",
            "pending" => "P",
            "no_action_taken" => "N",
            _ => "",
        };
        let found: Vec<_> = self
            .invoices
            .iter()
            .filter(|invoice| invoice.section == section)
            .map(|invoice| &invoice.content)
            .filter(|content| action.is_empty() || content["action"] == action)
            .collect();
        let mut examples = call.examples();
        if found.is_empty() {
            return Some(call.documented(Some(examples.find(|example| !succeeds(example))?)));
        }
        let mut example = examples.find(|example| succeeds(example))?.clone();
        let mut sections = Map::new();
        sections.insert(section, json!(found));
        example["value"]["data"]["data"] = sections.into();
        Some(call.documented(Some(&example)))
    }

    fn count(&self, call: &Call) -> Option<Reply> {
        let mut example = call.choose()?.clone();
        let group = example["value"]["data"]["data"]["all_oth"].as_object_mut()?;
        let mut total = 0;
        for (section, counts) in group.iter_mut().filter(|(_, counts)| counts.is_object()) {
            for (name, action) in [("accept", "A"), ("reject", "R"), ("pending", "P"), ("noaction", "N")] {
                let has =
                    |invoice: &&Invoice| invoice.section == *section && invoice.content["action"] == action;
                let count = self.invoices.iter().filter(has).count();
                counts[name] = count.into();
                total += count;
            }
        }
        group.insert("ttl_cnt".to_owned(), total.into());
        Some(call.documented(Some(&example)))
    }

    fn start(&mut self, call: &Call, kind: &'static str) -> Option<Reply> {
        let items = by_section(&call.json.as_ref()?["invdata"]);
        let mut example = call.choose()?.clone();
        // As long as those of the provider, and never the same.
        let reference = format!("{:015x}", 0x00f1_a5c0_0000_u64 + self.jobs.len() as u64);
        example["value"]["data"]["data"]["reference_id"] = reference.as_str().into();
        self.jobs.insert(reference, Job::Waiting { kind, items, asked: false });
        Some(call.documented(Some(&example)))
    }

    fn check(&mut self, call: &Call) -> Option<Reply> {
        let job = self.jobs.get_mut(&call.values("query", "reference_id").concat())?;
        let report = match job {
            Job::Done(report) => report.clone(),
            Job::Waiting { kind, asked: asked @ false, .. } => {
                *asked = true;
                json!({"status_cd": "IP", "transTypCd": kind})
            }
            Job::Waiting { kind, items, .. } => {
                let report = process(&mut self.invoices, items, kind);
                *job = Job::Done(report.clone());
                report
            }
        };
        let mut example = call.examples().find(|example| succeeds(example))?.clone();
        example["value"]["data"]["data"] = report;
        Some(call.documented(Some(&example)))
    }
}

/// The answer of the account; `None` for what the document alone answers.
pub(super) fn answer(call: &Call) -> Option<Reply> {
    let mut ims = lock(call.state.ims.as_ref()?);
    match call.operation.id.as_str() {
        "list_invoices" => ims.list(call),
        "get_invoice_count" => ims.count(call),
        "save_invoice_status" => ims.start(call, "SAV"),
        "reset_invoice_status" => ims.start(call, "RST"),
        "check_invoice_status" => ims.check(call),
        _ => None,
    }
}

/// Acts on each invoice that stands as the request has it, and reports the others.
fn process(invoices: &mut [Invoice], items: &[Invoice], kind: &str) -> Value {
    let mut errors = Map::new();
    let mut refused = 0;
    for Invoice { section, content: item } in items {
        let found =
            invoices.iter_mut().find(|invoice| invoice.section == *section && is(&invoice.content, item));
        let reduces = section.starts_with("b2bcn") && item["action"] == "A";
        let (code, message) = match found {
            Some(_) if reduces && item["itcRedReq"].is_null() => ("IMSSAV0054", "itcRedReq has no value"),
            Some(invoice) if invoice.content["action"] == item["prev_status"] => {
                invoice.content["action"] = item.get("action").cloned().unwrap_or_else(|| "N".into());
                for name in ["remarks", "itcRedReq"] {
                    if let Some(value) = item.get(name) {
                        invoice.content[name] = value.clone();
                    }
                }
                continue;
            }
            _ => ("IMSSAV0010", "Either previous action is incorrect/ invoice might have edited by supplier"),
        };
        refused += 1;
        let report = errors.entry(section.clone()).or_insert_with(|| json!([]));
        report.as_array_mut().expect("made above").push(given(json!({
            "stin": item["stin"],
            "error_cd": code,
            "error_msg": message,
            "inv": [{"inum": number(item), "rtnprd": item["rtnprd"]}],
        })));
    }
    let processed = (items.len() - refused).to_string();
    let mut report =
        json!({"err_cd": "", "err_msg": "", "proc_cnt": processed, "status_cd": "P", "transTypCd": kind});
    if refused > 0 {
        report["status_cd"] = "PE".into();
        report["err_cnt"] = refused.to_string().into();
        report["error_report"] = errors.into();
    }
    report
}

/// Whether an item of a request is this document. A supplier may use a number
/// again, on another day or in another form.
fn is(document: &Value, item: &Value) -> bool {
    let same = |name: &str| document[name] == item[name];
    number(document) == number(item)
        && ["stin", "rtnprd"].iter().all(|name| same(name))
        && ["idt", "nt_dt", "srcform"].iter().all(|name| item[*name].is_null() || same(name))
}

fn by_section(lists: &Value) -> Vec<Invoice> {
    members(lists)
        .flat_map(|(section, invoices)| {
            list(invoices).map(|content| Invoice { section: section.clone(), content: content.clone() })
        })
        .collect()
}

fn number(invoice: &Value) -> String {
    text(invoice.get("inum").unwrap_or(&invoice["nt_num"]))
}

/// The key in bodies of a section as queries name it: `DNA` is `b2bdna`.
fn key(section: &str) -> String {
    match section.to_ascii_lowercase().as_str() {
        note @ ("cn" | "cna" | "dn" | "dna") => format!("b2b{note}"),
        other => other.to_owned(),
    }
}

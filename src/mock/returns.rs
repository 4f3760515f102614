//! A memory for the filing of returns: GSTR-1, GSTR-3B and GSTR-9.
//!
//! Written for certain operations, as `ims.rs` is and for the same reason: after
//! a draft is saved, paid or filed, other answers have to show it. There is one
//! account, whoever asks, with one draft for each return and period. A draft of
//! GSTR-3B or GSTR-9 begins as the documented answer; that of GSTR-3B without
//! payment. A job is processed when its status is asked for the second time.
//!
//! What comes out of order is refused with the codes that the provider
//! documents. No page names the code for a wrong EVC OTP or for saving what is
//! filed: AUTH4034, which other integrators of GSTN meet, and RET00009 stand
//! for them here (inferred).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    answer::{Call, Reply, succeeds},
    document::{given, members, text},
    lock,
};

/// The OTP that the signatory is sent, once one is asked for.
pub(super) const EVC_OTP: &str = "55B4DF";

/// All drafts, and the jobs on them.
#[derive(Default)]
pub(super) struct Returns {
    drafts: HashMap<Key, Draft>,
    jobs: HashMap<String, Job>,
    otp_sent: bool,
}

/// Return and period, such as `gstr-3b` and `112024`.
type Key = (String, String);

#[derive(Default)]
struct Draft {
    /// Nothing was saved, and nothing was paid, while there is none.
    document: Option<Value>,
    stage: Stage,
    arn: Option<String>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Stage {
    #[default]
    Open,
    /// Ready to file: the liability is paid, or the draft is closed.
    Ready,
}

struct Job {
    key: Key,
    kind: &'static str,
    asked: bool,
}

/// The answer of the account; `None` for what the document alone answers.
pub(super) fn answer(call: &Call) -> Option<Reply> {
    let mut returns = lock(call.state.returns.as_ref()?);
    let key = key(call);
    match call.operation.id.as_str() {
        "save_gstr_1" | "save_gstr_3b" | "save_gstr_9" => returns.save(call, key?),
        "get_gstr_3b" | "get_gstr_9" => returns.get(call, &key?),
        "get_gstr_1_summary" => summary(call),
        "offset_liability_gstr_3b" => returns.offset(call, key?),
        "proceed_to_file" | "new_proceed_to_file" => returns.proceed(call, key?),
        "generate_evc_otp" => {
            returns.otp_sent = true;
            None
        }
        "file_gstr_1" | "file_gstr_3b" | "file_gstr_9" => returns.file(call, key?),
        "get_return_status" => returns.status(call),
        "track_taxpayer_returns" => returns.track(call),
        _ => None,
    }
}

/// The return that a request is about: by its path, by the name of its
/// operation, and by year and month or the financial year.
fn key(call: &Call) -> Option<Key> {
    let named = || call.operation.id.rsplit_once("gstr_").map(|(_, number)| format!("gstr-{number}"));
    let gstr = call.values("path", "gstr").pop().or_else(named)?;
    Some((gstr, period(call)?))
}

fn period(call: &Call) -> Option<String> {
    let (year, month) = (call.values("path", "year").pop(), call.values("path", "month").pop());
    if let (Some(year), Some(month)) = (year, month) {
        return Some(month + &year);
    }
    // `FY 2023-24` ends in March 2024.
    let year = call.values("query", "financial_year").pop()?;
    let first: u16 = year.trim_start_matches("FY ").get(..4)?.parse().ok()?;
    Some(format!("03{}", first + 1))
}

impl Returns {
    fn save(&mut self, call: &Call, key: Key) -> Option<Reply> {
        let sent = call.json.clone()?;
        let draft = self.drafts.entry(key.clone()).or_default();
        if draft.arn.is_some() {
            let code = if key.0 == "gstr-1" { "AUTH117" } else { "RET00009" };
            return Some(refused(call, code, "Return Form already filed"));
        }
        match (&mut draft.document, key.0.as_str()) {
            // Table by table.
            (Some(document), "gstr-1" | "gstr-9") => {
                for (name, table) in members(&sent) {
                    document[name] = table.clone();
                }
            }
            (document, _) => *document = Some(sent),
        }
        draft.stage = Stage::Open;
        self.start(call, key, "SAVE")
    }

    fn get(&self, call: &Call, key: &Key) -> Option<Reply> {
        let mut example = call.choose()?.clone();
        example["value"]["data"]["data"] = self.document(call, key)?;
        Some(call.documented(Some(&example)))
    }

    /// The draft as it stands. What is to be paid with a GSTR-9 stands in it once it
    /// is ready to file (inferred).
    fn document(&self, call: &Call, (gstr, period): &Key) -> Option<Value> {
        let draft = self.drafts.get(&(gstr.clone(), period.clone()));
        let mut content = match draft.and_then(|draft| draft.document.clone()) {
            Some(content) => content,
            None => documented_draft(call, gstr, period)?,
        };
        let ready = draft.is_some_and(|draft| draft.stage == Stage::Ready);
        if gstr == "gstr-9" && ready && content.get("tax_pay").is_none() {
            let document = &call.state.document;
            let bodies =
                &document.body(document.get("file_gstr_9")?)["content"]["application/json"]["examples"];
            let due = members(bodies).find_map(|(_, example)| example["value"].get("tax_pay"));
            content["tax_pay"] = due?.clone();
        }
        Some(content)
    }

    fn offset(&mut self, call: &Call, key: Key) -> Option<Reply> {
        let mut document = self.document(call, &key)?;
        let draft = self.drafts.entry(key).or_default();
        if draft.stage == Stage::Ready || draft.arn.is_some() {
            return Some(refused(call, "RT-3BAS1070", "PARTIAL/EXCESS payment is not allowed."));
        }
        let paid = call.json.as_ref()?;
        document["tx_pmt"] = given(json!({
            "net_tax_pay": paid["nettaxpay"], "pdcash": paid["pdcash"], "pditc": paid["pditc"],
            "pdnls": [], "adjnegliab": [],
        }));
        draft.document = Some(document);
        draft.stage = Stage::Ready;
        None
    }

    fn proceed(&mut self, call: &Call, key: Key) -> Option<Reply> {
        let draft = self.drafts.entry(key.clone()).or_default();
        if draft.arn.is_some() {
            return Some(refused(call, "RET00009", "Return Form already filed"));
        }
        if draft.stage == Stage::Ready && call.operation.id == "proceed_to_file" {
            return Some(refused(call, "RET00003", "Return Form already ready to be filed"));
        }
        self.start(call, key, "PROCEED")
    }

    /// Takes a job in, with a reference of its own.
    fn start(&mut self, call: &Call, key: Key, kind: &'static str) -> Option<Reply> {
        let mut example = call.examples().find(|example| succeeds(example))?.clone();
        let reference =
            format!("{:08x}-974d-40e2-a721-8c4987af92d0", 0xab2b_2eae_u64 + self.jobs.len() as u64);
        example["value"]["data"]["data"]["reference_id"] = reference.as_str().into();
        self.jobs.insert(reference, Job { key, kind, asked: false });
        Some(call.documented(Some(&example)))
    }

    fn status(&mut self, call: &Call) -> Option<Reply> {
        let job = self.jobs.get_mut(&call.values("query", "reference_id").concat())?;
        let status = if std::mem::replace(&mut job.asked, true) { "P" } else { "REC" };
        if status == "P" && job.kind == "PROCEED" {
            let draft = self.drafts.entry(job.key.clone()).or_default();
            draft.stage = Stage::Ready;
        }
        let form = format!("R{}", job.key.0.trim_start_matches("gstr-").to_uppercase());
        let mut example = call.examples().find(|example| succeeds(example))?.clone();
        example["value"]["data"]["data"] = json!({"form_typ": form, "action": job.kind, "status_cd": status});
        Some(call.documented(Some(&example)))
    }

    fn file(&mut self, call: &Call, key: Key) -> Option<Reply> {
        if !self.otp_sent || call.values("query", "otp").concat() != EVC_OTP {
            return Some(refused(call, "AUTH4034", "Invalid OTP"));
        }
        let sent = call.json.as_ref()?;
        let known = self.document(call, &key);
        let nothing_saved = self.drafts.get(&key).is_none_or(|draft| draft.document.is_none());
        let draft = self.drafts.entry(key.clone()).or_default();
        let nil = key.0 == "gstr-3b" && *sent == json!({});
        if draft.arn.is_some() {
            return Some(match key.0.as_str() {
                "gstr-1" => refused(call, "RT_FIL_02", "GSTR1 is already filed"),
                _ => refused(call, "RET00009", "Return Form already filed"),
            });
        }
        let refusal = match key.0.as_str() {
            "gstr-3b" if nil => !nothing_saved,
            "gstr-3b" => draft.stage != Stage::Ready || known.as_ref() != Some(sent),
            "gstr-1" if draft.stage != Stage::Ready => {
                return Some(refused(call, "RT_FIL_10", "Please submit the invoices before filing"));
            }
            _ if draft.stage != Stage::Ready => {
                return Some(refused(call, "RET00014", "Return Form is not in ready to be filed state"));
            }
            "gstr-9" => sent.get("isnil").is_none() || !holds(sent, known.as_ref()),
            _ => sent.get("sec_sum").is_none() && sent["isnil"] != "Y",
        };
        if refusal {
            return Some(match key.0.as_str() {
                "gstr-3b" => refused(call, "RT-3BAS1027", "There is a checksum mismatch"),
                _ => refused(call, "RETPV01", "Invalid summary payload"),
            });
        }
        self.otp_sent = false;
        let mut example = call.examples().find(|example| succeeds(example))?.clone();
        let number = &mut example["value"]["data"]["data"]["ack_num"];
        draft.arn = text(number).split(' ').next().map(str::to_owned);
        Some(call.documented(Some(&example)))
    }

    fn track(&self, call: &Call) -> Option<Reply> {
        let asked = call.values("query", "return_type").concat();
        let period = period(call)?;
        let filed: Vec<Value> = self
            .drafts
            .iter()
            .filter(|((gstr, of), _)| *of == period && (asked.is_empty() || *gstr == asked))
            .filter_map(|((gstr, _), draft)| {
                let name = gstr.replace('-', "").to_uppercase();
                draft.arn.as_ref().map(|arn| {
                    json!({"arn": arn, "ret_prd": period, "mof": "GSP", "dof": "19-11-2024", "rtntype": name, "status": "Filed", "valid": "Y"})
                })
            })
            .collect();
        let mut example = call.examples().find(|example| succeeds(example))?.clone();
        let list = if filed.is_empty() { json!({}) } else { json!({"EFiledlist": filed}) };
        example["value"]["data"]["data"] = list;
        Some(call.documented(Some(&example)))
    }
}

/// The draft before anything is saved: the documented one, of this taxpayer and period.
fn documented_draft(call: &Call, gstr: &str, period: &str) -> Option<Value> {
    let document = &call.state.document;
    let operation = document.get(&format!("get_{}", gstr.replace('-', "_")))?;
    let (_, example) = document.examples(operation).into_iter().find(|(_, example)| succeeds(example))?;
    let mut content = example["value"]["data"]["data"].clone();
    content.as_object_mut()?.remove("tx_pmt");
    let name = if content.get("ret_period").is_some() { "ret_period" } else { "fp" };
    content[name] = period.into();
    if let Some(gstin) = &call.request.session_gstin {
        content["gstin"] = gstin.as_str().into();
    }
    Some(content)
}

/// The documented summary, of this taxpayer and period.
fn summary(call: &Call) -> Option<Reply> {
    let mut example = call.choose()?.clone();
    let content = &mut example["value"]["data"]["data"];
    content["ret_period"] = period(call)?.into();
    if let Some(gstin) = &call.request.session_gstin {
        content["gstin"] = gstin.as_str().into();
    }
    Some(call.documented(Some(&example)))
}

/// Whether a document has all members of another.
fn holds(sent: &Value, known: Option<&Value>) -> bool {
    known.is_none_or(|known| members(known).all(|(name, value)| sent.get(name) == Some(value)))
}

/// The documented refusal with this code, or one in the same form.
fn refused(call: &Call, code: &str, message: &str) -> Reply {
    let documented = call.examples().find(|example| example["value"]["data"]["error"]["error_cd"] == code);
    if documented.is_some() {
        return call.documented(documented);
    }
    let error = json!({"error_cd": code, "message": message});
    Reply::json(
        200,
        &json!({
            "code": 200,
            "timestamp": 1_763_446_641_000_u64,
            "transaction_id": "41bb8041-fb83-4654-8d75-85a19f329111",
            "data": {"status_cd": "0", "error": error},
        }),
    )
}

//! A memory for e-invoices and e-way bills.
//!
//! Examples cannot agree with each other once a document was made: made again
//! it is a duplicate, it can be found, changed and cancelled, and all of that
//! once. What the provider does not document is inferred, above all the codes
//! for a bill that does not exist.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    answer::{Call, Reply},
    document::{given, list, text},
    lock, tokens,
};
use crate::hex::hex;

/// Everything that was made.
pub(super) struct Nic {
    invoices: HashMap<String, Invoice>,
    bills: BTreeMap<u64, Bill>,
    /// How long a document may be cancelled.
    pub(super) window: Duration,
    acknowledgements: u64,
}

struct Invoice {
    answer: Value,
    seller: String,
    kind: String,
    number: String,
    date: String,
    made: u64,
    bill: Option<u64>,
}

struct Bill {
    details: Value,
    generator: String,
    server: String,
    made: u64,
    closed: bool,
}

impl Default for Nic {
    fn default() -> Self {
        Self {
            invoices: HashMap::new(),
            bills: BTreeMap::new(),
            window: Duration::from_secs(24 * 3600),
            acknowledgements: 112_410_188_000_000,
        }
    }
}

/// The answer of the memory; `None` for what the document alone answers.
pub(super) fn answer(call: &Call) -> Option<Reply> {
    let mut nic = lock(call.state.nic.as_ref()?);
    let id = call.operation.id.as_str();
    let id = id.strip_suffix("_as_transporter").unwrap_or(id);
    Some(match id {
        "generate_e_invoice" => nic.register(call),
        "get_e_invoice_by_document" => nic.invoice_by_document(call),
        "get_e_invoice" => match nic.invoices.get(&irn(call)) {
            Some(invoice) => call.payload("Data", &invoice.answer),
            None => call.failure("none"),
        },
        "cancel_e_invoice" => nic.cancel_invoice(call),
        "generate_e_way_bill_by_irn" => nic.bill_of_invoice(call),
        "get_e_way_bill_by_irn" => nic.get_bill_of_invoice(call),
        "generate_e_way_bill" => nic.generate(call),
        "get_e_way_bill_by_document" => nic.bill_by_document(call),
        "list_consignor_e_way_bills" => nic.list(call),
        "get_e_way_bill" => match nic.bills.get(&number(call)) {
            Some(bill) => call.payload("data", &bill.details),
            None => call.failure("none"),
        },
        "generate_e_way_bill_pdf" => {
            return (!nic.bills.contains_key(&number(call))).then(|| call.failure("none"));
        }
        "generate_e_way_bill_pdf_by_irn" => {
            return (!nic.invoices.contains_key(&irn(call))).then(|| call.failure("none"));
        }
        "cancel_e_way_bill" => nic.cancel(call),
        "close_e_way_bill" => nic.close(call),
        "reject_e_way_bill" => nic.reject(call),
        "update_e_way_bill_vehicle" => nic.vehicle(call),
        "update_e_way_bill_transporter" => nic.transporter(call),
        _ => return None,
    })
}

impl Call<'_> {
    /// An example of failure by its name.
    fn failure(&self, name: &str) -> Reply {
        let examples = self.state.document.examples(self.operation);
        self.documented(examples.into_iter().find(|example| example.0 == name).map(|example| example.1))
    }

    /// A failure of the e-way bill portal that the operation has no example of.
    fn refused(code: &str) -> Reply {
        let data = json!({"status": "0", "error": {"errorCodes": format!("{code},")}, "info": ""});
        Reply::json(200, &json!({"code": 200, "timestamp": tokens::now(), "data": data}))
    }

    /// A success with this payload in the envelope of the portal.
    fn payload(&self, key: &str, payload: &Value) -> Reply {
        let data = if key == "Data" {
            json!({"Status": 1, "Data": payload, "ErrorDetails": null, "InfoDtls": null})
        } else {
            json!({"status": "1", "data": payload, "alert": null})
        };
        Reply::json(
            200,
            &json!({
                "code": 200,
                "timestamp": tokens::now(),
                "transaction_id": format!("00000000-0000-4000-8000-{:012x}", self.request.number),
                "data": data,
            }),
        )
    }

    fn body(&self) -> Value {
        self.json.clone().unwrap_or_default()
    }

    fn query(&self, name: &str) -> String {
        self.values("query", name).concat()
    }

    /// Whose token this is; a token without a holder is anybody's.
    fn is(&self, gstin: &str) -> bool {
        self.request.session_gstin.as_deref().is_none_or(|holder| holder.eq_ignore_ascii_case(gstin))
    }

    fn server(&self) -> String {
        let named = self.values("header", "x-source").concat();
        if named.is_empty() { "primary".to_owned() } else { named }
    }
}

fn irn(call: &Call) -> String {
    call.values("path", "irn").concat().to_ascii_lowercase()
}

/// The number in the path, or in the body where the path has none.
fn number(call: &Call) -> u64 {
    let path = call.values("path", "ewb_no").concat();
    let number = if path.is_empty() { text(&call.body()["ewbNo"]) } else { path };
    number.parse().unwrap_or_default()
}

impl Nic {
    fn register(&mut self, call: &Call) -> Reply {
        let body = call.body();
        let (seller, document) = (text(&body["SellerDtls"]["Gstin"]), &body["DocDtls"]);
        let (kind, number, date) = (text(&document["Typ"]), text(&document["No"]), text(&document["Dt"]));
        let irn = irn_of(&seller, &kind, &number, &date);
        if let Some(known) = self.invoices.get(&irn) {
            let name = if known.answer["Status"] == "CNL" { "cancelled_before" } else { "duplicate" };
            let examples = call.state.document.examples(call.operation);
            let Some((_, example)) = examples.into_iter().find(|example| example.0 == name) else {
                return call.failure(name);
            };
            let mut example = example.clone();
            let answer = &known.answer;
            example["value"]["data"]["InfoDtls"][0]["Desc"] =
                json!({"Irn": answer["Irn"], "AckNo": answer["AckNo"], "AckDt": answer["AckDt"]});
            return call.documented(Some(&example));
        }
        self.acknowledgements += 1;
        let made = tokens::now();
        let signed = json!({"iss": "NIC", "data": body.to_string()});
        let code = json!({"iss": "NIC", "data": given(json!({
            "SellerGstin": seller, "BuyerGstin": body["BuyerDtls"]["Gstin"], "DocNo": number, "DocTyp": kind,
            "DocDt": date, "TotInvVal": body["ValDtls"]["TotInvVal"], "ItemCnt": list(&body["ItemList"]).count(),
            "MainHsnCode": body["ItemList"][0]["HsnCd"], "Irn": irn, "IrnDt": irp_time(made),
        })).to_string()});
        let mut answer = json!({
            "AckNo": self.acknowledgements, "AckDt": irp_time(made), "Irn": irn, "Status": "ACT",
            "SignedInvoice": jwt(&signed), "SignedQRCode": jwt(&code),
            "EwbNo": null, "EwbDt": null, "EwbValidTill": null, "Remarks": null,
        });
        let mut bill = None;
        if body["EwbDtls"].is_object() {
            let number = self.add(
                call,
                &seller,
                given(json!({
                    "docType": kind, "docNo": number, "docDate": date, "fromGstin": seller,
                    "toGstin": body["BuyerDtls"]["Gstin"], "actualDist": body["EwbDtls"]["Distance"],
                    "totInvValue": body["ValDtls"]["TotInvVal"], "vehicleNo": body["EwbDtls"]["VehNo"],
                })),
            );
            answer["EwbNo"] = number.into();
            answer["EwbDt"] = irp_time(made).into();
            answer["EwbValidTill"] = irp_time(made + DAY).into();
            bill = Some(number);
        }
        let reply = call.payload("Data", &answer);
        self.invoices.insert(irn, Invoice { answer, seller, kind, number, date, made, bill });
        reply
    }

    fn invoice_by_document(&self, call: &Call) -> Reply {
        let (kind, number, date) =
            (call.query("document_type"), call.query("document_number"), call.query("document_date"));
        let found = self.invoices.values().find(|invoice| {
            call.is(&invoice.seller)
                && invoice.kind == kind
                && invoice.number.eq_ignore_ascii_case(&number)
                && invoice.date == date
        });
        match found {
            Some(invoice) => call.payload("Data", &invoice.answer),
            None => call.failure("none"),
        }
    }

    fn cancel_invoice(&mut self, call: &Call) -> Reply {
        let window = millis(self.window);
        let Some(invoice) = self.invoices.get_mut(&irn(call)) else { return call.failure("not_active") };
        let now = tokens::now();
        let bill = invoice.bill.and_then(|number| self.bills.get(&number));
        if !call.is(&invoice.seller) {
            return call.failure("other_gstin");
        }
        if invoice.answer["Status"] == "CNL" {
            return call.failure("not_active");
        }
        if now - invoice.made >= window {
            return call.failure("too_late");
        }
        if bill.is_some_and(|bill| bill.details["status"] == "ACT") {
            return call.failure("active_e_way_bill");
        }
        invoice.answer["Status"] = "CNL".into();
        call.payload("Data", &json!({"Irn": invoice.answer["Irn"], "CancelDate": irp_time(now)}))
    }

    fn bill_of_invoice(&mut self, call: &Call) -> Reply {
        let body = call.body();
        let Some(invoice) = self.invoices.get(&irn(call)).filter(|invoice| invoice.answer["Status"] == "ACT")
        else {
            return call.failure("not_active");
        };
        let has_one = invoice.bill.and_then(|number| self.bills.get(&number));
        if has_one.is_some_and(|bill| bill.details["status"] == "ACT") {
            return call.failure("exists");
        }
        let seller = invoice.seller.clone();
        let details = given(json!({
            "docType": invoice.kind, "docNo": invoice.number, "docDate": invoice.date, "fromGstin": seller,
            "actualDist": body["Distance"], "vehicleNo": body["VehNo"], "transporterId": body["TransId"],
        }));
        let number = self.add(call, &seller, details);
        let made = self.bills[&number].made;
        if let Some(invoice) = self.invoices.get_mut(&irn(call)) {
            invoice.bill = Some(number);
            invoice.answer["EwbNo"] = number.into();
        }
        call.payload(
            "Data",
            &json!({"EwbNo": number, "EwbDt": irp_time(made), "EwbValidTill": irp_time(made + DAY)}),
        )
    }

    fn get_bill_of_invoice(&self, call: &Call) -> Reply {
        let bill = self.invoices.get(&irn(call)).and_then(|invoice| invoice.bill);
        let Some((number, bill)) = bill.and_then(|number| self.bills.get_key_value(&number)) else {
            return call.failure("none");
        };
        call.payload(
            "Data",
            &json!({
                "EwbNo": number, "EwbDt": irp_time(bill.made), "EwbValidTill": irp_time(bill.made + DAY),
                "GenGstin": bill.generator, "Status": bill.details["status"],
            }),
        )
    }

    /// Keeps a bill, with what every bill has.
    fn add(&mut self, call: &Call, generator: &str, mut details: Value) -> u64 {
        let number = 291_010_000_001 + self.bills.len() as u64;
        let made = tokens::now();
        let vehicle = details.as_object_mut().and_then(|details| details.remove("vehicleNo"));
        let vehicle = vehicle.filter(|vehicle| vehicle.as_str().is_some_and(|vehicle| !vehicle.is_empty()));
        details["ewbNo"] = number.into();
        details["ewayBillDate"] = ewb_time(made).into();
        details["genMode"] = "API".into();
        details["userGstin"] = generator.into();
        details["status"] = "ACT".into();
        details["rejectStatus"] = "N".into();
        details["extendedTimes"] = 0.into();
        details["validUpto"] = vehicle.as_ref().map(|_| ewb_time(made + DAY)).into();
        details["VehiclListDetails"] = json!([]);
        let bill =
            Bill { details, generator: generator.to_owned(), server: call.server(), made, closed: false };
        self.bills.insert(number, bill);
        if let Some(vehicle) = vehicle {
            self.drive(number, &vehicle, &Value::Null);
        }
        number
    }

    fn drive(&mut self, number: u64, vehicle: &Value, body: &Value) {
        if let Some(bill) = self.bills.get_mut(&number)
            && let Some(vehicles) = bill.details["VehiclListDetails"].as_array_mut()
        {
            vehicles.push(given(json!({
                "vehicleNo": text(vehicle).trim(), "fromPlace": body["fromPlace"], "fromState": body["fromState"],
                "enteredDate": ewb_time(tokens::now()), "groupNo": "0", "tripshtNo": 0, "updMode": "API",
            })));
        }
    }

    fn generate(&mut self, call: &Call) -> Reply {
        let mut body = call.body();
        let generator = text(&body["fromGstin"]);
        if self.by_document(call, &text(&body["docType"]), &text(&body["docNo"])).is_some() {
            return call.failure("duplicate");
        }
        if let Some(distance) = body["transDistance"].as_str().and_then(|text| text.parse::<u64>().ok()) {
            body["actualDist"] = distance.into();
        }
        for sent_only in ["transDistance", "subSupplyDesc", "transMode", "transDocNo", "transDocDate"] {
            if let Some(members) = body.as_object_mut() {
                members.remove(sent_only);
            }
        }
        let number = self.add(call, &generator, body);
        call.payload("data", &self.generated(number))
    }

    fn generated(&self, number: u64) -> Value {
        let details = &self.bills[&number].details;
        json!({
            "ewayBillNo": number, "ewayBillDate": details["ewayBillDate"],
            "validUpto": details["validUpto"], "alert": "",
        })
    }

    /// The active bill of a document of the caller.
    fn by_document(&self, call: &Call, kind: &str, number: &str) -> Option<u64> {
        let found = self.bills.iter().rev().find(|(_, bill)| {
            call.is(&bill.generator)
                && bill.details["status"] == "ACT"
                && bill.details["docType"] == kind
                && bill.details["docNo"] == number
        });
        found.map(|(number, _)| *number)
    }

    fn bill_by_document(&self, call: &Call) -> Reply {
        match self.by_document(call, &call.query("document_type"), &call.query("document_number")) {
            Some(number) => call.payload("data", &self.generated(number)),
            None => call.failure("none"),
        }
    }

    fn list(&self, call: &Call) -> Reply {
        let (day, rejected) = (call.query("generated_date"), call.query("rejected") == "true");
        let members = ["ewbNo", "docNo", "docDate", "validUpto", "status", "rejectStatus", "extendedTimes"];
        let rows: Vec<Value> = self
            .bills
            .values()
            .filter(|bill| call.is(&bill.generator) && ewb_time(bill.made).starts_with(&day))
            .filter(|bill| !rejected || bill.details["rejectStatus"] == "Y")
            .map(|bill| {
                let mut row: Value =
                    members.iter().map(|name| ((*name).to_owned(), bill.details[*name].clone())).collect();
                row["ewbDate"] = bill.details["ewayBillDate"].clone();
                row["genGstin"] = bill.generator.as_str().into();
                row
            })
            .collect();
        if rows.is_empty() { call.failure("none") } else { call.payload("data", &rows.into()) }
    }

    fn active(&mut self, call: &Call) -> Option<&mut Bill> {
        self.bills.get_mut(&number(call)).filter(|bill| bill.details["status"] == "ACT" && !bill.closed)
    }

    fn cancel(&mut self, call: &Call) -> Reply {
        let window = millis(self.window);
        let Some(bill) = self.active(call).filter(|bill| call.is(&bill.generator)) else {
            return call.failure("not_active");
        };
        if bill.server != call.server() {
            return call.failure("other_server");
        }
        let now = tokens::now();
        if now - bill.made >= window {
            return Call::refused("315");
        }
        bill.details["status"] = "CNL".into();
        call.payload("data", &json!({"ewayBillNo": number(call).to_string(), "cancelDate": ewb_time(now)}))
    }

    fn close(&mut self, call: &Call) -> Reply {
        let Some(bill) = self.active(call) else { return call.failure("refused") };
        bill.closed = true;
        call.payload("data", &json!({"ewayBillNo": number(call), "ewbClosureDate": ewb_time(tokens::now())}))
    }

    fn reject(&mut self, call: &Call) -> Reply {
        let own = call.request.session_gstin.is_some();
        let Some(bill) = self.active(call) else { return call.failure("invalid_number") };
        if own && call.is(&bill.generator) {
            return call.failure("own");
        }
        bill.details["rejectStatus"] = "Y".into();
        call.payload(
            "data",
            &json!({"ewayBillNo": number(call).to_string(), "ewbRejectedDate": ewb_time(tokens::now())}),
        )
    }

    fn vehicle(&mut self, call: &Call) -> Reply {
        let body = call.body();
        let Some(bill) = self.active(call) else { return Call::refused("301") };
        let valid = ewb_time(tokens::now() + DAY);
        bill.details["validUpto"] = valid.as_str().into();
        self.drive(number(call), &body["vehicleNo"], &body);
        call.payload("data", &json!({"validUpto": valid, "vehUpdDate": ewb_time(tokens::now())}))
    }

    fn transporter(&mut self, call: &Call) -> Reply {
        let body = call.body();
        let server = call.server();
        let Some(bill) = self.active(call) else { return Call::refused("301") };
        if bill.server != server {
            return Call::refused("446");
        }
        bill.details["transporterId"] = body["transporterId"].clone();
        call.payload(
            "data",
            &json!({
                "ewayBillNo": number(call).to_string(), "transporterId": body["transporterId"],
                "transUpdateDate": ewb_time(tokens::now()),
            }),
        )
    }
}

/// A day in milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The hash that an IRN is: supplier, financial year, type and number.
fn irn_of(seller: &str, kind: &str, number: &str, date: &str) -> String {
    let part = |range| date.get(range).and_then(|text: &str| text.parse::<u32>().ok()).unwrap_or_default();
    let year = part(6..10).saturating_sub(u32::from(part(3..5) < 4));
    let of = format!("{seller}{year}-{:02}{kind}{}", (year + 1) % 100, number.to_ascii_uppercase());
    hex(&hmac_sha256::Hash::hash(of.as_bytes()))
}

/// Text in the form of a signed token. Its signature is none.
fn jwt(payload: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(&json!({"alg": "RS256", "typ": "JWT"})), encode(payload), "ZmFrZQ")
}

/// Indian time: year, month, day, hour, minute, second.
fn indian(millis: u64) -> (u64, u64, u64, u64, u64, u64) {
    let seconds = millis / 1000 + 19_800;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0, by eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day, rest / 3600, rest / 60 % 60, rest % 60)
}

fn irp_time(millis: u64) -> String {
    let (year, month, day, hour, minute, second) = indian(millis);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn ewb_time(millis: u64) -> String {
    let (year, month, day, hour, minute, second) = indian(millis);
    let (half, hour) = (if hour < 12 { "AM" } else { "PM" }, if hour % 12 == 0 { 12 } else { hour % 12 });
    format!("{day:02}/{month:02}/{year} {hour:02}:{minute:02}:{second:02} {half}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_india() {
        for (millis, invoice, bill) in [
            (1_714_157_100_000, "2024-04-27 00:15:00", "27/04/2024 12:15:00 AM"),
            (1_709_206_200_000, "2024-02-29 17:00:00", "29/02/2024 05:00:00 PM"),
            (1_735_669_799_000, "2024-12-31 23:59:59", "31/12/2024 11:59:59 PM"),
        ] {
            assert_eq!(irp_time(millis), invoice);
            assert_eq!(ewb_time(millis), bill);
        }
    }

    #[test]
    fn a_financial_year_ends_in_march() {
        let of = |date| irn_of("29AAACQ3770E000", "INV", "doc/1", date);
        assert_eq!(of("01/04/2024"), of("31/03/2025"));
        assert_ne!(of("31/03/2024"), of("01/04/2024"));
        assert_eq!(of("01/04/2024").len(), 64);
    }
}

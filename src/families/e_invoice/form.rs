//! Members of an invoice, each by itself: length, characters, range.

use serde_json::Value;

use super::InvoiceFault;
use crate::{
    e_invoice::types::{Inv01, Inv01DocumentType},
    values::{Decimal, ProviderDate},
};

/// The form of a member.
#[derive(Clone, Copy)]
enum Form {
    /// Text of so many characters, without double quote and backslash.
    Text(usize, usize),
    Exactly(&'static str),
    Number,
    PrecedingNumber,
    Date,
    Gstin,
    /// A GSTIN or URP.
    Party,
    State,
    Pin,
    Phone,
    Email,
    Hsn,
    Serial,
    Letters(usize, usize),
    LettersAndDigits(usize, usize),
    TransportDocument,
    OneOf(&'static [&'static str]),
    Integer(i64, i64),
    /// From, to (both in units of the last place), and places.
    Decimal(i64, i64, u32),
}

use Form::{
    Date, Email, Exactly, Gstin, Hsn, Integer, Letters, LettersAndDigits, Number, OneOf, Party, Phone, Pin,
    PrecedingNumber, Serial, State, Text, TransportDocument,
};

const AMOUNT: Form = Form::Decimal(0, 99_999_999_999_999, 2);
const TOTAL: Form = Form::Decimal(0, 9_999_999_999_999_998, 2);
const QUANTITY: Form = Form::Decimal(0, 9_999_999_999_999, 3);
const PRICE: Form = Form::Decimal(0, 999_999_999_999_999, 3);
const RATE: Form = Form::Decimal(0, 999_999, 3);

/// Every member with a form, `[]` for each of a list. What is absent is not
/// looked at: the type has what is required.
const FORMS: &[(&str, Form)] = &[
    ("Version", Exactly("1.1")),
    ("TranDtls.TaxSch", Exactly("GST")),
    ("TranDtls.EcmGstin", Gstin),
    ("DocDtls.No", Number),
    ("DocDtls.Dt", Date),
    ("SellerDtls.Gstin", Gstin),
    ("SellerDtls.LglNm", Text(3, 100)),
    ("SellerDtls.TrdNm", Text(3, 100)),
    ("SellerDtls.Addr1", Text(1, 100)),
    ("SellerDtls.Addr2", Text(3, 100)),
    ("SellerDtls.Loc", Text(3, 50)),
    ("SellerDtls.Pin", Pin),
    ("SellerDtls.Stcd", State),
    ("SellerDtls.Ph", Phone),
    ("SellerDtls.Em", Email),
    ("BuyerDtls.Gstin", Party),
    ("BuyerDtls.LglNm", Text(3, 100)),
    ("BuyerDtls.TrdNm", Text(3, 100)),
    ("BuyerDtls.Pos", State),
    ("BuyerDtls.Addr1", Text(1, 100)),
    ("BuyerDtls.Addr2", Text(3, 100)),
    ("BuyerDtls.Loc", Text(3, 100)),
    ("BuyerDtls.Pin", Pin),
    ("BuyerDtls.Stcd", State),
    ("BuyerDtls.Ph", Phone),
    ("BuyerDtls.Em", Email),
    ("DispDtls.Nm", Text(3, 100)),
    ("DispDtls.Addr1", Text(1, 100)),
    ("DispDtls.Addr2", Text(3, 100)),
    ("DispDtls.Loc", Text(3, 100)),
    ("DispDtls.Pin", Pin),
    ("DispDtls.Stcd", State),
    ("ShipDtls.Gstin", Party),
    ("ShipDtls.LglNm", Text(3, 100)),
    ("ShipDtls.TrdNm", Text(3, 100)),
    ("ShipDtls.Addr1", Text(1, 100)),
    ("ShipDtls.Addr2", Text(3, 100)),
    ("ShipDtls.Loc", Text(3, 100)),
    ("ShipDtls.Pin", Pin),
    ("ShipDtls.Stcd", State),
    ("ItemList[].SlNo", Serial),
    ("ItemList[].PrdDesc", Text(3, 300)),
    ("ItemList[].HsnCd", Hsn),
    ("ItemList[].Barcde", Text(3, 30)),
    ("ItemList[].Qty", QUANTITY),
    ("ItemList[].FreeQty", QUANTITY),
    ("ItemList[].Unit", Letters(3, 8)),
    ("ItemList[].UnitPrice", PRICE),
    ("ItemList[].TotAmt", AMOUNT),
    ("ItemList[].Discount", AMOUNT),
    ("ItemList[].PreTaxVal", AMOUNT),
    ("ItemList[].AssAmt", AMOUNT),
    ("ItemList[].GstRt", RATE),
    ("ItemList[].IgstAmt", AMOUNT),
    ("ItemList[].CgstAmt", AMOUNT),
    ("ItemList[].SgstAmt", AMOUNT),
    ("ItemList[].CesRt", RATE),
    ("ItemList[].CesAmt", AMOUNT),
    ("ItemList[].CesNonAdvlAmt", AMOUNT),
    ("ItemList[].StateCesRt", RATE),
    ("ItemList[].StateCesAmt", AMOUNT),
    ("ItemList[].StateCesNonAdvlAmt", AMOUNT),
    ("ItemList[].OthChrg", AMOUNT),
    ("ItemList[].TotItemVal", AMOUNT),
    ("ItemList[].OrdLineRef", Text(1, 50)),
    ("ItemList[].OrgCntry", Letters(2, 2)),
    ("ItemList[].PrdSlNo", Text(1, 20)),
    ("ItemList[].BchDtls.Nm", Text(3, 20)),
    ("ItemList[].BchDtls.ExpDt", Date),
    ("ItemList[].BchDtls.WrDt", Date),
    ("ItemList[].AttribDtls[].Nm", Text(1, 100)),
    ("ItemList[].AttribDtls[].Val", Text(1, 100)),
    ("ValDtls.AssVal", TOTAL),
    ("ValDtls.CgstVal", TOTAL),
    ("ValDtls.SgstVal", TOTAL),
    ("ValDtls.IgstVal", TOTAL),
    ("ValDtls.CesVal", TOTAL),
    ("ValDtls.StCesVal", TOTAL),
    ("ValDtls.Discount", TOTAL),
    ("ValDtls.OthChrg", TOTAL),
    ("ValDtls.RndOffAmt", Form::Decimal(-9_999, 9_999, 2)),
    ("ValDtls.TotInvVal", TOTAL),
    ("ValDtls.TotInvValFc", TOTAL),
    ("PayDtls.Nm", Text(1, 100)),
    ("PayDtls.AccDet", Text(1, 18)),
    ("PayDtls.Mode", Text(1, 18)),
    ("PayDtls.FinInsBr", Text(1, 11)),
    ("PayDtls.PayTerm", Text(1, 100)),
    ("PayDtls.PayInstr", Text(1, 100)),
    ("PayDtls.CrTrn", Text(1, 100)),
    ("PayDtls.DirDr", Text(1, 100)),
    ("PayDtls.CrDay", Integer(0, 9999)),
    ("PayDtls.PaidAmt", TOTAL),
    ("PayDtls.PaymtDue", TOTAL),
    ("RefDtls.InvRm", Text(3, 100)),
    ("RefDtls.DocPerdDtls.InvStDt", Date),
    ("RefDtls.DocPerdDtls.InvEndDt", Date),
    ("RefDtls.PrecDocDtls[].InvNo", PrecedingNumber),
    ("RefDtls.PrecDocDtls[].InvDt", Date),
    ("RefDtls.PrecDocDtls[].OthRefNo", Text(1, 20)),
    ("RefDtls.ContrDtls[].RecAdvRefr", Text(1, 20)),
    ("RefDtls.ContrDtls[].RecAdvDt", Date),
    ("RefDtls.ContrDtls[].TendRefr", Text(1, 20)),
    ("RefDtls.ContrDtls[].ContrRefr", Text(1, 20)),
    ("RefDtls.ContrDtls[].ExtRefr", Text(1, 20)),
    ("RefDtls.ContrDtls[].ProjRefr", Text(1, 20)),
    ("RefDtls.ContrDtls[].PORefr", Text(1, 16)),
    ("RefDtls.ContrDtls[].PORefDt", Date),
    ("AddlDocDtls[].Url", Text(3, 100)),
    ("AddlDocDtls[].Docs", Text(3, 1000)),
    ("AddlDocDtls[].Info", Text(3, 1000)),
    ("ExpDtls.ShipBNo", Text(1, 20)),
    ("ExpDtls.ShipBDt", Date),
    ("ExpDtls.Port", LettersAndDigits(2, 10)),
    ("ExpDtls.ForCur", Letters(3, 16)),
    ("ExpDtls.CntCode", Letters(2, 2)),
    ("ExpDtls.ExpDuty", AMOUNT),
    ("EwbDtls.Distance", Integer(0, 4000)),
    ("EwbDtls.TransId", Gstin),
    ("EwbDtls.TransName", Text(3, 100)),
    ("EwbDtls.TransMode", OneOf(&["1", "2", "3", "4"])),
    ("EwbDtls.TransDocNo", TransportDocument),
    ("EwbDtls.TransDocDt", Date),
    ("EwbDtls.VehNo", LettersAndDigits(4, 20)),
    ("EwbDtls.VehType", OneOf(&["R", "O"])),
];

/// Members that do not have their form.
pub(super) fn faults(invoice: &Inv01) -> Vec<InvoiceFault> {
    let mut faults = Vec::new();
    let json = serde_json::to_value(invoice).unwrap_or_default();
    if json.is_null() {
        faults.push(InvoiceFault::new("ValDtls", "has an amount that JSON cannot carry exactly"));
    }
    for (path, form) in FORMS {
        walk(&json, path, String::new(), &mut |member, value| {
            if let Err(rule) = form.judge(value) {
                faults.push(InvoiceFault::new(member, rule));
            }
        });
    }
    faults
}

/// Calls `found` with each value at a path.
fn walk(value: &Value, path: &str, member: String, found: &mut dyn FnMut(String, &Value)) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (name, list) = first.strip_suffix("[]").map_or((first, false), |name| (name, true));
    let member = if member.is_empty() { name.to_owned() } else { format!("{member}.{name}") };
    let mut next = |value: &Value, member: String| match rest {
        Some(rest) => walk(value, rest, member, found),
        None if value.is_null() => {}
        None => found(member, value),
    };
    match &value[name] {
        Value::Array(items) if list => {
            for (position, item) in items.iter().enumerate() {
                next(item, format!("{member}[{position}]"));
            }
        }
        value => next(value, member),
    }
}

impl Form {
    fn judge(self, value: &Value) -> Result<(), &'static str> {
        match self {
            Integer(low, high) => {
                let fits = value.as_i64().is_some_and(|number| (low..=high).contains(&number));
                if fits { Ok(()) } else { Err("is out of range") }
            }
            Pin => {
                let fits = value.as_i64().is_some_and(|pin| (100_000..=999_999).contains(&pin));
                if fits { Ok(()) } else { Err("must be a pin code of six digits that does not begin with 0") }
            }
            Self::Decimal(low, high, places) => decimal(value, low, high, places),
            _ => self.text(value.as_str().unwrap_or_default()),
        }
    }

    fn text(self, text: &str) -> Result<(), &'static str> {
        let all = |allowed: fn(u8) -> bool| text.bytes().all(allowed);
        let length = text.chars().count();
        let fits = |holds: bool, rule: &'static str| if holds { Ok(()) } else { Err(rule) };
        match self {
            Text(_, _) if text.contains(['"', '\\']) => Err("must not contain a double quote or a backslash"),
            Text(low, _) if length < low => Err("is too short"),
            Text(_, high) => fits(length <= high, "is too long"),
            Exactly("1.1") => fits(text == "1.1", "must be 1.1"),
            Exactly(expected) => fits(text == expected, "must be GST"),
            Number => fits(
                (1..=16).contains(&text.len())
                    && all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'))
                    && !text.starts_with(['0', '/', '-']),
                "must be 1 to 16 letters, digits, slashes and hyphens, and must not begin with 0, slash or hyphen",
            ),
            PrecedingNumber => fits(
                (2..=16).contains(&text.len())
                    && all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'))
                    && !text.starts_with(['0', '/', '-']),
                "must be 2 to 16 letters, digits, slashes and hyphens, and must not begin with 0, slash or hyphen",
            ),
            Date => {
                let day = ProviderDate::from(text).to_date().is_ok_and(|date| date.year() >= 2000);
                fits(day && text.contains('/') && text.len() == 10, "must be a day of the form DD/MM/YYYY")
            }
            Gstin => fits(is_gstin(text), "must be a GSTIN: two digits, then 13 digits and capitals"),
            Party => fits(
                text == "URP" || is_gstin(text),
                "must be a GSTIN (two digits, then 13 digits and capitals), or URP",
            ),
            State => fits(is_state(text), "must be a state code: 1 to 38, 96, 97 or 99"),
            Phone => fits(
                (6..=12).contains(&text.len()) && all(|byte| byte.is_ascii_digit()),
                "must be 6 to 12 digits",
            ),
            Email => fits(is_email(text), "must be an e-mail address of 6 to 100 characters"),
            Hsn => fits(
                matches!(text.len(), 4 | 6 | 8) && all(|byte| byte.is_ascii_digit()),
                "must be an HSN code of 4, 6 or 8 digits",
            ),
            Serial => fits(
                (1..=6).contains(&text.len()) && all(|byte| byte.is_ascii_digit()),
                "must be a number of 1 to 6 digits",
            ),
            Letters(low, high) => fits(
                (low..=high).contains(&text.len()) && all(|byte| byte.is_ascii_alphabetic()),
                "must be letters, as many as the schema allows",
            ),
            LettersAndDigits(low, high) => fits(
                (low..=high).contains(&text.len()) && all(|byte| byte.is_ascii_alphanumeric()),
                "must be letters and digits, as many as the schema allows",
            ),
            TransportDocument => fits(
                (1..=15).contains(&text.len())
                    && all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-')),
                "must be 1 to 15 letters, digits, slashes and hyphens",
            ),
            OneOf(values) => fits(values.contains(&text), "has a value that the schema does not know"),
            Integer(..) | Pin | Self::Decimal(..) => Ok(()),
        }
    }
}

fn decimal(value: &Value, low: i64, high: i64, places: u32) -> Result<(), &'static str> {
    let Ok(amount) = serde_json::from_value::<crate::values::Amount>(value.clone()) else {
        return Err("must be a number");
    };
    let amount = amount.to_decimal();
    if amount.scale() > places {
        return Err(if places == 2 {
            "must have at most 2 decimals"
        } else {
            "must have at most 3 decimals"
        });
    }
    if amount < Decimal::new(low, places) {
        return Err(if low == 0 { "must not be negative" } else { "must be -99.99 to 99.99" });
    }
    if amount > Decimal::new(high, places) {
        return Err(if low == 0 { "is larger than the schema allows" } else { "must be -99.99 to 99.99" });
    }
    Ok(())
}

fn is_gstin(text: &str) -> bool {
    text.len() == 15
        && text.bytes().take(2).all(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The states and union territories, 96 for other countries, 97 for other
/// territory, 99 for the centre.
fn is_state(text: &str) -> bool {
    state(text).is_some_and(|code| (1..=38).contains(&code) || [96, 97, 99].contains(&code))
}

/// A state code as a number: `01` is `1`.
pub(super) fn state(text: &str) -> Option<u8> {
    ((1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn is_email(text: &str) -> bool {
    let allowed = |part: &str, more: &str| {
        !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    (6..=100).contains(&text.len())
        && text.split_once('@').is_some_and(|(name, host)| allowed(name, "+_.-") && allowed(host, ".-"))
}

/// The code of a type of document.
pub(super) fn document_type(kind: Inv01DocumentType) -> &'static str {
    match kind {
        Inv01DocumentType::Inv => "INV",
        Inv01DocumentType::Crn => "CRN",
        Inv01DocumentType::Dbn => "DBN",
    }
}

//! Members of an invoice that must fit together: places, taxes, sums.

use std::collections::HashSet;

use super::{
    InvoiceFault,
    form::{document_type, state},
};
use crate::{
    e_invoice::types::{Inv01, Inv01Flag, Inv01Item, Inv01SupplyType},
    values::{Amount, Decimal},
};

/// Most items of one invoice.
const MOST_ITEMS: usize = 1000;

/// How far a value of an item, or a sum of such, may be off.
const NEAR: Decimal = Decimal::ONE;
/// How far the total may be off.
const TOTAL_NEAR: Decimal = Decimal::TWO;

pub(super) fn check(invoice: &Inv01, faults: &mut Vec<InvoiceFault>) {
    let mut checks = Checks { invoice, faults };
    checks.places();
    checks.items();
    checks.totals();
}

fn value(amount: Option<Amount>) -> Decimal {
    amount.unwrap_or_default().to_decimal()
}

fn near(one: Decimal, other: Decimal) -> bool {
    one.saturating_sub(other).abs() <= NEAR
}

/// The end of the range where the sum is beyond: an absurd amount is a fault, not a panic.
fn sum(parts: impl IntoIterator<Item = Decimal>) -> Decimal {
    parts.into_iter().fold(Decimal::ZERO, Decimal::saturating_add)
}

fn taxes(item: &Inv01Item) -> Decimal {
    sum([
        value(item.igst_amt),
        value(item.cgst_amt),
        value(item.sgst_amt),
        value(item.ces_amt),
        value(item.ces_non_advl_amt),
        value(item.state_ces_amt),
        value(item.state_ces_non_advl_amt),
    ])
}

struct Checks<'a> {
    invoice: &'a Inv01,
    faults: &'a mut Vec<InvoiceFault>,
}

impl Checks<'_> {
    fn fault(&mut self, holds: bool, member: impl Into<String>, rule: &'static str) {
        if !holds {
            self.faults.push(InvoiceFault::new(member, rule));
        }
    }

    fn is_export(&self) -> bool {
        matches!(self.invoice.tran_dtls.sup_typ, Inv01SupplyType::Expwp | Inv01SupplyType::Expwop)
    }

    fn is_reverse_charge(&self) -> bool {
        self.invoice.tran_dtls.reg_rev == Some(Inv01Flag::Y)
    }

    /// Whether CGST and SGST are due, and not IGST: a supply within the
    /// supplier's state that is neither export nor to a special economic zone.
    fn is_within_state(&self) -> bool {
        let place = state(&self.invoice.buyer_dtls.pos);
        matches!(self.invoice.tran_dtls.sup_typ, Inv01SupplyType::B2b | Inv01SupplyType::Dexp)
            && self.invoice.tran_dtls.igst_on_intra != Some(Inv01Flag::Y)
            && place.is_some()
            && place == self.invoice.seller_dtls.gstin.get(..2).and_then(state)
    }

    fn places(&mut self) {
        let (seller, buyer) = (&self.invoice.seller_dtls, &self.invoice.buyer_dtls);
        let of = |gstin: &str| gstin.get(..2).and_then(state);
        self.fault(
            of(&seller.gstin).is_none() || of(&seller.gstin) == state(&seller.stcd),
            "SellerDtls.Stcd",
            "must be the state code that SellerDtls.Gstin begins with",
        );
        if self.is_export() {
            self.fault(buyer.gstin == "URP", "BuyerDtls.Gstin", "must be URP for an export");
            self.fault(state(&buyer.pos) == Some(96), "BuyerDtls.Pos", "must be 96 for an export");
            self.fault(state(&buyer.stcd) == Some(96), "BuyerDtls.Stcd", "must be 96 for an export");
        } else {
            self.fault(buyer.gstin != "URP", "BuyerDtls.Gstin", "must be a GSTIN: URP is for exports alone");
            self.fault(
                state(&buyer.pos) != Some(96),
                "BuyerDtls.Pos",
                "must be an Indian state: 96 is for exports alone",
            );
            self.fault(
                of(&buyer.gstin).is_none() || of(&buyer.gstin) == state(&buyer.stcd),
                "BuyerDtls.Stcd",
                "must be the state code that BuyerDtls.Gstin begins with",
            );
        }
        self.fault(
            buyer.gstin == "URP" || buyer.gstin != seller.gstin,
            "BuyerDtls.Gstin",
            "must not be the GSTIN of the supplier",
        );
    }

    fn items(&mut self) {
        let items = &self.invoice.item_list;
        self.fault((1..=MOST_ITEMS).contains(&items.len()), "ItemList", "must have 1 to 1000 items");
        let mut numbers = HashSet::new();
        for (position, item) in items.iter().enumerate() {
            let at = |name: &str| format!("ItemList[{position}].{name}");
            self.fault(numbers.insert(&item.sl_no), at("SlNo"), "stands at another item too");
            let service = item.is_servc == Inv01Flag::Y;
            self.fault(
                service == item.hsn_cd.starts_with("99"),
                at("HsnCd"),
                "must begin with 99 for a service, and for nothing else",
            );
            if !service {
                self.fault(item.qty.is_some(), at("Qty"), "is required for goods");
                self.fault(item.unit.is_some(), at("Unit"), "is required for goods");
            }
            let taxable = item.ass_amt.to_decimal();
            self.fault(
                near(taxable, item.tot_amt.to_decimal().saturating_sub(value(item.discount))),
                at("AssAmt"),
                "must be TotAmt less Discount, within 1 rupee",
            );
            self.tax_type(item, &at);
            self.tax_amounts(item, &at);
            let without = sum([taxable, value(item.oth_chrg)]);
            let total = item.tot_item_val.to_decimal();
            let may_exclude =
                self.is_reverse_charge() || self.invoice.tran_dtls.sup_typ == Inv01SupplyType::Expwp;
            self.fault(
                near(total, sum([without, taxes(item)])) || (may_exclude && near(total, without)),
                at("TotItemVal"),
                "must be AssAmt with all taxes, cesses and OthChrg, within 1 rupee",
            );
        }
    }

    fn tax_type(&mut self, item: &Inv01Item, at: &impl Fn(&str) -> String) {
        let none = |amount: Option<Amount>| value(amount).is_zero();
        if self.is_within_state() {
            self.fault(
                none(item.igst_amt),
                at("IgstAmt"),
                "must be absent: place of supply and supplier are in one state, so CGST and SGST are due",
            );
            self.fault(
                near(value(item.cgst_amt), value(item.sgst_amt)),
                at("SgstAmt"),
                "must be as much as CgstAmt, within 1 rupee",
            );
        } else {
            const RULE: &str =
                "must be absent: IGST is due between states, for exports and for special economic zones";
            self.fault(none(item.cgst_amt), at("CgstAmt"), RULE);
            self.fault(none(item.sgst_amt), at("SgstAmt"), RULE);
        }
    }

    /// Taxes against rates. The portal does not compare those of notes, nor an
    /// IGST of zero if the supply is without payment of tax.
    fn tax_amounts(&mut self, item: &Inv01Item, at: &impl Fn(&str) -> String) {
        if document_type(self.invoice.doc_dtls.typ) != "INV" {
            return;
        }
        let part = |rate: Decimal| item.ass_amt.to_decimal().saturating_mul(rate) / Decimal::ONE_HUNDRED;
        let tax = part(item.gst_rt.to_decimal());
        if self.is_within_state() {
            self.fault(
                near(value(item.cgst_amt), tax / Decimal::TWO),
                at("CgstAmt"),
                "must be half of GstRt percent of AssAmt, within 1 rupee",
            );
        } else {
            let without_payment =
                matches!(self.invoice.tran_dtls.sup_typ, Inv01SupplyType::Expwop | Inv01SupplyType::Sezwop);
            let igst = value(item.igst_amt);
            self.fault(
                near(igst, tax) || (without_payment && igst.is_zero()),
                at("IgstAmt"),
                "must be GstRt percent of AssAmt, within 1 rupee",
            );
        }
        self.fault(
            near(value(item.ces_amt), part(value(item.ces_rt))),
            at("CesAmt"),
            "must be CesRt percent of AssAmt, within 1 rupee",
        );
        self.fault(
            near(value(item.state_ces_amt), part(value(item.state_ces_rt))),
            at("StateCesAmt"),
            "must be StateCesRt percent of AssAmt, within 1 rupee",
        );
    }

    fn totals(&mut self) {
        const RULE: &str = "must be the sum over the items, within 1 rupee";
        let (totals, items) = (&self.invoice.val_dtls, &self.invoice.item_list);
        let all = |of: fn(&Inv01Item) -> Decimal| sum(items.iter().map(of));
        for (member, told, expected) in [
            ("AssVal", totals.ass_val.to_decimal(), all(|item| item.ass_amt.to_decimal())),
            ("CgstVal", value(totals.cgst_val), all(|item| value(item.cgst_amt))),
            ("SgstVal", value(totals.sgst_val), all(|item| value(item.sgst_amt))),
            ("IgstVal", value(totals.igst_val), all(|item| value(item.igst_amt))),
            (
                "CesVal",
                value(totals.ces_val),
                all(|item| sum([value(item.ces_amt), value(item.ces_non_advl_amt)])),
            ),
            (
                "StCesVal",
                value(totals.st_ces_val),
                all(|item| sum([value(item.state_ces_amt), value(item.state_ces_non_advl_amt)])),
            ),
        ] {
            self.fault(near(told, expected), format!("ValDtls.{member}"), RULE);
        }

        let taxes = sum([
            value(totals.cgst_val),
            value(totals.sgst_val),
            value(totals.igst_val),
            value(totals.ces_val),
            value(totals.st_ces_val),
        ]);
        let without = sum([totals.ass_val.to_decimal(), value(totals.oth_chrg), value(totals.rnd_off_amt)]);
        let less = -value(totals.discount);
        // The documented sample has not taken off the discount, and charges of
        // items may stand beside those of the invoice.
        let charges = all(|item| value(item.oth_chrg));
        let total = totals.tot_inv_val.to_decimal();
        let within = |low: Decimal, high: Decimal| {
            (low.saturating_sub(TOTAL_NEAR)..=high.saturating_add(TOTAL_NEAR)).contains(&total)
        };
        let may_exclude =
            self.is_reverse_charge() || self.invoice.tran_dtls.sup_typ == Inv01SupplyType::Expwp;
        self.fault(
            within(sum([without, taxes, less]), sum([without, taxes, charges]))
                || (may_exclude && within(sum([without, less]), sum([without, charges]))),
            "ValDtls.TotInvVal",
            "must be AssVal with all taxes, OthChrg and RndOffAmt, less Discount, within 2 rupees",
        );
    }
}

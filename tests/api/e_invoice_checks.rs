//! What an invoice is refused for before anything is sent: member and rule.

use sandbox_client::{
    ErrorKind,
    e_invoice::types::{Inv01, Inv01DocumentType, Inv01Flag, Inv01SupplyType},
    mock::MockServer,
    values::{Amount, Decimal, Gstin},
};

/// The provider's sample: between states, so with IGST.
pub fn sample() -> Inv01 {
    let json = include_str!("../../openapi/e_invoice/examples/generate_e_invoice.request.documented.json");
    serde_json::from_str(json).unwrap()
}

/// The sample as a supply within one state, with CGST and SGST.
fn within_state() -> Inv01 {
    let mut invoice = sample();
    invoice.buyer_dtls.pos = "29".into();
    let item = &mut invoice.item_list[0];
    item.igst_amt = None;
    (item.cgst_amt, item.sgst_amt) = (Some("598.73".parse().unwrap()), Some("598.73".parse().unwrap()));
    let totals = &mut invoice.val_dtls;
    totals.igst_val = None;
    (totals.cgst_val, totals.sgst_val) = (item.cgst_amt, item.sgst_amt);
    invoice
}

/// The members that are refused.
fn members(invoice: &Inv01) -> Vec<String> {
    invoice.faults().iter().map(|fault| fault.member().to_owned()).collect()
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Inv01), expected: &[&str]) {
    let mut invoice = sample();
    change(&mut invoice);
    assert_eq!(members(&invoice), expected);
}

#[test]
fn documents_that_the_portal_takes_are_taken() {
    assert_eq!(members(&sample()), [""; 0]);
    assert_eq!(members(&within_state()), [""; 0]);

    // A rupee more or less is rounding.
    let mut rounded = sample();
    rounded.item_list[0].ass_amt = "9979.84".parse().unwrap();
    rounded.val_dtls.ass_val = "9979.84".parse().unwrap();
    assert_eq!(members(&rounded), [""; 0]);

    // IGST within a state, where the supplier says so.
    let mut igst = sample();
    igst.buyer_dtls.pos = "29".into();
    igst.tran_dtls.igst_on_intra = Some(Inv01Flag::Y);
    assert_eq!(members(&igst), [""; 0]);

    // Taxes of notes are not compared with their rates.
    let mut note = sample();
    note.doc_dtls.typ = Inv01DocumentType::Crn;
    note.item_list[0].gst_rt = 18.into();
    assert_eq!(members(&note), [""; 0]);

    let mut export = sample();
    export.tran_dtls.sup_typ = Inv01SupplyType::Expwop;
    let buyer = &mut export.buyer_dtls;
    (buyer.gstin, buyer.pos, buyer.stcd, buyer.pin) = ("URP".into(), "96".into(), "96".into(), Some(999_999));
    let item = &mut export.item_list[0];
    let igst = item.igst_amt.take().unwrap().to_decimal();
    item.tot_item_val = (item.tot_item_val.to_decimal() - igst).into();
    export.val_dtls.igst_val = None;
    export.val_dtls.tot_inv_val = (export.val_dtls.tot_inv_val.to_decimal() - igst).into();
    assert_eq!(members(&export), [""; 0]);
}

#[test]
fn amounts_that_do_not_add_up_are_refused() {
    refused(
        |invoice| invoice.item_list[0].ass_amt = 9_000.into(),
        &[
            "ItemList[0].AssAmt",
            "ItemList[0].IgstAmt",
            "ItemList[0].CesAmt",
            "ItemList[0].StateCesAmt",
            "ItemList[0].TotItemVal",
            "ValDtls.AssVal",
        ],
    );
    refused(|invoice| invoice.item_list[0].tot_item_val = 12_900.into(), &["ItemList[0].TotItemVal"]);
    refused(|invoice| invoice.item_list[0].gst_rt = 18.into(), &["ItemList[0].IgstAmt"]);
    refused(|invoice| invoice.val_dtls.ass_val = "9980".parse().unwrap(), &["ValDtls.AssVal"]);
    refused(|invoice| invoice.val_dtls.ces_val = Some("498.94".parse().unwrap()), &["ValDtls.CesVal"]);
    refused(|invoice| invoice.val_dtls.tot_inv_val = 12_890.into(), &["ValDtls.TotInvVal"]);
    refused(|invoice| invoice.val_dtls.tot_inv_val = 13_000.into(), &["ValDtls.TotInvVal"]);
}

#[test]
fn the_tax_type_follows_the_place_of_supply() {
    refused(|invoice| invoice.buyer_dtls.pos = "29".into(), &["ItemList[0].IgstAmt", "ItemList[0].CgstAmt"]);
    let mut invoice = within_state();
    invoice.buyer_dtls.pos = "12".into();
    assert_eq!(members(&invoice), ["ItemList[0].CgstAmt", "ItemList[0].SgstAmt", "ItemList[0].IgstAmt"]);
    // A special economic zone is another state.
    let mut invoice = within_state();
    invoice.tran_dtls.sup_typ = Inv01SupplyType::Sezwp;
    assert_eq!(members(&invoice), ["ItemList[0].CgstAmt", "ItemList[0].SgstAmt", "ItemList[0].IgstAmt"]);
    let mut invoice = within_state();
    invoice.item_list[0].sgst_amt = None;
    assert!(members(&invoice).contains(&"ItemList[0].SgstAmt".to_owned()));
}

#[test]
fn parties_are_of_the_state_that_they_name() {
    refused(|invoice| invoice.seller_dtls.stcd = "27".into(), &["SellerDtls.Stcd"]);
    refused(|invoice| invoice.buyer_dtls.stcd = "12".into(), &["BuyerDtls.Stcd"]);
    refused(|invoice| invoice.seller_dtls.gstin = "29AAACQ3770E00".into(), &["SellerDtls.Gstin"]);
    refused(|invoice| invoice.seller_dtls.gstin = "29aaacq3770e000".into(), &["SellerDtls.Gstin"]);
    refused(|invoice| invoice.buyer_dtls.gstin = "URP".into(), &["BuyerDtls.Gstin"]);
    refused(|invoice| invoice.buyer_dtls.gstin = invoice.seller_dtls.gstin.clone(), &["BuyerDtls.Gstin"]);
    refused(|invoice| invoice.buyer_dtls.pos = "39".into(), &["BuyerDtls.Pos"]);
    refused(|invoice| invoice.buyer_dtls.pos = "96".into(), &["BuyerDtls.Pos"]);
    refused(
        |invoice| invoice.tran_dtls.sup_typ = Inv01SupplyType::Expwp,
        &["BuyerDtls.Gstin", "BuyerDtls.Pos", "BuyerDtls.Stcd"],
    );
}

#[test]
fn members_have_their_form() {
    for number in ["", "0123", "/123", "-1", "A B", "A_1", "12345678901234567", "Ä1"] {
        refused(|invoice| invoice.doc_dtls.no = number.into(), &["DocDtls.No"]);
    }
    for date in ["2024-01-01", "1/1/2024", "31/02/2024", "01-01-2024", "01/01/24", ""] {
        refused(|invoice| invoice.doc_dtls.dt = date.into(), &["DocDtls.Dt"]);
    }
    for code in ["1", "100", "10011", "1001001", "100100100", "10O1"] {
        refused(|invoice| invoice.item_list[0].hsn_cd = code.into(), &["ItemList[0].HsnCd"]);
    }
    refused(|invoice| invoice.item_list[0].hsn_cd = "9983".into(), &["ItemList[0].HsnCd"]);
    refused(|invoice| invoice.item_list[0].qty = None, &["ItemList[0].Qty"]);
    refused(|invoice| invoice.item_list[0].unit = Some("B1".into()), &["ItemList[0].Unit"]);
    refused(|invoice| invoice.item_list[0].tot_amt = "9988.845".parse().unwrap(), &["ItemList[0].TotAmt"]);
    refused(
        |invoice| invoice.item_list[0].oth_chrg = Some("-0.5".parse().unwrap()),
        &["ItemList[0].OthChrg", "ItemList[0].TotItemVal"],
    );
    refused(
        |invoice| invoice.val_dtls.rnd_off_amt = Some(100.into()),
        &["ValDtls.RndOffAmt", "ValDtls.TotInvVal"],
    );
    refused(|invoice| invoice.seller_dtls.pin = 12_345, &["SellerDtls.Pin"]);
    refused(|invoice| invoice.seller_dtls.lgl_nm = "A \"B\"".into(), &["SellerDtls.LglNm"]);
    refused(|invoice| invoice.buyer_dtls.em = Some("buyer".into()), &["BuyerDtls.Em"]);
    refused(|invoice| invoice.version = "1.0".into(), &["Version"]);
    refused(
        |invoice| invoice.item_list.push(invoice.item_list[0].clone()),
        &["ItemList[1].SlNo", "ValDtls.AssVal", "ValDtls.IgstVal", "ValDtls.CesVal", "ValDtls.StCesVal"],
    );
    refused(|invoice| invoice.ewb_dtls.as_mut().unwrap().distance = 4001, &["EwbDtls.Distance"]);
}

/// All refusals are told at once, by member and rule and without a value, and
/// nothing is sent: not even a login.
#[tokio::test]
async fn a_refused_invoice_is_not_sent() {
    let mock = MockServer::start().await.unwrap();
    let gstin = Gstin::unchecked("29AAACQ3770E000").unwrap();
    let session = mock.client().unwrap().e_invoice(gstin, "api_user", "not-a-real-password").unwrap();
    let mut invoice = sample();
    invoice.doc_dtls.no = "0777".into();
    invoice.seller_dtls.stcd = "27".into();
    let error = session.e_invoice().generate_or_get(&invoice).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("DocDtls.No")));
    let text = error.to_string();
    assert!(text.contains("must not begin with 0") && text.contains("`SellerDtls.Stcd`"), "{text}");
    assert!(!text.contains("0777") && !error.maybe_processed(), "{text}");
    assert_eq!(mock.requests().len(), 0);
}

/// A mistake in somebody's file, not the end of a batch.
#[test]
fn amounts_beyond_any_sum_are_refused() {
    let changes: [fn(&mut Inv01, Amount); 5] = [
        |invoice, most| invoice.val_dtls.tot_inv_val = most,
        |invoice, most| invoice.item_list[0].ass_amt = most,
        |invoice, most| invoice.item_list[0].gst_rt = most,
        |invoice, most| invoice.item_list[0].discount = Some(-most),
        |invoice, most| {
            invoice.item_list[0].igst_amt = Some(most);
            invoice.item_list[0].ces_amt = Some(most);
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut invoice = sample();
        change(&mut invoice, Decimal::MAX.into());
        assert!(!members(&invoice).is_empty(), "{at}");
    }
}

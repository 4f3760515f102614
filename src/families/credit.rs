//! What a GSTR-2B comes to.

use serde::{Deserialize, Serialize};

use crate::{
    Answer, Error,
    gstr_2b::{
        SessionApi,
        types::{
            Gstr2b, Gstr2bCredit, Gstr2bCreditGroup, Gstr2bDocuments, Gstr2bSupplier, Gstr2bSuppliers,
            Gstr2bTotals,
        },
    },
    values::{Amount, ProviderDate, ReturnPeriod},
};

/// Input tax credit of one GSTR-2B in sum, as [`totals`](SessionApi::totals) gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CreditTotals {
    /// Credit that is available, before credit notes.
    pub available: Credit,
    /// Credit notes, which reduce it. That the group `othersup` is to be deducted is
    /// inferred from the portal's form.
    pub credit_notes: Credit,
    /// Credit that is not available.
    pub not_available: Credit,
    /// Documents; `None` where the statement does not tell. Of one that comes in files
    /// its suppliers' totals are counted, in which imports have no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// When GSTN made the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<ProviderDate>,
}

/// Credit by tax, in rupees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Credit {
    /// Integrated tax.
    pub igst: Amount,
    /// Central tax.
    pub cgst: Amount,
    /// State or union territory tax.
    pub sgst: Amount,
    /// Cess.
    pub cess: Amount,
}

impl Credit {
    /// All four taxes.
    #[must_use]
    pub fn total(&self) -> Amount {
        sum([self.igst, self.cgst, self.sgst, self.cess])
    }
}

impl SessionApi {
    /// The credit of a period in sum: available, not available, and how many
    /// documents it comes from. One call. A period without any record has totals of
    /// nothing.
    ///
    /// The helper over [`get_gstr_2b`](SessionApi::get_gstr_2b). For a whole firm:
    /// [`CreditInPeriod`](crate::CreditInPeriod).
    ///
    /// ```
    /// # #[cfg(feature = "mock")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sandbox_client::values::ReturnPeriod;
    /// # let mock = sandbox_client::mock::MockServer::start().await?;
    /// # let session = mock.session()?;
    ///
    /// let totals = session.gstr_2b().totals(ReturnPeriod::new(2024, 3)?).await?;
    /// assert_eq!(totals.available.igst, "19032.06".parse()?);
    /// assert_eq!((totals.not_available.total(), totals.documents), (720.into(), Some(4)));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "mock"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_not_ready`](Error::is_not_ready) where GSTN has not generated it yet,
    /// [`Decode`](crate::ErrorKind::Decode) where the answer has no summary of the
    /// credit, otherwise any kind.
    pub async fn totals(&self, period: ReturnPeriod) -> Result<CreditTotals, Error> {
        match self.get_gstr_2b().year(period).month(period).send().await {
            Ok(answer) => read(&answer),
            Err(error) if error.is_no_records() => {
                Ok(CreditTotals { documents: Some(0), ..CreditTotals::default() })
            }
            Err(error) => Err(error),
        }
    }
}

fn read(answer: &Answer<Gstr2b>) -> Result<CreditTotals, Error> {
    let summary = answer.itcsumm.as_ref().filter(|_| !answer.has_unread("itcsumm"));
    let summary =
        summary.ok_or_else(|| answer.incomplete("has no summary of the credit that can be read"))?;
    let (available, credit_notes) = of_credit(summary.itcavl.as_ref());
    let (not_available, _) = of_credit(summary.itcunavl.as_ref());
    let documents = match (&answer.docdata, &answer.cpsumm) {
        _ if answer.has_unread("docdata") || answer.has_unread("cpsumm") => None,
        (Some(documents), _) => Some(count(documents)),
        (None, Some(suppliers)) => count_by_supplier(suppliers),
        (None, None) => None,
    };
    Ok(CreditTotals { available, credit_notes, not_available, documents, generated: answer.gendt.clone() })
}

/// What adds to a credit, and the credit notes.
fn of_credit(credit: Option<&Gstr2bCredit>) -> (Credit, Credit) {
    let Some(credit) = credit else { return Default::default() };
    let adding = [&credit.nonrevsup, &credit.isdsup, &credit.revsup, &credit.imports];
    (
        of_groups(adding.into_iter().filter_map(Option::as_deref)),
        of_groups(credit.othersup.as_deref().into_iter()),
    )
}

fn of_groups<'a>(groups: impl Iterator<Item = &'a Gstr2bCreditGroup> + Clone) -> Credit {
    let tax = |whole: fn(&Gstr2bCreditGroup) -> Option<Amount>, part: fn(&Gstr2bTotals) -> Option<Amount>| {
        sum(groups.clone().map(|group| whole(group).unwrap_or_else(|| sum(sections(group).filter_map(part)))))
    };
    Credit {
        igst: tax(|group| group.igst, |section| section.igst),
        cgst: tax(|group| group.cgst, |section| section.cgst),
        sgst: tax(|group| group.sgst, |section| section.sgst),
        cess: tax(|group| group.cess, |section| section.cess),
    }
}

/// For a group without a total of its own, which the provider's schema allows.
fn sections(group: &Gstr2bCreditGroup) -> impl Iterator<Item = &Gstr2bTotals> {
    let sections = [
        &group.b2b,
        &group.b2ba,
        &group.cdnr,
        &group.cdnra,
        &group.cdnrrev,
        &group.cdnrarev,
        &group.ecom,
        &group.ecoma,
        &group.isd,
        &group.isda,
        &group.impg,
        &group.impga,
        &group.impgsez,
        &group.impgasez,
    ];
    sections.into_iter().flatten()
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, Amount::saturating_add)
}

impl Gstr2bDocuments {
    /// What suppliers, operators and distributors have reported, section by section; bills
    /// of entry stand apart.
    pub(crate) fn suppliers(&self) -> impl Iterator<Item = &Gstr2bSupplier> {
        let sections =
            [&self.b2b, &self.b2ba, &self.cdnr, &self.cdnra, &self.ecom, &self.ecoma, &self.isd, &self.isda];
        sections.into_iter().flatten().flatten()
    }
}

/// Documents of reversed credit are those of an earlier statement.
fn count(documents: &Gstr2bDocuments) -> u64 {
    let of_supplier = |supplier: &Gstr2bSupplier| {
        [
            supplier.inv.as_ref().map(Vec::len),
            supplier.nt.as_ref().map(Vec::len),
            supplier.doclist.as_ref().map(Vec::len),
        ]
        .into_iter()
        .flatten()
        .sum::<usize>()
    };
    let reported: usize = documents.suppliers().map(of_supplier).sum();
    let zones = documents.impgsez.iter().flatten();
    let from_zones: usize = zones.map(|supplier| supplier.boe.as_ref().map_or(0, Vec::len)).sum();
    (reported + from_zones + documents.impg.as_ref().map_or(0, Vec::len)) as u64
}

/// `None` where a supplier's number is missing.
fn count_by_supplier(suppliers: &Gstr2bSuppliers) -> Option<u64> {
    let sections = [
        &suppliers.b2b,
        &suppliers.b2ba,
        &suppliers.cdnr,
        &suppliers.cdnra,
        &suppliers.ecom,
        &suppliers.ecoma,
        &suppliers.isd,
        &suppliers.isda,
        &suppliers.impg,
        &suppliers.impgsez,
    ];
    let numbers = sections.into_iter().flatten().flatten().map(|supplier| supplier.ttldocs);
    numbers.map(|number| number.and_then(|number| u64::try_from(number).ok())).sum()
}

//! Codes of the Invoice Management System.

use super::open_enum::open_enum;

open_enum! {
    /// The recipient's action on a document.
    InvoiceAction "InvoiceAction" {
        /// `A`: accepted.
        Accepted "A",
        /// `R`: rejected.
        Rejected "R",
        /// `P`: kept pending.
        Pending "P",
        /// `N`: none so far; deemed accepted when GSTR-2B is generated.
        NoAction "N",
    }
}

open_enum! {
    /// The form in which a supplier reported a document.
    SourceForm "SourceForm" {
        /// `R1`: GSTR-1.
        R1 "R1",
        /// `R1A`: GSTR-1A.
        R1a "R1A",
        /// `IFF`: the invoice furnishing facility of quarterly filers.
        Iff "IFF",
    }
}

open_enum! {
    /// The kind of supply behind an invoice.
    InvoiceType "InvoiceType" {
        /// `R`: regular.
        Regular "R",
        /// `DE`: deemed export.
        DeemedExport "DE",
        /// `SEWP`: special economic zone, with payment of tax.
        SezWithPayment "SEWP",
        /// `SEWOP`: special economic zone, without payment of tax.
        SezWithoutPayment "SEWOP",
        /// `CBW`: from a customs bonded warehouse.
        BondedWarehouse "CBW",
    }
}

open_enum! {
    /// Whether a supplier has filed the form that contains a document.
    FilingStatus "FilingStatus" {
        /// `Filed`.
        Filed "Filed",
        /// `Not Filed`: saved only, so it may still change.
        NotFiled "Not Filed",
    }
}

open_enum! {
    /// A flag.
    YesNo "YesNo" {
        /// `Y`; read from `true`, `1` and `Yes` too.
        Yes "Y" or "y" or "true" or "1" or "Yes" or "YES",
        /// `N`; read from `false`, `0` and `No` too.
        No "N" or "n" or "false" or "0" or "No" or "NO",
    }
}

open_enum! {
    /// The state of a job as the provider names it. What it means differs by
    /// source and by operation: see [`JobState`](crate::JobState).
    JobStatus "JobStatus" {
        /// `P`: processed in the provider's examples, processing in its guide.
        P "P",
        /// `PE`: processed, but for some documents.
        ProcessedWithErrors "PE",
        /// `ER`: refused as a whole.
        Failed "ER",
        /// `S`: success, by the provider's guide.
        Success "S",
        /// `IP`: in progress, as the jobs of returns say it.
        InProgress "IP",
        /// `REC`: received, as the jobs of returns say it.
        Received "REC",
    }
}

open_enum! {
    /// The state of a job that Sandbox itself runs, such as a reconciliation.
    PlatformJobStatus "PlatformJobStatus" {
        /// `created`: it waits for its files.
        Created "created",
        /// `queued`: it waits in the queue.
        Queued "queued",
        /// `in_progress`: it runs.
        InProgress "in_progress",
        /// `succeeded`: its result is ready.
        Succeeded "succeeded",
        /// `failed`: it ended without a result.
        Failed "failed",
    }
}

open_enum! {
    /// A section of the supplier's lists. Their answers name these six; that
    /// they are asked for by the same names is inferred, since the provider
    /// names no value.
    SupplierSection "SupplierSection" {
        /// `b2b`: invoices.
        B2b "b2b",
        /// `b2ba`: amended invoices.
        B2ba "b2ba",
        /// `cdnr`: credit and debit notes.
        Cdnr "cdnr",
        /// `cdnra`: amended credit and debit notes.
        Cdnra "cdnra",
        /// `ecom`: e-commerce documents.
        Ecom "ecom",
        /// `ecoma`: amended e-commerce documents.
        Ecoma "ecoma",
    }
}

open_enum! {
    /// A return, by the name that queries use.
    ReturnType "ReturnType" {
        /// `gstr-1`: outward supplies.
        Gstr1 "gstr-1",
        /// `gstr-3b`: supplies, credit and payment in sum.
        Gstr3b "gstr-3b",
        /// `gstr-9`: the annual return.
        Gstr9 "gstr-9",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_code_is_kept_as_it_came() {
        for sent in ["\"A\"", "\"Z9\"", "\"\""] {
            let read: InvoiceAction = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), sent);
        }
        assert_eq!(serde_json::from_str::<SourceForm>("1").unwrap(), SourceForm::Other("1".into()));
        assert_eq!(FilingStatus::from("Not Filed"), FilingStatus::NotFiled);
        assert_eq!(format!("{:>5}|", InvoiceType::SezWithPayment), " SEWP|");
        assert_eq!(YesNo::KNOWN, [YesNo::Yes, YesNo::No]);
    }
}

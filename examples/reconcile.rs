//! Compares a purchase ledger with a GSTR-2B: submits a job, uploads both
//! files, waits and saves the report.
//!
//! ```sh
//! cargo run --example reconcile
//! ```
//!
//! Runs against the built-in mock server, whose report is a sample. With your
//! own files and account:
//!
//! ```sh
//! export SANDBOX_API_KEY=… SANDBOX_API_SECRET=…
//! cargo run --example reconcile -- ledger.json gstr-2b.json report.xlsx
//! ```

use std::{env, fs::File, io::Write as _, time::Duration};

use sandbox_client::{Client, Content, Polling, ReconciliationStep, mock::MockServer};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = env::args().skip(1).collect();
    if let [ledger, statement, report] = files.as_slice() {
        let client = Client::from_env()?;
        return run(
            &client,
            Content::json_file(ledger),
            Content::json_file(statement),
            report,
            Polling::default(),
        )
        .await;
    }

    let mock = MockServer::start().await?;
    let client = mock.client()?;
    // One row a document, by position, as the provider's example has it.
    let ledger = json!({
        "name": "purchase_ledger_workbook", "@entity": "workbook",
        "sheets": [{
            "name": "invoice_sheet", "@entity": "sheet",
            "blocks": [{
                "name": "purchase_invoice_table", "@entity": "table",
                "header": ["supplier_name", "supplier_gstin", "invoice_number", "invoice_date_epoch", "irn",
                    "place_of_supply", "sub_total", "gst_rate", "cgst", "sgst", "igst", "cess", "total"],
                "rows": [["EXAMPLE SUPPLIER", "24AAACB2894G1ZT", "S008400", 1_721_241_000_000_u64, null,
                    "24", 3999, "18", 359.91, 359.91, 0, 0, 4718.82]]
            }]
        }]
    });
    // `data.data` of Get GSTR-2B.
    let statement =
        json!({"chksum": "…", "data": {"gstin": "24ABKCS2033B1ZV", "rtnprd": "072024", "version": "1.0"}});
    let report = env::temp_dir().join("reconciliation-report.xlsx");
    let polling = Polling::default().first_pause(Duration::from_millis(50)); // the mock is quick
    let (ledger, statement) = (Content::json(ledger.to_string()), Content::json(statement.to_string()));
    run(&client, ledger, statement, &report.display().to_string(), polling).await
}

async fn run(
    client: &Client,
    ledger: Content,
    statement: Content,
    path: &str,
    polling: Polling,
) -> Result<(), Box<dyn std::error::Error>> {
    let report = client
        .analytics()
        .reconcile_gstr_2b(ledger, statement)
        .polling(polling)
        .on_step(|step| match step {
            ReconciliationStep::Submitted { job_id } => println!("job {job_id}"),
            ReconciliationStep::UploadingLedger(progress) => {
                println!("ledger: {} bytes", progress.transferred);
            }
            ReconciliationStep::UploadingStatement(progress) => {
                println!("GSTR-2B: {} bytes", progress.transferred);
            }
            ReconciliationStep::Waiting(status) => println!("waiting, {status}"),
            _ => {}
        })
        .run()
        .await?;
    // Fails with the provider's reason where the job has failed.
    let mut download = report.download().await?;
    let mut file = File::create(path)?;
    while let Some(piece) = download.chunk().await? {
        file.write_all(&piece)?;
    }
    println!("{} bytes saved to {path}", download.received());
    Ok(())
}

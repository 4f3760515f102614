//! Generates an e-way bill, gives it another vehicle, and closes it.
//!
//! Runs against the mock server, with nothing to set up:
//! `cargo run --example e_way_bill`.

use std::error::Error;

use sandbox_client::{
    e_way_bill::types::{EwbRequest, EwbVehicleRequest},
    mock::MockServer,
    values::Gstin,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mock = MockServer::builder().stateful_documents().start().await?;
    let client = mock.client()?;
    let session =
        client.e_way_bill(Gstin::unchecked("29AAACQ3770E000")?, "api_user", "not-a-real-password")?;
    let bills = session.e_way_bill();

    let json = include_str!("../openapi/e_way_bill/examples/generate_e_way_bill.request.documented.json");
    let request: EwbRequest = serde_json::from_str(json)?;
    let generated = bills.generate_or_get(&request).await?;
    println!("e-way bill {}", generated.id.number);
    println!("valid until {}", generated.bill.valid_upto.as_deref().unwrap_or("it has a vehicle"));

    let vehicle: EwbVehicleRequest = EwbVehicleRequest::builder()
        .vehicle_no("KA12AB1234".to_owned())
        .vehicle_type("R".to_owned())
        .from_place("BANGALORE")
        .from_state(29)
        .reason_code("1")
        .reason_rem("vehicle broke down")
        .trans_mode("1")
        .try_into()?;
    let updated = bills.update_vehicle(generated.id, vehicle).await?;
    println!("another vehicle since {}", updated.veh_upd_date.as_deref().unwrap_or("now"));

    let details = bills.get_e_way_bill().ewb_no(generated.id.number).send().await?;
    for vehicle in details.vehicl_list_details.iter().flatten() {
        println!("  {}", vehicle.vehicle_no.as_deref().unwrap_or("no vehicle"));
    }

    let closed = bills.close(generated.id, "21/05/2026", "delivered").await?;
    println!("closed {}", closed.ewb_closure_date.as_deref().unwrap_or("now"));
    Ok(())
}

//! Every example of a request fits the type that is sent, and is sent as it stands.

use crate::samples::{examples, normal};

use sandbox_client::mock::{document, round_trip_request};

#[test]
fn every_request_example_is_sent_as_it_stands() {
    let mut found = Vec::new();
    let mut checked = 0;
    let operations = document()["paths"].as_object().unwrap().values();
    for operation in operations.flat_map(|path| path.as_object().unwrap().values()) {
        let Some(id) = operation["operationId"].as_str() else { continue };
        for (name, body) in examples(document(), &operation["requestBody"]) {
            checked += 1;
            let sent = round_trip_request(id, &serde_json::to_vec(body).unwrap()).expect("it has a body");
            match sent {
                Ok(sent) if normal(&sent, &|_| false) == normal(body, &|_| false) => {}
                Ok(sent) => found.push(format!("{id}, example {name}: sent as {sent}")),
                Err(error) => found.push(format!("{id}, example {name}: {error}")),
            }
        }
    }
    assert!(checked > 5, "{checked} examples were found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

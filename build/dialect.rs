use crate::document::Document;
pub fn check(_: &Document) -> Vec<String> {
    Vec::new()
}

#[derive(Debug, Clone)]
pub struct Scope;

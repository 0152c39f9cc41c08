//! The gate: what follows from triples of two builds.

mod sign;

pub use sign::{holm, sign_test};

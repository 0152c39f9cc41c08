//! What a gate found, in three forms: a page, Markdown for the summary of a CI job, rows for a terminal.
//! All are pure functions of a [`GateReport`](ringside_contract::GateReport), like [`crate::page()`].

mod markdown;
mod page;
mod remarks;
mod table;
pub(crate) mod words;

pub use markdown::gate_markdown;
pub use page::gate_page;
pub use table::gate_table;

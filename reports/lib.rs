//! The report: pure functions from one [`Verdicts`](ringside_contract::Verdicts) document to a page of
//! HTML or a short summary. The same document gives the same bytes; nothing here reads a
//! clock, a file or the network, so a report can be made again from stored verdicts at any time.
//!
//! `page` assembles `sections/`, one file for each question that a reader asks; `chart/` draws the SVG;
//! `format` turns figures into few digits with units; `view` sorts the document's lists for reading.
//! `gate/` shows a [`GateReport`](ringside_contract::GateReport) in the same ways, `profile/` a
//! [`ProfileReport`](ringside_contract::ProfileReport).

mod chart;
mod format;
mod gate;
mod lead;
mod markdown;
mod page;
mod printable;
mod profile;
mod sections;
mod summary;
mod view;
mod words;

pub use gate::{gate_markdown, gate_page, gate_table};
pub use markdown::markdown;
pub use page::page;
pub use printable::printable;
pub use profile::{profile_page, profile_table};
pub use summary::{Block, Column, summary};

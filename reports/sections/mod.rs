//! The parts of the page, one file for each question that a reader asks, in the order of the page.

mod cards;
mod changes;
mod choose;
mod claims;
mod formulas;
mod headline;
mod profiles;
mod repeat;
mod scaling;
mod scenarios;
mod table;
mod trust;

pub(crate) use cards::{build_facts, machine_card, warning_list};
pub(crate) use changes::changes;
pub(crate) use choose::choose;
pub(crate) use claims::{claims, contradictions, goals};
pub(crate) use headline::{headline, machine_words, summary_sentences, theme_switch};
pub(crate) use profiles::profiles;
pub(crate) use repeat::repeat;
pub(crate) use scaling::scaling;
pub(crate) use scenarios::scenarios;
pub(crate) use trust::trust;

//! What a profile found, as a page and as rows for a terminal. Both are pure functions of a
//! [`ProfileReport`](ringside_contract::ProfileReport), like [`crate::page()`].

mod page;
mod table;
mod words;

pub use page::profile_page;
pub use table::profile_table;
pub(crate) use words::NO_VERDICT;

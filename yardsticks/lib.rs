//! The self-test's three cases as benchmarks for other tools: a server with a slowdown planted into it, and a client
//! that has it answer the same requests again and again.
//!
//! ```text
//! yardsticks (trials, table) -> with_criterion, with_tango -> Load (lanes) -> Server
//! ```

mod case;
mod lanes;
mod server;

pub use case::{CASES, Case};
pub use lanes::Load;
pub use server::{CASE, PLANT, PROGRAM, PROGRAM_OF_BASE, Server};

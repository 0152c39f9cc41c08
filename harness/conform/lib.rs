//! Conformance cases: what a server of a family has to do, as a library of blocking clients. The tests
//! run every case over every engine; `verify` runs them over outside programs before they are timed.
//!
//! A case asks only what its RFC asks of every server. Where the RFC leaves a choice, both are
//! accepted; where a function is optional, the case names it in [`Case::needs`], and a program that
//! says it cannot gets "not applicable" instead of a failure.

pub mod affinity;
pub mod backends;
pub mod build;
mod case;
mod client;
pub mod codec;
pub mod counters;
pub mod echo;
pub mod events;
pub mod hash;
pub mod http;
pub mod idioms;
mod in_process;
pub mod log;
pub mod map;
pub mod mqtt;
pub mod numa;
pub mod pool;
pub mod rate_limit;
pub mod ring;

pub use case::{Case, Failure, Outcome, Target, check};

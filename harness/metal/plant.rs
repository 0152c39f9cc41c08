//! Slowdowns on purpose, by which the gate is tested: a server or a worker that does more for each operation than its
//! twin has to be found slower.
//!
//! Only builds with the feature `plant` know them. Their `start` reads `RINGSIDE_PLANT` once, and what it says is
//! done by [`operations`], which the cores of the families and the threads of workers call. In any other build that
//! call is empty, and nothing of this is in the binary.

#[cfg(feature = "plant")]
mod cost;
#[cfg(feature = "plant")]
mod holder;
#[cfg(feature = "plant-null")]
mod null;
#[cfg(feature = "plant")]
mod variable;

#[cfg(feature = "plant")]
pub use variable::{Kind, Plant, PlantError, VARIABLE, start};

/// A core has so many operations (requests, messages, keys) at hand: they cost what was planted.
#[inline(always)]
pub fn operations(count: u64) {
    #[cfg(feature = "plant")]
    cost::pay(variable::planted(), count);
    #[cfg(not(feature = "plant"))]
    let _ = count;
}

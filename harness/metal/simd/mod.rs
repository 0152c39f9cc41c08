//! Kernels of hash functions that need instructions which not every processor has. A token is the proof that this one
//! has them, so that its kernels are safe to call.

mod avx2;
mod crc32;

pub use avx2::{Avx2, LANES, PERIOD, STRIPE};
pub use crc32::Crc32;

/// What a token holds: nothing, and on other architectures there is none.
#[cfg(target_arch = "x86_64")]
type Proof = ();
#[cfg(not(target_arch = "x86_64"))]
type Proof = std::convert::Infallible;

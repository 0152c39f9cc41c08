//! Everything of the harness that needs `unsafe` or speaks to the kernel directly, behind safe types.
#![allow(
    unsafe_code,
    reason = "this is the one crate of the workspace that may use it"
)]

pub mod affinity;
mod allocation_probe;
mod allocations;
mod client_epoll;
mod client_socket;
mod clock;
mod counter_probe;
mod counters;
mod descriptors;
pub mod epoll;
mod file_ring;
mod guard;
pub mod heap;
mod held;
pub mod host;
pub mod numa;
mod page_cache;
pub mod plant;
pub mod process;
pub mod ring;
pub mod seccomp;
pub mod simd;
mod small_table;
pub mod socket;
mod tracefs;
pub mod transfer;
pub mod uring_probe;
mod usage;

pub use allocation_probe::{AllocationProbe, ProbeError};
pub use allocations::{Allocations, CountingAllocator, thread_allocations};
pub use client_epoll::wait_events;
pub use client_socket::bind_without_port;
pub use clock::{
    coarse_millis, monotonic_ns, own_cpu_ns, process_cpu_ns, thread_cpu_ns, time_stamp,
};
pub use counter_probe::CacheMisses;
pub use counters::{CallCounter, CountError};
pub use descriptors::{own_table, raise_descriptor_limit, widen_table};
pub use file_ring::FileRing;
pub use held::Held;
pub use page_cache::unwritten_pages;
pub use small_table::SmallTable;
pub use usage::{ThreadUsage, ended_children_cpu_ns};

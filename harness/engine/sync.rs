//! What wakes other threads is made of these. They are the usual ones, but for the models (`just loom`, the
//! files `models.rs`), where loom tries every order of the threads' steps: there they are loom's, and the flag is
//! a stand-in.

#[cfg(not(all(test, ringside_loom)))]
pub(crate) use {
    ringside_metal::epoll::Flag,
    std::sync::atomic::AtomicBool,
    std::sync::{Mutex, MutexGuard},
};

#[cfg(all(test, ringside_loom))]
pub(crate) use {
    self::stand_in::Flag,
    loom::sync::atomic::AtomicBool,
    loom::sync::{Mutex, MutexGuard},
};

#[cfg(all(test, ringside_loom))]
mod stand_in;

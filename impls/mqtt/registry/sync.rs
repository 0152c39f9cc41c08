//! What threads share here is made of these. They are the usual ones, but for the models (`just loom`,
//! `models.rs`), where loom tries every order of the threads' steps: there they are loom's, and the concurrent
//! map is a stand-in.

#[cfg(not(all(test, ringside_loom)))]
pub(super) use {
    papaya::{HashMap, HashMapRef, LocalGuard, Operation},
    std::sync::RwLock,
    std::sync::atomic::{AtomicBool, AtomicU64},
    std::thread_local,
};

#[cfg(all(test, ringside_loom))]
pub(super) use {
    self::stand_in::{HashMap, HashMapRef, LocalGuard, Operation},
    loom::sync::RwLock,
    loom::sync::atomic::{AtomicBool, AtomicU64},
    loom::thread_local,
};

#[cfg(all(test, ringside_loom))]
mod stand_in;

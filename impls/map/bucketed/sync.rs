//! What threads share here is made of these. They are the usual ones, but for the models (`just loom`, `models.rs`),
//! where loom tries every order of the threads' steps: there they are stand-ins that loom sees into.

#[cfg(not(all(test, ringside_loom)))]
pub(super) use {
    crossbeam_epoch::{Guard, pin},
    std::sync::atomic::{AtomicIsize, AtomicPtr},
};

#[cfg(all(test, ringside_loom))]
pub(super) use {
    self::stand_in::{AtomicPtr, Guard, pin, watch},
    loom::sync::atomic::AtomicIsize,
};

#[cfg(all(test, ringside_loom))]
pub(super) mod stand_in;

/// Tells the models of what is behind a pointer, which loom does not see into. Otherwise it costs nothing.
#[cfg(not(all(test, ringside_loom)))]
pub(super) mod watch {
    /// It was made, and nobody has seen it.
    #[inline]
    pub(crate) fn made<T>(_: *const T) {}

    /// It is going to be read.
    #[inline]
    pub(crate) fn used<T>(_: *const T) {}

    /// It is going to be freed.
    #[inline]
    pub(crate) fn freed<T>(_: *const T) {}
}

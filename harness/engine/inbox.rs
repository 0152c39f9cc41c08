//! How one connection reaches another: it calls it, and the loop that owns the other then asks the core
//! what is to be sent there.
//!
//! A call carries no bytes. What is to be sent lies with the core, so that a peer that does not read
//! holds up nobody, and several messages to one peer leave in one send.
//!
//! The flag that wakes a loop is a descriptor. Where loops have tables of their own it has to be in all of
//! them, so it is made before the first of them starts.

use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, PoisonError};

use crate::bell::Bell;
use crate::sync::{Flag, Mutex, MutexGuard};

/// The calls that wait for one loop.
#[derive(Debug)]
pub struct Inbox {
    calls: Mutex<Calls>,
    flag: Flag,
}

#[derive(Debug)]
struct Calls {
    keys: Vec<u64>,
    /// The loop looks here before it sleeps, so that it need not be woken.
    awake: bool,
}

/// Calls one connection. Any thread may; a call to a connection that is gone does nothing.
#[derive(Debug, Clone)]
pub struct Caller(Called);

/// Who serves the connection.
#[derive(Debug, Clone)]
enum Called {
    /// A loop that has many.
    Loop { inbox: Arc<Inbox>, key: u64 },
    /// A task of its own.
    Task(Arc<Bell>),
}

impl Caller {
    /// Makes the connection's loop ask the core for what is to be sent, as soon as it can be. Once is
    /// enough until it asked.
    pub fn call(&self) {
        let (inbox, key) = match &self.0 {
            Called::Loop { inbox, key } => (inbox, *key),
            Called::Task(bell) => return bell.ring(),
        };
        let mut calls = inbox.calls();
        calls.keys.push(key);
        if !mem::replace(&mut calls.awake, true) {
            drop(calls);
            inbox.flag.raise();
        }
    }
}

impl From<Arc<Bell>> for Caller {
    fn from(bell: Arc<Bell>) -> Self {
        Self(Called::Task(bell))
    }
}

impl Inbox {
    /// Without calls, for a loop that is awake.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    pub fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            calls: Mutex::new(Calls {
                keys: Vec::new(),
                awake: true,
            }),
            flag: Flag::new()?,
        }))
    }

    /// What calls the connection with this key.
    pub fn caller(self: &Arc<Self>, key: u64) -> Caller {
        let inbox = Arc::clone(self);
        Caller(Called::Loop { inbox, key })
    }

    /// True when no call waits: the loop may sleep, and the next call raises the flag.
    pub(crate) fn may_sleep(&self) -> bool {
        let mut calls = self.calls();
        calls.awake = !calls.keys.is_empty();
        !calls.awake
    }

    /// The loop has slept and is awake: until it may sleep again it takes the calls that come by itself, those
    /// of its own connections above all, and need not be woken for them.
    pub(crate) fn woke(&self) {
        self.calls().awake = true;
    }

    /// The calls that wait, into `keys`, which is empty. The loop is awake from here on.
    pub fn take(&self, keys: &mut Vec<u64>) {
        let mut calls = self.calls();
        calls.awake = true;
        mem::swap(&mut calls.keys, keys);
    }

    /// Lowers the flag, for a loop that watches its level.
    pub(crate) fn lower(&self) {
        self.flag.lower();
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        // Nothing in here panics half-way.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.flag.as_fd()
    }
}

#[cfg(all(test, ringside_loom))]
mod models;
#[cfg(test)]
mod tests {
    use ringside_metal::epoll::{Events, Interest, Poller};
    use std::time::Duration;

    use super::*;

    /// Whether a poller sees the flag.
    fn is_raised(inbox: &Inbox) -> bool {
        let poller = Poller::new().unwrap();
        poller.add(inbox, 7, Interest::IN).unwrap();
        let mut events = Events::with_capacity(1);
        poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        events.len() == 1
    }

    #[test]
    fn a_loop_that_is_awake_is_not_woken() {
        let inbox = Inbox::new().unwrap();
        inbox.caller(3).call();
        assert!(!is_raised(&inbox) && !inbox.may_sleep());
        let mut keys = Vec::new();
        inbox.take(&mut keys);
        assert_eq!(keys, [3]);
        keys.clear();
        assert!(inbox.may_sleep());
        inbox.caller(4).call();
        inbox.caller(5).call();
        assert!(is_raised(&inbox));
        inbox.lower();
        assert!(!is_raised(&inbox));
        inbox.take(&mut keys);
        assert_eq!(keys, [4, 5]);
        keys.clear();
        assert!(inbox.may_sleep());
        inbox.woke();
        inbox.caller(6).call();
        assert!(!is_raised(&inbox) && !inbox.may_sleep());
    }
}

//! What a session is kept as: the way document 002 has it, or packed.

use std::hash::Hash;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::SystemTime;

/// How a client and its session are kept.
pub(crate) trait Form: Send + Sync + 'static {
    /// What a client is known by.
    type Key: Hash + Eq + Clone + Send + Sync;
    /// What is kept of it.
    type Session: Send + Sync;

    /// What client `client` is known by.
    fn key(client: u32) -> Self::Key;

    /// A session that begins.
    fn session(key: &Self::Key, backend: u32, now: u32) -> Self::Session;

    /// Notes that it is used; gives its backend.
    fn touch(session: &Self::Session, now: u32) -> u32;

    /// When it was used last.
    fn used(session: &Self::Session) -> u32;
}

/// As document 002 has it: texts, and times of the wall clock.
pub(crate) struct Documented;

/// A session of [`Documented`].
#[expect(
    dead_code,
    reason = "the texts and the time are there for what reads them elsewhere in a proxy, and take their memory"
)]
pub(crate) struct DocumentedSession {
    client: String,
    backend: String,
    number: u32,
    began: SystemTime,
    requests: AtomicU64,
    used: AtomicU32,
}

impl Form for Documented {
    type Key = String;
    type Session = DocumentedSession;

    fn key(client: u32) -> String {
        let [high, middle, low, port] = client.to_be_bytes();
        format!("10.{high}.{middle}.{low}:{}", 40_000 + u32::from(port))
    }

    fn session(key: &String, backend: u32, now: u32) -> DocumentedSession {
        DocumentedSession {
            client: key.clone(),
            backend: format!("backend-{backend:03}:27017"),
            number: backend,
            began: SystemTime::now(),
            requests: AtomicU64::new(0),
            used: AtomicU32::new(now),
        }
    }

    #[inline]
    fn touch(session: &DocumentedSession, now: u32) -> u32 {
        session.requests.fetch_add(1, Ordering::Relaxed);
        store_if_other(&session.used, now);
        session.number
    }

    fn used(session: &DocumentedSession) -> u32 {
        session.used.load(Ordering::Relaxed)
    }
}

/// An address in a word, a number, and a time.
pub(crate) struct Packed;

/// A session of [`Packed`].
pub(crate) struct PackedSession {
    backend: u32,
    used: AtomicU32,
}

impl Form for Packed {
    type Key = u64;
    type Session = PackedSession;

    fn key(client: u32) -> u64 {
        let port = 40_000 + u64::from(client & 0xff);
        (0x0a00_0000 | u64::from(client >> 8)) << 16 | port
    }

    fn session(_: &u64, backend: u32, now: u32) -> PackedSession {
        PackedSession {
            backend,
            used: AtomicU32::new(now),
        }
    }

    #[inline]
    fn touch(session: &PackedSession, now: u32) -> u32 {
        store_if_other(&session.used, now);
        session.backend
    }

    fn used(session: &PackedSession) -> u32 {
        session.used.load(Ordering::Relaxed)
    }
}

/// A cache line that is only read stays with every core that reads it. Relaxed: the time tells of nothing but itself.
#[inline]
fn store_if_other(time: &AtomicU32, now: u32) {
    if time.load(Ordering::Relaxed) != now {
        time.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_keys_of_their_own() {
        let numbers = [0, 1, 255, 256, 65_536, (1 << 24) + 7];
        for (index, &one) in numbers.iter().enumerate() {
            for &other in &numbers[..index] {
                assert_ne!(Documented::key(one), Documented::key(other));
                assert_ne!(Packed::key(one), Packed::key(other));
            }
        }
        assert_eq!(Documented::key(0x0102_0304), "10.1.2.3:40004");
    }
}

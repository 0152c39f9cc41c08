//! The cases, as much like those of the self-test as one thread can load them: the services. A worker is told for how
//! long to work, which these tools cannot take the time of.

use anyhow::Context;

use crate::server::CASE;

/// A server, what is planted into it, and how it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// 64 connections, a request for a file of 1 KiB in flight on each.
    Http,
    /// 10 publishers, each with a subscriber and 16 messages in flight.
    Mqtt,
}

/// All of them.
pub const CASES: [Case; 2] = [Case::Http, Case::Mqtt];

impl Case {
    /// The one that the environment names.
    ///
    /// # Errors
    /// It names none.
    pub fn of_environment() -> anyhow::Result<Self> {
        let name = std::env::var(CASE).context(CASE)?;
        let named = CASES.into_iter().find(|case| case.name() == name);
        named.with_context(|| format!("{CASE}: there is no case {name}"))
    }

    /// Its name, which is the self-test's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Mqtt => "mqtt",
        }
    }

    /// What `ringside serve` is told.
    pub const fn implementation(self) -> &'static str {
        match self {
            Self::Http => "http/epoll",
            Self::Mqtt => "mqtt/epoll",
        }
    }

    /// The kind of slowdown that the self-test plants into it, as `RINGSIDE_PLANT` has it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Http => "io",
            Self::Mqtt => "lock",
        }
    }
}

//! What can vary in the broker, whichever engine drives it.

use ringside_contract::{Axis, Settings, StartError};

use crate::registry::Guard;

/// How a broker works.
#[derive(Debug, Clone, Copy)]
pub struct BrokerSettings {
    /// How subscriptions are kept.
    pub(crate) guard: Guard,
    /// Threads remember who takes a topic's messages.
    pub(crate) cached: bool,
    /// What waits for a client leaves in one send.
    pub(crate) coalesce: bool,
    /// Messages that a client is given before others have their turn.
    pub(crate) forward_batch: u32,
    /// Memory of a connection.
    pub(crate) memory: Memory,
    /// Connections that memory is got for before they come.
    pub(crate) preallocate: usize,
    /// A thread gives each subscriber its message.
    pub(crate) spawn: bool,
    /// What outlives a connection outlives the broker too.
    pub(crate) persistent: bool,
}

/// What memory a connection has of its own while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// None: the loop's buffers serve all.
    Shared,
    /// A buffer to read and one to write.
    Buffers,
    /// An arena that everything it sends is copied to, and that is freed at its end.
    Arena,
}

const ON_OFF: &[&str] = &["on", "off"];

impl BrokerSettings {
    const REGISTRY: Axis = Axis {
        name: "registry",
        values: &["rwlock", "sharded", "lock_free"],
        default: "rwlock",
        about: "Subscriptions in one tree under a read-write lock, in 64 trees under a lock each, or in a \
                concurrent map without locks.",
    };
    const REGISTRY_OF_ONE_LOOP: Axis = Axis {
        name: "registry",
        values: &["rwlock", "local", "sharded", "lock_free"],
        default: "rwlock",
        about: "Subscriptions in one tree under a read-write lock, in a tree of the loop's own, in 64 trees \
                under a lock each, or in a concurrent map without locks.",
    };
    const CACHE: Axis = Axis {
        name: "cache",
        values: &["off", "versioned"],
        default: "off",
        about: "Look every topic up, or remember who takes it until any subscription changes.",
    };
    const COALESCE: Axis = Axis {
        name: "coalesce",
        values: ON_OFF,
        default: "on",
        about: "What waits for a client leaves in one send; off: each message in a send of its own.",
    };
    const FORWARD_BATCH: Axis = Axis {
        name: "forward_batch",
        values: &["5000", "64", "1"],
        default: "5000",
        about: "Messages that a client is given before others have their turn.",
    };
    const MEMORY: Axis = Axis {
        name: "memory",
        values: &["shared", "buffers_4k", "arena"],
        default: "shared",
        about: "The loop's buffers serve all connections, each has 4 KiB to read and 4 KiB to write, or each \
                copies what comes into an arena that is freed at its end.",
    };
    const PREALLOCATE: Axis = Axis {
        name: "preallocate",
        values: &["0", "1024"],
        default: "0",
        about: "Connections that memory is got for before they come.",
    };
    const PERSISTENCE: Axis = Axis {
        name: "persistence",
        values: &["off", "file"],
        default: "off",
        about: "Sessions and retained messages end with the broker, or are written to a file before they are \
                acknowledged: a killed broker finds them again, if no power was cut.",
    };
    /// The axis `fan_out`, of the engine with a thread for each connection.
    pub const FAN_OUT: Axis = Axis {
        name: "fan_out",
        values: &["loop", "spawn"],
        default: "loop",
        about: "The publisher's thread writes to each subscriber in turn, or makes a thread for each of them.",
    };
    /// The axes of every broker.
    pub const AXES: [Axis; 7] = [
        Self::REGISTRY,
        Self::CACHE,
        Self::COALESCE,
        Self::FORWARD_BATCH,
        Self::MEMORY,
        Self::PREALLOCATE,
        Self::PERSISTENCE,
    ];
    /// The axes of a broker of one thread.
    pub const AXES_OF_ONE_LOOP: [Axis; 7] = [
        Self::REGISTRY_OF_ONE_LOOP,
        Self::CACHE,
        Self::COALESCE,
        Self::FORWARD_BATCH,
        Self::MEMORY,
        Self::PREALLOCATE,
        Self::PERSISTENCE,
    ];

    /// Reads the axes; those that are not set have their default.
    ///
    /// # Errors
    /// [`StartError::Option`] for a value that the axis does not have.
    pub fn new(axes: &Settings) -> Result<Self, StartError> {
        let choose = |axis: &Axis| axis.choose(axes);
        Ok(Self {
            guard: match choose(&Self::REGISTRY_OF_ONE_LOOP)? {
                "local" => Guard::Local,
                "sharded" => Guard::Sharded,
                "lock_free" => Guard::LockFree,
                _ => Guard::ReadWriteLock,
            },
            cached: choose(&Self::CACHE)? == "versioned",
            coalesce: choose(&Self::COALESCE)? == "on",
            forward_batch: Self::FORWARD_BATCH.choose_number(axes)?,
            memory: match choose(&Self::MEMORY)? {
                "buffers_4k" => Memory::Buffers,
                "arena" => Memory::Arena,
                _ => Memory::Shared,
            },
            preallocate: Self::PREALLOCATE.choose_number(axes)?,
            spawn: choose(&Self::FAN_OUT)? == "spawn",
            persistent: choose(&Self::PERSISTENCE)? == "file",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_every_axis_is_taken_and_others_are_named() {
        let with = |name: &str, value: &str| {
            let mut axes = Settings::default();
            axes.set(name, value);
            BrokerSettings::new(&axes)
        };
        let all = BrokerSettings::AXES_OF_ONE_LOOP.into_iter();
        for axis in all
            .chain(BrokerSettings::AXES)
            .chain([BrokerSettings::FAN_OUT])
        {
            for value in axis.values {
                assert!(with(axis.name, value).is_ok(), "{}={value}", axis.name);
            }
            let message = with(axis.name, "7").unwrap_err().to_string();
            assert!(message.contains(axis.name), "{message}");
        }
        assert_eq!(with("forward_batch", "64").unwrap().forward_batch, 64);
        assert_eq!(with("memory", "arena").unwrap().memory, Memory::Arena);
    }
}

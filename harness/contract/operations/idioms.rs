//! Small things that can be written in two ways, of which a checklist recommends one.

use serde::{Deserialize, Serialize};

/// What is done, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdiomTask {
    /// A text is handed to somebody who reads it.
    Pass {
        /// Bytes of a text.
        bytes: u32,
    },
    /// Characters of a text are replaced, where it has any of them.
    Escape {
        /// Bytes of a text.
        bytes: u32,
        /// One of so many texts has a character to replace.
        every: u32,
    },
    /// Numbers are put into a vector.
    Fill {
        /// How many.
        items: u32,
    },
    /// The same bytes are handed to several receivers, each of which keeps them for a while.
    Share {
        /// How many bytes.
        bytes: u32,
        /// How many receivers.
        receivers: u32,
    },
    /// Numbers are worked on, and the results added up.
    Sum {
        /// How many numbers.
        items: u32,
        /// Cores that may be used.
        cores: u32,
    },
}

impl IdiomTask {
    /// One of each, small enough for conformance cases.
    pub const SAMPLES: [Self; 5] = [
        Self::Pass { bytes: 100 },
        Self::Escape {
            bytes: 100,
            every: 3,
        },
        Self::Fill { items: 100 },
        Self::Share {
            bytes: 100,
            receivers: 4,
        },
        Self::Sum {
            items: 10_000,
            cores: 2,
        },
    ];

    /// The name of the scenario, by which an implementation says which it answers.
    pub const fn question(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Escape { .. } => "escape",
            Self::Fill { .. } => "fill",
            Self::Share { .. } => "share",
            Self::Sum { .. } => "sum",
        }
    }
}

/// Different texts; more of them would not fit into a cache.
pub const TEXTS: u64 = 64;

/// Text `number`, of so many bytes; one in `every` has an angle bracket in its middle.
pub fn text(number: u64, bytes: u32, every: u32) -> String {
    const WORDS: &[u8] = b"the quick brown fox jumps over the lazy dog ";
    let special = number.is_multiple_of(every.max(1).into());
    let letter = |place: u32| match place {
        place if special && place == bytes / 2 => '<',
        // Begins elsewhere in each.
        place => WORDS[(u64::from(place) + number) as usize % WORDS.len()].into(),
    };
    (0..bytes).map(letter).collect()
}

/// One way to write something, for conformance cases.
pub trait TestedIdiom: Send + Sync {
    /// What step `number` gives; none where it is the answer to another question.
    fn step(&self, task: IdiomTask, number: u64) -> Option<u64>;
}

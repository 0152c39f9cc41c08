//! Look-ups in a hash table: a fast function whose hashes collide is no fast one.

use ringside_contract::operations::hash::HashTask;
use ringside_contract::{ParamError, Parameter, ParameterKind, ScenarioMeta};

use super::task::HashScenario;
use crate::workers::{THREADS, key_form};

/// `hash/lookup`.
pub(crate) const LOOKUP: HashScenario = HashScenario {
    meta: &ScenarioMeta {
        id: "hash/lookup",
        question: "How long does a look-up in a hash table take with this function?",
        operations: "look-ups",
        ranked_by: "throughput",
        parameters: &[
            Parameter {
                name: "keys",
                kind: ParameterKind::Choice(&["user", "url", "uuid", "document"]),
                default: "user",
                smoke: None,
                about: "What keys look like: user:000001, addresses of 76 bytes, identifiers that count up, or documents of \
                        1 KiB that differ within their first 32 bytes.",
            },
            Parameter {
                name: "entries",
                kind: ParameterKind::Count,
                default: "10000",
                smoke: None,
                about: "Entries of the table, at most a million.",
            },
            THREADS,
        ],
    },
    task: |params| {
        let entries = params.count("entries");
        if !(1..=ENTRIES_MAX).contains(&entries) {
            return Err(ParamError::Conflict {
                because: format!("entries={entries}: there are 1 to {ENTRIES_MAX} of them"),
            });
        }
        Ok(HashTask::Table {
            entries,
            keys: key_form(params),
        })
    },
};

/// With documents they take a gigabyte.
const ENTRIES_MAX: u32 = 1_000_000;

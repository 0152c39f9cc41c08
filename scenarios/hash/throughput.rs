//! Keys that are hashed one after the other.

use ringside_contract::operations::hash::{HashTask, LENGTH_MAX};
use ringside_contract::{ParamError, Parameter, ParameterKind, Params, ScenarioMeta};

use super::task::HashScenario;
use crate::workers::THREADS;

/// `hash/throughput`.
pub(crate) const THROUGHPUT: HashScenario = HashScenario {
    meta: &ScenarioMeta {
        id: "hash/throughput",
        question: "How long does it take to hash a key?",
        operations: "keys",
        ranked_by: "throughput",
        parameters: &[
            Parameter {
                name: "key",
                kind: ParameterKind::Size,
                default: "64B",
                smoke: None,
                about: "Bytes of a key, 1 B to 64 KiB.",
            },
            Parameter {
                name: "lengths",
                kind: ParameterKind::Choice(&["one", "mixed"]),
                default: "one",
                smoke: None,
                about: "one: all keys are as long; mixed: they are of any length up to that, which no branch predictor foresees.",
            },
            Parameter {
                name: "chain",
                kind: ParameterKind::Choice(&["on", "off"]),
                default: "off",
                smoke: None,
                about: "on: a key is known only when the one before was hashed, so that its time is how long it takes; \
                        off: a processor has several under way, so that it is how many there are in a second.",
            },
            THREADS,
        ],
    },
    task,
};

fn task(params: &Params) -> Result<HashTask, ParamError> {
    let length = params.size("key");
    match u32::try_from(length) {
        Ok(length) if (1..=LENGTH_MAX).contains(&length) => Ok(HashTask::Keys {
            length,
            mixed: params.text("lengths") == "mixed",
            chained: params.text("chain") == "on",
        }),
        _ => Err(ParamError::Conflict {
            because: format!("key={length}B: keys have 1B to {LENGTH_MAX}B"),
        }),
    }
}

//! Blocks of keys, one in flight on each connection: what hashing costs when what carries it costs nothing.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};
use ringside_wire::hash::{BLOCK_WORK_MAX, Block, KEYS_MAX, LENGTH_MAX};

use super::session::HashSession;
use crate::load::{plan, verify_load};

/// `hash/blocks`.
pub(crate) struct Blocks;

const META: ScenarioMeta = ScenarioMeta {
    id: "hash/blocks",
    question: "How much processor time does a block of keys cost to hash?",
    operations: "blocks",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "length",
            kind: ParameterKind::Size,
            default: "64B",
            smoke: None,
            about: "Bytes of a key, 1 B to 4096 B.",
        },
        Parameter {
            name: "keys",
            kind: ParameterKind::Count,
            default: "2000",
            smoke: None,
            about: "Keys of a block, which are hashed one after another; at most 4 MiB of them.",
        },
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "Connections, each with a block in flight, so that the worker never waits.",
        },
    ],
};

impl Scenario for Blocks {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        block(params)?;
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, seed: u64, _connection: u32) -> Box<dyn Session> {
        let block = block(params).expect("`load` has refused other blocks");
        Box::new(HashSession::new(block, seed))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))
    }
}

/// The block that is asked for; its seed and tag are the session's.
///
/// # Errors
/// A worker would refuse it.
fn block(params: &Params) -> Result<Block, ParamError> {
    let (length, keys) = (params.size("length"), params.count("keys"));
    let block = Block {
        length: u32::try_from(length).unwrap_or(u32::MAX),
        keys,
        seed: 0,
        tag: 0,
    };
    if block.is_sound() {
        return Ok(block);
    }
    Err(ParamError::Conflict {
        because: format!(
            "length={length}B, keys={keys}: keys have 1B to {LENGTH_MAX}B, and a block has 1 to {KEYS_MAX} of them, \
             of at most {BLOCK_WORK_MAX} B together"
        ),
    })
}

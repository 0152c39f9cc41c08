//! Texts in which something is replaced, now and then.

use ringside_contract::operations::Workload;
use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::{idiom_plan, idiom_workload};
use crate::workers::{NoConversation, verify_worker};

/// `idioms/escape`.
pub(crate) struct Escape;

const META: ScenarioMeta = ScenarioMeta {
    id: "idioms/escape",
    question: "What does it cost to give a new text where nothing was replaced in the old one?",
    operations: "texts",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "bytes",
            kind: ParameterKind::Size,
            default: "256B",
            smoke: None,
            about: "Bytes of a text, at most 1 MiB.",
        },
        Parameter {
            name: "every",
            kind: ParameterKind::Count,
            default: "10",
            smoke: None,
            about: "One of so many texts has a character to replace.",
        },
    ],
};

impl Scenario for Escape {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        idiom_plan(params, &[("bytes", params.size("bytes"))])
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        idiom_workload(
            seed,
            IdiomTask::Escape {
                bytes: params.size("bytes") as u32,
                every: params.count("every"),
            },
        )
    }

    fn session(&self, _: &Params, _: u64, _: u32) -> Box<dyn Session> {
        Box::new(NoConversation)
    }

    fn verify(&self, _: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_worker(measures)
    }
}

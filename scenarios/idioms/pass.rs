//! Texts that are handed to whoever reads them.

use ringside_contract::operations::Workload;
use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::{idiom_plan, idiom_workload};
use crate::workers::{NoConversation, verify_worker};

/// `idioms/pass`.
pub(crate) struct Pass;

const META: ScenarioMeta = ScenarioMeta {
    id: "idioms/pass",
    question: "What does it cost to copy a text for whoever reads it?",
    operations: "texts",
    ranked_by: "throughput",
    parameters: &[Parameter {
        name: "bytes",
        kind: ParameterKind::Size,
        default: "256B",
        smoke: None,
        about: "Bytes of a text, at most 1 MiB.",
    }],
};

impl Scenario for Pass {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        idiom_plan(params, &[("bytes", params.size("bytes"))])
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        idiom_workload(
            seed,
            IdiomTask::Pass {
                bytes: params.size("bytes") as u32,
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

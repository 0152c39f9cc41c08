//! Numbers that are put into a vector.

use ringside_contract::operations::Workload;
use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::{idiom_plan, idiom_workload};
use crate::workers::{NoConversation, verify_worker};

/// `idioms/fill`.
pub(crate) struct Fill;

const META: ScenarioMeta = ScenarioMeta {
    id: "idioms/fill",
    question: "What does it cost to let a vector grow whose length is known?",
    operations: "vectors",
    ranked_by: "throughput",
    parameters: &[Parameter {
        name: "items",
        kind: ParameterKind::Count,
        default: "1000",
        smoke: None,
        about: "Numbers of a vector, at most 1,048,576.",
    }],
};

impl Scenario for Fill {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        idiom_plan(params, &[("items", params.count("items").into())])
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        idiom_workload(
            seed,
            IdiomTask::Fill {
                items: params.count("items"),
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

//! Numbers that are worked on, by one core or by several.

use ringside_contract::operations::Workload;
use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::{idiom_plan, idiom_workload};
use crate::workers::{NoConversation, verify_worker};

/// `idioms/sum`.
pub(crate) struct Sum;

const META: ScenarioMeta = ScenarioMeta {
    id: "idioms/sum",
    question: "From how much work on is it worth while to share it among cores?",
    operations: "sums",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "items",
            kind: ParameterKind::Count,
            default: "100000",
            smoke: None,
            about: "Numbers of a sum, at most 1,048,576.",
        },
        Parameter {
            name: "cores",
            kind: ParameterKind::Count,
            default: "2",
            smoke: None,
            about: "Cores that may be used.",
        },
    ],
};

impl Scenario for Sum {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        idiom_plan(
            params,
            &[
                ("items", params.count("items").into()),
                ("cores", params.count("cores").into()),
            ],
        )
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        idiom_workload(
            seed,
            IdiomTask::Sum {
                items: params.count("items"),
                cores: params.count("cores"),
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

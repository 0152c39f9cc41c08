//! Bytes that several receivers keep for a while.

use ringside_contract::operations::Workload;
use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::{idiom_plan, idiom_workload};
use crate::workers::{NoConversation, verify_worker};

/// `idioms/share`.
pub(crate) struct Share;

const META: ScenarioMeta = ScenarioMeta {
    id: "idioms/share",
    question: "What does it cost to copy bytes for each receiver?",
    operations: "payloads",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "bytes",
            kind: ParameterKind::Size,
            default: "4KiB",
            smoke: None,
            about: "Bytes of a payload, at most 1 MiB.",
        },
        Parameter {
            name: "receivers",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "Who gets it.",
        },
    ],
};

impl Scenario for Share {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        idiom_plan(
            params,
            &[
                ("bytes", params.size("bytes")),
                ("receivers", params.count("receivers").into()),
            ],
        )
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        idiom_workload(
            seed,
            IdiomTask::Share {
                bytes: params.size("bytes") as u32,
                receivers: params.count("receivers"),
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

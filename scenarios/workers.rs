//! What scenarios of operations have in common: threads in a worker process are their load.

use ringside_contract::operations::hash::KeyForm;
use ringside_contract::operations::map::KeyChoice;
use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Session, Violation,
};

use crate::load::plan;

/// How many threads work.
pub(crate) const THREADS: Parameter = Parameter {
    name: "threads",
    kind: ParameterKind::Count,
    default: "1",
    smoke: None,
    about: "Threads that work at the same time, each on a core of its own while there are as many.",
};

/// More threads than this are another question.
const THREADS_MAX: u32 = 1024;

/// What keys look like, by a parameter `keys` whose choices are names of forms.
pub(crate) fn key_form(params: &Params) -> KeyForm {
    match params.text("keys") {
        "url" => KeyForm::Url,
        "uuid" => KeyForm::Uuid,
        "document" => KeyForm::Document,
        _ => KeyForm::User,
    }
}

/// Which entries are asked for how often, by a parameter `keys` of these choices.
pub(crate) fn key_choice(params: &Params) -> KeyChoice {
    match params.text("keys") {
        "zipf" => KeyChoice::Zipf,
        "hot" => KeyChoice::Hot,
        _ => KeyChoice::Uniform,
    }
}

/// The load of a worker of so many threads: one connection, which carries orders.
///
/// # Errors
/// A sweep, a window, or far too many threads.
pub(crate) fn worker_plan(params: &Params, threads: u32) -> Result<LoadPlan, ParamError> {
    let conflict = |because: String| Err(ParamError::Conflict { because });
    if params.text("load") == "sweep" {
        return conflict("load=sweep: operations in process have closed and open loops".to_owned());
    }
    let window = params.count("window");
    if window != 1 {
        return conflict(format!(
            "window={window}: a thread has one operation under way; take more threads"
        ));
    }
    if threads > THREADS_MAX {
        return conflict(format!("threads={threads}: at most {THREADS_MAX}"));
    }
    plan(params, 1)
}

/// What has to hold of a block: something was done, and nothing was wrong.
///
/// # Errors
/// What was wrong.
pub(crate) fn verify_worker(measures: &Measures) -> Result<(), Violation> {
    if measures.corrupt == 0 && measures.operations > 0 {
        return Ok(());
    }
    let because = match measures.error_samples.join("; ") {
        none if none.is_empty() => "no operation was done".to_owned(),
        some => some,
    };
    Err(Violation { because })
}

/// In place of a conversation: a worker is given orders, and no load comes over its connection.
pub(crate) struct NoConversation;

impl Session for NoConversation {
    fn open(&mut self, _: &mut Vec<u8>) {}

    fn send(&mut self, _: &[Operation], _: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        _: &[u8],
        _: &mut Vec<u8>,
        _: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        Err(ProtocolError {
            offset: 0,
            because: "operations in process have no conversation".to_owned(),
        })
    }
}

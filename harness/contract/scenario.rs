//! What a scenario is: one question, asked the same way of every implementation of its family.
//!
//! A scenario knows no implementation, no socket and no clock. Every byte that it sends follows from
//! its parameters and a seed.

use thiserror::Error;

use crate::operations::Workload;
use crate::{Id, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, ScenarioSpec};

/// What is known of a scenario without running it.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioMeta {
    /// `family/name`: the path of its file under `scenarios/`.
    pub id: &'static str,
    /// The question that it answers, one sentence.
    pub question: &'static str,
    /// What its operations are called in a report, such as `requests`.
    pub operations: &'static str,
    /// The metric by which implementations are ranked, such as `operations_per_cpu_s`.
    pub ranked_by: &'static str,
    /// Its own parameters; every scenario has the [`COMMON_PARAMETERS`] too.
    pub parameters: &'static [Parameter],
}

impl ScenarioMeta {
    /// Its id, taken apart.
    ///
    /// # Panics
    /// When the constant in the scenario's file is no id; a test of the list holds this.
    pub fn id(&self) -> Id {
        self.id.parse().expect("the id of a scenario is a path")
    }

    /// Its own parameters and the common ones; its own take precedence.
    pub fn parameters(&self) -> Vec<&'static Parameter> {
        let own = |name| {
            self.parameters
                .iter()
                .any(|parameter| parameter.name == name)
        };
        let common = COMMON_PARAMETERS
            .iter()
            .filter(|parameter| !own(parameter.name));
        self.parameters.iter().chain(common).collect()
    }

    /// Checks a name's parameters and fills in the defaults.
    ///
    /// # Errors
    /// As [`Params::resolve`].
    pub fn resolve(&self, spec: &ScenarioSpec) -> Result<Params, ParamError> {
        Params::resolve(spec, &self.parameters())
    }
}

/// The parameters that every scenario has: how its operations arrive.
pub const COMMON_PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "load",
        kind: ParameterKind::Choice(&["closed", "open", "sweep"]),
        default: "closed",
        smoke: None,
        about: "closed measures capacity, open measures latency at `rate`, sweep at rising rates.",
    },
    Parameter {
        name: "rate",
        kind: ParameterKind::Rate,
        default: "10000",
        smoke: None,
        about: "Operations a second offered by an open loop; the highest step of a sweep.",
    },
    Parameter {
        name: "arrivals",
        kind: ParameterKind::Choice(&["constant", "poisson"]),
        default: "constant",
        smoke: None,
        about: "Gaps between the intended times of an open loop.",
    },
    Parameter {
        name: "window",
        kind: ParameterKind::Count,
        default: "1",
        smoke: None,
        about: "Operations in flight on one connection.",
    },
];

/// One operation that the driver starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Its number on this connection, from 0, never repeated.
    pub sequence: u64,
    /// When it was meant to start, in nanoseconds of the driver's clock; in a closed loop, when it did.
    pub intended: u64,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, and the answer was right as far as it was checked.
    Ok,
    /// Answered by an error of the protocol, such as a status of 500.
    Refused,
    /// Answered by the wrong bytes.
    Corrupt,
}

/// One operation that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// As in [`Operation`].
    pub sequence: u64,
    /// As in [`Operation`]; latency counts from here.
    pub intended: u64,
    /// The connection that started it, when that was another one; see [`LoadPlan::together`].
    pub origin: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a session did with the bytes that it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Bytes that need not be shown again; the rest comes again with more behind it.
    pub consumed: usize,
    /// Bytes that come next and that the session does not want to see: the driver may throw them away
    /// in the kernel, and counts them. Once the last of them came, `receive` is called again, with an
    /// empty input when nothing else is there.
    pub discard: u64,
    /// The connection has served its purpose: the driver closes it and opens another.
    pub reconnect: bool,
}

/// The peer broke the protocol: the connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at byte {offset} of the stream: {because}")]
pub struct ProtocolError {
    /// Bytes of this connection that were right.
    pub offset: u64,
    /// What was expected and what came.
    pub because: String,
}

/// One connection's side of the conversation, free of sockets and clocks.
pub trait Session: Send {
    /// Called when a connection is up, again after each reconnect. Appends a handshake to `out`, if the
    /// protocol has one.
    fn open(&mut self, out: &mut Vec<u8>);

    /// True once operations may start: when the peer has answered the handshake. The load waits until
    /// every connection is ready.
    fn is_ready(&self) -> bool {
        true
    }

    /// Starts `operations`, appending their bytes to `out`. Called with at most as many as the window
    /// has room for.
    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>);

    /// Takes bytes that came. Appends acknowledgements to `out` and ended operations to `done`.
    ///
    /// # Errors
    /// [`ProtocolError`]: every operation in flight on the connection is then an error.
    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError>;

    /// The peer closed its side. True when that was right at this point (it may complete an operation).
    fn closed(&mut self, done: &mut Vec<Completion>) -> bool {
        let _ = done;
        false
    }
}

/// A file that the server's document root must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// Path below the root, without a leading slash.
    pub path: String,
    /// Length in bytes.
    pub length: u64,
}

/// A promise of a scenario that a run broke, such as memory that must stay flat.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{because}")]
pub struct Violation {
    /// What was promised and what was seen.
    pub because: String,
}

/// What a scenario keeps from the server, to ask how it does with less.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Confinement {
    /// io_uring is refused to it, as containers do.
    pub refuse_io_uring: bool,
    /// Memory that it may have, in bytes.
    pub memory_bytes: Option<u64>,
    /// The part of each of its cores that it may use.
    pub core_share: Option<f64>,
}

/// One question.
pub trait Scenario: Sync {
    /// Its name, question and parameters.
    fn meta(&self) -> &'static ScenarioMeta;

    /// The load for these parameters.
    ///
    /// # Errors
    /// Values that do not fit together.
    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError>;

    /// What a worker process is asked to do, for operations that are called in process: its threads are the load then,
    /// and [`Self::session`] is not asked for.
    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        let _ = (params, seed);
        None
    }

    /// The conversation of connection number `connection`.
    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session>;

    /// Checks the outcome as a whole, beyond each answer.
    ///
    /// # Errors
    /// The promise that was broken.
    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation>;

    /// What is kept from the server.
    fn confinement(&self, params: &Params) -> Confinement {
        let _ = params;
        Confinement::default()
    }

    /// Files that the server needs in its document root.
    fn fixtures(&self, params: &Params) -> Vec<Fixture> {
        let _ = params;
        Vec::new()
    }

    /// The bytes of `fixture` from `offset` on, as many as `buffer` holds.
    fn fixture_bytes(&self, fixture: &Fixture, offset: u64, buffer: &mut [u8]) {
        let _ = (fixture, offset);
        buffer.fill(0);
    }
}

//! Types and traits that every part of Ringside shares: what an implementation, a scenario, a record,
//! a claim and a verdict are. There is no logic here beyond reading and writing names, so that no part
//! depends on how another one works.

mod claim;
mod counted;
mod formula;
mod gate;
mod host;
mod implementation;
mod load;
mod measures;
mod name;
pub mod operations;
mod params;
mod plan;
mod profile;
mod record;
mod scenario;
mod verdict;

pub use claim::{Claim, ClaimKind, OWN_SEED, Role};
pub use counted::CountedFunction;
pub use formula::{
    Bound, ByColumn, Combine, DocumentFigure, Formula, FormulaPart, FormulaRow, FormulaRowKind,
    FormulaTable, FormulaTerm, HostFigure, MeasuredCell, MeasuredFigure, Measurement,
};
pub use gate::{
    CountedChange, CountedState, GATE_SCHEMA, GateReport, GateRow, GateSide, GateVerdict,
    MetricChange, NotCounted, Phase, TripleRecord, Turn, TurnCount, Turns,
};
pub use host::{Host, UringSupport};
pub use implementation::{
    Axis, Counters, Endpoint, Implementation, ImplementationMeta, ServeOptions, Service,
    StartError, StopError, Support,
};
pub use load::{Arrivals, BlockTiming, LoadPlan, SocketOptions};
pub use measures::{Latency, Limit, Measures, Side, SweepStep, System, Threads};
pub use name::{Id, ImplementationSpec, NameError, ScenarioSpec, Settings};
pub use params::{ParamError, Parameter, ParameterKind, Params, parse_duration, parse_size};
pub use plan::{Group, Omitted, Plan, PlannedCell, Purpose};
pub use profile::{
    AttachedProfile, FunctionChange, PROFILE_SCHEMA, Profile, ProfileDifference, ProfileFigure,
    ProfileReport, ProfiledSide, ProfiledSubject, ProfilerAbout, ProfilerSlowdown,
};
pub use record::{Build, Placement, Program, RunRecord, SCHEMA, Status};
pub use scenario::{
    COMMON_PARAMETERS, Completion, Confinement, Fixture, Operation, Outcome, ProtocolError,
    Received, Scenario, ScenarioMeta, Session, Violation,
};
pub use verdict::{
    CellSummary, Check, CheckState, Contradiction, CurvePoint, Interval, Judgement, Mark,
    MetricSummary, RankedCell, Ranking, RunSummary, SelfControl, Skipped, SweepPoint, Verdict,
    Verdicts,
};

//! Profiles: what `perf` recorded becomes folded stacks, flame graphs and sentences. Pure functions of texts; who
//! records is `cli`.
//!
//! ```text
//! perf script -> script (events) -> sampled, off_processor -> Folded -> graph, differential (SVG)
//!                                                                   `-> shares, lock_waits, checks (words)
//! ```

mod checks;
mod differential;
mod folded;
mod frame;
mod graph;
mod lock_waits;
mod off_processor;
mod profilers;
mod sampled;
mod script;
mod shares;
mod slowdown;
mod system_calls;

pub use checks::{Refusal, refusal, remarks, remarks_of_itself};
pub use differential::{Differential, differential};
pub use folded::{Folded, FoldedError};
pub use graph::{GraphError, GraphWords, flame_graph};
pub use lock_waits::lock_waits;
pub use off_processor::OffProcessor;
pub use profilers::{ALLOCATIONS_EACH, Method, Profiler, Unit};
pub use sampled::Sampled;
pub use script::{Event, Happened, ScriptError, read_events};
pub use shares::{changes, shares};
pub use slowdown::{BlockRate, slowdown};
pub use system_calls::SystemCalls;

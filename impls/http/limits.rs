//! What a server accepts from its clients, and how long it waits for them.

use ringside_engine::Millis;
use ringside_wire::http::request;

/// Limits of one server.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Sizes of request heads.
    pub head: request::Limits,
    /// Bytes of a request body that are read and dropped; beyond it: 413.
    pub body_max: u64,
    /// Time from the first byte of a head to its end; beyond it: 408.
    pub head_deadline: Millis,
    /// Time without any byte of a next request; then the connection is closed.
    pub idle: Millis,
    /// Time over which the rate of a request body counts. An average since its start would let a
    /// client that sends 1 MiB at once stay silent for two hours.
    pub body_window: Millis,
    /// Bytes a second that a request body must reach in each window; below it: 408.
    pub body_rate_min: u64,
}

impl Default for HttpLimits {
    /// 1 MiB of body as nginx has it, 10 s for a head, 128 B/s for a body in every 10 s. 120 s of idling
    /// are more than any block of a measured run, so that idle connections stay during one.
    fn default() -> Self {
        Self {
            head: request::Limits::default(),
            body_max: 1 << 20,
            head_deadline: 10_000,
            idle: 120_000,
            body_window: 10_000,
            body_rate_min: 128,
        }
    }
}

//! Takes the best engine that the machine allows, and says which one and why: a ring where io_uring
//! can be set up with all techniques that make it faster than readiness (without deferred task work
//! it was measured at 0.85 to 0.89 of epoll), else epoll; one loop for each worker.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use ringside_contract::{
    Counters, Endpoint, Host, Service, Settings, StartError, StopError, Support,
};
use ringside_metal::host;

use crate::uring::RingSettings;
use crate::{
    Caller, Delivery, EngineOptions, Millis, PerCoreListen, Progress, Protocol, Tick, epoll,
    per_core_epoll, per_core_uring, uring,
};

/// What is chosen from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// [`crate::uring`].
    Uring,
    /// [`crate::per_core_uring`].
    PerCoreUring,
    /// [`crate::epoll`].
    Epoll,
    /// [`crate::per_core_epoll`].
    PerCoreEpoll,
}

impl Engine {
    /// The engine's name, as in the id of an implementation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uring => "uring",
            Self::PerCoreUring => "per_core_uring",
            Self::Epoll => "epoll",
            Self::PerCoreEpoll => "per_core_epoll",
        }
    }
}

/// An engine and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The engine.
    pub engine: Engine,
    /// Why, as the end of a sentence.
    pub because: String,
}

/// Chooses by what a ring can do here (see [`RingSettings::support`]) and how many workers are to run.
pub fn choose(ring: &Support, workers: usize) -> Choice {
    let loops = match workers {
        0 | 1 => "one worker".to_owned(),
        count => format!("{count} workers"),
    };
    let engine = match (ring, workers) {
        (Support::Yes, 0 | 1) => Engine::Uring,
        (Support::Yes, _) => Engine::PerCoreUring,
        (Support::No { .. }, 0 | 1) => Engine::Epoll,
        (Support::No { .. }, _) => Engine::PerCoreEpoll,
    };
    let because = match ring {
        Support::Yes => format!("io_uring is available with all that is asked, {loops}"),
        Support::No { reason } => format!("no ring: {reason}; {loops}"),
    };
    Choice { engine, because }
}

/// Whether one of its engines runs on this machine with these axes, `body` among them where a family
/// has it.
pub fn support(host: &Host, axes: &Settings) -> Support {
    match (
        RingSettings::support(host, &body_of(axes)),
        axes.value("body"),
    ) {
        // Only a ring has it, so there is nothing to fall back to.
        (refused @ Support::No { .. }, Some("send_zc")) => refused,
        _ => Support::Yes,
    }
}

/// Probes the machine by trying, and starts what is best there. The endpoint says what was chosen.
///
/// # Errors
/// As the engine that was chosen; a ring that is refused after all is none, epoll takes its place.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    let protocol = Arc::new(protocol);
    let workers = options.serve.workers;
    let ring = RingSettings::support(&host::probe(), &body_of(&options.serve.axes));
    let choice = choose(&ring, workers);
    match launch(&protocol, options, &choice) {
        Err(StartError::Unsupported { reason }) if ring == Support::Yes => launch(
            &protocol,
            options,
            &choose(&Support::No { reason }, workers),
        ),
        started => started,
    }
}

fn launch<P: Protocol>(
    protocol: &Arc<P>,
    options: &EngineOptions,
    choice: &Choice,
) -> Result<Box<dyn Service>, StartError> {
    let protocol = Shared(Arc::clone(protocol));
    let ring = RingSettings::new(&Settings::default())?;
    let listen = PerCoreListen::ReusePort;
    let service = match choice.engine {
        Engine::Uring => uring::start(protocol, options, &ring),
        Engine::PerCoreUring => per_core_uring::start(protocol, options, &ring, listen),
        Engine::Epoll => epoll::start(protocol, options),
        Engine::PerCoreEpoll => per_core_epoll::start(protocol, options, listen),
    }?;
    let chosen = format!("{}: {}", choice.engine.name(), choice.because);
    let endpoint = Endpoint {
        chosen,
        ..service.endpoint().clone()
    };
    Ok(Box::new(Chosen { endpoint, service }))
}

/// The one axis that decides what a ring must be able to do.
fn body_of(axes: &Settings) -> Settings {
    let mut only = Settings::default();
    if let Some(body) = axes.value("body") {
        only.set("body", body);
    }
    only
}

/// A service that says why it is what it is.
struct Chosen {
    endpoint: Endpoint,
    service: Box<dyn Service>,
}

impl Service for Chosen {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn stop(self: Box<Self>) -> Result<Counters, StopError> {
        self.service.stop()
    }
}

/// A protocol that can be given to a second engine when the first one does not start.
struct Shared<P>(Arc<P>);

impl<P: Protocol> Protocol for Shared<P> {
    type Connection = P::Connection;

    const CALLS: bool = P::CALLS;

    fn wants_one_thread(&self) -> bool {
        self.0.wants_one_thread()
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.0.descriptors()
    }

    fn in_own_table(self: &Arc<Self>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self(self.0.in_own_table()?)))
    }

    fn introduce(&self, connection: &mut P::Connection, caller: Caller) {
        self.0.introduce(connection, caller);
    }

    fn deliver(&self, connection: &mut P::Connection, now: Millis, out: &mut Vec<u8>) -> Delivery {
        self.0.deliver(connection, now, out)
    }

    fn open(&self, now: Millis) -> P::Connection {
        self.0.open(now)
    }

    fn receive(
        &self,
        connection: &mut P::Connection,
        input: &[u8],
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress {
        self.0.receive(connection, input, now, out)
    }

    fn half_closed(&self, connection: &mut P::Connection, out: &mut Vec<u8>) {
        self.0.half_closed(connection, out);
    }

    fn held_up(&self, connection: &mut P::Connection, now: Millis) {
        self.0.held_up(connection, now);
    }

    fn tick(&self, connection: &mut P::Connection, now: Millis, out: &mut Vec<u8>) -> Tick {
        self.0.tick(connection, now, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringside_contract::UringSupport;

    fn refused() -> Support {
        Support::No {
            reason: "a filter refuses it".to_owned(),
        }
    }

    #[test]
    fn a_ring_is_taken_where_there_is_one() {
        assert_eq!(choose(&Support::Yes, 1).engine, Engine::Uring);
        assert_eq!(choose(&Support::Yes, 2).engine, Engine::PerCoreUring);
    }

    #[test]
    fn readiness_is_taken_elsewhere_and_the_reason_is_kept() {
        let one = choose(&refused(), 1);
        assert_eq!(one.engine, Engine::Epoll);
        assert_eq!(one.because, "no ring: a filter refuses it; one worker");
        let four = choose(&refused(), 4);
        assert_eq!(four.engine, Engine::PerCoreEpoll);
        assert_eq!(four.because, "no ring: a filter refuses it; 4 workers");
    }

    #[test]
    fn no_worker_at_all_is_one() {
        assert_eq!(choose(&Support::Yes, 0).engine, Engine::Uring);
    }

    #[test]
    fn without_a_ring_only_what_needs_one_is_unsupported() {
        let uring = UringSupport::Refused {
            reason: "a filter refuses it".to_owned(),
        };
        let host = Host {
            uring,
            ..host::probe()
        };
        let with = |body: &str| {
            let mut axes = Settings::default();
            axes.set("body", body);
            support(&host, &axes)
        };
        assert_eq!(support(&host, &Settings::default()), Support::Yes);
        assert_eq!(with("sendfile"), Support::Yes);
        assert_eq!(with("send_zc"), refused());
    }
}

//! The worker process: waits for orders on a listener of loopback, one connection after the other.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringside_contract::operations::{InProcess, Prepared, Workload};
use ringside_contract::{
    Counters, Endpoint, ServeOptions, Service, Settings, StartError, StopError,
};

use super::crew::{Crew, with_crew};
use super::orders::{Order, Reply, Talk};

/// Runs a conformance case by its name.
pub type Cases = fn(&dyn InProcess, &Settings, &str) -> Result<(), String>;

/// Listens, and carries out what comes.
///
/// # Errors
/// [`StartError::Io`]: the address cannot be listened on, or no thread can be started.
pub fn serve(
    operation: &'static dyn InProcess,
    options: &ServeOptions,
    cases: Cases,
) -> Result<Box<dyn Service>, StartError> {
    let failed = |step: String| move |source| StartError::Io { step, source };
    let listen = format!("listen on {}", options.listen);
    let listener = TcpListener::bind(options.listen).map_err(failed(listen))?;
    let address = listener
        .local_addr()
        .map_err(failed("find out the worker's address".to_owned()))?;
    let stopping = Arc::new(AtomicBool::new(false));
    let worker = Worker {
        operation,
        axes: options.axes.clone(),
        cpus: options.cpus.clone(),
        cases,
        stopping: Arc::clone(&stopping),
    };
    let thread = thread::Builder::new()
        .name("orders".to_owned())
        .spawn(move || worker.accept(&listener))
        .map_err(failed("start the thread that takes orders".to_owned()))?;
    Ok(Box::new(Running {
        endpoint: Endpoint {
            addresses: vec![address],
            workers: options.workers,
            chosen: String::new(),
        },
        stopping,
        thread,
    }))
}

struct Running {
    endpoint: Endpoint,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Service for Running {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits until an order that is being carried out has ended.
    fn stop(self: Box<Self>) -> Result<Counters, StopError> {
        self.stopping.store(true, Ordering::Release);
        // Whoever waits for a connection gets this one.
        let woken = self.endpoint.addresses.iter().map(TcpStream::connect);
        drop(woken.collect::<Vec<_>>());
        self.thread.join().map_err(|panic| StopError::Panicked {
            worker: 0,
            message: panic
                .downcast_ref::<&str>()
                .copied()
                .unwrap_or_default()
                .to_owned(),
        })?;
        Ok(Counters::new())
    }
}

struct Worker {
    operation: &'static dyn InProcess,
    axes: Settings,
    cpus: Vec<usize>,
    cases: Cases,
    stopping: Arc<AtomicBool>,
}

/// What ends the work on one structure.
enum Next {
    Prepare(Workload),
    End,
}

impl Worker {
    fn accept(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopping.load(Ordering::Acquire) {
                return;
            }
            // A generator that goes away in the middle has ended the conversation, and nothing else.
            if let Ok(stream) = stream
                && let Err(error) = self.converse(stream)
                && error.kind() == io::ErrorKind::InvalidData
            {
                eprintln!("an order could not be read: {error}");
            }
        }
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        // A worker that is to stop must not wait for an order that never comes.
        stream.set_read_timeout(Some(LOOK))?;
        let mut talk = Talk::new(stream)?;
        let mut next = self.orders(&mut talk, None)?;
        while let Next::Prepare(workload) = next {
            next = match self.operation.prepare(&self.axes, &workload) {
                Ok(prepared) => self.work(&mut talk, prepared.as_ref(), &workload)?,
                Err(error) => {
                    talk.say(&Reply::Failed(error.to_string()))?;
                    self.orders(&mut talk, None)?
                }
            };
        }
        Ok(())
    }

    fn work(
        &self,
        talk: &mut Talk,
        prepared: &dyn Prepared,
        workload: &Workload,
    ) -> io::Result<Next> {
        let led = with_crew(prepared, workload, &self.cpus, |crew| {
            talk.say(&Reply::Done)?;
            self.orders(talk, Some(crew))
        });
        match led {
            Ok(next) => next,
            Err(because) => {
                talk.say(&Reply::Failed(because))?;
                self.orders(talk, None)
            }
        }
    }

    /// Carries out orders until one asks for another structure, or nobody gives any more.
    fn orders(&self, talk: &mut Talk, crew: Option<&Crew<'_>>) -> io::Result<Next> {
        while let Some(order) = self.hear(talk)? {
            let reply = match order {
                Order::Prepare(workload) => return Ok(Next::Prepare(workload)),
                Order::Run(order) => match crew.map(|crew| crew.run(order)) {
                    Some(Ok(report)) => Reply::Ran(report),
                    Some(Err(because)) => Reply::Failed(because),
                    None => Reply::Failed("nothing is prepared".to_owned()),
                },
                Order::Case(name) => match (self.cases)(self.operation, &self.axes, &name) {
                    Ok(()) => Reply::Done,
                    Err(because) => Reply::Failed(because),
                },
            };
            talk.say(&reply)?;
        }
        Ok(Next::End)
    }

    fn hear(&self, talk: &mut Talk) -> io::Result<Option<Order>> {
        loop {
            match talk.hear() {
                Err(error) if is_quiet(&error) => {
                    if self.stopping.load(Ordering::Acquire) {
                        return Ok(None);
                    }
                }
                heard => return heard,
            }
        }
    }
}

/// How often a quiet worker looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

fn is_quiet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

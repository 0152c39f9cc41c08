//! What the thread-based engines share: worker threads, the signal that stops them, and the service
//! that joins them and adds up their counters.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use ringside_contract::{Counters, Endpoint, Service, StartError, StopError};
use ringside_metal::affinity;

use crate::sync::{AtomicBool, Flag};

/// Tells every worker of a service to end. A poller can watch it; a thread can ask it.
#[derive(Debug)]
pub struct Stop {
    flag: Flag,
    raised: AtomicBool,
}

impl Stop {
    /// Not raised yet.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            flag: Flag::new()?,
            raised: AtomicBool::new(false),
        })
    }

    /// Raises it for good.
    pub fn raise(&self) {
        // Sequentially consistent: a thread that sees the descriptor readable also sees the flag.
        self.raised.store(true, Ordering::SeqCst);
        self.flag.raise();
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.flag.as_fd()
    }
}

/// The threads of a service that is being started. Dropped before it became a service, it stops
/// those that run already, so a failed start leaves nothing behind.
#[derive(Debug)]
pub struct Workers {
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<io::Result<Counters>>>,
}

impl Workers {
    /// No thread yet.
    ///
    /// # Errors
    /// No descriptor was left for the stop signal.
    pub fn new() -> Result<Self, StartError> {
        let stop = Stop::new().map_err(|source| io_error("make the stop signal", source))?;
        Ok(Self {
            stop: Arc::new(stop),
            threads: Vec::new(),
        })
    }

    /// The signal that ends the workers.
    pub fn stop_signal(&self) -> &Arc<Stop> {
        &self.stop
    }

    /// Starts a thread bound to `cpus` (an empty list leaves it free). It has to return soon after
    /// the stop signal.
    ///
    /// # Errors
    /// No thread could be made, or it could not be bound to these processors.
    pub fn spawn(
        &mut self,
        cpus: &[usize],
        work: impl FnOnce(&Stop) -> io::Result<Counters> + Send + 'static,
    ) -> Result<(), StartError> {
        let worker = self.threads.len();
        let (cpus, stop) = (cpus.to_vec(), Arc::clone(&self.stop));
        let (report, pinned) = mpsc::sync_channel(1);
        let places = format!("bind worker {worker} to the processors {cpus:?}");
        let body = move || {
            let answer = affinity::pin(&cpus);
            let failed = answer.is_err();
            // The receiver waits for exactly this message.
            let _ = report.send(answer);
            if failed {
                Ok(Counters::new())
            } else {
                work(&stop)
            }
        };
        let thread = thread::Builder::new()
            .name(format!("worker-{worker}"))
            .spawn(body)
            .map_err(|source| io_error(&format!("start worker {worker}"), source))?;
        self.threads.push(thread);
        let answer = pinned
            .recv()
            .unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()));
        answer.map_err(|source| io_error(&places, source))
    }

    /// All threads run: the service can be used.
    pub fn into_service(self, endpoint: Endpoint) -> Box<dyn Service> {
        Box::new(Threaded {
            endpoint,
            workers: self,
        })
    }

    fn join(&mut self) -> Result<Counters, StopError> {
        self.stop.raise();
        let mut total = Counters::new();
        let mut first_error = None;
        for (worker, thread) in self.threads.drain(..).enumerate() {
            match thread.join() {
                Ok(Ok(counters)) => add_counters(&mut total, counters),
                Ok(Err(source)) => {
                    first_error.get_or_insert(StopError::Io { worker, source });
                }
                Err(panic) => {
                    let message = panic_message(panic.as_ref());
                    first_error.get_or_insert(StopError::Panicked { worker, message });
                }
            }
        }
        first_error.map_or(Ok(total), Err)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // The error of a start or of a stop has been reported by then.
        let _ = self.join();
    }
}

struct Threaded {
    endpoint: Endpoint,
    workers: Workers,
}

impl Service for Threaded {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn stop(mut self: Box<Self>) -> Result<Counters, StopError> {
        self.workers.join()
    }
}

/// Adds each counter of `more` to that of the same name in `total`.
pub fn add_counters(total: &mut Counters, more: Counters) {
    for (name, count) in more {
        *total.entry(name).or_default() += count;
    }
}

/// The text of a panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}

/// [`StartError::Io`] for `step`.
pub fn io_error(step: &str, source: io::Error) -> StartError {
    StartError::Io {
        step: step.to_owned(),
        source,
    }
}

#[cfg(all(test, ringside_loom))]
mod models;
#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            addresses: Vec::new(),
            workers: 1,
            chosen: String::new(),
        }
    }

    fn wait(stop: &Stop) {
        let poller = ringside_metal::epoll::Poller::new().unwrap();
        poller
            .add(stop, 0, ringside_metal::epoll::Interest::IN)
            .unwrap();
        poller
            .wait(&mut ringside_metal::epoll::Events::with_capacity(1), None)
            .unwrap();
        assert!(stop.is_raised());
    }

    #[test]
    fn counters_of_all_workers_are_added() {
        let mut workers = Workers::new().unwrap();
        for _ in 0..2 {
            let work = |stop: &Stop| {
                wait(stop);
                Ok(Counters::from([("accepted".to_owned(), 3)]))
            };
            workers.spawn(&[], work).unwrap();
        }
        let counters = workers.into_service(endpoint()).stop().unwrap();
        assert_eq!(counters, Counters::from([("accepted".to_owned(), 6)]));
    }

    #[test]
    fn a_panic_is_reported_with_its_worker_and_text() {
        let mut workers = Workers::new().unwrap();
        workers
            .spawn(&[], |stop| {
                Ok({
                    wait(stop);
                    Counters::new()
                })
            })
            .unwrap();
        workers.spawn(&[], |_| panic!("planted")).unwrap();
        let error = workers.into_service(endpoint()).stop().unwrap_err();
        assert_eq!(error.to_string(), "worker 1 panicked: planted");
    }

    #[test]
    fn an_impossible_processor_is_an_error_of_the_start() {
        let mut workers = Workers::new().unwrap();
        let error = workers
            .spawn(&[1_000_000], |_| Ok(Counters::new()))
            .unwrap_err();
        assert!(error.to_string().contains("1000000"), "{error}");
    }
}

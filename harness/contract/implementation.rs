//! What a server under test is: an id, axes, what it needs of the host, and how it starts and stops.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::{Host, Id, ImplementationSpec, Settings};

/// Whether an implementation can run here. A refusal is always explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// It runs here.
    Yes,
    /// It does not, and why, with the next step where there is one.
    No {
        /// A sentence for the report.
        reason: String,
    },
}

/// One thing that an implementation lets vary.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Its key, such as `body`.
    pub name: &'static str,
    /// Every value, in the order of the report.
    pub values: &'static [&'static str],
    /// The value when none is given; one of `values`.
    pub default: &'static str,
    /// What it changes, one sentence.
    pub about: &'static str,
}

impl Axis {
    /// The axes of two lists, one behind the other; `N` is how many they are together.
    pub const fn join<const N: usize>(first: &[Self], second: &[Self]) -> [Self; N] {
        assert!(N == first.len() + second.len(), "N is not the sum");
        let mut all = [first[0]; N];
        let mut at = 0;
        while at < N {
            all[at] = if at < first.len() {
                first[at]
            } else {
                second[at - first.len()]
            };
            at += 1;
        }
        all
    }

    /// Its value among those that were chosen, or its default.
    ///
    /// # Errors
    /// [`StartError::Option`] for a value that it does not have.
    pub fn choose(&self, chosen: &Settings) -> Result<&'static str, StartError> {
        let given = chosen.value(self.name).unwrap_or(self.default);
        let known = self.values.iter().find(|&&value| value == given);
        known.copied().ok_or_else(|| StartError::Option {
            option: self.name.to_owned(),
            because: format!("`{given}`: expected one of {}", self.values.join(", ")),
        })
    }

    /// The same, where all its values are numbers.
    ///
    /// # Errors
    /// [`StartError::Option`] for a value that it does not have.
    ///
    /// # Panics
    /// One of its values is no number.
    pub fn choose_number<N: FromStr<Err: Debug>>(
        &self,
        chosen: &Settings,
    ) -> Result<N, StartError> {
        let value = self.choose(chosen)?;
        Ok(value.parse().expect("the values of the axis are numbers"))
    }
}

/// What is known of an implementation without starting it.
#[derive(Debug, Clone, Copy)]
pub struct ImplementationMeta {
    /// `family/engine`: the path of its file under `impls/`.
    pub id: &'static str,
    /// Its technique, one sentence.
    pub about: &'static str,
    /// What can vary.
    pub axes: &'static [Axis],
    /// False for a floor, which is a limit and never ranked.
    pub ranked: bool,
}

impl ImplementationMeta {
    /// Its id, taken apart.
    ///
    /// # Panics
    /// When the constant in the implementation's file is no id; a test of each list holds this.
    pub fn id(&self) -> Id {
        self.id
            .parse()
            .expect("the id of an implementation is a path")
    }

    /// Every axis with its value: what `axes` sets, defaults otherwise.
    ///
    /// # Errors
    /// A sentence naming the unknown axis or value and those that exist.
    pub fn resolve(&self, axes: &Settings) -> Result<Settings, String> {
        for (name, value) in axes.iter() {
            let axis = self
                .axes
                .iter()
                .find(|axis| axis.name == name)
                .ok_or_else(|| {
                    let known: Vec<_> = self.axes.iter().map(|axis| axis.name).collect();
                    format!(
                        "{} has no axis `{name}`; it has: {}",
                        self.id,
                        known.join(", ")
                    )
                })?;
            if !axis.values.contains(&value) {
                let known = axis.values.join(", ");
                return Err(format!(
                    "{}: axis `{name}` has no value `{value}`; it has: {known}",
                    self.id
                ));
            }
        }
        let mut resolved = Settings::default();
        for axis in self.axes {
            resolved.set(axis.name, axes.value(axis.name).unwrap_or(axis.default));
        }
        Ok(resolved)
    }

    /// The name with defaults left out.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn canonical(&self, axes: &Settings) -> Result<ImplementationSpec, String> {
        let resolved = self.resolve(axes)?;
        let mut changed = Settings::default();
        for axis in self.axes {
            let value = resolved.value(axis.name).unwrap_or(axis.default);
            if value != axis.default {
                changed.set(axis.name, value);
            }
        }
        Ok(ImplementationSpec {
            id: self.id(),
            axes: changed,
        })
    }
}

/// How a server is to be started.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Event loops or runtime threads; the engines without workers ignore it.
    pub workers: usize,
    /// Processors that the workers may use, one worker pinned to each in turn; empty leaves them free.
    pub cpus: Vec<usize>,
    /// Every axis with its value, as [`ImplementationMeta::resolve`] gives them.
    pub axes: Settings,
    /// The document root, for families that serve files.
    pub root: Option<PathBuf>,
    /// Where a service keeps what outlives it, for those that do so with `persistence=file`; without a
    /// folder it is gone with the process.
    pub state: Option<PathBuf>,
    /// TCP congestion control for the listener and what it accepts; `None` keeps the system's.
    pub congestion: Option<String>,
    /// Time from the first byte of a request's head to its end; `None` keeps the family's own, and
    /// families without heads ignore it.
    pub head_deadline: Option<Duration>,
}

impl ServeOptions {
    /// A server with these axes and two workers on a free port of loopback, and nothing else set.
    pub fn local(axes: Settings) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            workers: 2,
            cpus: Vec::new(),
            axes,
            root: None,
            state: None,
            congestion: None,
            head_deadline: None,
        }
    }
}

/// Where a started service can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its addresses: one, or one for each worker (`listen=port_each`).
    pub addresses: Vec<SocketAddr>,
    /// How many workers run.
    pub workers: usize,
    /// What was chosen and why, for an engine that chooses (`auto`); empty otherwise.
    pub chosen: String,
}

/// What a service counted while it ran, by name, such as `accepted` or `bytes_sent`.
pub type Counters = BTreeMap<String, u64>;

/// Why a service did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The host cannot run it.
    #[error("not supported here: {reason}")]
    Unsupported {
        /// As in [`Support::No`].
        reason: String,
    },
    /// An option has no meaning for this implementation.
    #[error("failed to use option {option}: {because}")]
    Option {
        /// The option's name.
        option: String,
        /// What was wrong and what would be right.
        because: String,
    },
    /// A system call failed.
    #[error("failed to {step}")]
    Io {
        /// What was tried, such as `listen on 127.0.0.1:80`.
        step: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// Why a service did not stop cleanly.
#[derive(Debug, Error)]
pub enum StopError {
    /// A worker thread panicked.
    #[error("worker {worker} panicked: {message}")]
    Panicked {
        /// Which one.
        worker: usize,
        /// Its message.
        message: String,
    },
    /// A worker ended with an error of the system.
    #[error("worker {worker} failed")]
    Io {
        /// Which one.
        worker: usize,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// One way to provide a service. The value is stateless: each start gives an independent server.
pub trait Implementation: Sync {
    /// Its name, technique and axes.
    fn meta(&self) -> &'static ImplementationMeta;

    /// Whether it can run on `host` with these (resolved) axes. Pure: it only reads `host`.
    fn support(&self, host: &Host, axes: &Settings) -> Support;

    /// Starts its threads and returns once it accepts connections.
    ///
    /// # Errors
    /// [`StartError`], with nothing left running.
    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError>;
}

/// A running server.
pub trait Service: Send {
    /// Where it listens.
    fn endpoint(&self) -> &Endpoint;

    /// Closes every connection, joins every thread and gives the counters.
    ///
    /// # Errors
    /// [`StopError`] for the first worker that did not end well.
    fn stop(self: Box<Self>) -> Result<Counters, StopError>;
}

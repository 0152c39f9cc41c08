//! What can vary in the ring engines.

use ringside_contract::{Axis, Host, Settings, StartError, Support, UringSupport};
use ringside_metal::ring::{Accept, RingSetup};
use ringside_metal::uring_probe as feature;

/// The techniques of a ring engine. The default is the best that a recent kernel offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSettings {
    /// One accept and one receive operation serve until they fail. Received bytes are owned by the
    /// loop without `provided`, and then each receive is an operation of its own.
    pub multishot: bool,
    /// The kernel picks the buffer when bytes come, instead of each connection waiting with its own.
    pub provided: bool,
    /// Completions are worked on in batches, when the loop waits. The kernel has no such thing with
    /// `sqpoll`, where this is ignored.
    pub defer_taskrun: bool,
    /// A kernel thread picks submissions up.
    pub sqpoll: bool,
    /// Connections are accepted as direct descriptors, into the ring's own table.
    pub fixed: bool,
    /// While the core is nearly full, a wait is for several requests.
    pub moderate: bool,
    /// Entries of the submission queue: operations that go to the kernel in one system call.
    pub depth: u32,
}

impl Default for RingSettings {
    fn default() -> Self {
        Self {
            multishot: true,
            provided: true,
            defer_taskrun: true,
            sqpoll: false,
            fixed: true,
            moderate: true,
            depth: 1024,
        }
    }
}

const ON_OFF: &[&str] = &["on", "off"];

impl RingSettings {
    /// The axis `multishot`.
    pub const MULTISHOT: Axis = Axis {
        name: "multishot",
        values: ON_OFF,
        default: "on",
        about: "One operation accepts, and one receives, until it fails; off: one for each event.",
    };
    /// The axis `buffers`.
    pub const BUFFERS: Axis = Axis {
        name: "buffers",
        values: &["provided", "owned"],
        default: "provided",
        about: "Receive into buffers that the kernel picks when bytes come, or into one that each \
                connection waits with (then each receive is an operation of its own).",
    };
    /// The axis `defer_taskrun`.
    pub const DEFER_TASKRUN: Axis = Axis {
        name: "defer_taskrun",
        values: ON_OFF,
        default: "on",
        about: "Completions are worked on when the loop waits, in one batch; off: whenever they \
                come, by interrupting it. The kernel cannot defer with sqpoll=on.",
    };
    /// The axis `sqpoll`.
    pub const SQPOLL: Axis = Axis {
        name: "sqpoll",
        values: &["off", "on"],
        default: "off",
        about: "A kernel thread picks submissions up, so that submitting needs no system call; it \
                implies defer_taskrun=off, which the kernel refuses beside it.",
    };
    /// The axis `files`.
    pub const FILES: Axis = Axis {
        name: "files",
        values: &["fixed", "plain"],
        default: "fixed",
        about: "Accept into the ring's own table of descriptors, or into the process's.",
    };
    /// The axis `wait`.
    pub const WAIT: Axis = Axis {
        name: "wait",
        values: &["moderated", "first"],
        default: "moderated",
        about: "While the core is nearly full, wait for up to 16 requests, 100 µs at most, as network \
                cards moderate their interrupts; first: for whatever comes first.",
    };
    /// The axis `io_depth`.
    pub const IO_DEPTH: Axis = Axis {
        name: "io_depth",
        values: &["1024", "256", "4096"],
        default: "1024",
        about: "Operations that the loop can give to the kernel in one system call.",
    };
    /// Every axis of the ring engines.
    pub const AXES: &[Axis] = &[
        Self::MULTISHOT,
        Self::BUFFERS,
        Self::DEFER_TASKRUN,
        Self::SQPOLL,
        Self::FILES,
        Self::WAIT,
        Self::IO_DEPTH,
    ];

    /// Reads the axes; those that are not set have their default.
    ///
    /// # Errors
    /// [`StartError::Option`] for a value that the axis does not have.
    pub fn new(axes: &Settings) -> Result<Self, StartError> {
        let is = |axis: &Axis, value: &str| axis.choose(axes).map(|chosen| chosen == value);
        Ok(Self {
            multishot: is(&Self::MULTISHOT, "on")?,
            provided: is(&Self::BUFFERS, "provided")?,
            defer_taskrun: is(&Self::DEFER_TASKRUN, "on")?,
            sqpoll: is(&Self::SQPOLL, "on")?,
            fixed: is(&Self::FILES, "fixed")?,
            moderate: is(&Self::WAIT, "moderated")?,
            depth: Self::IO_DEPTH.choose_number(axes)?,
        })
    }

    /// Whether a ring engine can run here with these axes, `body` among them where a family has it.
    pub fn support(host: &Host, axes: &Settings) -> Support {
        let features = match &host.uring {
            UringSupport::Available { features } => features,
            UringSupport::Refused { reason } => return no(reason.clone()),
        };
        let body = axes.value("body").unwrap_or("memory");
        if let "sendfile" | "msg_zerocopy" = body {
            return no(format!(
                "io_uring has no such operation as body={body}; its own are splice and send_zc"
            ));
        }
        match Self::new(axes) {
            Err(error) => no(error.to_string()),
            Ok(settings) => match settings.needs(body).find(|need| !has(features, need.0)) {
                None => Support::Yes,
                Some((missing, instead)) => {
                    no(format!("this kernel's io_uring has no {missing}{instead}"))
                }
            },
        }
    }

    /// The set-up of a worker's ring.
    pub(crate) fn setup(&self) -> RingSetup {
        RingSetup {
            submissions: self.depth,
            defer_taskrun: self.defer_taskrun && !self.sqpoll,
            sqpoll: self.sqpoll,
            // The ring cuts it to the limit on open files.
            direct_descriptors: if self.fixed { 1 << 16 } else { 0 },
            buffers: if self.provided { BUFFERS } else { 0 },
            buffer_size: BUFFER_SIZE,
            ..RingSetup::default()
        }
    }

    /// How connections are accepted.
    pub(crate) fn accept(&self) -> Accept {
        Accept {
            multishot: self.multishot,
            direct: self.fixed,
        }
    }

    /// What has to be there, and the axis value that does without.
    fn needs(&self, body: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let deferred = self.defer_taskrun && !self.sqpoll;
        [
            (true, ("recv", "")),
            (true, ("send", "")),
            (
                self.fixed,
                (feature::DIRECT_DESCRIPTORS, ": use files=plain"),
            ),
            (
                self.provided,
                (feature::PROVIDED_BUFFERS, ": use buffers=owned"),
            ),
            (
                self.multishot,
                (feature::MULTISHOT_ACCEPT, ": use multishot=off"),
            ),
            (
                self.multishot && self.provided,
                (feature::MULTISHOT_RECEIVE, ": use multishot=off"),
            ),
            (
                deferred,
                (feature::DEFER_TASKRUN, ": use defer_taskrun=off"),
            ),
            (self.sqpoll, (feature::SQPOLL, ": use sqpoll=off")),
            (self.moderate, (feature::TIMED_WAIT, ": use wait=first")),
            (body == "splice", ("splice", ": use body=copy_64k")),
            (body == "send_zc", ("send_zc", ": use body=mmap")),
        ]
        .into_iter()
        .filter_map(|(needed, need)| needed.then_some(need))
    }
}

/// Receive buffers of a worker: more than the connections that usually have bytes in one batch.
pub(crate) const BUFFERS: u16 = 1024;

/// Bytes of a receive buffer; a small request touches only its first page.
pub(crate) const BUFFER_SIZE: u32 = 16 << 10;

fn no(reason: String) -> Support {
    Support::No { reason }
}

fn has(features: &[String], name: &str) -> bool {
    features.iter().any(|feature| feature == name)
}

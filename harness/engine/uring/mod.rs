//! One io_uring for each worker, as good as the kernel allows, with an axis for each technique that
//! makes the difference.
//!
//! A worker waits once for each batch of completions; what the batch leads to is queued meanwhile and
//! handed over by the same system call that waits for the next one. Connections are accepted into the
//! ring's own table of descriptors and received into buffers that the kernel picks when bytes come,
//! so an idle connection holds no memory of the process but its state.

mod accept;
mod connection;
mod moderation;
mod relief;
mod settings;
mod transfer;
mod worker;

pub(crate) use accept::{Acceptor, TAG as ACCEPTED};
pub(crate) use moderation::Moderation;
pub use settings::RingSettings;
pub(crate) use settings::{BUFFER_SIZE, BUFFERS};
pub use worker::start;
pub(crate) use worker::{spawn_loop, start_worker};

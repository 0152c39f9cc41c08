//! The stop signal on runtimes that are tokio's underneath: tokio itself and tokio-uring.

use std::io;
use std::os::fd::AsFd;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;

use crate::service::Stop;

/// Waits for the stop signal on such a runtime.
#[expect(
    deprecated,
    reason = "its successor is unsafe for descriptors in general; a borrowed one is valid as long as the registration, by its lifetime"
)]
pub(crate) fn raised(stop: &Stop) -> io::Result<impl Future<Output = io::Result<()>>> {
    let signal = AsyncFd::with_interest(stop.as_fd(), Interest::READABLE)?;
    Ok(async move { signal.readable().await.map(drop) })
}

//! The one socket option of clients that the safe wrappers lack.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// Lets `bind` to port 0 leave the port open until `connect`, so that one port can serve connections
/// to several destinations (`IP_BIND_ADDRESS_NO_PORT`).
///
/// # Errors
/// The system's answer.
pub fn bind_without_port(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int, and the pointer and the size are those of one.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

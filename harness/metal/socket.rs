//! TCP sockets with exactly the system calls that are named, and no `SIGPIPE`.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

/// Connections that the kernel keeps for a listener until it accepts them.
pub const BACKLOG: i32 = 4096;

/// Opens a TCP listener. `TCP_NODELAY` and the congestion control are set on it, since what it
/// accepts inherits them: that saves two system calls for each connection.
///
/// With `shared` several listeners of this process may bind the same port (`SO_REUSEPORT`) and the
/// kernel spreads connections over them. `blocking` says how `accept` waits.
///
/// # Errors
/// The system's answer, such as an address in use or an unknown congestion control.
pub fn listen(
    address: SocketAddr,
    shared: bool,
    blocking: bool,
    congestion: Option<&str>,
) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let mut flags = SocketFlags::CLOEXEC;
    flags.set(SocketFlags::NONBLOCK, !blocking);
    let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if shared {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Some(name) = congestion {
        sockopt::set_tcp_congestion(&socket, name)?;
    }
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// The address that a socket is bound to.
///
/// # Errors
/// The system's answer, or a socket that is not of the Internet family.
pub fn local_address(socket: impl AsFd) -> io::Result<SocketAddr> {
    let address = net::getsockname(socket)?;
    SocketAddr::try_from(address).map_err(io::Error::from)
}

/// Takes one connection that waits at `listener`. The socket blocks only when `blocking` is set.
///
/// # Errors
/// `WouldBlock` when none waits; else the system's answer. See [`out_of_resources`].
#[inline]
pub fn accept(listener: impl AsFd, blocking: bool) -> io::Result<OwnedFd> {
    let mut flags = SocketFlags::CLOEXEC;
    flags.set(SocketFlags::NONBLOCK, !blocking);
    Ok(net::accept_with(listener, flags)?)
}

/// True for the errors of `accept` that pass when something is freed: descriptors or memory. The
/// connection still waits at the listener.
pub fn out_of_resources(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
    )
}

/// Reads what has come, as much as `buffer` takes; 0 when the peer has closed its side.
///
/// # Errors
/// `WouldBlock` when nothing has come, `Interrupted`, or the system's answer.
#[inline]
pub fn recv(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (count, _) = net::recv(socket, buffer, RecvFlags::empty())?;
    Ok(count)
}

/// Sends as much of `bytes` as the socket takes at once. `more` holds back the last, not full
/// segment, since another send follows straight away.
///
/// # Errors
/// `WouldBlock` when the socket takes nothing, `Interrupted`, or the system's answer.
#[inline]
pub fn send(socket: impl AsFd, bytes: &[u8], more: bool) -> io::Result<usize> {
    let mut flags = SendFlags::NOSIGNAL;
    flags.set(SendFlags::MORE, more);
    Ok(net::send(socket, bytes, flags)?)
}

/// Sends as much of `first` and then `second` as the socket takes at once, in one system call.
///
/// # Errors
/// As [`send`].
#[inline]
pub fn send_two(socket: impl AsFd, first: &[u8], second: &[u8]) -> io::Result<usize> {
    let parts = [io::IoSlice::new(first), io::IoSlice::new(second)];
    let mut none = net::SendAncillaryBuffer::default();
    Ok(net::sendmsg(
        socket,
        &parts,
        &mut none,
        SendFlags::NOSIGNAL,
    )?)
}

/// Closes one or both directions. A connection that is gone already is no error.
pub fn shutdown(socket: impl AsFd, how: Shutdown) {
    let how = match how {
        Shutdown::Read => net::Shutdown::Read,
        Shutdown::Write => net::Shutdown::Write,
        Shutdown::Both => net::Shutdown::Both,
    };
    // ENOTCONN: the peer was faster.
    let _ = net::shutdown(socket, how);
}

/// Lets blocking reads and writes give up with `WouldBlock` after `timeout`.
///
/// # Errors
/// The system's answer.
pub fn set_timeouts(socket: impl AsFd, timeout: Duration) -> io::Result<()> {
    let socket = socket.as_fd();
    sockopt::set_socket_timeout(socket, sockopt::Timeout::Recv, Some(timeout))?;
    Ok(sockopt::set_socket_timeout(
        socket,
        sockopt::Timeout::Send,
        Some(timeout),
    )?)
}

/// Bytes that the kernel holds for the peer, which has not acknowledged them. While less and less
/// are held the peer still reads, also where the socket is too full to take more: it takes more only
/// when about a third of its buffer is free.
///
/// # Errors
/// The system's answer, such as for what is no socket.
pub fn unacknowledged(socket: &impl AsRawFd) -> io::Result<u32> {
    let mut held: libc::c_int = 0;
    // SAFETY: the request writes one int, whose address is given; the caller's reference keeps the
    // descriptor open during the call.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut held) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u32::try_from(held).unwrap_or(0))
}

/// How many descriptors this process may have open.
pub fn open_files_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn pair() -> (TcpStream, OwnedFd) {
        let listener = listen(([127, 0, 0, 1], 0).into(), false, true, None).unwrap();
        let client = TcpStream::connect(local_address(&listener).unwrap()).unwrap();
        (client, accept(&listener, true).unwrap())
    }

    #[test]
    fn what_a_listener_accepts_has_no_delay() {
        let (_client, server) = pair();
        assert!(sockopt::tcp_nodelay(&server).unwrap());
    }

    #[test]
    fn two_parts_arrive_in_order() {
        let (mut client, server) = pair();
        assert_eq!(send_two(&server, b"head", b"body").unwrap(), 8);
        let mut came = [0; 8];
        client.read_exact(&mut came).unwrap();
        assert_eq!(&came, b"headbody");
        client.write_all(b"back").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(recv(&server, &mut buffer).unwrap(), 4);
    }

    #[test]
    fn what_the_peer_does_not_take_is_held() {
        let (_client, server) = pair();
        assert_eq!(unacknowledged(&server).unwrap(), 0);
        rustix::io::ioctl_fionbio(&server, true).unwrap();
        let block = [0; 64 << 10];
        while send(&server, &block, false).is_ok() {}
        assert!(unacknowledged(&server).unwrap() > 0);
    }

    #[test]
    fn an_unknown_congestion_control_is_refused() {
        assert!(listen(([127, 0, 0, 1], 0).into(), false, true, Some("telepathy")).is_err());
    }

    #[test]
    fn sending_to_a_closed_peer_is_an_error_and_no_signal() {
        let (client, server) = pair();
        shutdown(&server, Shutdown::Write);
        assert_eq!(
            send(&server, b"late", false).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        drop(client);
    }
}

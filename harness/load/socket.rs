//! Opening the generator's sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};

use ringside_contract::SocketOptions;
use ringside_metal::bind_without_port;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, ipproto, socket_with, sockopt,
};

use crate::error::LoadError;

/// Connections from one source address where the system's range of ports cannot be read: half of the
/// smallest range in use, 32768 to 60999.
const CONNECTIONS_PER_SOURCE: u64 = 14_000;

/// Connections from one source address to one destination. The kernel tries every second port of its range
/// first; beyond that, half of the range, it looks at all of these again for each connection, and a
/// connect() costs 1,500 us instead of 22.
pub(crate) fn connections_per_source() -> u64 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    range
        .ok()
        .and_then(|range| half_of(&range))
        .unwrap_or(CONNECTIONS_PER_SOURCE)
}

fn half_of(range: &str) -> Option<u64> {
    let mut ends = range.split_whitespace().map(|end| end.parse::<u64>().ok());
    let (low, high) = (ends.next()??, ends.next()??);
    let ports = high.checked_sub(low)? + 1;
    Some((ports / 2).max(1))
}

/// How sockets are opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dial<'a> {
    /// Congestion control; `None` keeps the system's.
    pub(crate) congestion: Option<&'a str>,
    /// Further options.
    pub(crate) options: &'a SocketOptions,
}

impl Dial<'_> {
    /// Begins a connection. It is up, or has failed, when the socket is writable.
    pub(crate) fn begin(
        &self,
        target: SocketAddr,
        source: Option<Ipv4Addr>,
    ) -> io::Result<OwnedFd> {
        let family = if target.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let Some(name) = self.congestion {
            sockopt::set_tcp_congestion(&socket, name)?;
        }
        if let Some(bytes) = self.options.receive_buffer {
            sockopt::set_socket_recv_buffer_size(&socket, bytes as usize)?;
        }
        if let Some(address) = source {
            bind_without_port(socket.as_fd())?;
            bind(&socket, &SocketAddr::from((address, 0)))?;
        }
        match connect(&socket, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(error) => Err(error.into()),
        }
    }
}

/// Refuses a congestion control that the system does not let a socket have: the system's own word for
/// that, "no such file", tells nobody anything.
///
/// # Errors
/// [`LoadError::Settings`] with the names of those that are available.
pub(crate) fn check_congestion(name: &str) -> Result<(), LoadError> {
    let tried = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        Some(ipproto::TCP),
    )
    .and_then(|socket| sockopt::set_tcp_congestion(&socket, name));
    let Err(error) = tried else {
        return Ok(());
    };
    let available = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control")
        .unwrap_or_default();
    Err(LoadError::Settings {
        because: format!(
            "congestion control {name} is not available ({error}); available are: {}",
            available.trim()
        ),
    })
}

/// The source address for the connection that thread `thread` of `threads` opens after `opened` others,
/// `per_source` of them from each address; `None` leaves the choice to the system.
pub(crate) fn source(
    target: SocketAddr,
    opened: u64,
    per_source: u64,
    thread: usize,
    threads: usize,
) -> Option<Ipv4Addr> {
    let IpAddr::V4(address) = target.ip() else {
        return None;
    };
    if !address.is_loopback() {
        return None;
    }
    match (opened / per_source) * threads as u64 + thread as u64 {
        0 => None,
        number => Some(loopback(number)),
    }
}

/// Loopback address number `number`: 127.0.0.1 is 0. Bytes 0 and 255 at the end are left out.
fn loopback(number: u64) -> Ipv4Addr {
    let byte = |number: u64| u8::try_from(number % 254).expect("below 254");
    Ipv4Addr::new(
        127,
        byte(number / 254 / 254),
        byte(number / 254),
        1 + byte(number),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_source_changes_after_so_many_connections_and_never_meets_another_threads() {
        let target = SocketAddr::from(([127, 0, 0, 1], 80));
        let source = |opened, thread| source(target, opened, 14_000, thread, 2);
        assert_eq!(source(13_999, 0), None);
        assert_eq!(source(0, 1), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(source(14_000, 0), Some(Ipv4Addr::new(127, 0, 0, 3)));
    }

    #[test]
    fn half_of_the_range_of_ports_is_for_one_source() {
        assert_eq!(half_of("32768\t60999\n"), Some(14_116));
        assert_eq!(half_of("1024 65535"), Some(32_256));
        for broken in ["", "1", "a b", "9 3"] {
            assert_eq!(half_of(broken), None, "{broken}");
        }
        assert!(connections_per_source() > 0);
    }

    #[test]
    fn other_machines_are_reached_from_the_systems_address() {
        assert_eq!(
            source(SocketAddr::from(([192, 0, 2, 1], 80)), 1 << 40, 1, 3, 4),
            None
        );
        assert_eq!(source("[::1]:80".parse().unwrap(), 1 << 40, 1, 3, 4), None);
    }

    #[test]
    fn loopback_addresses_differ_and_stay_loopback() {
        let addresses: HashSet<_> = (0..100_000).map(loopback).collect();
        assert_eq!(addresses.len(), 100_000);
        assert!(addresses.iter().all(Ipv4Addr::is_loopback));
    }
}

//! What io_uring can do on this machine, found out by trying.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use io_uring::{Probe, opcode};
use ringside_contract::UringSupport;

use crate::ring::{Accept, Completion, Payload, Ring, RingError, RingSetup};

/// `DEFER_TASKRUN` can be asked for.
pub const DEFER_TASKRUN: &str = "setup_defer_taskrun";
/// `SQPOLL` can be asked for.
pub const SQPOLL: &str = "setup_sqpoll";
/// One operation accepts many connections, as plain descriptors.
pub const MULTISHOT_ACCEPT: &str = "multishot_accept";
/// One operation receives many times into a ring of provided buffers.
pub const MULTISHOT_RECEIVE: &str = "multishot_receive";
/// A ring of provided buffers can be registered.
pub const PROVIDED_BUFFERS: &str = "provided_buffers";
/// A sparse table of direct descriptors can be registered.
pub const DIRECT_DESCRIPTORS: &str = "direct_descriptors";

/// A wait for completions can end by time.
pub const TIMED_WAIT: &str = "timed_wait";

/// Operations whose presence matters to a server; the kernel is asked for each.
const OPERATIONS: &[(&str, u8)] = &[
    ("accept", opcode::Accept::CODE),
    ("cancel", opcode::AsyncCancel::CODE),
    ("close", opcode::Close::CODE),
    ("poll_add", opcode::PollAdd::CODE),
    ("read", opcode::Read::CODE),
    ("recv", opcode::Recv::CODE),
    ("send", opcode::Send::CODE),
    ("send_zc", opcode::SendZc::CODE),
    ("shutdown", opcode::Shutdown::CODE),
    ("splice", opcode::Splice::CODE),
    ("timeout", opcode::Timeout::CODE),
];

/// Tries io_uring, and each of the set-ups and techniques that the engines choose from.
pub fn probe() -> UringSupport {
    let ring = match Ring::new(&plain()) {
        Ok(ring) => ring,
        Err(error) => {
            return UringSupport::Refused {
                reason: refusal(error),
            };
        }
    };
    let mut features: Vec<String> = operations(&ring).into_iter().map(str::to_owned).collect();
    let timed_wait = ring.waits_with_time();
    drop(ring);
    let mut found = |name: &str, works: bool| {
        if works {
            features.push(name.to_owned());
        }
    };
    found(TIMED_WAIT, timed_wait);
    let works = |setup: RingSetup| Ring::new(&setup).is_ok();
    found(
        DEFER_TASKRUN,
        works(RingSetup {
            defer_taskrun: true,
            ..plain()
        }),
    );
    found(
        SQPOLL,
        works(RingSetup {
            sqpoll: true,
            ..plain()
        }),
    );
    found(PROVIDED_BUFFERS, works(with_buffers()));
    found(
        DIRECT_DESCRIPTORS,
        works(RingSetup {
            direct_descriptors: 8,
            ..plain()
        }),
    );
    let (accepted, received) = exchange().unwrap_or_default();
    found(MULTISHOT_ACCEPT, accepted);
    found(MULTISHOT_RECEIVE, received);
    features.sort();
    UringSupport::Available { features }
}

fn plain() -> RingSetup {
    RingSetup {
        submissions: 8,
        completions: 16,
        defer_taskrun: false,
        ..RingSetup::default()
    }
}

fn with_buffers() -> RingSetup {
    RingSetup {
        buffers: 4,
        buffer_size: 64,
        ..plain()
    }
}

fn operations(ring: &Ring) -> Vec<&'static str> {
    let mut probe = Probe::new();
    if ring.probe(&mut probe).is_err() {
        return Vec::new();
    }
    OPERATIONS
        .iter()
        .filter(|(_, code)| probe.is_supported(*code))
        .map(|(name, _)| *name)
        .collect()
}

/// Accepts twice and receives twice over loopback, each with one operation.
fn exchange() -> Result<(bool, bool), ExchangeError> {
    let mut ring = Ring::new(&with_buffers()).or_else(|_| Ring::new(&plain()))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    ring.accept(
        &listener,
        Accept {
            multishot: true,
            direct: false,
        },
        0,
    );
    let _first = TcpStream::connect(address)?;
    let one = next(&mut ring)?;
    let mut client = TcpStream::connect(address)?;
    let two = if one.more {
        next(&mut ring)?
    } else {
        return Ok((false, false));
    };
    let (Payload::Accepted(idle), Payload::Accepted(socket)) = (one.payload, two.payload) else {
        return Ok((false, false));
    };
    ring.receive_multishot(&socket, 1);
    client.write_all(b"one")?;
    let one = next(&mut ring)?;
    let mut received = one.more && one.payload.bytes() == b"one";
    drop(one.payload);
    if received {
        client.write_all(b"two")?;
        received = next(&mut ring)?.payload.bytes() == b"two";
    }
    ring.cancel_all(&socket);
    ring.close(socket);
    ring.close(idle);
    ring.submit()?;
    // Read to the end, so that the close has happened when the ring goes.
    client.set_read_timeout(Some(Duration::from_secs(1)))?;
    let _ = client.read(&mut [0; 8]);
    Ok((true, received))
}

/// The next completion, or an error after a second: a probe must not hang on a kernel that it
/// does not understand.
fn next(ring: &mut Ring) -> Result<Completion, ExchangeError> {
    let deadline = Instant::now() + Duration::from_secs(1);
    ring.timeout(Duration::from_secs(1), ALARM);
    ring.submit()?;
    loop {
        match ring.next_completion() {
            // An alarm of an earlier call, perhaps.
            Some(completion) if completion.tag == ALARM => {}
            Some(completion) => return Ok(completion),
            None if Instant::now() >= deadline => return Err(ExchangeError::Silent),
            None => ring.submit_and_wait()?,
        }
    }
}

const ALARM: u64 = 1000;

/// Why the exchange did not come to its end; the features are then absent.
#[derive(Debug, thiserror::Error)]
enum ExchangeError {
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("no completion within a second")]
    Silent,
}

fn refusal(error: RingError) -> String {
    let what = error.to_string();
    format!("{what}: {}", error.into_io())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_agrees_with_a_ring_that_is_set_up() {
        let setup = RingSetup {
            buffers: 4,
            buffer_size: 64,
            ..RingSetup::default()
        };
        match (probe(), Ring::new(&setup)) {
            (UringSupport::Available { features }, Ok(_)) => {
                for name in [DEFER_TASKRUN, PROVIDED_BUFFERS, "recv", "send"] {
                    assert!(
                        features.iter().any(|feature| feature == name),
                        "{name}: {features:?}"
                    );
                }
                assert!(features.is_sorted());
            }
            (UringSupport::Available { features }, Err(_)) => {
                let all = [DEFER_TASKRUN, PROVIDED_BUFFERS]
                    .iter()
                    .all(|name| features.iter().any(|feature| feature == name));
                assert!(!all, "{features:?}");
            }
            (UringSupport::Refused { reason }, ring) => {
                assert!(ring.is_err(), "{reason}");
                assert!(reason.contains("io_uring"), "{reason}");
            }
        }
    }
}

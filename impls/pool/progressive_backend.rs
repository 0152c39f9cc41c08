//! What a pool opens connections to: a listener in this process that takes them and says nothing.

use std::io::{self, ErrorKind, Read};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A listener on an abstract address of its own. Connections over TCP would leave a port behind for a minute each.
pub(super) struct Backend {
    address: SocketAddr,
    /// The other ends of all connections. The thread has them too, which keeps them open.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests hang up"))]
    accepted: Arc<Mutex<Vec<UnixStream>>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Starts to listen.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn start() -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringside-pool-{}-{number}", std::process::id());
        let address = SocketAddr::from_abstract_name(name)?;
        let listener = UnixListener::bind_addr(&address)?;
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (keep, stop) = (Arc::clone(&accepted), Arc::clone(&stopping));
        let thread = thread::Builder::new()
            .name("backend".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::Acquire) {
                        return;
                    }
                    keep.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(stream);
                }
            })?;
        Ok(Self {
            address,
            accepted,
            stopping,
            thread: Some(thread),
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect_addr(&self.address)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Closes the other ends of all connections, as one that starts anew does.
    #[cfg(test)]
    pub(super) fn hang_up(&self, count: usize) {
        loop {
            let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
            // They are taken a moment after they were opened.
            if accepted.len() >= count {
                accepted.clear();
                return;
            }
            drop(accepted);
            thread::yield_now();
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // Whoever waits for a connection gets this one.
        let woken = UnixStream::connect_addr(&self.address);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            // It only panics where memory is out.
            let _ = thread.join();
        }
    }
}

/// Whether the other end is there and has sent nothing that nobody asked for.
pub(super) fn is_healthy(mut stream: &UnixStream) -> bool {
    let read = stream.read(&mut [0]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

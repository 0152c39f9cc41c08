//! A neighbour that burns one core, as another job on a shared machine does.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Burns until it is dropped, and at the longest until this process ends.
#[derive(Debug)]
pub(super) struct Neighbour {
    rests: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbour {
    /// Starts it. It is on no processor of its own and has no priority, like the work of a stranger.
    pub(super) fn start() -> std::io::Result<Self> {
        let rests = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&rests);
        let burn = move || {
            let mut state = 1_u64;
            // Nothing is passed on by the flag: the thread only ends.
            while !told.load(Ordering::Relaxed) {
                for _ in 0..STEPS {
                    state = black_box(state.wrapping_mul(3));
                }
            }
        };
        let thread = thread::Builder::new()
            .name("neighbour".to_owned())
            .spawn(burn)?;
        Ok(Self {
            rests,
            thread: Some(thread),
        })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.rests.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Multiplications between two looks at the flag, some microseconds.
const STEPS: u32 = 10_000;

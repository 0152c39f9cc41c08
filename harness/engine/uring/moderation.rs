//! Decides how long to wait: while the core is nearly full, for several requests instead of the first.
//!
//! A wait costs the same whether it brings one request or twenty. A server that is a little faster than
//! its clients finds two or three each time. Waiting for more costs latency and saves processor time;
//! network cards that moderate their interrupts trade the same way (Linux's `lib/dim`). The latency is
//! paid only where it buys something: while the core is nearly full, so that requests queue anyway, and
//! as long as the requests do come in time.

use std::time::{Duration, Instant};

use ringside_metal::ring::{Ring, RingError};
use ringside_metal::thread_cpu_ns;

/// The longest wait for more requests.
const AT_MOST: Duration = Duration::from_micros(100);

/// The most requests that are waited for; beyond it the gain levels off.
const TARGET_MAX: u32 = 16;

/// One eighth of the clients at most, so that a few clients that each wait for an answer do not wait for
/// one another.
const CLIENTS_A_REQUEST: usize = 8;

/// The share of the core above which more requests are waited for. Below it the core has time left, and
/// the first request should not wait.
const FULL: f64 = 0.93;

/// The share of the core below which fewer requests are waited for.
const SPARE: f64 = 0.90;

/// How long the use of the core is averaged over.
const WINDOW: Duration = Duration::from_millis(2);

/// The most windows that pass until waiting is tried again after it was in vain.
const HOLD_OFF_MAX: u32 = 64;

/// Waits for more requests, kept to what pays.
#[derive(Debug)]
pub(crate) struct Moderation {
    /// The thread whose use of the core counts; none when every wait is for the first completion.
    thread: Option<u32>,
    control: Control,
    started: Instant,
    cpu_ns: u64,
}

/// The control itself, without clocks.
#[derive(Debug, Default)]
struct Control {
    target: u32,
    reached: u32,
    in_vain: u32,
    /// Windows to let pass before the target may grow.
    held_off: u32,
    /// Windows to hold off after the next waits in vain.
    hold_off: u32,
}

impl Moderation {
    /// For the calling thread.
    pub(crate) fn new(on: bool) -> Self {
        Self {
            thread: on.then(tid),
            control: Control::default(),
            started: Instant::now(),
            cpu_ns: thread_cpu_ns(tid()).unwrap_or_default(),
        }
    }

    /// Hands over what was queued and waits for the first completion, or for several requests. Gives the
    /// time of its end, so that the loop needs no clock of its own.
    pub(crate) fn wait(&mut self, ring: &mut Ring, clients: usize) -> Result<Instant, RingError> {
        let target = self.target(clients);
        let in_time = match target {
            0 => ring.submit_and_wait().map(|()| true),
            _ => ring.submit_and_wait_for(target, AT_MOST),
        }?;
        let now = Instant::now();
        self.waited(now, target, in_time);
        Ok(now)
    }

    /// Requests that the next wait asks for, with so many clients; 0 for whatever comes first.
    fn target(&self, clients: usize) -> u32 {
        let clients = u32::try_from(clients / CLIENTS_A_REQUEST).unwrap_or(TARGET_MAX);
        self.control.target.min(clients)
    }

    /// Learns from a wait for `target` requests, which were there in time or not.
    fn waited(&mut self, now: Instant, target: u32, in_time: bool) {
        let Some(thread) = self.thread else { return };
        if target > 0 {
            self.control.count(in_time);
        }
        let wall = now.duration_since(self.started);
        if wall < WINDOW && !self.control.is_in_vain() {
            return;
        }
        let Ok(cpu_ns) = thread_cpu_ns(thread) else {
            self.thread = None;
            self.control = Control::default();
            return;
        };
        let busy = cpu_ns.saturating_sub(self.cpu_ns) as f64 / wall.as_nanos() as f64;
        self.control.end_window(busy);
        (self.started, self.cpu_ns) = (now, cpu_ns);
    }
}

fn tid() -> u32 {
    let thread = rustix::thread::gettid().as_raw_nonzero();
    thread.get().unsigned_abs()
}

impl Control {
    /// Counts a wait for more requests.
    fn count(&mut self, in_time: bool) {
        if in_time {
            self.reached += 1;
        } else {
            self.in_vain += 1;
        }
    }

    /// More than one wait in eight ended without the requests, so that the target is too high.
    fn is_in_vain(&self) -> bool {
        self.in_vain >= 2 && self.in_vain > self.reached / 8
    }

    /// Sets the target by the use of the core in the window that ends, 1 for all of it.
    fn end_window(&mut self, busy: f64) {
        if self.is_in_vain() {
            self.target /= 2;
            self.held_off = self.hold_off;
            self.hold_off = (self.hold_off * 2).clamp(1, HOLD_OFF_MAX);
        } else {
            if self.reached > 0 {
                self.hold_off /= 2;
            }
            if self.held_off > 0 {
                self.held_off -= 1;
            } else if busy >= FULL {
                self.target = (self.target + 2).min(TARGET_MAX);
            } else if busy < SPARE {
                self.target = self.target.saturating_sub(2);
            }
        }
        (self.reached, self.in_vain) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(control: &mut Control, busy: f64, reached: u32, in_vain: u32) -> u32 {
        (0..reached).for_each(|_| control.count(true));
        (0..in_vain).for_each(|_| control.count(false));
        control.end_window(busy);
        control.target
    }

    #[test]
    fn a_full_core_waits_for_more_and_one_with_time_left_for_less() {
        let mut control = Control::default();
        let targets: Vec<u32> = (0..10).map(|_| window(&mut control, 0.99, 20, 0)).collect();
        assert_eq!(targets, [2, 4, 6, 8, 10, 12, 14, 16, 16, 16]);
        assert_eq!(window(&mut control, 0.92, 20, 0), 16);
        assert_eq!(window(&mut control, 0.89, 20, 0), 14);
        (0..10).for_each(|_| _ = window(&mut control, 0.3, 0, 0));
        assert_eq!(control.target, 0);
    }

    #[test]
    fn waits_in_vain_end_and_are_tried_again_ever_more_rarely() {
        let mut control = Control::default();
        let tries = |control: &mut Control| {
            (0..512)
                .filter(|_| {
                    // Nothing comes in time: two waits are enough to know it.
                    let vain = if control.target > 0 { 2 } else { 0 };
                    let before = control.target;
                    window(control, 1.0, 0, vain) > before
                })
                .count()
        };
        assert!(tries(&mut control) < 20);
        // By now one window in 65 is spent on it.
        assert!(tries(&mut control) <= 8);
        // Once requests come in time, no window is held off for long.
        (0..80).for_each(|_| _ = window(&mut control, 1.0, 20, 0));
        assert_eq!((control.target, control.hold_off), (TARGET_MAX, 0));
    }

    #[test]
    fn a_late_request_now_and_then_changes_nothing() {
        let mut control = Control::default();
        (0..20).for_each(|_| _ = window(&mut control, 1.0, 24, 2));
        assert_eq!(control.target, TARGET_MAX);
    }

    #[test]
    fn few_clients_never_wait_for_one_another() {
        let mut moderation = Moderation::new(true);
        moderation.control.target = TARGET_MAX;
        let targets = [0, 1, 7, 8, 64, 128, 400, 1_000_000].map(|count| moderation.target(count));
        assert_eq!(targets, [0, 0, 0, 1, 8, 16, 16, 16]);
    }

    #[test]
    fn a_thread_that_works_all_the_time_is_full_unless_it_must_not_wait() {
        let window_ns = u64::try_from(WINDOW.as_nanos()).unwrap();
        let cpu_ns = || thread_cpu_ns(tid()).unwrap();
        while cpu_ns() < 2 * window_ns {
            std::hint::spin_loop();
        }
        for (on, expected) in [(true, 2), (false, 0)] {
            let mut moderation = Moderation::new(on);
            // As if all of the window had been work.
            let end = moderation.started + WINDOW;
            moderation.cpu_ns = cpu_ns() - window_ns;
            moderation.waited(end, 0, true);
            assert_eq!(moderation.target(1000), expected);
        }
    }
}

//! Where threads wait: the stack with which each left the processor, weighed with the time until it was back.
//!
//! The kernel's software event `context-switches`, sampled at each one, gives the stack; its records of switches
//! give both times. Unlike the tracepoint of the scheduler neither needs a mounted tracefs, nor the whole machine.

use std::collections::HashMap;

use crate::folded::Folded;
use crate::frame::KERNEL_MARK;
use crate::script::{Event, Happened};

/// Adds up how long each stack waited.
#[derive(Debug, Default)]
pub struct OffProcessor {
    threads: HashMap<u32, Thread>,
    folded: Folded,
}

/// What is known of a thread.
#[derive(Debug, Default)]
struct Thread {
    /// With which it is about to leave.
    stack: Vec<String>,
    /// When it left; `None` while it runs, or when that was not seen.
    left_at_ns: Option<u64>,
}

impl OffProcessor {
    /// Takes an event in. What a thread waited when the recording began or ended counts for nothing, as its length
    /// is not known.
    pub fn take(&mut self, event: Event) {
        let thread = self.threads.entry(event.id).or_default();
        match event.happened {
            Happened::Sample { event: name, stack } => {
                if name.starts_with(SWITCHES) {
                    thread.stack = stack;
                }
            }
            Happened::Out { preempted } => {
                thread.left_at_ns = Some(event.at_ns);
                if preempted {
                    thread.stack.push(format!("{PREEMPTED}{KERNEL_MARK}"));
                }
            }
            Happened::In => {
                let stack = std::mem::take(&mut thread.stack);
                if let Some(left_at_ns) = thread.left_at_ns.take() {
                    let waited_us = event.at_ns.saturating_sub(left_at_ns) / 1000;
                    self.folded.add(&event.thread, &stack, waited_us);
                }
            }
        }
    }

    /// The stacks, in microseconds.
    pub fn folded(self) -> Folded {
        self.folded
    }
}

/// The event that is sampled at each switch.
const SWITCHES: &str = "context-switches";
/// A frame on top of a stack that did not wait but lost its processor to another thread.
const PREEMPTED: &str = "[preempted]";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::read_events;

    fn check(text: &str, expected: &str) {
        let mut off = OffProcessor::default();
        read_events(text.as_bytes(), |event| off.take(event)).unwrap();
        assert_eq!(off.folded().to_string(), expected);
    }

    #[test]
    fn a_stack_weighs_what_its_thread_waited() {
        // Two threads, mixed; the second one is preempted.
        check(
            "a 1 1.000000: context-switches: \n\t1 wait (x)\n\t2 main (x)\n\n\
             a 1 1.000010: PERF_RECORD_SWITCH OUT\n\
             b 2 1.000020: context-switches: \n\t3 work (x)\n\n\
             b 2 1.000030: PERF_RECORD_SWITCH OUT preempt\n\
             a 1 1.000110: PERF_RECORD_SWITCH IN\n\
             b 2 1.000040: PERF_RECORD_SWITCH IN\n\
             a 1 1.000200: context-switches: \n\t1 wait (x)\n\t2 main (x)\n\n\
             a 1 1.000210: PERF_RECORD_SWITCH OUT\n\
             a 1 1.000215: PERF_RECORD_SWITCH IN\n",
            "a;main;wait 105\nb;work;[preempted]_[k] 10\n",
        );
    }

    #[test]
    fn what_was_not_seen_to_its_end_counts_for_nothing() {
        check(
            "a 1 1.5: PERF_RECORD_SWITCH IN\n\
             a 1 2.0: cpu-clock: \n\t1 main (x)\n\n\
             a 1 2.5: PERF_RECORD_SWITCH OUT\n",
            "",
        );
    }
}

//! The echo protocol: every byte that comes goes back. All engines but the floor share this core.

use ringside_engine::{Millis, Progress, Protocol, Step, plant};

/// Sends each byte back, straight from where it was read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Protocol for Echo {
    type Connection = ();

    fn open(&self, _now: Millis) {}

    #[inline]
    fn receive(
        &self,
        _connection: &mut (),
        input: &[u8],
        _now: Millis,
        _out: &mut Vec<u8>,
    ) -> Progress {
        let length = input.len();
        let step = if length == 0 {
            Step::Read
        } else {
            // A core of echo knows no messages: what came at once is one.
            plant::operations(1);
            Step::Reflect { length }
        };
        Progress {
            consumed: length,
            step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_reflected_without_a_copy() {
        let mut out = Vec::new();
        let progress = Echo.receive(&mut (), b"hello", 0, &mut out);
        assert!(matches!(
            progress,
            Progress {
                consumed: 5,
                step: Step::Reflect { length: 5 }
            }
        ));
        assert!(out.is_empty());
        let empty = Echo.receive(&mut (), b"", 0, &mut out);
        assert!(matches!(
            empty,
            Progress {
                consumed: 0,
                step: Step::Read
            }
        ));
    }
}

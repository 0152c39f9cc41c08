//! The table of operations in flight that own memory.

use std::fs::File;
use std::sync::Arc;

use super::Payload;

/// How a completion is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The payload comes back as it went.
    Keep,
    /// Bytes were written behind those that the payload's vector holds.
    Fill,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) tag: u64,
    pub(super) role: Role,
    pub(super) payload: Payload,
    /// Kept open, so that their numbers mean these files until the kernel has taken the operation.
    #[expect(dead_code, reason = "held, not read")]
    pub(super) files: [Option<Arc<File>>; 2],
}

/// A slab: entering and leaving it costs no allocation once it has grown to the most in flight.
#[derive(Debug, Default)]
pub(super) struct Flight {
    slots: Vec<Slot>,
    free: Option<u32>,
}

#[derive(Debug)]
enum Slot {
    Taken(Operation),
    Free { next: Option<u32> },
}

impl Flight {
    /// Keeps an operation until its last completion.
    pub(super) fn enter(&mut self, operation: Operation) -> u32 {
        match self.free {
            Some(index) => {
                let slot = &mut self.slots[index as usize];
                if let Slot::Free { next } = slot {
                    self.free = *next;
                }
                *slot = Slot::Taken(operation);
                index
            }
            None => {
                self.slots.push(Slot::Taken(operation));
                u32::try_from(self.slots.len() - 1).expect("queues hold fewer operations than 2^32")
            }
        }
    }

    /// An operation that goes on.
    pub(super) fn operation(&mut self, index: u32) -> &mut Operation {
        match &mut self.slots[index as usize] {
            Slot::Taken(operation) => operation,
            Slot::Free { .. } => unreachable!("the kernel completes an operation once"),
        }
    }

    /// Takes an operation out that has ended.
    pub(super) fn leave(&mut self, index: u32) -> Operation {
        let slot = std::mem::replace(
            &mut self.slots[index as usize],
            Slot::Free {
                next: self.free.replace(index),
            },
        );
        match slot {
            Slot::Taken(operation) => operation,
            Slot::Free { .. } => unreachable!("the kernel completes an operation once"),
        }
    }
}

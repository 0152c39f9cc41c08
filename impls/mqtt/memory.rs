//! What memory a connection has of its own, as the axis `memory` says.

use std::sync::{Mutex, PoisonError};

use bumpalo::Bump;

use crate::settings::Memory;

/// Bytes to read and to write, as the documents have it.
const BUFFER_BYTES: usize = 4096;

/// A connection's own memory.
#[derive(Debug)]
pub(crate) enum Own {
    /// None.
    Nothing,
    /// A buffer each way. Packets that do not fit go past it.
    Buffers(Box<Buffers>),
    /// Grows with every packet, and is freed as a whole.
    Arena(Box<Bump>),
}

/// A buffer each way.
#[derive(Debug)]
pub(crate) struct Buffers {
    read: [u8; BUFFER_BYTES],
    write: [u8; BUFFER_BYTES],
}

impl Buffers {
    /// Filled with what is no zero, so that the pages are there from the beginning.
    fn new() -> Box<Self> {
        Box::new(Self {
            read: [u8::MAX; BUFFER_BYTES],
            write: [u8::MAX; BUFFER_BYTES],
        })
    }
}

impl Own {
    /// The bytes of a packet, where the connection keeps them.
    pub(crate) fn hold<'a>(&'a mut self, packet: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Buffers(buffers) if packet.len() <= BUFFER_BYTES => {
                let read = &mut buffers.read[..packet.len()];
                read.copy_from_slice(packet);
                read
            }
            Self::Arena(arena) => arena.alloc_slice_copy(packet),
            Self::Nothing | Self::Buffers(_) => packet,
        }
    }

    /// Passes what was appended to `out` behind `from` through the connection's buffer.
    pub(crate) fn pass_on(&mut self, out: &mut [u8], from: usize) {
        if let Self::Buffers(buffers) = self {
            for piece in out[from..].chunks_mut(BUFFER_BYTES) {
                let write = &mut buffers.write[..piece.len()];
                write.copy_from_slice(piece);
                piece.copy_from_slice(write);
            }
        }
    }
}

/// Where connections get their memory and give it back.
#[derive(Debug)]
pub(crate) struct Store {
    kind: Memory,
    /// Buffers that wait for a connection.
    spare: Mutex<Vec<Box<Buffers>>>,
    spare_max: usize,
}

impl Store {
    /// With memory for so many connections.
    pub(crate) fn new(kind: Memory, preallocated: usize) -> Self {
        let buffers = match kind {
            Memory::Buffers => preallocated,
            Memory::Shared | Memory::Arena => 0,
        };
        Self {
            kind,
            spare: Mutex::new((0..buffers).map(|_| Buffers::new()).collect()),
            spare_max: buffers,
        }
    }

    /// For a new connection.
    pub(crate) fn get(&self) -> Own {
        match self.kind {
            Memory::Shared => Own::Nothing,
            Memory::Arena => Own::Arena(Box::default()),
            Memory::Buffers => {
                let spare = self
                    .spare
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop();
                Own::Buffers(spare.unwrap_or_else(Buffers::new))
            }
        }
    }

    /// From a connection that ended.
    pub(crate) fn give_back(&self, own: Own) {
        if let Own::Buffers(buffers) = own {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < self.spare_max {
                spare.push(buffers);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_wherever_they_are_kept() {
        let large = vec![7; BUFFER_BYTES + 1];
        for kind in [Memory::Shared, Memory::Buffers, Memory::Arena] {
            let mut own = Store::new(kind, 0).get();
            for packet in [&b"abc"[..], &large] {
                assert_eq!(own.hold(packet), packet, "{kind:?}");
                let mut out = [b"before", packet].concat();
                own.pass_on(&mut out, 6);
                assert_eq!(out[6..], *packet, "{kind:?}");
            }
        }
    }

    #[test]
    fn an_arena_grows_and_buffers_are_used_again() {
        let mut arena = Store::new(Memory::Arena, 0).get();
        for _ in 0..1000 {
            arena.hold(&[1; 100]);
        }
        let Own::Arena(bump) = &arena else { panic!() };
        assert!(
            bump.allocated_bytes() >= 100_000,
            "{}",
            bump.allocated_bytes()
        );

        let store = Store::new(Memory::Buffers, 2);
        let spare = || store.spare.lock().unwrap().len();
        let own = store.get();
        assert_eq!(spare(), 1);
        store.give_back(own);
        store.give_back(Own::Buffers(Buffers::new()));
        assert_eq!(spare(), 2);
    }
}

//! The files that the scenarios ask for: `10240.bin` holds 10,240 bytes that follow from its name.

use ringside_contract::Fixture;

use crate::bytes;

/// The file of `length` bytes.
pub(crate) fn fixture(length: u64) -> Fixture {
    Fixture {
        path: format!("{length}.bin"),
        length,
    }
}

/// Its bytes from `offset` on.
pub(crate) fn fixture_bytes(fixture: &Fixture, offset: u64, buffer: &mut [u8]) {
    bytes::fill(bytes::key_of(&fixture.path), offset, buffer);
}

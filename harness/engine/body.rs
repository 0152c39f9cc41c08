//! How the bytes of a file reach a socket.

use std::str::FromStr;

/// A way to send part of a file. Which engine can do which is said by [`crate`]'s engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyMode {
    /// From a copy of the file kept in the process; files too large to keep go by `Copy` of 256 KiB.
    Memory,
    /// `pread` into a buffer of so many bytes, then `send`.
    Copy {
        /// Size of the buffer.
        buffer: usize,
    },
    /// The file mapped, then `send` from the mapping.
    Mmap,
    /// `sendfile(2)`.
    Sendfile,
    /// `splice(2)` through a pipe.
    Splice,
    /// `send` with `MSG_ZEROCOPY` from a mapping.
    MsgZerocopy,
    /// io_uring's `send_zc` from a mapping.
    SendZc,
}

impl BodyMode {
    /// Names of the values of the `body` axis, in the order of the report.
    pub const NAMES: &'static [&'static str] = &[
        "memory",
        "copy_8k",
        "copy_64k",
        "copy_256k",
        "copy_1m",
        "mmap",
        "sendfile",
        "splice",
        "msg_zerocopy",
        "send_zc",
    ];
}

impl FromStr for BodyMode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "memory" => Self::Memory,
            "copy_8k" => Self::Copy { buffer: 8 << 10 },
            "copy_64k" => Self::Copy { buffer: 64 << 10 },
            "copy_256k" => Self::Copy { buffer: 256 << 10 },
            "copy_1m" => Self::Copy { buffer: 1 << 20 },
            "mmap" => Self::Mmap,
            "sendfile" => Self::Sendfile,
            "splice" => Self::Splice,
            "msg_zerocopy" => Self::MsgZerocopy,
            "send_zc" => Self::SendZc,
            _ => {
                return Err(format!(
                    "body={name}: expected one of {}",
                    Self::NAMES.join(", ")
                ));
            }
        })
    }
}

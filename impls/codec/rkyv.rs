//! rkyv: an entry is written in the form in which it is looked at, so that reading is a check and no more. Numbers are
//! kept without alignment, since nobody knows where in a buffer an entry comes to lie.

use bytes::{BufMut as _, Bytes, BytesMut};
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::codec::EntryView;
use rkyv::rancor::Error;
use rkyv::ser::writer::IoWriter;
use rkyv::{Archive, Serialize};

use super::work::{LogCodec, Malformed};

/// `codec/rkyv`.
pub(crate) struct Rkyv;

static META: ImplementationMeta = ImplementationMeta {
    id: "codec/rkyv",
    about: "The crate rkyv: what was written is checked and looked at where it lies.",
    axes: &[],
    ranked: true,
};

/// An entry as rkyv has it.
#[derive(Archive, Serialize)]
pub(crate) struct Entry {
    term: u64,
    index: u64,
    kind: u8,
    data: Vec<u8>,
}

impl LogCodec for Rkyv {
    const META: &'static ImplementationMeta = &META;
    type Entry = Entry;

    fn own(entry: EntryView<'_>) -> Entry {
        Entry {
            term: entry.term,
            index: entry.index,
            kind: entry.kind,
            data: entry.data.to_vec(),
        }
    }

    fn encode(entry: &Entry, out: &mut BytesMut) {
        out.reserve(entry.data.len() + 64);
        let writer = IoWriter::new(out.writer());
        // A buffer takes whatever is written.
        rkyv::api::high::to_bytes_in::<_, Error>(entry, writer)
            .expect("an entry can always be written");
    }

    fn decode<R>(bytes: Bytes, show: impl FnOnce(EntryView<'_>) -> R) -> Result<R, Malformed> {
        let entry = rkyv::access::<ArchivedEntry, Error>(&bytes)
            .map_err(|error| Malformed(error.to_string()))?;
        // What stands before the data is no part of the entry, and nothing looks at it.
        let own = size_of::<ArchivedEntry>() + entry.data.len();
        if own != bytes.len() {
            let more = bytes.len() - own.min(bytes.len());
            return Err(Malformed(format!("{more} bytes are no part of the entry")));
        }
        Ok(show(EntryView {
            term: entry.term.to_native(),
            index: entry.index.to_native(),
            kind: entry.kind,
            data: entry.data.as_slice(),
        }))
    }
}

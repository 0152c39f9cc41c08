//! prost: Protocol Buffers, whose data are a part of the bytes that came.

use bytes::{Bytes, BytesMut};
use prost::Message;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::codec::EntryView;

use super::work::{LogCodec, Malformed};

/// `codec/prost`.
pub(crate) struct Prost;

static META: ImplementationMeta = ImplementationMeta {
    id: "codec/prost",
    about: "The crate prost: Protocol Buffers, with data as a part of the bytes that came.",
    axes: &[],
    ranked: true,
};

/// An entry as a message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    index: u64,
    #[prost(uint32, tag = "3")]
    kind: u32,
    #[prost(bytes = "bytes", tag = "4")]
    data: Bytes,
}

impl LogCodec for Prost {
    const META: &'static ImplementationMeta = &META;
    type Entry = Entry;

    fn own(entry: EntryView<'_>) -> Entry {
        Entry {
            term: entry.term,
            index: entry.index,
            kind: entry.kind.into(),
            data: Bytes::copy_from_slice(entry.data),
        }
    }

    fn encode(entry: &Entry, out: &mut BytesMut) {
        out.reserve(entry.encoded_len());
        // There is room.
        entry
            .encode(out)
            .expect("a buffer takes what it has room for");
    }

    fn decode<R>(bytes: Bytes, show: impl FnOnce(EntryView<'_>) -> R) -> Result<R, Malformed> {
        let entry = Entry::decode(bytes).map_err(|error| Malformed(error.to_string()))?;
        let kind = u8::try_from(entry.kind);
        Ok(show(EntryView {
            term: entry.term,
            index: entry.index,
            kind: kind.map_err(|_| Malformed(format!("kind {}", entry.kind)))?,
            data: &entry.data,
        }))
    }
}

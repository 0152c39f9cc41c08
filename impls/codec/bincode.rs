//! bincode, used as document 003 has it to begin with: an entry becomes bytes of its own, which are then copied to where
//! they leave from; and what was read is copied out of the bytes that came.

use bincode::config::{Configuration, Limit, standard};
use bincode::{Decode, Encode};
use bytes::{Bytes, BytesMut};
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::codec::EntryView;

use super::work::{LogCodec, Malformed};
use crate::frame::PAYLOAD_MAX;

/// `codec/bincode`.
pub(crate) struct Bincode;

static META: ImplementationMeta = ImplementationMeta {
    id: "codec/bincode",
    about: "The crate bincode (2.x): an entry becomes a Vec, which is copied into a buffer that is used again (the document takes a new one for each).",
    axes: &[],
    ranked: true,
};

/// An entry as bincode has it.
#[derive(Encode, Decode)]
pub(crate) struct Entry {
    term: u64,
    index: u64,
    kind: u8,
    data: Vec<u8>,
}

/// A length in bytes that came from somewhere must not ask for all memory.
const CONFIGURATION: Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    Limit<PAYLOAD_MAX>,
> = standard().with_limit::<PAYLOAD_MAX>();

impl LogCodec for Bincode {
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
        let bytes = bincode::encode_to_vec(entry, CONFIGURATION);
        // An entry is made of numbers and bytes, which fit.
        out.extend_from_slice(&bytes.expect("an entry can always be written"));
    }

    fn decode<R>(bytes: Bytes, show: impl FnOnce(EntryView<'_>) -> R) -> Result<R, Malformed> {
        let decoded = bincode::decode_from_slice::<Entry, _>(&bytes, CONFIGURATION);
        let (entry, length) = decoded.map_err(|error| Malformed(error.to_string()))?;
        if length != bytes.len() {
            return Err(Malformed(format!(
                "{} bytes too many",
                bytes.len() - length
            )));
        }
        Ok(show(EntryView {
            term: entry.term,
            index: entry.index,
            kind: entry.kind,
            data: &entry.data,
        }))
    }
}

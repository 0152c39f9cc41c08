//! Document 003's codec: fields are written straight into the buffer that they leave from, in big-endian order, and data
//! are taken out of the bytes that came.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use ringside_contract::operations::codec::EntryView;
use ringside_contract::operations::{InProcess, Prepared, Tested, Workload};
use ringside_contract::{Axis, ImplementationMeta, Settings, StartError};

use super::work::{self, LogCodec, Malformed};

/// `codec/zero_copy`.
pub(crate) struct ZeroCopy;

static META: ImplementationMeta = ImplementationMeta {
    id: "codec/zero_copy",
    about: "The document's codec: fields are written straight into the buffer, and data are read out of it.",
    axes: &[DATA],
    ranked: true,
};

const DATA: Axis = Axis {
    name: "data",
    values: &["copied", "shared"],
    default: "copied",
    about: "Whether an entry that was read has a copy of its data, as in the document, or a part of the bytes that came.",
};

impl InProcess for ZeroCopy {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn prepare(
        &self,
        axes: &Settings,
        workload: &Workload,
    ) -> Result<Box<dyn Prepared>, StartError> {
        match DATA.choose(axes)? {
            "shared" => work::prepare::<Fields<false>>(workload),
            _ => work::prepare::<Fields<true>>(workload),
        }
    }

    fn tested(&self, axes: &Settings) -> Result<Tested, StartError> {
        Ok(match DATA.choose(axes)? {
            "shared" => work::tested::<Fields<false>>(),
            _ => work::tested::<Fields<true>>(),
        })
    }
}

/// The codec. `COPIES`: an entry that was read has a copy of its data.
pub(crate) struct Fields<const COPIES: bool>;

/// An entry of the log.
pub(crate) struct Entry {
    term: u64,
    index: u64,
    kind: u8,
    data: Vec<u8>,
}

/// Bytes before the data.
const HEAD: usize = 8 + 8 + 1 + 4;

impl<const COPIES: bool> LogCodec for Fields<COPIES> {
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

    #[inline]
    fn encode(entry: &Entry, out: &mut BytesMut) {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&entry.term.to_be_bytes());
        head[8..16].copy_from_slice(&entry.index.to_be_bytes());
        head[16] = entry.kind;
        head[17..].copy_from_slice(&(entry.data.len() as u32).to_be_bytes());
        out.reserve(HEAD + entry.data.len());
        out.put_slice(&head);
        out.put_slice(&entry.data);
    }

    #[inline]
    fn decode<R>(mut bytes: Bytes, show: impl FnOnce(EntryView<'_>) -> R) -> Result<R, Malformed> {
        if bytes.len() < HEAD {
            return Err(Malformed(format!(
                "{} bytes are less than a head",
                bytes.len()
            )));
        }
        let (term, index, kind) = (bytes.get_u64(), bytes.get_u64(), bytes.get_u8());
        let length = bytes.get_u32() as usize;
        if length != bytes.len() {
            return Err(Malformed(format!(
                "{length} bytes of data, and {} follow",
                bytes.len()
            )));
        }
        let view = |data| EntryView {
            term,
            index,
            kind,
            data,
        };
        Ok(if COPIES {
            let data = bytes.to_vec();
            // An entry that is kept: the compiler may not look through it.
            show(view(std::hint::black_box(&data)))
        } else {
            show(view(&bytes))
        })
    }
}

//! Whatever bytes come, reading entries of a log neither panics nor depends on where they were cut; what is read is within
//! its limits, and is read again from what is written of it.

use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::codec::{DATA_MAX, EntryView, KIND_MAX, TestedCodec};

/// An entry of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    pub(crate) index: u64,
    pub(crate) kind: u8,
    pub(crate) data: Vec<u8>,
}

impl Entry {
    pub(crate) fn view(&self) -> EntryView<'_> {
        EntryView {
            term: self.term,
            index: self.index,
            kind: self.kind,
            data: &self.data,
        }
    }
}

/// Panics where it does not hold. The first byte chooses the codec. With an odd second one the rest gets a frame around it
/// that is right: hardly any bytes get past its checksum otherwise.
pub(crate) fn check(input: &[u8]) {
    let [first, second, rest @ ..] = input else {
        return;
    };
    let codecs = codecs();
    let (name, codec) = &codecs[usize::from(*first) % codecs.len()];
    let stream = if second & 1 == 1 {
        framed(rest)
    } else {
        rest.to_vec()
    };
    let whole = read(codec.as_ref(), &[&stream]);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let cut = read(codec.as_ref(), &bytes);
    assert_eq!(cut, whole, "{name}: byte by byte");
    for entry in whole.0 {
        assert!(entry.kind <= KIND_MAX, "{name}: {}", entry.kind);
        assert!(entry.data.len() <= DATA_MAX, "{name}: {}", entry.data.len());
        let mut written = Vec::new();
        codec.write(entry.view(), &mut written);
        assert_eq!(
            read(codec.as_ref(), &[&written]),
            (vec![entry], true),
            "{name}"
        );
    }
}

/// Every codec with each value of its axis, in the order of reports.
pub(crate) fn codecs() -> Vec<(String, Box<dyn TestedCodec>)> {
    let mut codecs = Vec::new();
    for operation in ringside_operations::all() {
        let meta = operation.meta();
        if !meta.id.starts_with("codec/") {
            continue;
        }
        let values = meta.axes.first().map_or(&[""][..], |axis| axis.values);
        for value in values {
            let mut axes = Settings::default();
            if let Some(axis) = meta.axes.first() {
                axes.set(axis.name, value);
            }
            if let Ok(Tested::Codec(codec)) = operation.tested(&axes) {
                codecs.push((format!("{}{value}", meta.id), codec));
            }
        }
    }
    codecs
}

/// The entries of bytes that come in these parts, up to the first that is wrong, and whether nothing was.
pub(crate) fn read(codec: &dyn TestedCodec, parts: &[&[u8]]) -> (Vec<Entry>, bool) {
    let (mut reader, mut entries) = (codec.reader(), Vec::new());
    for part in parts {
        reader.push(part);
        loop {
            let next = reader.next(&mut |entry| {
                entries.push(Entry {
                    term: entry.term,
                    index: entry.index,
                    kind: entry.kind,
                    data: entry.data.to_vec(),
                });
            });
            match next {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return (entries, false),
            }
        }
    }
    let is_whole = reader.end().is_ok();
    (entries, is_whole)
}

/// Bytes in a frame, as `impls/frame.rs` describes it.
pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    let checksum = hasher.finalize().to_le_bytes();
    [&length, &checksum, payload].concat()
}

//! Codecs: what was written must be read, and what was not must not.

use ringside_contract::operations::codec::{DATA_MAX, EntryView, KIND_MAX, TestedCodec};

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What a codec did wrong, or that there is no such case.
pub fn run(name: &str, codec: &dyn TestedCodec) -> Result<(), Failure> {
    match name {
        "reads_what_was_written" => reads_what_was_written(codec),
        "reads_bytes_that_come_in_parts" => reads_bytes_that_come_in_parts(codec),
        "notices_that_bytes_are_missing" => notices_that_bytes_are_missing(codec),
        "refuses_a_length_that_no_entry_has" => refuses_a_length_that_no_entry_has(codec),
        "shows_no_frame_within_another" => shows_no_frame_within_another(codec),
        "refuses_bytes_that_were_changed" => refuses_bytes_that_were_changed(codec),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "reads_what_was_written",
        "Entries of 0 bytes to 1 MiB, with numbers from the smallest to the largest, are read as they were written."
    ),
    asked!(
        "reads_bytes_that_come_in_parts",
        "Three entries are read wherever their bytes are cut in two, and byte by byte."
    ),
    asked!(
        "notices_that_bytes_are_missing",
        "An entry that ends early, at whichever byte, is never shown, and the end is told as an error."
    ),
    asked!(
        "refuses_a_length_that_no_entry_has",
        "A length of more than any entry is an error before its bytes have come."
    ),
    asked!(
        "shows_no_frame_within_another",
        "With any other length in the place of a frame's own, no frame in its data is shown, however often one asks."
    ),
    asked!(
        "refuses_bytes_that_were_changed",
        "With any single bit changed no entry is shown, and other bytes in its place are an error."
    ),
];

/// Small entries with all their fields in use.
fn samples() -> [(u64, u64, u8, Vec<u8>); 4] {
    [
        (1, 2, 0, b"set a 1".to_vec()),
        (0, 0, 0, Vec::new()),
        (u64::MAX, u64::MAX, KIND_MAX, vec![0xff; 21]),
        (300, 70_000, 1, (0..=255).collect()),
    ]
}

fn view((term, index, kind, data): &(u64, u64, u8, Vec<u8>)) -> EntryView<'_> {
    EntryView {
        term: *term,
        index: *index,
        kind: *kind,
        data,
    }
}

fn written(codec: &dyn TestedCodec, entry: EntryView<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec.write(entry, &mut bytes);
    bytes
}

/// Reads all entries of bytes that come in these parts: how many were those expected, in their order.
fn read(
    codec: &dyn TestedCodec,
    parts: &[&[u8]],
    expected: &[EntryView<'_>],
) -> Result<(), Failure> {
    let (mut reader, mut count, mut is_right) = (codec.reader(), 0, true);
    for part in parts {
        reader.push(part);
        loop {
            let next = reader.next(&mut |entry| {
                is_right &= expected.get(count) == Some(&entry);
                count += 1;
            });
            match next {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(Failure::new(format!("entry {count}: {error}"))),
            }
        }
    }
    ensure(is_right && count == expected.len(), || {
        format!(
            "{count} entries were read, {} were written, as others: {}",
            expected.len(),
            !is_right
        )
    })?;
    reader.end().map_err(Failure::new)
}

fn reads_what_was_written(codec: &dyn TestedCodec) -> Result<(), Failure> {
    for sample in &samples() {
        read(codec, &[&written(codec, view(sample))], &[view(sample)])?;
    }
    for size in [16, 127, 128, 1023, 65_535, 65_536, DATA_MAX] {
        let data: Vec<u8> = (0..size).map(|place| (place * 31 % 251) as u8).collect();
        let entry = EntryView {
            term: 7,
            index: size as u64,
            kind: 0,
            data: &data,
        };
        let outcome = read(codec, &[&written(codec, entry)], &[entry]);
        outcome.map_err(|failure| Failure::new(format!("{size} bytes of data: {failure}")))?;
    }
    Ok(())
}

fn reads_bytes_that_come_in_parts(codec: &dyn TestedCodec) -> Result<(), Failure> {
    let samples = samples();
    let entries: Vec<_> = samples[..3].iter().map(view).collect();
    let bytes: Vec<u8> = entries
        .iter()
        .flat_map(|&entry| written(codec, entry))
        .collect();
    for cut in 0..=bytes.len() {
        let (first, second) = bytes.split_at(cut);
        let outcome = read(codec, &[first, second], &entries);
        outcome.map_err(|failure| Failure::new(format!("cut at byte {cut}: {failure}")))?;
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    read(codec, &single, &entries)
}

/// What comes of bytes: entries shown, and whether anything was said to be wrong with them.
fn outcome(codec: &dyn TestedCodec, bytes: &[u8]) -> (usize, bool) {
    let (mut reader, mut shown) = (codec.reader(), 0);
    reader.push(bytes);
    loop {
        match reader.next(&mut |_| shown += 1) {
            Ok(true) => {}
            Ok(false) => return (shown, reader.end().is_err()),
            Err(_) => break,
        }
    }
    // Whoever asks on is told the same, and shown nothing that happens to lie behind.
    let told = (0..100).all(|_| reader.next(&mut |_| shown += 1).is_err());
    (shown, told && reader.end().is_err())
}

fn notices_that_bytes_are_missing(codec: &dyn TestedCodec) -> Result<(), Failure> {
    for sample in &samples() {
        let bytes = written(codec, view(sample));
        for end in 1..bytes.len() {
            let (shown, told) = outcome(codec, &bytes[..end]);
            ensure(shown == 0 && told, || {
                format!(
                    "of {} bytes the first {end} came: {shown} entries, told as an error: {told}",
                    bytes.len()
                )
            })?;
        }
    }
    Ok(())
}

fn refuses_a_length_that_no_entry_has(codec: &dyn TestedCodec) -> Result<(), Failure> {
    let long = written(codec, view(&(1, 2, 0, vec![1; DATA_MAX + 1])));
    ensure(outcome(codec, &long) == (0, true), || {
        format!(
            "an entry of {} bytes is read, and the most are {DATA_MAX}",
            DATA_MAX + 1
        )
    })?;
    for length in [2 * DATA_MAX as u32, u32::MAX / 2, u32::MAX] {
        let mut reader = codec.reader();
        reader.push(&length.to_le_bytes());
        let next = reader.next(&mut |_| {});
        ensure(next.is_err(), || {
            format!("a frame of {length} bytes is waited for")
        })?;
    }
    Ok(())
}

fn shows_no_frame_within_another(codec: &dyn TestedCodec) -> Result<(), Failure> {
    let inner = written(codec, view(&samples()[0]));
    let outer = written(codec, view(&(5, 6, 0, inner.repeat(2))));
    for length in 0..outer.len() as u32 {
        let mut changed = outer.clone();
        changed[..4].copy_from_slice(&length.to_le_bytes());
        if changed == outer {
            continue;
        }
        let (shown, told) = outcome(codec, &changed);
        ensure(shown == 0 && told, || {
            format!("with length {length}: {shown} entries, told as an error: {told}")
        })?;
    }
    Ok(())
}

fn refuses_bytes_that_were_changed(codec: &dyn TestedCodec) -> Result<(), Failure> {
    for sample in &samples() {
        let bytes = written(codec, view(sample));
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let (shown, told) = outcome(codec, &changed);
            ensure(shown == 0 && told, || {
                format!("bit {bit} was changed: {shown} entries, told as an error: {told}")
            })?;
        }
    }
    Ok(())
}

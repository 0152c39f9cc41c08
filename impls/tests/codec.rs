//! The conformance cases of codecs, over every implementation, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use ringside_conform::codec::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::codec::{DATA_MAX, EntryView, TestedCodec, TestedFrames};

fn tested() -> Vec<(String, Box<dyn TestedCodec>)> {
    let all = ringside_operations::all();
    let codecs = all.iter().filter(|one| one.meta().id.starts_with("codec/"));
    let mut tested = Vec::new();
    for operation in codecs {
        let meta = operation.meta();
        let values = meta.axes.first().map_or(&[""][..], |axis| axis.values);
        for value in values {
            let mut axes = Settings::default();
            if let Some(axis) = meta.axes.first() {
                axes.set(axis.name, value);
            }
            let Tested::Codec(codec) = operation.tested(&axes).unwrap() else {
                panic!("{} is no codec", meta.id);
            };
            tested.push((format!("{} {value}", meta.id), codec));
        }
    }
    tested
}

#[test]
fn every_implementation_passes_every_case() {
    let codecs = tested();
    assert_eq!(codecs.len(), 5);
    for (name, codec) in codecs {
        for case in cases() {
            assert_eq!(
                run(case.name, codec.as_ref()),
                Ok(()),
                "{name}: {}",
                case.name
            );
        }
    }
}

/// Codecs that do one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// A term has 32 bits.
    CutsTheTerm,
    /// Bytes of a frame that is not whole are forgotten.
    ForgetsParts,
    /// The end is always in order.
    SeesNoEnd,
    /// Any length is waited for.
    WaitsForever,
    /// There is no checksum.
    TrustsBytes,
    /// Behind a frame that was wrong it goes on with what follows.
    GoesOn,
}

struct Wrong(Fault);

/// Length, sum of all bytes, term, index, kind, data.
struct Frames(Fault, Vec<u8>);

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(1, |sum: u32, &byte| {
        (sum.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9e37_79b1)
    })
}

impl TestedCodec for Wrong {
    fn write(&self, entry: EntryView<'_>, out: &mut Vec<u8>) {
        let length = 17 + entry.data.len() as u32;
        let term = match self.0 {
            Fault::CutsTheTerm => u64::from(entry.term as u32),
            _ => entry.term,
        };
        let body = [
            &length.to_le_bytes()[..],
            &term.to_le_bytes(),
            &entry.index.to_le_bytes(),
            &[entry.kind],
            entry.data,
        ]
        .concat();
        out.extend_from_slice(&body[..4]);
        out.extend_from_slice(&sum(&body).to_le_bytes());
        out.extend_from_slice(&body[4..]);
    }

    fn reader(&self) -> Box<dyn TestedFrames> {
        Box::new(Frames(self.0, Vec::new()))
    }
}

impl TestedFrames for Frames {
    fn push(&mut self, bytes: &[u8]) {
        self.1.extend_from_slice(bytes);
    }

    fn next(&mut self, show: &mut dyn FnMut(EntryView<'_>)) -> Result<bool, String> {
        let Some(head) = self.1.first_chunk::<4>() else {
            return Ok(false);
        };
        let length = u32::from_le_bytes(*head) as usize;
        if length > DATA_MAX + 17 && self.0 != Fault::WaitsForever {
            return Err("too long".to_owned());
        }
        if self.1.len() < 8 + length {
            if self.0 == Fault::ForgetsParts {
                self.1.clear();
            }
            return Ok(false);
        }
        let frame = self.1[..8 + length].to_vec();
        let expected = u32::from_le_bytes(*frame[4..].first_chunk().unwrap());
        let is_right = sum(&[&frame[..4], &frame[8..]].concat()) == expected;
        if length < 17 || !(is_right || self.0 == Fault::TrustsBytes) {
            if self.0 == Fault::GoesOn {
                self.1.drain(..8 + length);
            }
            return Err("changed".to_owned());
        }
        self.1.drain(..8 + length);
        show(EntryView {
            term: u64::from_le_bytes(*frame[8..].first_chunk().unwrap()),
            index: u64::from_le_bytes(*frame[16..].first_chunk().unwrap()),
            kind: frame[24],
            data: &frame[25..],
        });
        Ok(true)
    }

    fn end(&self) -> Result<(), String> {
        let is_over = self.1.is_empty() || self.0 == Fault::SeesNoEnd;
        is_over.then_some(()).ok_or_else(|| "cut off".to_owned())
    }
}

#[test]
fn a_codec_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let names = cases().iter().map(|case| case.name);
        names
            .filter(|name| run(name, &Wrong(fault)).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::CutsTheTerm, "reads_what_was_written"),
        (Fault::ForgetsParts, "reads_bytes_that_come_in_parts"),
        (Fault::SeesNoEnd, "notices_that_bytes_are_missing"),
        (Fault::WaitsForever, "refuses_a_length_that_no_entry_has"),
        (Fault::TrustsBytes, "refuses_bytes_that_were_changed"),
        (Fault::GoesOn, "shows_no_frame_within_another"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}

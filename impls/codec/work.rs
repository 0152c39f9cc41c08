//! What all codecs have in common: what a thread does with one, how frames are read, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use ringside_contract::operations::codec::{
    CodecTask, DATA_MAX, Direction, EntryView, KIND_MAX, TestedCodec, TestedFrames,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

use crate::frame;
use crate::script::Random;

/// Bytes that are no entry, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// A codec with its name.
pub(crate) trait LogCodec: Send + Sync + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// An entry as it has it in memory.
    type Entry: Send + Sync;

    /// An entry of these fields.
    fn own(entry: EntryView<'_>) -> Self::Entry;

    /// Appends an entry's bytes.
    fn encode(entry: &Self::Entry, out: &mut BytesMut);

    /// Shows the entry that these bytes are, all of them.
    ///
    /// # Errors
    /// [`Malformed`].
    fn decode<R>(bytes: Bytes, show: impl FnOnce(EntryView<'_>) -> R) -> Result<R, Malformed>;
}

/// A line of the list.
pub(crate) struct Entry<C>(PhantomData<fn() -> C>);

impl<C> Entry<C> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<C: LogCodec> InProcess for Entry<C> {
    fn meta(&self) -> &'static ImplementationMeta {
        C::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        prepare::<C>(workload)
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(tested::<C>())
    }
}

/// Makes work of a codec.
pub(super) fn prepare<C: LogCodec>(workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
    let Task::Codec(task) = &workload.task else {
        return Err(workload.task.refused());
    };
    Ok(Box::new(Entries::<C>::new(task, workload.seed)))
}

/// A codec for conformance cases.
pub(super) fn tested<C: LogCodec>() -> Tested {
    Tested::Codec(Box::new(Any::<C>(PhantomData)))
}

struct Any<C>(PhantomData<fn() -> C>);

impl<C: LogCodec> TestedCodec for Any<C> {
    fn write(&self, entry: EntryView<'_>, out: &mut Vec<u8>) {
        let mut bytes = BytesMut::new();
        frame::write(&mut bytes, |out| C::encode(&C::own(entry), out));
        out.extend_from_slice(&bytes);
    }

    fn reader(&self) -> Box<dyn TestedFrames> {
        Box::new(Frames::<C> {
            came: BytesMut::new(),
            wrong: None,
            codec: PhantomData,
        })
    }
}

/// Frames from bytes that come in parts.
struct Frames<C> {
    came: BytesMut,
    /// Nothing behind what was wrong can be read: where the next frame begins is not known.
    wrong: Option<String>,
    codec: PhantomData<fn() -> C>,
}

impl<C: LogCodec> TestedFrames for Frames<C> {
    fn push(&mut self, bytes: &[u8]) {
        self.came.extend_from_slice(bytes);
    }

    fn next(&mut self, show: &mut dyn FnMut(EntryView<'_>)) -> Result<bool, String> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        self.entry(show)
            .inspect_err(|wrong| self.wrong = Some(wrong.clone()))
    }

    fn end(&self) -> Result<(), String> {
        match (&self.wrong, self.came.len()) {
            (Some(wrong), _) => Err(wrong.clone()),
            (None, 0) => Ok(()),
            (None, left) => Err(format!("a frame was cut off: {left} bytes of it came")),
        }
    }
}

impl<C: LogCodec> Frames<C> {
    fn entry(&mut self, show: &mut dyn FnMut(EntryView<'_>)) -> Result<bool, String> {
        let Some(length) = frame::whole(&self.came).map_err(|error| error.to_string())? else {
            return Ok(false);
        };
        let mut whole = self.came.split_to(frame::HEAD + length).freeze();
        let payload = frame::read(&mut whole).map_err(|error| error.to_string())?;
        let payload = payload.ok_or("a frame that was whole is none")?;
        C::decode(payload, |entry| {
            if entry.kind > KIND_MAX {
                return Err(format!("there is no entry of kind {}", entry.kind));
            }
            if entry.data.len() > DATA_MAX {
                let size = entry.data.len();
                return Err(format!(
                    "an entry with {size} bytes of data; no more than {DATA_MAX} are allowed"
                ));
            }
            show(entry);
            Ok(())
        })
        .map_err(|Malformed(because)| because)??;
        Ok(true)
    }
}

/// Entries, as they are in memory and as bytes.
struct Entries<C: LogCodec> {
    entries: Box<[Written<C::Entry>]>,
    task: CodecTask,
    /// Entries that were read and not those that were written.
    wrong: AtomicU64,
}

struct Written<E> {
    entry: E,
    bytes: Bytes,
    term: u64,
    index: u64,
    /// What looking at its data gives.
    looked: u64,
}

impl<C: LogCodec> Entries<C> {
    fn new(task: &CodecTask, seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let size = (task.size as usize).min(DATA_MAX);
        // No more than a cache of a core holds, if one entry does, so that memory is not what is measured.
        let fit = (CACHED / (2 * size + 64)).clamp(1, 1024);
        // A power of two, so that finding the next one takes no division.
        let count = 1 << fit.ilog2();
        let entries = (0..count).map(|number| {
            let data: Vec<u8> = (0..size).map(|_| random.word() as u8).collect();
            let view = EntryView {
                term: random.word() >> 40,
                index: number as u64,
                kind: 0,
                data: &data,
            };
            let (entry, mut bytes) = (C::own(view), BytesMut::new());
            write::<C>(&entry, task.framed, &mut bytes);
            Written {
                entry,
                bytes: bytes.freeze(),
                term: view.term,
                index: view.index,
                looked: look(view.data),
            }
        });
        Self {
            entries: entries.collect(),
            task: task.clone(),
            wrong: AtomicU64::new(0),
        }
    }
}

/// Half of the second cache of a core that has a small one.
const CACHED: usize = 256 << 10;

#[inline]
fn write<C: LogCodec>(entry: &C::Entry, framed: bool, out: &mut BytesMut) {
    if framed {
        frame::write(out, |out| C::encode(entry, out));
    } else {
        C::encode(entry, out);
    }
}

/// A byte of each end: what comes from data that were not copied has to be loaded all the same.
#[inline]
fn look(data: &[u8]) -> u64 {
    let ends = data.first().zip(data.last());
    ends.map_or(0, |(&first, &last)| u64::from(first) << 8 | u64::from(last))
}

impl<C: LogCodec> Prepared for Entries<C> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread {
            entries: self,
            out: BytesMut::new(),
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} entries were read as others than were written"
            )),
        }
    }
}

/// What one thread works with.
struct Thread<'a, C: LogCodec> {
    entries: &'a Entries<C>,
    /// Written to again and again, as where bytes leave from.
    out: BytesMut,
}

impl<C: LogCodec> Thread<'_, C> {
    #[inline]
    fn encode(&mut self, written: &Written<C::Entry>) -> bool {
        self.out.clear();
        write::<C>(&written.entry, self.entries.task.framed, &mut self.out);
        self.out.len() == written.bytes.len()
    }

    #[inline]
    fn decode(&self, written: &Written<C::Entry>) -> bool {
        let mut bytes = written.bytes.clone();
        if self.entries.task.framed {
            match frame::read(&mut bytes) {
                Ok(Some(payload)) => bytes = payload,
                _ => return false,
            }
        }
        let is_right = |entry: EntryView<'_>| {
            (entry.term, entry.index, entry.kind) == (written.term, written.index, 0)
                && look(entry.data) == written.looked
        };
        C::decode(bytes, is_right) == Ok(true)
    }
}

impl<C: LogCodec> Work for Thread<'_, C> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let entries = self.entries;
        let (mut sum, mut wrong) = (0_u64, 0);
        for number in first..first + u64::from(count) {
            let written = &entries.entries[number as usize & (entries.entries.len() - 1)];
            let is_right = match entries.task.direction {
                Direction::Encode => self.encode(written),
                Direction::Decode => self.decode(written),
                Direction::Both => self.encode(written) && self.decode(written),
            };
            wrong += u64::from(!is_right);
            sum = sum.rotate_left(5) ^ self.out.len() as u64;
        }
        if wrong > 0 {
            entries.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}

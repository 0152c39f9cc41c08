//! Codecs, rings and maps, for counts of instructions: 100 operations of each. Hash functions are in `hash/counted.rs`.

use std::hint::black_box;

use ringside_contract::CountedFunction;
use ringside_contract::operations::codec::{CodecTask, Direction};
use ringside_contract::operations::hash::KeyForm;
use ringside_contract::operations::map::{KeyChoice, MapTask};
use ringside_contract::operations::ring::RingTask;
use ringside_contract::operations::{InProcess, Task};

use crate::{alone, codec, map, ring};

/// Names and what prepares them, by id.
macro_rules! counted {
    ($($id:literal: $all:expr, $task:expr;)+) => {
        &[$(CountedFunction {
            name: $id,
            prepare: || operations($all, $id, $task),
        }),+]
    };
}

/// In the order of reports. Of maps those are missing that free what was removed at moments of their own.
pub(crate) const FUNCTIONS: &[CountedFunction] = counted! {
    "codec/bincode": codec::all(), written_and_read();
    "codec/zero_copy": codec::all(), written_and_read();
    "codec/rkyv": codec::all(), written_and_read();
    "codec/prost": codec::all(), written_and_read();
    "map/mutex": map::all(), looked_up();
    "map/sharded": map::all(), looked_up();
    "map/bucketed": map::all(), looked_up();
    "ring/sorted": ring::all(), found();
    "ring/jump": ring::all(), found();
    "ring/maglev": ring::all(), found();
};

fn written_and_read() -> Task {
    Task::Codec(CodecTask {
        size: 256,
        direction: Direction::Both,
        framed: false,
    })
}

fn looked_up() -> Task {
    Task::Map(MapTask {
        entries: 1024,
        reads: 100,
        keys: KeyChoice::Uniform,
        chained: false,
    })
}

fn found() -> Task {
    Task::Ring(RingTask {
        nodes: 100,
        keys: KeyForm::User,
    })
}

/// Does them. What they work on lives as long as the process, which counts one function and ends.
fn operations(all: &[&'static dyn InProcess], id: &str, task: Task) -> Box<dyn FnMut()> {
    let prepared =
        alone::prepared(all, id, 1, task).expect("it is on the list, and takes its task");
    let mut work = Box::leak(prepared).work(0);
    let mut first = 0;
    Box::new(move || {
        ringside_metal::plant::operations(COUNT.into());
        black_box(work.run(first, COUNT));
        first += u64::from(COUNT);
    })
}

const COUNT: u32 = 100;

//! What an operation of one thread costs, by criterion: `just bench-ops`, or `just bench-ops hash/throughput/64` for
//! a part.
//!
//! A look while something is written, in one process and without turns: reports and verdicts come from `ringside`
//! alone.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringside_contract::Settings;
use ringside_contract::operations::affinity::AffinityTask;
use ringside_contract::operations::backends::BackendTask;
use ringside_contract::operations::codec::{CodecTask, Direction};
use ringside_contract::operations::counters::CounterTask;
use ringside_contract::operations::events::EventTask;
use ringside_contract::operations::hash::{HashTask, KeyForm};
use ringside_contract::operations::map::{KeyChoice, MapTask};
use ringside_contract::operations::pool::{BufferSizes, PoolTask};
use ringside_contract::operations::rate_limit::RateTask;
use ringside_contract::operations::ring::RingTask;
use ringside_contract::operations::{Task, Workload};

/// Operations of one call.
const BATCH: u32 = 1000;

/// What is done, by the name of its group.
fn tasks() -> Vec<(String, Task)> {
    let keys = |length| {
        Task::Hash(HashTask::Keys {
            length,
            mixed: false,
            chained: false,
        })
    };
    let table = |keys| {
        Task::Hash(HashTask::Table {
            entries: 10_000,
            keys,
        })
    };
    let map = |reads| {
        Task::Map(MapTask {
            entries: 10_000,
            reads,
            keys: KeyChoice::Uniform,
            chained: false,
        })
    };
    let lengths = [8, 64, 1024, 65_536];
    let mut tasks: Vec<_> = lengths
        .map(|length| (format!("hash/throughput/{length}"), keys(length)))
        .into();
    tasks.push(("hash/lookup/user".to_owned(), table(KeyForm::User)));
    let ring = Task::Ring(RingTask {
        nodes: 100,
        keys: KeyForm::User,
    });
    tasks.push(("ring/lookup".to_owned(), ring));
    tasks.push(("map/read".to_owned(), map(100)));
    tasks.push(("map/write".to_owned(), map(0)));
    let counters = Task::Counters(CounterTask { reads: 0 });
    tasks.push(("counters/uncontended".to_owned(), counters));
    tasks.extend(others().map(|(name, task)| (name.to_owned(), task)));
    tasks
}

/// What has one size that matters.
fn others() -> [(&'static str, Task); 7] {
    let affinity = AffinityTask {
        sessions: 10_000,
        fresh: 0,
        keys: KeyChoice::Uniform,
    };
    let backends = BackendTask {
        backends: 16,
        ill: 4,
        changes: 1,
    };
    let codec = CodecTask {
        size: 256,
        direction: Direction::Both,
        framed: false,
    };
    let connections = PoolTask::Connections {
        most: 100,
        elapsed_operations: 100_000,
    };
    let buffers = PoolTask::Buffers {
        sizes: BufferSizes::Mixed,
        held: 16,
    };
    let rate = RateTask {
        rate_per_s: 1_000_000_000,
    };
    [
        ("affinity/lookup", Task::Affinity(affinity)),
        ("backends/pick", Task::Backends(backends)),
        ("codec/log_entry", Task::Codec(codec)),
        ("events/fan", Task::Events(EventTask { subscribers: 4 })),
        ("pool/connections", Task::Pool(connections)),
        ("pool/buffers", Task::Pool(buffers)),
        ("rate_limit/ask", Task::RateLimit(rate)),
    ]
}

fn operations(criterion: &mut Criterion) {
    for (name, task) in tasks() {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(BATCH.into()));
        let workload = Workload {
            threads: 1,
            batch: BATCH,
            seed: 1,
            task,
        };
        for operation in ringside_operations::all() {
            // Of another family, or without what it needs of the processor.
            let Ok(prepared) = operation.prepare(&Settings::default(), &workload) else {
                continue;
            };
            let (mut work, mut next) = (prepared.work(0), 0);
            group.bench_function(operation.meta().id, |bencher| {
                bencher.iter(|| {
                    next += u64::from(BATCH);
                    work.run(black_box(next), BATCH)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);

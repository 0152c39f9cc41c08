//! A worker and its generator from end to end, with an operation that counts.

use std::hint::spin_loop;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringside_contract::operations::map::{KeyChoice, MapTask};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{
    Arrivals, BlockTiming, ImplementationMeta, Measures, ServeOptions, Service, Settings,
    StartError,
};

use super::orders::{Order, Reply, RunOrder, Talk};
use super::{drive, serve, take_turns};
use crate::error::LoadError;
use crate::options::{DriveOptions, TurnOptions};

/// Counts its operations, is wrong from a number on, panics in one of its threads from a number on, and takes its time.
struct Counting {
    takes: Duration,
    wrong_from: u64,
    panics_from: u64,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "map/counting",
    about: "Counts.",
    axes: &[],
    ranked: true,
};

struct Counted {
    takes: Duration,
    done: AtomicU64,
    wrong_from: u64,
    panics_from: u64,
}

struct CountingWork<'a> {
    takes: Duration,
    counted: &'a AtomicU64,
    next: u64,
    panics_from: u64,
}

impl InProcess for Counting {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        if workload.batch == REFUSED {
            return Err(StartError::Unsupported {
                reason: "such a batch is refused".to_owned(),
            });
        }
        Ok(Box::new(Counted {
            takes: self.takes,
            done: AtomicU64::new(0),
            wrong_from: self.wrong_from,
            panics_from: self.panics_from,
        }))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Err(StartError::Unsupported {
            reason: "there is nothing to test".to_owned(),
        })
    }
}

impl Prepared for Counted {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        Box::new(CountingWork {
            takes: self.takes,
            counted: &self.done,
            next: 0,
            panics_from: if thread == 1 {
                self.panics_from
            } else {
                u64::MAX
            },
        })
    }

    fn check(&self) -> Result<(), String> {
        let done = self.done.load(Ordering::Relaxed);
        if done < self.wrong_from {
            Ok(())
        } else {
            Err(format!("{done} were done"))
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        vec![("done".to_owned(), self.done.load(Ordering::Relaxed) as f64)]
    }
}

impl Work for CountingWork<'_> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        assert_eq!(first, self.next, "operations follow one another");
        assert!(first < self.panics_from, "on purpose");
        let began = Instant::now();
        while began.elapsed() < self.takes {
            spin_loop();
        }
        self.next += u64::from(count);
        self.counted.fetch_add(count.into(), Ordering::Relaxed)
    }
}

static RIGHT: Counting = Counting {
    takes: Duration::ZERO,
    wrong_from: u64::MAX,
    panics_from: u64::MAX,
};
static WRONG: Counting = Counting {
    wrong_from: 1,
    ..RIGHT
};
static SLOW: Counting = Counting {
    takes: Duration::from_millis(1),
    ..RIGHT
};
static PANICS: Counting = Counting {
    // While it finds out how many operations make a batch.
    panics_from: 4,
    ..RIGHT
};

fn start(operation: &'static Counting) -> Box<dyn Service> {
    let case = |_: &dyn InProcess, _: &Settings, name: &str| match name {
        "good" => Ok(()),
        other => Err(format!("{other} failed")),
    };
    serve(operation, &ServeOptions::local(Settings::default()), case).unwrap()
}

const REFUSED: u32 = 7;

fn workload(threads: u32, batch: u32) -> Workload {
    Workload {
        threads,
        batch,
        seed: 1,
        task: Task::Map(MapTask {
            entries: 1,
            reads: 100,
            keys: KeyChoice::Hot,
            chained: false,
        }),
    }
}

fn options(target: SocketAddr) -> DriveOptions {
    DriveOptions {
        targets: vec![target],
        seed: 1,
        timing: BlockTiming {
            warmup_ms: 2,
            measure_ms: 20,
            count_ms: 0,
        },
        cpus: Vec::new(),
        watch: Some(std::process::id()),
        congestion: None,
        allow_remote: false,
        server_cores: 1.0,
    }
}

fn driven(
    service: &dyn Service,
    workload: &Workload,
    arrivals: &Arrivals,
) -> Result<Measures, LoadError> {
    drive(
        workload,
        arrivals,
        &options(service.endpoint().addresses[0]),
    )
}

/// So long that each thread comes to work in it, also beside other tests.
const LONG: BlockTiming = BlockTiming {
    warmup_ms: 2,
    measure_ms: 200,
    count_ms: 0,
};

const CLOSED: Arrivals = Arrivals::Closed { window: 1 };

#[test]
fn threads_work_for_the_time_asked_for_and_all_is_counted() {
    let service = start(&RIGHT);
    // One worker, one block after the other, with other threads.
    for threads in [1, 3] {
        let options = DriveOptions {
            timing: LONG,
            ..options(service.endpoint().addresses[0])
        };
        let measures = drive(&workload(threads, 10), &CLOSED, &options).unwrap();
        // It begins behind the last batch of the warm-up, and on a busy machine later.
        assert!(measures.duration_s > 0.02, "{measures:?}");
        assert!(measures.operations > 0 && measures.operations.is_multiple_of(10));
        let rate = measures.operations as f64 / measures.duration_s;
        assert!((measures.throughput_per_s - rate).abs() < 1e-6 * rate);
        let told = measures.threads.unwrap();
        assert_eq!(told.threads, threads);
        assert!((0.0..=1.0).contains(&told.fairness), "{told:?}");
        assert!(told.core_share > 0.0, "{told:?}");
        assert!(told.batch_p50_ns > Some(0.0), "{told:?}");
        // Those of the warm-up are in it too.
        assert!(told.figures["done"] > measures.operations as f64);
        let server = measures.server.unwrap();
        assert!(server.cpu_ns > 0 && server.cores == f64::from(threads));
    }
    service.stop().unwrap();
}

#[test]
fn an_open_loop_starts_as_many_as_were_asked_for() {
    let service = start(&RIGHT);
    for poisson in [false, true] {
        let arrivals = Arrivals::Open {
            rate_per_s: 5_000.0,
            poisson,
            window: 1,
        };
        let measures = driven(service.as_ref(), &workload(2, 10), &arrivals).unwrap();
        // 100 in 20 ms; the bounds of a Poisson variate are far wider than five deviations.
        assert!((40..=170).contains(&measures.offered), "{measures:?}");
        let ended = measures.operations + measures.unanswered;
        assert_eq!(ended, measures.offered, "{measures:?}");
        assert!(measures.latency.unwrap().p50_us > 0.0);
    }
    service.stop().unwrap();
}

#[test]
fn an_open_loop_that_cannot_keep_up_ends_in_time_and_tells_what_was_left() {
    let service = start(&SLOW);
    let arrivals = Arrivals::Open {
        rate_per_s: 1e6,
        poisson: false,
        window: 1,
    };
    let measures = driven(service.as_ref(), &workload(1, 10), &arrivals).unwrap();
    // An operation takes a millisecond and more, so that 20 of 20,000 are started at most.
    assert!(measures.duration_s < 1.0, "{measures:?}");
    assert_eq!(measures.offered, 20_000);
    assert!(measures.unanswered >= 19_980, "{measures:?}");
    let latency = measures.latency.unwrap();
    // Half of them would have had to wait for 10 ms and more.
    assert!(latency.p50_us > 5_000.0, "{latency:?}");
    let offered = Arrivals::Open {
        rate_per_s: 1e12,
        poisson: false,
        window: 1,
    };
    let error = driven(service.as_ref(), &workload(1, 10), &offered).unwrap_err();
    assert!(error.to_string().contains("lower rate"), "{error}");
    service.stop().unwrap();
}

#[test]
fn workers_take_turns() {
    let workers = [start(&RIGHT), start(&RIGHT)];
    let options = TurnOptions {
        servers: workers
            .iter()
            .map(|worker| (worker.endpoint().addresses[0], std::process::id()))
            .collect(),
        order: vec![vec![0, 1], vec![1, 0]],
        timing: BlockTiming {
            count_ms: LONG.measure_ms,
            ..LONG
        },
        seed: 1,
        cpus: Vec::new(),
        congestion: None,
        allow_remote: false,
    };
    let taken = take_turns(&workload(2, 10), &CLOSED, &options).unwrap();
    let places: Vec<_> = taken
        .turns
        .iter()
        .map(|turn| (turn.round, turn.server))
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 1), (1, 0)]);
    for turn in &taken.turns {
        assert!(turn.operations > 0 && turn.wrong == 0, "{turn:?}");
        assert!(
            turn.wall_ns >= 5_000_000 && turn.server_cpu_ns > 0,
            "{turn:?}"
        );
        assert_eq!(turn.whole_operations(), turn.operations);
    }
    assert_eq!(taken.counts.len(), 2);
    assert!(
        taken.counts.iter().all(|count| count.operations > 0),
        "{taken:?}"
    );
    workers
        .into_iter()
        .for_each(|worker| _ = worker.stop().unwrap());
}

#[test]
fn what_was_wrong_is_told() {
    let service = start(&WRONG);
    let measures = driven(service.as_ref(), &workload(1, 10), &CLOSED).unwrap();
    assert_eq!(measures.corrupt, 1);
    assert!(
        measures.error_samples[0].contains("were done"),
        "{measures:?}"
    );
    service.stop().unwrap();
}

#[test]
fn a_workload_that_is_refused_is_told_and_the_next_one_is_taken() {
    let service = start(&RIGHT);
    let error = driven(service.as_ref(), &workload(1, REFUSED), &CLOSED).unwrap_err();
    assert!(error.to_string().contains("is refused"), "{error}");
    let sweep = Arrivals::Sweep {
        rates_per_s: vec![1.0],
        poisson: false,
        window: 1,
    };
    let error = driven(service.as_ref(), &workload(1, 1), &sweep).unwrap_err();
    assert!(error.to_string().contains("sweep"), "{error}");
    driven(service.as_ref(), &workload(1, 1), &CLOSED).unwrap();
    service.stop().unwrap();
}

#[test]
fn a_thread_that_panics_is_told_of_and_the_next_workload_is_taken() {
    let service = start(&PANICS);
    let address = service.endpoint().addresses[0];
    let mut talk = Talk::new(TcpStream::connect(address).unwrap()).unwrap();
    talk.say(&Order::Prepare(workload(3, 10))).unwrap();
    assert!(matches!(talk.hear(), Ok(Some(Reply::Done))));
    let order = RunOrder {
        warmup_ns: 0,
        measure_ns: 1_000_000,
        rate_per_s: None,
        poisson: false,
        seed: 1,
    };
    // The second time it is gone already, and the others must not wait for it.
    for _ in 0..2 {
        talk.say(&Order::Run(order)).unwrap();
        let Ok(Some(Reply::Failed(because))) = talk.hear() else {
            panic!("a run with a thread that panicked was no failure");
        };
        assert!(because.contains("a thread has panicked"), "{because}");
    }
    talk.say(&Order::Prepare(workload(1, 10))).unwrap();
    assert!(matches!(talk.hear(), Ok(Some(Reply::Done))));
    drop(talk);
    driven(service.as_ref(), &workload(1, 10), &CLOSED).unwrap();
    service.stop().unwrap();
}

#[test]
fn a_worker_runs_cases_and_survives_what_is_no_order() {
    use std::io::{BufRead, BufReader, Write};

    let service = start(&RIGHT);
    let say = |line: &str| {
        let mut stream = TcpStream::connect(service.endpoint().addresses[0]).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer
    };
    assert_eq!(say("{\"case\":\"good\"}\n"), "\"done\"\n");
    assert_eq!(say("{\"case\":\"bad\"}\n"), "{\"failed\":\"bad failed\"}\n");
    assert_eq!(say("hello\n"), "");
    let early =
        r#"{"run":{"warmup_ns":0,"measure_ns":1,"rate_per_s":null,"poisson":false,"seed":0}}"#;
    assert!(say(&format!("{early}\n")).contains("nothing is prepared"));
    service.stop().unwrap();
}

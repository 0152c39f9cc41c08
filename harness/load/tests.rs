//! Tests of the whole driver against small servers in the same process.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ringside_contract::{Arrivals, BlockTiming, LoadPlan, SocketOptions};

use crate::{DriveOptions, LoadError, drive};

use crate::testing::{
    MESSAGE, Numbers, Server, closed, echo, load, numbers, open, options, params,
};

#[test]
fn a_closed_loop_counts_what_the_server_answered() {
    let answered = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&answered);
    let server = Server::start(move |stream| {
        echo(|_| _ = counter.fetch_add(1, Ordering::Relaxed))(stream);
    });
    let measures = load(&numbers(closed(5, 3)), &options(&server));
    assert!(measures.operations > 0);
    assert!(measures.operations <= answered.load(Ordering::Relaxed));
    assert_eq!(
        (measures.errors, measures.corrupt, measures.timeouts),
        (0, 0, 0)
    );
    assert_eq!((measures.connections, measures.offered), (5, 0));
    assert_eq!(measures.error_samples, Vec::<String>::new());
    let per_s = measures.operations as f64 / measures.duration_s;
    assert!((measures.throughput_per_s / per_s - 1.0).abs() < 1e-9);
    // Both directions carry whole messages; a few of them were cut by the window's ends.
    let bytes = measures.operations * MESSAGE as u64;
    let cut = 15 * MESSAGE as u64;
    assert!(
        measures.bytes_received.abs_diff(bytes) <= cut,
        "{} {bytes}",
        measures.bytes_received
    );
    assert!(
        measures.bytes_sent.abs_diff(bytes) <= cut,
        "{} {bytes}",
        measures.bytes_sent
    );
}

#[test]
fn both_sides_and_the_machine_are_watched() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let measures = load(&numbers(closed(4, 1)), &options(&server));
    let side = measures.server.expect("its process is watched");
    assert!(side.cpu_ns > 0 && side.rss_peak_bytes >= side.rss_bytes && side.rss_bytes > 0);
    assert!(side.threads >= 5, "{}", side.threads);
    assert!(measures.generator.cpu_ns > 0 && measures.generator.cpu_ns <= side.cpu_ns);
    assert!(!measures.system.cpu_busy.is_empty());
    assert!(measures.limited_by.is_some());
    let latency = measures.latency.expect("operations ended");
    assert!(latency.p50_us <= latency.p99_us && latency.p99_us <= latency.max_us);
    assert!(!latency.histogram.is_empty());
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 20,
            measure_ms: 500,
            count_ms: 0,
        },
        ..options(&server)
    };
    let measures = load(&numbers(open(8, 1000.0)), &options);
    let offered_per_s = measures.offered as f64 / measures.duration_s;
    // The schedule catches up with what a busy machine delays, so only the ends are uncertain.
    assert!((800.0..1200.0).contains(&offered_per_s), "{offered_per_s}");
    assert_eq!(measures.errors + measures.corrupt, 0);
}

#[test]
fn a_stall_of_the_server_is_in_the_latency_of_all_operations_that_it_delayed() {
    let server = Server::start(|stream| {
        let mut answers = 0;
        echo(|_| {
            answers += 1;
            if answers % 100 == 0 {
                thread::sleep(Duration::from_millis(50));
            }
        })(stream);
    });
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 0,
            measure_ms: 600,
            count_ms: 0,
        },
        ..options(&server)
    };
    // One connection at 1,000/s: each stall of 50 ms falls upon 50 intended times, not upon one.
    let measures = load(&numbers(open(1, 1000.0)), &options);
    let latency = measures.latency.unwrap();
    assert!(latency.p99_us > 40_000.0, "{latency:?}");
    assert!(latency.p90_us > 20_000.0, "{latency:?}");
    assert!(
        measures
            .warnings
            .iter()
            .any(|warning| warning.contains("waited")),
        "{:?}",
        measures.warnings
    );
}

/// Answers so many messages at once and no further one, for good.
fn stalls_after(answers: usize) -> Server {
    Server::start(move |mut stream| {
        let mut message = [0; MESSAGE];
        for _ in 0..answers {
            if stream.read_exact(&mut message).is_err() || stream.write_all(&message).is_err() {
                return;
            }
        }
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink);
    })
}

fn stalled(plan: LoadPlan, answers: usize) -> ringside_contract::Measures {
    let server = stalls_after(answers);
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 0,
            measure_ms: 400,
            count_ms: 0,
        },
        ..options(&server)
    };
    let measures = load(&numbers(plan), &options);
    let told = |warning: &String| warning.contains("nothing completed in the last half");
    assert!(
        measures.warnings.iter().any(told),
        "{:?}",
        measures.warnings
    );
    measures
}

#[test]
fn a_stall_that_never_ends_is_in_the_latency_of_an_open_loop() {
    let measures = stalled(open(1, 1000.0), 50);
    let latency = measures.latency.unwrap();
    // 50 answers in the first 50 ms; the other 350 operations wait for 0 to 350 ms.
    assert!(latency.p99_us > 200_000.0, "{latency:?}");
    assert!(latency.p50_us > 50_000.0, "{latency:?}");
    let told = measures.operations + measures.unanswered;
    assert!(measures.unanswered > 200, "{}", measures.unanswered);
    assert_eq!(measures.offered, told, "every offered operation is told of");
}

#[test]
fn a_stall_that_never_ends_is_in_the_latency_of_a_closed_loop() {
    let measures = stalled(closed(3, 2), 50);
    assert!(measures.stopped);
    assert_eq!(measures.unanswered, 6);
    assert!(measures.latency.unwrap().max_us > 200_000.0);
}

#[test]
fn wrong_answers_are_counted_as_corrupt() {
    let server = Server::start(|stream| echo(|message| message[0] ^= 1)(stream));
    let measures = load(&numbers(closed(2, 1)), &options(&server));
    assert!(measures.operations > 0);
    // Those of the warm-up are told of too.
    assert!(measures.corrupt >= measures.operations);
    assert!(measures.throughput_per_s < 1e-9);
}

#[test]
fn a_wrong_answer_before_the_measured_window_is_told_of() {
    let server = Server::start(|stream| {
        let mut first = true;
        echo(|message| message[0] ^= u8::from(std::mem::take(&mut first)))(stream);
    });
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 100,
            measure_ms: 100,
            count_ms: 0,
        },
        ..options(&server)
    };
    let measures = load(&numbers(closed(2, 1)), &options);
    assert_eq!(measures.corrupt, 2);
}

#[test]
fn operations_lost_without_any_answer_are_in_the_latency() {
    let server = Server::start(|mut stream| {
        let _ = stream.read_exact(&mut [0; MESSAGE]);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let measures = load(&numbers(closed(2, 1)), &options(&server));
    assert!(measures.errors > 0 && measures.errors == measures.operations);
    assert!(measures.latency.is_some_and(|latency| latency.max_us > 0.0));
}

#[test]
fn operations_lost_with_their_connection_are_errors_and_it_is_opened_again() {
    let server = Server::start(|mut stream| {
        let mut message = [0; MESSAGE];
        for answer in 0..5 {
            if stream.read_exact(&mut message).is_err() || answer == 4 {
                break;
            }
            stream.write_all(&message).unwrap();
        }
        // The fifth message stays without an answer.
        let _ = stream.shutdown(Shutdown::Both);
    });
    let measures = load(&numbers(closed(2, 1)), &options(&server));
    assert!(
        measures.errors > 0 && measures.errors < measures.operations,
        "{measures:?}"
    );
    assert_eq!(measures.corrupt, 0);
    assert!(
        measures
            .error_samples
            .iter()
            .any(|sample| sample.contains("closed"))
    );
    assert!(server.accepted.load(Ordering::Relaxed) > 2);
}

#[test]
fn operations_without_an_answer_are_timeouts() {
    let server = Server::start(|mut stream| {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink);
    });
    let plan = LoadPlan {
        timeout: Duration::from_millis(30),
        ..closed(3, 1)
    };
    let measures = load(&numbers(plan), &options(&server));
    assert!(measures.timeouts >= 3, "{measures:?}");
    assert_eq!(measures.operations, 0);
}

#[test]
fn bytes_that_nobody_wants_to_see_are_discarded_and_counted() {
    const PADDING: usize = 300_000;
    let server = Server::start(|mut stream| {
        let mut answer = vec![7; MESSAGE + PADDING];
        while stream.read_exact(&mut answer[..MESSAGE]).is_ok() {
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    });
    let scenario = Numbers {
        padding: PADDING as u64,
        ..numbers(closed(2, 1))
    };
    let measures = load(&scenario, &options(&server));
    assert!(measures.operations > 0);
    assert_eq!((measures.corrupt, measures.errors), (0, 0));
    let whole = measures.operations * (MESSAGE + PADDING) as u64;
    assert!(measures.bytes_received + 2 * (PADDING as u64) > whole);
}

#[test]
fn parts_of_large_operations_count_by_their_bytes() {
    const PIECE: usize = 10_000;
    let server = Server::start(|mut stream| {
        let mut message = [0; MESSAGE];
        while stream.read_exact(&mut message).is_ok() {
            let mut sent = stream.write_all(&message);
            for _ in 0..10 {
                sent = sent.and_then(|()| stream.write_all(&[7; PIECE]));
                thread::sleep(Duration::from_millis(5));
            }
            if sent.is_err() {
                return;
            }
        }
    });
    let scenario = |operations_min| Numbers {
        padding: 10 * PIECE as u64,
        ..numbers(LoadPlan {
            operations_min,
            ..closed(1, 1)
        })
    };
    let measures = load(&scenario(1), &options(&server));
    let answer = (MESSAGE + 10 * PIECE) as f64;
    let parts = measures.operations_by_bytes.expect("one answer ended");
    assert!((parts - measures.bytes_received as f64 / answer).abs() < 1e-9);
    assert!((measures.throughput_per_s - parts / measures.duration_s).abs() < 1e-9);
    let whole = load(&scenario(0), &options(&server));
    assert_eq!(whole.operations_by_bytes, None);
}

#[test]
fn a_session_can_ask_for_another_connection_after_each_operation() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let scenario = Numbers {
        reconnect: true,
        ..numbers(closed(3, 1))
    };
    let measures = load(&scenario, &options(&server));
    assert!(measures.operations > 0);
    assert_eq!((measures.errors, measures.connect_failures), (0, 0));
    assert!(measures.connects > measures.operations / 2);
    assert!(server.accepted.load(Ordering::Relaxed) >= measures.operations);
}

#[test]
fn a_throttled_connection_reads_at_its_rate() {
    let server = Server::start(|mut stream| {
        let bytes = vec![0; 64 << 10];
        let mut message = [0; MESSAGE];
        if stream.read_exact(&mut message).is_ok() {
            while stream.write_all(&bytes).is_ok() {}
        }
    });
    let sockets = SocketOptions {
        receive_buffer: Some(64 << 10),
        read_bytes_per_s: Some(2_000_000),
    };
    let plan = LoadPlan {
        sockets,
        ..closed(2, 1)
    };
    // The answer never ends: everything behind its first bytes is discarded, at the pace.
    let scenario = Numbers {
        padding: u64::MAX / 2,
        ..numbers(plan)
    };
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 50,
            measure_ms: 400,
            count_ms: 0,
        },
        ..options(&server)
    };
    let measures = load(&scenario, &options);
    let per_s = measures.bytes_received as f64 / measures.duration_s;
    // Each connection may be one piece of a fiftieth of a second ahead.
    assert!(per_s > 0.0 && per_s < 4_500_000.0, "{per_s}");
}

#[test]
fn a_block_goes_on_until_it_has_enough_operations_or_four_times_its_length_passed() {
    let server = Server::start(|stream| {
        echo(|_| thread::sleep(Duration::from_millis(40)))(stream);
    });
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 0,
            measure_ms: 30,
            count_ms: 0,
        },
        ..options(&server)
    };
    let enough = load(
        &numbers(LoadPlan {
            operations_min: 1,
            ..closed(1, 1)
        }),
        &options,
    );
    assert!(
        enough.operations >= 1 && enough.duration_s >= 0.03,
        "{enough:?}"
    );
    let never = load(
        &numbers(LoadPlan {
            operations_min: 1000,
            ..closed(1, 1)
        }),
        &options,
    );
    assert!(
        never.duration_s >= 0.12 && never.operations < 1000,
        "{never:?}"
    );
}

#[test]
fn a_sweep_ends_at_the_knee() {
    // One connection that takes 2 ms for each answer cannot do more than 500 a second.
    let server = Server::start(|stream| {
        echo(|_| thread::sleep(Duration::from_millis(2)))(stream);
    });
    let rates_per_s = vec![50.0, 2000.0, 4000.0];
    let arrivals = Arrivals::Sweep {
        rates_per_s,
        poisson: true,
        window: 1,
    };
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 20,
            measure_ms: 200,
            count_ms: 50,
        },
        ..options(&server)
    };
    let measures = load(
        &numbers(LoadPlan {
            arrivals,
            ..closed(1, 1)
        }),
        &options,
    );
    assert!(
        !measures.sweep.is_empty() && measures.sweep.len() <= 2,
        "{:?}",
        measures.sweep.len()
    );
    let last = measures.sweep.last().unwrap();
    assert!(last.achieved_per_s < 0.95 * last.offered_per_s);
    assert!(
        measures.latency.is_none(),
        "steps have latencies of their own"
    );
}

#[test]
fn a_sweep_far_beyond_all_capacity_ends_after_its_first_step() {
    let server = Server::start(|stream| {
        echo(|_| thread::sleep(Duration::from_millis(2)))(stream);
    });
    // The steps of rate=400000: the first of them is beyond 4 connections at 500 a second each.
    let arrivals = Arrivals::Sweep {
        rates_per_s: [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0]
            .map(|part| part * 400_000.0)
            .to_vec(),
        poisson: false,
        window: 4,
    };
    let plan = LoadPlan {
        arrivals,
        ..closed(4, 1)
    };
    let measures = load(&numbers(plan), &options(&server));
    let [step] = measures.sweep.as_slice() else {
        panic!("{} steps", measures.sweep.len());
    };
    assert!(step.achieved_per_s <= 2500.0, "{}", step.achieved_per_s);
    // What the server did not get to is in the latency of the step: nearly all waited for long.
    assert!(step.latency.p50_us > 20_000.0, "{}", step.latency.p50_us);
    let all = measures.operations + measures.unanswered;
    assert!(measures.unanswered * 10 > all * 9, "{all} operations");
    // All that backlog does not keep it from ending.
    assert!(measures.duration_s < 5.0, "{}", measures.duration_s);
}

#[test]
fn a_processor_or_a_congestion_control_that_is_not_there_is_named() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let refused = |options: &DriveOptions| {
        drive(&numbers(closed(1, 1)), &params(), options)
            .unwrap_err()
            .to_string()
    };
    for cpu in [1023, 100_000] {
        let error = refused(&DriveOptions {
            cpus: vec![0, cpu],
            ..options(&server)
        });
        assert!(error.contains(&format!("processor {cpu}")), "{error}");
    }
    let error = refused(&DriveOptions {
        congestion: Some("foo".to_owned()),
        ..options(&server)
    });
    assert!(error.contains("foo is not available"), "{error}");
    assert!(error.contains("reno"), "{error}");
}

#[test]
fn system_calls_are_counted_or_the_reason_is_told() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let options = DriveOptions {
        timing: BlockTiming {
            warmup_ms: 10,
            measure_ms: 50,
            count_ms: 100,
        },
        ..options(&server)
    };
    let measures = load(&numbers(closed(2, 1)), &options);
    match measures.generator.syscalls_per_op {
        // A receive and a send at least, and not many times as much.
        Some(calls) => assert!((1.5..20.0).contains(&calls), "{calls}"),
        None => assert!(
            measures
                .warnings
                .iter()
                .any(|warning| warning.contains("not counted"))
        ),
    }
}

#[test]
fn several_threads_share_connections_and_rate() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let options = DriveOptions {
        cpus: vec![0, 0, 0],
        ..options(&server)
    };
    let measures = load(&numbers(closed(7, 2)), &options);
    assert_eq!(measures.connections, 7);
    assert!((measures.generator.cores - 3.0).abs() < 1e-9);
    assert_eq!((measures.generator.threads, measures.errors), (3, 0));
    assert!(measures.operations > 0);
}

#[test]
fn other_machines_are_refused_with_the_name_of_the_flag() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let target = "192.0.2.1:80".parse().unwrap();
    let options = DriveOptions {
        targets: vec![target],
        ..options(&server)
    };
    let error = drive(&numbers(closed(1, 1)), &params(), &options).unwrap_err();
    assert!(matches!(error, LoadError::Remote { target: refused } if refused == target));
    assert!(error.to_string().contains("--allow-remote"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_names_the_target() {
    // Bound and never listening: nobody else can take the port, and connecting is refused.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let target = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    let server = Server::start(|stream| echo(|_| {})(stream));
    let options = DriveOptions {
        targets: vec![target],
        ..options(&server)
    };
    let error = drive(&numbers(closed(3, 1)), &params(), &options).unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains(&target.to_string()), "{error}");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let server = Server::start(|stream| echo(|_| {})(stream));
    let good = options(&server);
    let none = DriveOptions {
        targets: Vec::new(),
        ..good.clone()
    };
    let timing = BlockTiming {
        warmup_ms: 1,
        measure_ms: 0,
        count_ms: 0,
    };
    let empty = DriveOptions {
        timing,
        ..good.clone()
    };
    let idle = numbers(LoadPlan {
        active: 0,
        ..closed(1, 1)
    });
    for (scenario, options) in [
        (numbers(closed(1, 1)), none),
        (numbers(closed(1, 1)), empty),
        (idle, good),
    ] {
        let error = drive(&scenario, &params(), &options).unwrap_err();
        assert!(matches!(error, LoadError::Settings { .. }), "{error:?}");
    }
}

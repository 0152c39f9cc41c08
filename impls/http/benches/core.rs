//! What the HTTP core costs without sockets, in processor time a request: reading a head, the whole
//! answer of a small file from memory, and sixteen requests in one read. Run it with
//! `cargo bench --package ringside-http --bench core`.
//!
//! It says where time goes within a few per cent of itself; which server is faster it cannot say, since
//! most of a request's time is spent in the kernel. That is what the scenarios measure.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use ringside_engine::{BodyMode, Protocol, Step};
use ringside_http::{Http, HttpLimits};
use ringside_wire::http::request::{Limits, parse};

/// What a browser or a client library sends: some ten fields, most of which the core does not need.
const TYPICAL: &str = "GET /assets/app.js?v=3 HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Connection: keep-alive\r\n\
    Sec-Fetch-Dest: script\r\n\
    Sec-Fetch-Mode: no-cors\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=2\r\n\r\n";

/// What the load generator sends.
const SHORT: &str = "GET /a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Requests in one read.
const DEPTH: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    heads(&mut criterion);
    answers(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn heads(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("parse");
    for (name, head) in [("short", SHORT), ("typical", TYPICAL)] {
        group.throughput(Throughput::Bytes(head.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                parse(black_box(head.as_bytes()), &limits).is_ok_and(|head| head.is_some())
            });
        });
    }
    group.finish();
}

fn answers(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    std::fs::write(root.path().join("a.bin"), [b'x'; 1024])?;
    let http = Http::new(root.path(), BodyMode::Memory, HttpLimits::default())?;
    let mut group = criterion.benchmark_group("answer_1_KiB");
    for (name, depth) in [("alone", 1), ("pipelined_16", DEPTH)] {
        let input = SHORT.repeat(depth).into_bytes();
        let expected = answer(&http, &input);
        // A server that answered something else would be timed for nothing.
        if expected < depth * 1024 {
            return Err(format!("{depth} requests got {expected} bytes of answers").into());
        }
        let mut connection = http.open(0);
        let mut out = Vec::with_capacity(2 * expected);
        group.throughput(Throughput::Elements(depth as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                // The clock stands still: the file stays fresh, as it does under load.
                http.receive(&mut connection, black_box(&input), 1, &mut out)
                    .consumed
            });
        });
    }
    group.finish();
    Ok(())
}

/// How many bytes the requests are answered with, in one call.
fn answer(http: &Http, input: &[u8]) -> usize {
    let mut out = Vec::new();
    let progress = http.receive(&mut http.open(0), input, 1, &mut out);
    let whole = progress.consumed == input.len() && matches!(progress.step, Step::Read);
    if whole { out.len() } else { 0 }
}

//! What the parsers cost, counted in instructions by Callgrind: the same number on every run and on a noisy
//! machine, so that a change of one per cent shows. Run it with
//! `cargo bench --package ringside-wire --bench instructions`; it needs `valgrind` and `gungraun-runner`, which
//! CONTRIBUTING.md says how to install.
//!
//! Instructions are not time. What the HTTP core takes in time, its own bench `core` says.
#![expect(missing_docs, reason = "the macros make public items of their own")]
#![expect(unused_qualifications, reason = "so does what the macros expand to")]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use ringside_wire::http::request::{Limits, parse};
use ringside_wire::mqtt::encode::{self, Publish};
use ringside_wire::mqtt::header;
use ringside_wire::mqtt::packet::{Packet, decode};
use ringside_wire::mqtt::{QualityOfService, Version};

/// A request of the load generator.
const SHORT: &str = "GET /a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A request of a client library.
const TYPICAL: &str = "GET /assets/app.js?v=3 HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    User-Agent: python-requests/2.32.4\r\n\
    Accept: */*\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Connection: keep-alive\r\n\r\n";

/// A message of 64 bytes.
const MESSAGE: Publish<'_> = Publish {
    duplicate: false,
    quality: QualityOfService::AtLeastOnce,
    retain: false,
    topic: "pairs/17",
    identifier: 1,
    properties: &[],
    payload: &[b'x'; 64],
};

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::typical(TYPICAL)]
fn http_head(head: &str) -> bool {
    parse(black_box(head.as_bytes()), &Limits::default()).is_ok_and(|head| head.is_some())
}

fn written(version: Version) -> Vec<u8> {
    let mut packet = Vec::new();
    encode::publish(&mut packet, version, &MESSAGE);
    // Once uncounted: the first search for a byte finds out what the processor can.
    assert!(is_publish(version, &packet));
    packet
}

fn is_publish(version: Version, packet: &[u8]) -> bool {
    let Ok(Some(header)) = header::parse(packet, 1 << 20) else {
        return false;
    };
    let body = &packet[header.packet_length() - header.remaining..];
    matches!(
        black_box(decode(version, header, body)),
        Ok(Packet::Publish(_))
    )
}

#[library_benchmark]
#[bench::v311(Version::V311, written(Version::V311))]
#[bench::v5(Version::V5, written(Version::V5))]
fn mqtt_publish_read(version: Version, packet: Vec<u8>) -> Vec<u8> {
    assert!(is_publish(version, black_box(&packet)));
    // Given back, so that freeing it is not counted.
    packet
}

#[library_benchmark]
#[bench::v311(Version::V311, Vec::with_capacity(256))]
#[bench::v5(Version::V5, Vec::with_capacity(256))]
fn mqtt_publish_written(version: Version, mut out: Vec<u8>) -> Vec<u8> {
    encode::publish(&mut out, version, black_box(&MESSAGE));
    out
}

library_benchmark_group!(
    name = parsers,
    benchmarks = [http_head, mqtt_publish_read, mqtt_publish_written]
);
main!(library_benchmark_groups = parsers);

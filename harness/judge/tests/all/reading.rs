//! Records as they lie on disk: whole, cut off, broken, and of another schema.

use std::io::Write;

use crate::common::{cell, histogram, with};
use ringside_contract::Latency;
use ringside_judge::{Records, RecordsError, read_records};

fn line(round: usize) -> String {
    let records = cell("http/small", "http/epoll", 8, 1000.0);
    serde_json::to_string(&records[round]).unwrap()
}

fn read(text: &str) -> Result<Records, RecordsError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read_records(file.path())
}

#[test]
fn whole_records_keep_their_order() {
    let text: String = (0..8).map(|round| line(round) + "\n").collect();
    let read = read(&text).unwrap();
    assert!(read.warnings.is_empty());
    // Text may move the last bit of a float, so the names and the order are compared.
    let rounds: Vec<_> = read.records.iter().map(|record| record.round).collect();
    assert_eq!(rounds, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(
        read.records
            .iter()
            .all(|record| record.scenario.to_string() == "http/small")
    );
}

#[test]
fn a_last_record_that_was_cut_off_is_left_out() {
    let whole = line(0);
    for length in [1, whole.len() / 2, whole.len() - 1] {
        let read = read(&format!("{whole}\n{}", &whole[..length])).unwrap();
        assert_eq!(
            (read.records.len(), read.warnings.len()),
            (1, 1),
            "cut at {length}"
        );
        assert!(read.warnings[0].contains("line 2"), "{:?}", read.warnings);
    }
}

#[test]
fn a_broken_line_before_the_last_is_named() {
    let error = read(&format!("{}\n{{\"schema\":1,\n{}\n", line(0), line(1))).unwrap_err();
    assert!(
        matches!(error, RecordsError::Line { line: 2, .. }),
        "{error}"
    );
    // A whole last line that is no record is no cut.
    let error = read(&format!("{}\nhello\n", line(0))).unwrap_err();
    assert!(
        matches!(error, RecordsError::Line { line: 2, .. }),
        "{error}"
    );
}

#[test]
fn another_schema_is_refused_by_number() {
    let newer = line(0).replacen("\"schema\":1", "\"schema\":2", 1);
    for text in [newer.as_str(), "{\"schema\":7,\"unheard\":[]}"] {
        let message = read(&format!("{}\n{text}\n", line(0)))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("line 2") && message.contains("reads schema 1"),
            "{message}"
        );
    }
}

#[test]
fn what_no_block_can_measure_is_refused_by_line_and_field() {
    for (field, value, said) in [
        ("throughput_per_s", "-1.0", "throughput_per_s is -1"),
        ("duration_s", "0.0", "duration_s is 0"),
        ("p50_us", "-2.5", "latency.p50_us is -2.5"),
        (
            "corrupt",
            "18446744073709551615",
            "corrupt is 18446744073709551615",
        ),
        ("cores", "0.0", "server.cores is 0"),
    ] {
        let whole = line(1);
        let from = whole.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
        let end = from + whole[from..].find([',', '}']).unwrap();
        let damaged = format!("{}{value}{}", &whole[..from], &whole[end..]);
        let message = read(&format!("{}\n{damaged}\n", line(0)))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("line 2") && message.contains(said),
            "{message}"
        );
    }
}

#[test]
fn two_runs_in_one_file_are_refused() {
    let other = line(0).replacen("\"run\":\"", "\"run\":\"another-", 1);
    let message = read(&format!("{}\n{other}\n", line(0)))
        .unwrap_err()
        .to_string();
    assert!(message.contains("line 2: the run is another-"), "{message}");
}

#[test]
fn empty_files_and_missing_files() {
    assert!(read("").unwrap().records.is_empty());
    let error = read_records(std::path::Path::new("/nonexistent/records.jsonl")).unwrap_err();
    assert!(
        error.to_string().contains("/nonexistent/records.jsonl"),
        "{error}"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_end_in_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let path = std::path::Path::new("records.jsonl");
        let _ = ringside_judge::parse_records(&bytes, path);
        let whole = [line(0).as_bytes(), b"\n", &bytes, b"\n", line(1).as_bytes()].concat();
        let _ = ringside_judge::parse_records(&whole, path);
    }
}

/// Prints how long ten thousand records take; run it with `--release -- --nocapture` for a figure.
#[test]
fn ten_thousand_records_are_read_and_judged() {
    let histograms: Vec<_> = (1..=20).map(|n| histogram(50_000 * n, n)).collect();
    let mut file = std::io::BufWriter::new(tempfile::NamedTempFile::new().unwrap());
    for number in 0..1250_usize {
        let scenario = format!("http/small{{connections={}}}", 1 + number / 5);
        let implementation = ["epoll", "uring", "tokio", "floor", "nginx"][number % 5];
        let records = cell(
            &scenario,
            &format!("http/{implementation}"),
            8,
            1000.0 + number as f64,
        );
        let records = with(records, |measures| {
            let text = histograms[measures.throughput_per_s as usize % histograms.len()].clone();
            measures.latency = Some(Latency {
                histogram: text,
                ..measures.latency.clone().unwrap()
            });
        });
        for record in records {
            serde_json::to_writer(&mut file, &record).unwrap();
            file.write_all(b"\n").unwrap();
        }
    }
    let file = file.into_inner().unwrap();
    let claims = ringside_judge::read_claims(
        include_str!("../../../../datasets/claims.csv"),
        "claims.csv",
    );
    let began = std::time::Instant::now();
    let read = read_records(file.path()).unwrap();
    let read_time = began.elapsed();
    let verdicts = crate::common::judged(read.records, &claims.unwrap());
    println!(
        "10,000 records: read in {read_time:?}, read and judged in {:?}",
        began.elapsed()
    );
    assert_eq!((verdicts.run.records, verdicts.cells.len()), (10_000, 1250));
    assert!(
        verdicts
            .cells
            .iter()
            .all(|cell| cell.rounds == 8 && !cell.curve.is_empty())
    );
}

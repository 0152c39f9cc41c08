//! Judging and reporting 10,000 records: the time of both together must stay under 2 s.
//! Run it with `cargo bench --package ringside --bench judge_and_report [RECORDS.jsonl]`.
//!
//! The records of a real run (the newest, or the file that is given) are repeated under new round
//! numbers until there are 10,000, written to a folder of their own, and the two commands are timed
//! as a user would run them.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const RECORDS: usize = 10_000;
const LIMIT_S: f64 = 2.0;
const RINGSIDE: &str = env!("CARGO_BIN_EXE_ringside");

fn main() -> Result<(), Box<dyn Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with('-'));
    let source = given.map_or_else(|| top.join("reports/latest/records.jsonl"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&source) else {
        println!(
            "skipped: there are no records in {}; `cargo bench-all` makes some",
            source.display()
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    multiply(&text, &folder.path().join("records.jsonl"))?;
    if let Ok(plan) = std::fs::read(source.with_file_name("plan.json")) {
        std::fs::write(folder.path().join("plan.json"), plan)?;
    }
    let judge = timed(&["judge", "--quiet"], folder.path())?;
    let report = timed(&["report", "--quiet"], folder.path())?;
    let page = std::fs::metadata(folder.path().join("index.html"))?.len();
    println!(
        "{RECORDS} records: judge {judge:.2} s, report {report:.2} s, together {:.2} s (limit {LIMIT_S} s); page {:.1} MB",
        judge + report,
        page as f64 / 1e6
    );
    if judge + report > LIMIT_S {
        return Err(format!("slower than {LIMIT_S} s").into());
    }
    Ok(())
}

/// Repeats completed records; each repetition gets rounds of its own, so that they count as new pairs.
fn multiply(text: &str, target: &Path) -> Result<(), Box<dyn Error>> {
    let mut records: Vec<serde_json::Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    records.retain(|record| record["status"]["state"] == "completed");
    if records.is_empty() {
        return Err("no record is of a completed block".into());
    }
    let rounds = 1 + records
        .iter()
        .filter_map(|record| record["round"].as_u64())
        .max()
        .unwrap_or(0);
    let mut file = std::io::BufWriter::new(std::fs::File::create(target)?);
    for index in 0..RECORDS {
        let mut record = records[index % records.len()].clone();
        let repetition = (index / records.len()) as u64;
        record["round"] = (record["round"].as_u64().unwrap_or(0) + repetition * rounds).into();
        serde_json::to_writer(&mut file, &record)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(())
}

fn timed(arguments: &[&str], folder: &Path) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let status = Command::new(RINGSIDE)
        .args(arguments)
        .arg(folder)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("ringside {} ended with {status}", arguments[0]).into());
    }
    Ok(start.elapsed().as_secs_f64())
}

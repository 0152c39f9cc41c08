//! `ringside report`: from verdicts to one HTML file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{SCHEMA, Verdicts};

use crate::args::{Format, ReportArgs};
use crate::exit::Exit;
use crate::files;
use crate::output::Output;

/// Writes `index.html` into the run's folder, and the CSV if it is wanted.
pub(crate) fn report(args: &ReportArgs, output: &Output) -> anyhow::Result<Exit> {
    let source = args.run.join("verdicts.json");
    let text = std::fs::read(&source).with_context(|| {
        format!(
            "failed to read {}; `ringside judge {}` writes it",
            source.display(),
            args.run.display()
        )
    })?;
    let remedy = format!("`ringside judge {}` writes it anew", args.run.display());
    let verdicts: Verdicts = files::of_schema(SCHEMA, &text, &source, &remedy)?;
    let page = write_page(&verdicts, &args.run)?;
    if let Some(target) = &args.csv {
        let records = ringside_judge::read_records(&args.run.join("records.jsonl"))?;
        std::fs::write(target, ringside_judge::csv_export(&records.records))
            .with_context(|| format!("failed to write {}", target.display()))?;
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({ "page": page, "csv": args.csv }))?,
        Format::Human | Format::Md => output.line(&page.display().to_string()),
    }
    Ok(Exit::Ok)
}

/// Renders the page into `folder` and gives its path.
pub(crate) fn write_page(verdicts: &Verdicts, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("index.html");
    files::write_whole(&path, ringside_reports::page(verdicts).as_bytes())?;
    Ok(path)
}

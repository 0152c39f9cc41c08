//! `ringside report`: from verdicts to one HTML file.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{AttachedProfile, PROFILE_SCHEMA, SCHEMA, Verdicts};

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
    let page = ringside_reports::page(verdicts, &attached(folder)?);
    files::write_whole(&path, page.as_bytes())?;
    Ok(path)
}

/// The profiles in the folder of a run, by the names of their folders. What else lies there is left alone.
///
/// # Errors
/// One of them cannot be read.
fn attached(folder: &Path) -> anyhow::Result<Vec<AttachedProfile>> {
    let profiles = folder.join(PROFILES);
    let failed = || format!("failed to read {}", profiles.display());
    let entries = match std::fs::read_dir(&profiles) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(failed)?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = names.collect::<Result<Vec<_>, _>>().with_context(failed)?;
    names.retain(|name| profiles.join(name).join(PROFILE).exists());
    names.sort_unstable();
    let read = |name: OsString| {
        let path = profiles.join(&name).join(PROFILE);
        let text =
            std::fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        Ok(AttachedProfile {
            folder: format!("{PROFILES}/{}", name.display()),
            report: files::of_schema(PROFILE_SCHEMA, &text, &path, "remove its folder")?,
        })
    };
    names.into_iter().map(read).collect()
}

/// The folder of all profiles, below that of reports or of a run.
pub(crate) const PROFILES: &str = "profiles";
/// The file for programs in the folder of a profile.
pub(crate) const PROFILE: &str = "profile.json";

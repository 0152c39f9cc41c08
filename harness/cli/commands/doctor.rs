//! `ringside doctor`: what this machine can measure, and what would let it measure more.

use ringside_run::{Finding, FindingState};

use crate::args::{Format, Global};
use crate::catalogue;
use crate::exit::Exit;
use crate::output::Output;

/// Prints the findings. Nothing of it is an error: what is missing is skipped with its reason.
pub(crate) fn doctor(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let host = ringside_metal::host::probe();
    let findings = ringside_run::preflight(&host, &catalogue::catalogue(global)?, None);
    if output.format == Format::Json {
        let findings: Vec<_> = findings
            .iter()
            .map(|one| {
                serde_json::json!({
                    "id": one.name, "state": word(one), "found": one.found, "remedy": one.remedy
                })
            })
            .collect();
        output.json(&serde_json::json!({ "host": host, "findings": findings }))?;
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|one| {
            let remedy = one.remedy.clone().unwrap_or_default();
            vec![
                one.name.to_owned(),
                word(one).to_owned(),
                one.found.clone(),
                remedy,
            ]
        })
        .collect();
    output.table(&["check", "state", "found", "what to do"], &rows);
    Ok(Exit::Ok)
}

fn word(finding: &Finding) -> &'static str {
    match finding.state {
        FindingState::Ok => "ok",
        FindingState::Warning => "warning",
        FindingState::Refused => "missing",
    }
}

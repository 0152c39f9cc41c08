//! `ringside bench-all`: the whole chain.

use std::time::Instant;

use crate::args::{BenchAllArgs, Format, Global};
use crate::commands::profile::attached;
use crate::commands::{judge, plan, report, run};
use crate::exit::Exit;
use crate::output::Output;
use crate::progress::minutes;
use crate::session::Session;

/// Plans, runs, judges, reports, and prints a summary with the report's path.
pub(crate) fn bench_all(
    global: &Global,
    args: &BenchAllArgs,
    output: &Output,
) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let session = Session::open(global)?;
    let plan = plan::make(global, &args.plan, &session)?;
    let outcome = run::execute(&session, &plan, &args.out, output)?;
    let mut profiled = true;
    if let Some(seconds) = args.profiles
        && !outcome.interrupted
    {
        profiled = attached::attach(&session, &outcome.folder, seconds, output)?;
    }
    let verdicts = judge::judge_run(global, &outcome.folder, output)?;
    let page = report::write_page(&verdicts, &outcome.folder)?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "run": outcome.run,
            "folder": outcome.folder,
            "report": page,
            "completed": outcome.completed,
            "failed": outcome.failed,
            "judgements": verdicts.judgements,
        }))?,
        Format::Human | Format::Md => {
            output.summary(&verdicts);
            let folder = outcome.folder.display();
            if outcome.interrupted {
                output.note(&format!(
                    "interrupted; go on with: ringside run --resume {folder}"
                ));
            }
            if !profiled {
                output.note("interrupted while profiles were taken: all was measured, and the report has those that were");
            }
            output.note(&format!("took {}", minutes(began.elapsed())));
            output.line(&format!("report: {}", page.display()));
            run::say_failures(&outcome, output);
        }
    }
    let ended = run::code(&outcome);
    if ended != Exit::Ok {
        return Ok(ended);
    }
    if !profiled {
        return Ok(Exit::Interrupted);
    }
    Ok(if args.strict {
        judge::strict(&verdicts.judgements)
    } else {
        Exit::Ok
    })
}

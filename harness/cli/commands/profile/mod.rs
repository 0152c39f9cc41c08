//! `ringside profile`: where one server spends its time under a scenario, and what changed from another one. It
//! makes no record of a run, so that no verdict can come of it.
//!
//! ```text
//! arguments -> request -> bench (blocks of load) -> recording, counting (perf) -> drawing (stacks, graphs) -> outcome (page)
//! cells of a run -> attached -^
//! ```

pub(crate) mod attached;
pub(crate) mod bench;
mod counting;
pub(crate) mod drawing;
mod outcome;
pub(crate) mod recording;
mod request;

use std::path::Path;

use anyhow::Context;
use ringside_profile::{Method, Profiler};
use ringside_run::now_s;

use self::bench::{Bench, Profiled, takes};
use self::drawing::{Compared, Drawing};
use self::outcome::{Found, ProfileFolder};
use self::request::{Request, Target, Wanted};
use crate::args::{Format, Global, ProfileArgs};
use crate::exit::Exit;
use crate::output::Output;
use crate::session::Session;

/// Takes the profiles, writes the page and says where it is.
pub(crate) fn profile(
    global: &Global,
    args: &ProfileArgs,
    output: &Output,
) -> anyhow::Result<Exit> {
    let session = Session::open(global)?;
    let scratch = tempfile::tempdir().context("failed to make a temporary folder")?;
    let request = Request::new(&Wanted::of(args), &session, scratch.path())?;
    let began_at = now_s();
    let folder = ProfileFolder::create(&args.out, &request.targets[0].about, began_at)?;
    let (found, ended) = take_all(&request, &session, scratch.path(), &folder, output);
    if found.profiles.is_empty() {
        return ended;
    }
    let report = found.report(&request, &session, began_at);
    let page = outcome::write(&report, folder.path())?;
    match output.format {
        Format::Json => output.json(&report)?,
        Format::Human | Format::Md => {
            output.profile(&report);
            output.line(&format!("\nreport: {}", page.display()));
        }
    }
    ended
}

/// Takes the profiles of a request, one after the other; files go into `folder`, those of servers into `scratch`. What
/// was found before an error is worth a page all the same.
fn take_all(
    request: &Request,
    session: &Session,
    scratch: &Path,
    folder: &ProfileFolder,
    output: &Output,
) -> (Found, anyhow::Result<Exit>) {
    let bench = Bench {
        session,
        scenario: &request.scenario,
        plan: &request.plan,
        root: &request.root,
        confinement: request.confinement,
        side: request.side,
        seconds: request.seconds,
        seed: request.seed,
        tmp: scratch,
    };
    let mut found = Found::default();
    let mut exit = Exit::Ok;
    for &profiler in &request.profilers {
        say(request, profiler, output);
        match take(&bench, request, profiler, folder, &mut found) {
            Err(error) => return (found, Err(error)),
            Ok(Taken::Whole) => {}
            Ok(Taken::Empty(sentence)) => {
                output.warn(&sentence);
                exit = Exit::Empty;
            }
            Ok(Taken::Interrupted) => {
                output.note("interrupted; what was found until then is kept");
                exit = Exit::Interrupted;
                break;
            }
        }
    }
    (found, Ok(exit))
}

/// How a profiler came off.
enum Taken {
    Whole,
    /// There was nothing to see; the sentence says so.
    Empty(String),
    Interrupted,
}

fn take(
    bench: &Bench<'_>,
    request: &Request,
    profiler: Profiler,
    folder: &ProfileFolder,
    found: &mut Found,
) -> anyhow::Result<Taken> {
    if profiler.method() != Method::Stacks {
        return count(bench, request, profiler, found);
    }
    let Some(other) = request.targets.get(1) else {
        let server = profiled(&request.targets[0], bench.session)?;
        return one(bench, &server, profiler, folder, found);
    };
    let before = profiled(other, bench.session)?;
    let after = profiled(&request.targets[0], bench.session)?;
    Ok(
        match bench.compare(profiler, [&before, &after], folder.path())? {
            Compared::Drawn(change) => {
                found.add_change(folder, profiler, *change);
                Taken::Whole
            }
            Compared::Empty(name) => Taken::Empty(nothing(profiler, &name)),
            Compared::Interrupted => Taken::Interrupted,
        },
    )
}

fn one(
    bench: &Bench<'_>,
    server: &Profiled<'_>,
    profiler: Profiler,
    folder: &ProfileFolder,
    found: &mut Found,
) -> anyhow::Result<Taken> {
    let Some(recording) = bench.record(server, profiler)? else {
        return Ok(Taken::Interrupted);
    };
    if recording.folded.is_empty() {
        return Ok(Taken::Empty(nothing(profiler, server.name)));
    }
    let drawing = Drawing {
        folder: folder.path(),
        profiler,
        scenario: bench.scenario,
        side: bench.side,
    };
    let files = drawing.one(server.name, None, &recording.folded)?;
    found.add(folder, profiler, 0, recording, &files);
    Ok(Taken::Whole)
}

/// Counts for each server; they stand beside each other.
fn count(
    bench: &Bench<'_>,
    request: &Request,
    profiler: Profiler,
    found: &mut Found,
) -> anyhow::Result<Taken> {
    for (index, target) in request.targets.iter().enumerate() {
        let server = profiled(target, bench.session)?;
        let counted = match profiler.method() {
            Method::Counters => bench.context_switches(&server)?,
            Method::Trace | Method::Stacks => bench.system_calls(&server)?,
        };
        let Some(counted) = counted else {
            return Ok(Taken::Interrupted);
        };
        if counted.total == 0 {
            return Ok(Taken::Empty(nothing(profiler, server.name)));
        }
        found.add_count(profiler, index, counted);
    }
    Ok(Taken::Whole)
}

fn profiled<'a>(target: &'a Target, session: &'a Session) -> anyhow::Result<Profiled<'a>> {
    Ok(Profiled {
        name: &target.about.name,
        executable: &target.executable,
        subject: target.subject(session)?,
        sample: None,
    })
}

/// A profile without a sample is none, and no graph of nothing should look like one.
fn nothing(profiler: Profiler, name: &str) -> String {
    let because = match profiler {
        Profiler::OnProcessor => {
            "it never ran long enough to be met; give a heavier load or more --seconds"
        }
        Profiler::LockWaits => "no thread of it waited for a lock",
        Profiler::Allocations => {
            "it asked the C library for no memory while it was watched, or has an allocator of its own"
        }
        Profiler::SystemCalls => "it made no system call while it was watched",
        Profiler::ContextSwitches => "it never left the processor, or the kernel does not tell",
        Profiler::OffProcessor => "no thread of it waited and came back; give more --seconds",
    };
    format!(
        "{} of {name} has not one sample: {because}",
        profiler.name()
    )
}

fn say(request: &Request, profiler: Profiler, output: &Output) {
    let names: Vec<&str> = request
        .targets
        .iter()
        .map(|target| &*target.about.name)
        .collect();
    let time = takes(request.seconds) * names.len() as u64;
    output.note(&format!(
        "{} of {} in {}: about {time} s",
        profiler.name(),
        names.join(" and "),
        request.scenario
    ));
}

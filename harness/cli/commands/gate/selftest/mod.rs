//! `ringside gate selftest`: whether the gate cries wolf, and whether it sees one.
//!
//! ```text
//! case, condition -> calibrate (how much to plant) -> recording (triples) -> effects (CSV) -> summary (trials) -> goals
//! ```

mod calibrate;
mod case;
mod effects;
mod goals;
mod neighbour;
mod print;
mod recording;
mod summary;
mod triples;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use ringside_contract::{GATE_SCHEMA, TripleRecord};
use ringside_run::{GatePlan, new_folder, now_s, read_triples};

use self::calibrate::{units_of, units_of_a_tenth};
use self::case::{CASES, Case, Condition, Heads};
use self::neighbour::Neighbour;
use self::recording::{About, PlantedHead, Recording};
use self::summary::{HeadSummary, summary};
use self::triples::{Bench, Head};
use super::identity::Identity;
use super::sides::named;
use crate::args::Global;
use crate::args::gate::SelftestArgs;
use crate::datasets;
use crate::exit::{Exit, UsageError};
use crate::files::write_whole;
use crate::output::Output;
use crate::progress::minutes;
use crate::session::Session;

/// Records what is missing, and prints what the rule says of all that is recorded.
pub(super) fn selftest(
    global: &Global,
    args: &SelftestArgs,
    output: &Output,
) -> anyhow::Result<Exit> {
    cases(args)?;
    conditions(args)?;
    if args.unchanged && args.null.is_empty() && args.triples > 0 {
        return Err(UsageError(
            "--unchanged records builds without a change; name them with --null, or let `just selftest --unchanged` \
             make them"
                .to_owned(),
        )
        .into());
    }
    let out = out(args)?;
    if args.triples > 0 && !record(global, args, &out, output)? {
        output.note("interrupted; without --quick the same command goes on with it");
        return Ok(Exit::Interrupted);
    }
    let all = evaluate(&out, &args.with)?;
    if all.is_empty() {
        let out = out.display();
        return Err(UsageError(format!(
            "nothing is recorded in {out}; --triples says how much to record, --with what to count besides"
        ))
        .into());
    }
    print::write(&out, &all)?;
    print::print(&all, output)?;
    Ok(goals::exit(&all))
}

/// Records what is missing; false when it was interrupted.
fn record(
    global: &Global,
    args: &SelftestArgs,
    out: &Path,
    output: &Output,
) -> anyhow::Result<bool> {
    let session = Session::open(global)?;
    let dataset = datasets::gate_plan(global, None)?;
    let plan = GatePlan::parse(&dataset.name, &dataset.text, &session.catalogue)
        .map_err(|error| UsageError(error.to_string()))?;
    let scratch = tempfile::tempdir().context("failed to make a temporary folder")?;
    let run = Run {
        session: &session,
        plan: &plan,
        builds: Builds::of(args, &session, scratch.path())?,
        scratch: scratch.path(),
        output,
        heads: heads(args),
        percents: match (args.quick, args.unchanged) {
            (true, _) => QUICK,
            (false, true) => &[],
            (false, false) => PERCENTS,
        },
        triples: if args.quick {
            QUICK_TRIPLES
        } else {
            args.triples
        },
        calibrating: if args.quick { 4 } else { 20 },
    };
    for condition in conditions(args)? {
        if !run.record(out, &cases(args)?, condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A quick self-test is one of its own; others go on where they were.
fn out(args: &SelftestArgs) -> anyhow::Result<PathBuf> {
    if args.quick {
        return Ok(new_folder(&args.out, "quick", now_s())?.1);
    }
    Ok(args.out.clone())
}

/// Slowdowns that are planted, in per cent.
const PERCENTS: &[u64] = &[1, 3, 5, 10];
/// The one that nobody may miss.
const QUICK: &[u64] = &[10];
/// As many as a first look and its confirmation need.
const QUICK_TRIPLES: u32 = 20;

const fn heads(args: &SelftestArgs) -> Heads {
    if args.unchanged {
        Heads::OneUnchanged
    } else {
        Heads::All
    }
}

fn cases(args: &SelftestArgs) -> Result<Vec<&'static Case>, UsageError> {
    chosen(&args.case, CASES.iter().collect(), |case| case.name)
}

fn conditions(args: &SelftestArgs) -> Result<Vec<Condition>, UsageError> {
    if args.quick && args.condition.is_empty() {
        return Ok(vec![Condition::Quiet]);
    }
    chosen(&args.condition, Condition::ALL.to_vec(), |condition| {
        condition.name()
    })
}

/// Those of `all` whose names were given; all when none was.
fn chosen<T>(
    names: &[String],
    all: Vec<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<T>, UsageError> {
    let known: Vec<&str> = all.iter().map(&name).collect();
    if let Some(unknown) = names.iter().find(|given| !known.contains(&given.as_str())) {
        return Err(UsageError(format!(
            "there is no `{unknown}`; there are {}",
            known.join(", ")
        )));
    }
    let wanted = |one: &T| names.is_empty() || names.iter().any(|given| given == name(one));
    Ok(all.into_iter().filter(wanted).collect())
}

/// The builds: base is this program, the null builds do the same in other places of memory.
struct Builds {
    base: PathBuf,
    nulls: Vec<(String, PathBuf)>,
    commit: String,
    hashes: Vec<(String, String)>,
}

impl Builds {
    fn of(args: &SelftestArgs, session: &Session, scratch: &Path) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("failed to find this program's own file")?;
        let base = named("base", &own, scratch)?;
        let log = scratch.join("identity.stderr");
        let identity = Identity::ask(&base, &own, &log, &session.stop)?;
        let mut builds = Self {
            base,
            nulls: Vec::new(),
            commit: identity.build.commit.clone(),
            hashes: vec![("base".to_owned(), identity.build.binary)],
        };
        for (number, file) in args.null.iter().enumerate() {
            // As long as `base`.
            let label = format!("nul{number}");
            let link = named(&label, file, scratch)?;
            let null = Identity::ask(&link, file, &log, &session.stop)?;
            if null.build.commit != builds.commit {
                return Err(UsageError(format!(
                    "{} is of commit {}, and this program of {}: a null build differs in nothing but its layout",
                    file.display(),
                    null.build.commit,
                    builds.commit
                ))
                .into());
            }
            let same = |(_, hash): &&(String, String)| *hash == null.build.binary;
            if let Some((other, _)) = builds.hashes.iter().find(same) {
                return Err(UsageError(format!(
                    "{} is the same as {other}, byte for byte: a null build has another layout; was the option that \
                     should change it taken?",
                    file.display()
                ))
                .into());
            }
            builds.hashes.push((label.clone(), null.build.binary));
            builds.nulls.push((label, link));
        }
        Ok(builds)
    }
}

/// A self-test under way.
struct Run<'a> {
    session: &'a Session,
    plan: &'a GatePlan,
    builds: Builds,
    scratch: &'a Path,
    output: &'a Output,
    heads: Heads,
    percents: &'static [u64],
    triples: u32,
    calibrating: u32,
}

impl Run<'_> {
    /// Records the cases, a triple of each in turn, until each has enough; false when it was interrupted.
    fn record(
        &self,
        out: &Path,
        cases: &[&'static Case],
        condition: Condition,
    ) -> anyhow::Result<bool> {
        let mut recordings = Vec::new();
        for case in cases {
            let mut bench = Bench::new(
                case,
                self.session,
                self.plan,
                &self.builds.base,
                self.scratch,
            )?;
            let Some(about) = self.about(out, &mut bench, condition)? else {
                return Ok(false);
            };
            let heads = self.heads(&about);
            let folder = Recording::folder(out, case.name, condition, self.heads);
            recordings.push((bench, heads, Recording::open(&folder, &about)?));
        }
        // Only what is recorded is disturbed; how much to plant was found out before.
        let _neighbour = match condition {
            Condition::Quiet => None,
            Condition::Neighbour => {
                Some(Neighbour::start().context("failed to start the neighbour")?)
            }
        };
        self.fill(&mut recordings, condition)
    }

    fn fill(
        &self,
        recordings: &mut [(Bench<'_>, Vec<Head>, Recording)],
        condition: Condition,
    ) -> anyhow::Result<bool> {
        let wanted = self.triples as usize;
        let missing = |recordings: &[(Bench<'_>, Vec<Head>, Recording)]| -> usize {
            let of = |recording: &Recording| wanted.saturating_sub(recording.measured());
            recordings
                .iter()
                .map(|(_, _, recording)| of(recording))
                .sum()
        };
        let (began, at_first) = (Instant::now(), missing(recordings));
        let mut left = at_first;
        while left > 0 {
            for (bench, heads, recording) in recordings.iter_mut() {
                if recording.measured() < wanted && !recording.extend(bench, heads, self.heads)? {
                    return Ok(false);
                }
            }
            let now = missing(recordings);
            self.check_progress(recordings)?;
            if now / SAID_EACH != left / SAID_EACH {
                let each = began.elapsed() / u32::try_from((at_first - now).max(1)).unwrap_or(1);
                let time = each.saturating_mul(u32::try_from(now).unwrap_or(u32::MAX));
                self.say(condition, now, time);
            }
            left = now;
        }
        Ok(true)
    }

    fn say(&self, condition: Condition, left: usize, time: Duration) {
        let name = condition.name();
        self.output.note(&format!(
            "{name}: {left} triples left, about {}",
            minutes(time)
        ));
    }

    /// A recording that only fails would go on for ever.
    fn check_progress(
        &self,
        recordings: &[(Bench<'_>, Vec<Head>, Recording)],
    ) -> anyhow::Result<()> {
        for (bench, _, recording) in recordings {
            let last = recording.records.iter().rev().take(FAILURES_MAX);
            let failures: Vec<&String> = last.filter_map(|one| one.failed.as_ref()).collect();
            if failures.len() == FAILURES_MAX {
                anyhow::bail!(
                    "the last {FAILURES_MAX} triples of {} failed: {}",
                    bench.case.name,
                    failures[0]
                );
            }
        }
        Ok(())
    }

    /// What is to be recorded: as an earlier recording has it, or with what calibrating finds.
    fn about(
        &self,
        out: &Path,
        bench: &mut Bench<'_>,
        condition: Condition,
    ) -> anyhow::Result<Option<About>> {
        let folder = |of| Recording::folder(out, bench.case.name, of, self.heads);
        let mut known = Recording::earlier_of(&folder(condition), &self.builds.hashes)?;
        if known.is_none() {
            let same = |about: &About| about.builds == self.builds.hashes;
            known = Recording::earlier(&folder(Condition::Quiet))?.filter(same);
        }
        if let Some(about) = known {
            bench.turns = about.turns;
            return Ok(Some(About {
                condition: condition.name().to_owned(),
                ..about
            }));
        }
        if !bench.fit() {
            return Ok(None);
        }
        let Some(tenth) = self.tenth(bench)? else {
            return Ok(None);
        };
        let nulls = self.builds.nulls.iter().map(|(label, _)| PlantedHead {
            label: label.clone(),
            percent: 0,
            units: 0,
        });
        let planted = self.percents.iter().map(|&percent| PlantedHead {
            label: format!("p{percent:02}"),
            percent,
            units: units_of(percent, tenth),
        });
        Ok(Some(About {
            schema: GATE_SCHEMA,
            case: bench.case.name.to_owned(),
            condition: condition.name().to_owned(),
            scenario: bench.scenario.clone(),
            implementation: bench.implementation.clone(),
            commit: self.builds.commit.clone(),
            builds: self.builds.hashes.clone(),
            heads: nulls.chain(planted).collect(),
            turns: bench.turns,
            host: self.session.host.clone(),
            placement: self.session.placement.clone(),
        }))
    }

    /// How much to plant for a tenth, which nobody asks where nothing is planted; `None` when it was interrupted.
    fn tenth(&self, bench: &Bench<'_>) -> anyhow::Result<Option<u64>> {
        if self.percents.is_empty() {
            return Ok(Some(0));
        }
        self.output.note(&format!(
            "{}: finding out how much to plant",
            bench.case.name
        ));
        units_of_a_tenth(bench, self.session, &self.builds.base, self.calibrating)
    }

    fn heads(&self, about: &About) -> Vec<Head> {
        let program = |label: &str| {
            let null = self.builds.nulls.iter().find(|(name, _)| name == label);
            null.map_or(&self.builds.base, |(_, program)| program)
        };
        let head = |head: &PlantedHead| Head {
            label: head.label.clone(),
            program: program(&head.label).clone(),
            units: head.units,
        };
        about.heads.iter().map(head).collect()
    }
}

/// Everything that is recorded below `out`, and what the files `with` say. What each triple below `out` said goes into
/// its `effects.csv`.
fn evaluate(out: &Path, with: &[PathBuf]) -> anyhow::Result<Vec<HeadSummary>> {
    let mut all = Vec::new();
    let mut lines = effects::HEAD.to_owned();
    for (heads, about, records) in recorded(out)? {
        lines.push_str(&effects::lines(&about, &records, heads));
        all.extend(effects::of_recording(&about, &records)?);
    }
    let own = out.join("effects.csv");
    let mut counted: Vec<PathBuf> = Vec::new();
    if !all.is_empty() {
        write_whole(&own, lines.as_bytes())?;
        counted.extend(own.canonicalize());
    }
    for file in with {
        let known = file.canonicalize().unwrap_or_else(|_| file.clone());
        if counted.contains(&known) {
            let file = file.display();
            return Err(UsageError(format!("{file} is counted already; name it once")).into());
        }
        counted.push(known);
        all.extend(effects::read(file)?);
    }
    let heads = effects::together(all);
    Ok(heads.into_iter().map(summary).collect())
}

/// All that is recorded below `out`.
fn recorded(out: &Path) -> anyhow::Result<Vec<(Heads, About, Vec<TripleRecord>)>> {
    let mut all = Vec::new();
    for (condition, heads) in Condition::ALL
        .into_iter()
        .flat_map(|condition| Heads::ALL.map(|heads| (condition, heads)))
    {
        for case in CASES {
            let folder = Recording::folder(out, case.name, condition, heads);
            let Some(about) = Recording::earlier(&folder)? else {
                continue;
            };
            let path = folder.join("triples.jsonl");
            let text = std::fs::read(&path)
                .with_context(|| format!("failed to read {}", path.display()))?;
            all.push((heads, about, read_triples(&text, &path)?));
        }
    }
    Ok(all)
}

/// A word on how far it is after so many triples.
const SAID_EACH: usize = 30;
/// Triples in a row that may fail.
const FAILURES_MAX: usize = 5;

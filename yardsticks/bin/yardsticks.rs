//! Trials of both tools with the builds of a self-test, and one table of all three.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Parser;
use comfy_table::Table;
use ringside_judge::proportion_bounds;
use ringside_yardsticks::{CASE, CASES, Case, PLANT, PROGRAM, PROGRAM_OF_BASE};
use serde::{Deserialize, Serialize};

/// Compare what criterion and tango-bench say of planted slowdowns with what the gate said of them.
#[derive(Debug, Parser)]
struct Args {
    /// The build that is base, and that slowdowns are planted into.
    #[arg(long, value_name = "FILE")]
    base: PathBuf,
    /// The null builds, in the order that the self-test had them in.
    #[arg(long, value_name = "FILE")]
    null: Vec<PathBuf>,
    /// Folder of the self-test: how much it planted, and what the gate said.
    #[arg(long, value_name = "DIR")]
    selftest: PathBuf,
    /// Trials of each tool, case and slowdown: each a fresh pair of servers.
    #[arg(long, default_value_t = 10)]
    trials: usize,
    /// Slowdowns to try, in per cent.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 5, 10])]
    percent: Vec<u64>,
    /// File for all trials.
    #[arg(long, value_name = "FILE", default_value = "yardsticks.json")]
    out: PathBuf,
}

/// The part of a self-test's `recording.json` that is of use.
#[derive(Debug, Deserialize)]
struct Recording {
    heads: Vec<Head>,
}

#[derive(Debug, Clone, Deserialize)]
struct Head {
    label: String,
    percent: u64,
    units: u64,
}

/// The part of `selftest.json` that is of use.
#[derive(Debug, Deserialize)]
struct SelfTest {
    heads: Vec<GateHead>,
}

#[derive(Debug, Deserialize)]
struct GateHead {
    case: String,
    condition: String,
    planted: u64,
    slowdown: Option<Interval>,
    trials: GateTrials,
}

#[derive(Debug, Deserialize)]
struct Interval {
    point: f64,
}

#[derive(Debug, Deserialize)]
struct GateTrials {
    trials: usize,
    regressions: usize,
}

/// What a tool said once.
#[derive(Debug, Clone, Serialize)]
struct Trial {
    tool: String,
    case: String,
    head: String,
    planted: u64,
    /// The tool calls head slower.
    slower: bool,
    /// How much slower it measured head to be, as a share of the time.
    change: f64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut trials = Vec::new();
    for number in 0..args.trials {
        for case in CASES {
            for head in heads(&args, case)? {
                for tool in Tool::ALL {
                    trials.push(once(tool, case, &head, &args)?);
                }
            }
        }
        std::fs::write(&args.out, serde_json::to_vec_pretty(&trials)?)
            .with_context(|| format!("failed to write {}", args.out.display()))?;
        eprintln!("{} of {} rounds of trials", number + 1, args.trials);
    }
    println!("{}", table(&trials, &gate(&args)?, &args));
    Ok(())
}

/// The heads of a case that are to be tried.
fn heads(args: &Args, case: Case) -> anyhow::Result<Vec<Head>> {
    let path = args
        .selftest
        .join(format!("{}-quiet/recording.json", case.name()));
    let recording: Recording = read(&path)?;
    let wanted = |head: &Head| args.percent.contains(&head.percent);
    Ok(recording.heads.into_iter().filter(wanted).collect())
}

fn gate(args: &Args) -> anyhow::Result<SelfTest> {
    read(&args.selftest.join("selftest.json"))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let failed = || {
        format!(
            "failed to read {}; `just selftest` writes it",
            path.display()
        )
    };
    let text = std::fs::read(path).with_context(failed)?;
    serde_json::from_slice(&text).with_context(failed)
}

/// One of the two tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Criterion,
    Tango,
}

impl Tool {
    const ALL: [Self; 2] = [Self::Criterion, Self::Tango];

    const fn name(self) -> &'static str {
        match self {
            Self::Criterion => "criterion",
            Self::Tango => "tango-bench",
        }
    }

    /// The program beside this one that is made of it.
    const fn program(self) -> &'static str {
        match self {
            Self::Criterion => "with_criterion",
            Self::Tango => "with_tango",
        }
    }

    /// Verdict and change.
    fn run(self, command: &mut Command, base: &Path) -> anyhow::Result<(bool, f64)> {
        match self {
            Self::Criterion => criterion(command, base),
            Self::Tango => tango(command),
        }
    }
}

fn once(tool: Tool, case: Case, head: &Head, args: &Args) -> anyhow::Result<Trial> {
    let own = std::env::current_exe().context("failed to find this program's own file")?;
    let program = match head.label.strip_prefix("nul") {
        None => args.base.clone(),
        Some(number) => {
            let number: usize = number.parse()?;
            let null = args.null.get(number);
            null.with_context(|| format!("--null number {number} is missing"))?
                .clone()
        }
    };
    let kind = if head.units == 0 { "none" } else { case.kind() };
    let mut command = Command::new(own.with_file_name(tool.program()));
    command
        .env(CASE, case.name())
        .env(PROGRAM, program.canonicalize()?)
        .env(PROGRAM_OF_BASE, args.base.canonicalize()?)
        .env(PLANT, format!("{kind}:{:011}", head.units));
    let (slower, change) = tool
        .run(&mut command, &args.base.canonicalize()?)
        .with_context(|| format!("{}, {}, {}", tool.name(), case.name(), head.label))?;
    Ok(Trial {
        tool: tool.name().to_owned(),
        case: case.name().to_owned(),
        head: head.label.clone(),
        planted: head.percent,
        slower,
        change,
    })
}

/// A baseline of base, then head against it, with criterion's own settings.
fn criterion(command: &mut Command, base: &Path) -> anyhow::Result<(bool, f64)> {
    let home = tempfile::tempdir()?;
    let variables: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let mut baseline = Command::new(command.get_program());
    baseline
        .envs(variables)
        .env(PROGRAM, base)
        .env(PLANT, "none:00000000000");
    said(
        baseline
            .env("CRITERION_HOME", home.path())
            .args(["--bench", "--save-baseline", "base"]),
    )?;
    command.env("CRITERION_HOME", home.path());
    let said = said(command.args(["--bench", "--baseline", "base"]))?;
    let folder = std::fs::read_dir(home.path())?
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("change/estimates.json"))
        .find(|path| path.exists())
        .context("criterion wrote no change")?;
    let estimates: serde_json::Value = read(&folder)?;
    let change = estimates["mean"]["point_estimate"]
        .as_f64()
        .context("no estimate")?;
    Ok((said.contains("Performance has regressed"), change))
}

/// Both at the same time for as long as criterion measures one of them.
fn tango(command: &mut Command) -> anyhow::Result<(bool, f64)> {
    command.args(["--color", "never", "compare", "-q", "-t", "5"]);
    command.args([
        "--strip-candidate",
        "head/**",
        "--strip-baseline",
        "base/**",
    ]);
    let said = said(command)?;
    let read = || {
        let (before, behind) = said.trim_end().rsplit_once('%')?;
        let number = before.rsplit(' ').next()?;
        Some((behind.starts_with('*'), number.parse::<f64>().ok()? / 100.0))
    };
    let (significant, change) = read().with_context(|| format!("tango-bench said: {said}"))?;
    Ok((significant && change > 0.0, change))
}

/// What a command prints. How it ends is not looked at: tango-bench ends with 1 where head is slower.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .context("failed to start it; build all programs of this folder")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if said.trim().is_empty() {
        bail!(
            "it said nothing, and beside that: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(said)
}

fn table(trials: &[Trial], gate: &SelfTest, args: &Args) -> Table {
    let mut table = Table::new();
    table.set_header([
        "case",
        "planted",
        "tool",
        "called slower",
        "95 % bounds",
        "median change it saw",
    ]);
    for case in CASES {
        for &percent in &args.percent {
            let of_case = |one: &&GateHead| {
                one.case == case.name() && one.condition == "quiet" && one.planted == percent
            };
            let heads: Vec<&GateHead> = gate.heads.iter().filter(of_case).collect();
            let regressions = heads.iter().map(|one| one.trials.regressions).sum();
            let all = heads.iter().map(|one| one.trials.trials).sum();
            let changes = heads
                .iter()
                .filter_map(|one| Some(one.slowdown.as_ref()?.point));
            table.add_row(row(
                case,
                percent,
                "ringside gate",
                regressions,
                all,
                changes.collect(),
            ));
            for tool in Tool::ALL.map(Tool::name) {
                let ours = |one: &&Trial| {
                    one.tool == tool && one.case == case.name() && one.planted == percent
                };
                let ours: Vec<&Trial> = trials.iter().filter(ours).collect();
                let slower = ours.iter().filter(|one| one.slower).count();
                let changes = ours.iter().map(|one| one.change).collect();
                table.add_row(row(case, percent, tool, slower, ours.len(), changes));
            }
        }
    }
    table
}

fn row(
    case: Case,
    percent: u64,
    tool: &str,
    slower: usize,
    trials: usize,
    mut changes: Vec<f64>,
) -> [String; 6] {
    let (low, high) = proportion_bounds(slower, trials, 0.95);
    changes.sort_by(f64::total_cmp);
    let middle = |place: usize| changes.get(place).copied();
    let last = changes.len().saturating_sub(1);
    let median = middle(last / 2).zip(middle(last.div_ceil(2)));
    let median = median.map(|(low, high)| (low + high) / 2.0);
    [
        case.name().to_owned(),
        format!("{percent} %"),
        tool.to_owned(),
        format!("{slower} of {trials}"),
        format!("{:.0} to {:.0} %", low * 100.0, high * 100.0),
        median.map_or_else(String::new, |change| format!("{:+.1} %", change * 100.0)),
    ]
}

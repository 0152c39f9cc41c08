//! What `gate` and its self-test take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct GateArgs {
    #[command(subcommand)]
    pub(crate) action: Option<GateAction>,
    /// The older build is this revision of the repository here; the newer one is what is checked out. Both are
    /// built first.
    #[arg(long, value_name = "REV", required_unless_present_any = ["base_bin", "base_manifest"],
          conflicts_with_all = ["base_bin", "head_bin", "base_manifest", "head_manifest"])]
    pub(crate) base: Option<String>,
    /// Compare files that no commit holds too, as a part of the newer build.
    #[arg(long, requires = "base")]
    pub(crate) allow_dirty: bool,
    /// The older build of this tool, or of the outside program that --implementation names.
    #[arg(long, value_name = "FILE", requires = "head_bin", conflicts_with_all = ["base_manifest", "head_manifest"])]
    pub(crate) base_bin: Option<PathBuf>,
    /// The newer one.
    #[arg(long, value_name = "FILE", requires = "base_bin")]
    pub(crate) head_bin: Option<PathBuf>,
    /// The manifest of the older build of an outside program.
    #[arg(long, value_name = "FILE", requires = "head_manifest")]
    pub(crate) base_manifest: Option<PathBuf>,
    /// The manifest of the newer one.
    #[arg(
        long,
        value_name = "FILE",
        requires = "base_manifest",
        conflicts_with = "implementation"
    )]
    pub(crate) head_manifest: Option<PathBuf>,
    /// Compare under this scenario only; may be given several times. All of the plan when left out.
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) scenario: Vec<String>,
    /// Compare this implementation only; may be given several times. Those of the plan when left out.
    #[arg(long, value_name = "ID")]
    pub(crate) implementation: Vec<String>,
    /// Scenarios, thresholds and the length of turns, instead of datasets/plans/gate.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Seed of the order of turns and of every load.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder that holds gates/, where triples and report go.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// What else a gate can do.
#[derive(Debug, Subcommand)]
pub(crate) enum GateAction {
    /// Plant slowdowns, and count how often the gate sees them and how often it sees one that is not there.
    #[command(after_help = "Example: just selftest --quick")]
    Selftest(SelftestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// A null build: this program built so that it does the same in other places of memory; may be given several
    /// times.
    #[arg(long, value_name = "FILE")]
    pub(crate) null: Vec<PathBuf>,
    /// About five minutes: 20 triples of each case on the machine as it is, with 10 % planted. These are too few
    /// for a goal to be met, so that it ends with 5 unless one is missed (1).
    #[arg(long, conflicts_with = "triples")]
    pub(crate) quick: bool,
    /// Record only builds without a change, one in each triple: three processes instead of eight, and trials that have
    /// none in common.
    #[arg(long, conflicts_with = "quick")]
    pub(crate) unchanged: bool,
    /// Only this case (http, mqtt, hash); may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) case: Vec<String>,
    /// Only under this condition (quiet, neighbour); may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) condition: Vec<String>,
    /// Triples of each case and condition. A recording that has fewer goes on; 0 prints what is recorded.
    #[arg(long, default_value_t = 600, value_name = "N")]
    pub(crate) triples: u32,
    /// The effects.csv of an earlier recording, also of other builds or of another machine, whose trials are counted as
    /// well; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// Folder of the recordings, of selftest.json and of effects.csv (what each triple said).
    #[arg(long, default_value = "reports/selftest", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

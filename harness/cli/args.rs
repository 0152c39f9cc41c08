//! The command line, as it is read; every command's own arguments become checked types in its file.

pub(crate) mod gate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::gate::GateArgs;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "ringside",
    version,
    about = "Measures interchangeable implementations of network services, and says which documented claims hold here.",
    after_help = "Exit codes: 0 ok, 1 error, 2 usage, 3 confirmed regression, 4 promised claim missed (--strict), \
                  5 undecided or invalid, 6 a profile without samples, 130 interrupted.\n\nExample: ringside bench-all --plan smoke",
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Form of what is printed on standard output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Colours; `auto` uses them on a terminal unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Progress on standard error; `auto` shows it on a terminal only.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
    /// Print results and errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: blocks that went well, cases that passed, what was left out and why.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Only cells, ids or claims whose name contains TEXT; several are alternatives.
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,
    /// Read claims, goals and plans from this folder, not from those built into the tool.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) datasets: Option<PathBuf>,
    /// Add the outside program that this manifest describes; may be given several times.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) manifest: Vec<PathBuf>,
    /// Processors of each server that is measured; the generator gets as many of the others, if there are
    /// so many. Claims about several cores need more than 1.
    #[arg(long, global = true, value_name = "N", default_value_t = 1,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) cores: usize,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences.
    Human,
    /// JSON, for programs.
    Json,
    /// Markdown, for job summaries.
    Md,
}

/// Whether something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// When it makes sense.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List implementations, scenarios, claims, plans and outside programs.
    #[command(after_help = "Example: ringside list scenarios --filter http/")]
    List(ListArgs),
    /// Say what this machine can measure, and what would let it measure more.
    #[command(after_help = "Example: ringside doctor")]
    Doctor,
    /// Print what a run would do and how long it would take.
    #[command(
        after_help = "Example: ringside plan --plan quick --budget 3m --format json > plan.json"
    )]
    Plan(PlanArgs),
    /// Measure the cells of a plan and write records.
    #[command(
        after_help = "Examples:\n  ringside run --plan quick\n  ringside run --resume reports/latest"
    )]
    Run(RunArgs),
    /// Judge the claims by the records of a run.
    #[command(after_help = "Example: ringside judge reports/latest --strict")]
    Judge(JudgeArgs),
    /// Write the HTML report of a run that was judged.
    #[command(after_help = "Example: ringside report reports/latest --csv records.csv")]
    Report(ReportArgs),
    /// Plan, run, judge and report in one go.
    #[command(after_help = "Example: ringside bench-all --plan smoke --filter echo/")]
    BenchAll(BenchAllArgs),
    /// Compare two implementations under one scenario, or show two runs side by side.
    #[command(
        after_help = "Examples:\n  ringside compare http/epoll http/uring --scenario 'http/small{connections=400}'\n  \
                      ringside compare reports/runs/A reports/runs/B"
    )]
    Compare(CompareArgs),
    /// Compare two builds, and fail when the newer one is slower.
    #[command(
        after_help = "Examples:\n  ringside gate --base origin/main\n  ringside gate --base-bin ./ringside-before --head-bin ./ringside-after\n  \
                      ringside gate --base-manifest before.toml --head-manifest after.toml --scenario http/small"
    )]
    Gate(GateArgs),
    /// Show where one server spends its time under a scenario, or what changed from another one.
    #[command(
        after_help = "Examples:\n  ringside profile http/epoll http/small\n  ringside profile http/uring http/small --diff http/epoll\n  \
                      ringside profile mqtt/blocking mqtt/pairs --off-cpu\n  ringside profile http/epoll http/small --diff ./ringside-before"
    )]
    Profile(ProfileArgs),
    /// Say how this build was made and what it offers, as JSON.
    #[command(hide = true)]
    Identity,
    /// Do the work of pure functions, so that their instructions can be counted.
    #[command(hide = true)]
    Count(CountArgs),
    /// Load several servers in turn, and print every turn as JSON.
    #[command(hide = true)]
    Turns(TurnsArgs),
    /// Start one server and print a line of JSON when it is ready.
    #[command(
        after_help = "Example: ringside serve 'http/epoll[body=sendfile]' --listen 127.0.0.1:8080 --root ./site"
    )]
    Serve(ServeArgs),
    /// Load a running server with one scenario.
    #[command(
        after_help = "Examples:\n  ringside load 'echo/small{connections=400}' --target 127.0.0.1:7000\n  \
                      ringside load http/small --target 127.0.0.1:8080 --root ./site"
    )]
    Load(LoadArgs),
    /// Run the conformance cases of its family against an implementation or an outside program.
    #[command(
        after_help = "Examples:\n  ringside verify http/uring\n  ringside verify http/mine --manifest mine.toml"
    )]
    Verify(VerifyArgs),
    /// Print completions for a shell.
    #[command(after_help = "Example: ringside completions bash > /etc/bash_completion.d/ringside")]
    Completions(CompletionsArgs),
}

/// What `list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Everything but claims.
    All,
    /// Servers, with their axes.
    Implementations,
    /// Questions, with their parameters.
    Scenarios,
    /// Documented targets.
    Claims,
    /// Named plans.
    Plans,
    /// Outside programs that have a manifest.
    Programs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list.
    #[arg(value_enum, default_value_t = Kind::All)]
    pub(crate) kind: Kind,
}

/// Which cells, how often, and in what time.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlanArgs {
    /// A named plan (smoke, quick, full, goals, cores, self, soak, hold, million) or a TOML file of
    /// your own.
    #[arg(long, default_value = "quick", value_name = "NAME|FILE")]
    pub(crate) plan: String,
    /// Fit the plan to this time, such as 10m; what does not fit is left out and said.
    #[arg(long, value_name = "TIME")]
    pub(crate) budget: Option<String>,
    /// Seed of the order of cells and of every load.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// A plan that `plan --format json` printed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "budget", "seed"])]
    pub(crate) plan_json: Option<PathBuf>,
    /// Go on with a run that was interrupted.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["plan", "budget", "seed", "plan_json", "out"])]
    pub(crate) resume: Option<PathBuf>,
    /// Folder that holds runs/ and latest.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// Folder of the run.
    #[arg(default_value = "reports/latest", value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// End with 4 when a promise or a goal of this project is missed, else with 5 when one is undecided.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Folder of the run.
    #[arg(default_value = "reports/latest", value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Also write the records as CSV, with units in the header.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchAllArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// Folder that holds runs/ and latest.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// End with 4 when a promise or a goal of this project is missed, else with 5 when one is undecided.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Behind all measurements, profile each cell on and off the processor, each for so many seconds (3 when none are
    /// given), and link the graphs from the report: half a minute a cell. Without perf, only on the processor.
    #[arg(
        long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "3",
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) profiles: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// An implementation, or the folder of a run.
    #[arg(value_name = "A")]
    pub(crate) first: String,
    /// Another one of the same kind.
    #[arg(value_name = "B")]
    pub(crate) second: String,
    /// The scenario, with its parameters; needed for two implementations.
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) scenario: Option<String>,
    /// Rounds, each with a fresh pair of processes for A and for B.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Length of the measured window of a block.
    #[arg(long, default_value = "400ms", value_name = "TIME")]
    pub(crate) measure: String,
    /// End with 3 when B is slower than A by more than so many per cent, confirmed by a second set of
    /// fresh processes.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
    pub(crate) regression: Option<f64>,
    /// Seed of the order and of the load.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder that holds runs/ and latest.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    /// The functions, of those that `identity` names.
    #[arg(required = true, value_name = "FUNCTION")]
    pub(crate) functions: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// The implementation or outside program, with its axes.
    #[arg(value_name = "IMPL")]
    pub(crate) implementation: String,
    /// The scenario, with its parameters.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,
    /// The profilers, with commas between them.
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',', default_values = ["on-processor"])]
    pub(crate) kind: Vec<ProfilerName>,
    /// Where threads wait, and how long: short for --kind off-processor.
    #[arg(long, conflicts_with = "kind")]
    pub(crate) off_cpu: bool,
    /// Profile this too, and show what changed from it: an implementation, or the file of another build (./ringside-before).
    #[arg(long, value_name = "OTHER")]
    pub(crate) diff: Option<String>,
    /// Which of the two processes to watch.
    #[arg(long, value_enum, default_value_t = SideName::Server)]
    pub(crate) side: SideName,
    /// How long each profiler watches, in seconds. As long again the load goes on without it, to tell what it costs.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// Seed of every load.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder that holds profiles/, where graphs and page go.
    #[arg(long, default_value = "reports", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A profiler. Purpose, slowdown and output of each stand in its help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfilerName {
    /// In which functions processor time goes. An interrupt for each of 997 samples a second. A flame graph.
    OnProcessor,
    /// In which functions threads wait, and how long. Two records for each switch of threads. A flame graph.
    OffProcessor,
    /// The part of off-processor that waits for locks. A flame graph.
    LockWaits,
    /// In which functions memory is asked for. A trap for each call of malloc and its kin; needs root. A flame graph.
    Allocations,
    /// Which system calls an operation makes. A record or two stops for each call. A table.
    SystemCalls,
    /// How often threads leave the processor. Nothing is attached. A table.
    ContextSwitches,
}

/// One of the two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideName {
    /// What answers.
    Server,
    /// What loads it.
    Generator,
}

#[derive(Debug, Args)]
pub(crate) struct TurnsArgs {
    /// The scenario, with its parameters.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,
    /// Addresses of the servers.
    #[arg(long, required = true, value_delimiter = ',', value_name = "ADDR")]
    pub(crate) target: Vec<SocketAddr>,
    /// A process of each server.
    #[arg(long, required = true, value_delimiter = ',', value_name = "PID")]
    pub(crate) watch: Vec<u32>,
    /// The order of the servers' places in each round: 0.2.1,1.0.2
    #[arg(long, required = true, value_delimiter = ',', value_name = "ORDER")]
    pub(crate) order: Vec<String>,
    /// Processors of the generator, a thread for each.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) cpus: Vec<usize>,
    /// Seed of every byte.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The part of each turn that is dropped.
    #[arg(long, default_value = "15ms", value_name = "TIME")]
    pub(crate) warmup: String,
    /// The part that is measured.
    #[arg(long, default_value = "60ms", value_name = "TIME")]
    pub(crate) measure: String,
    /// Length of a turn behind all others in which each server's system calls are counted; 0ms for none.
    #[arg(long, default_value = "0ms", value_name = "TIME")]
    pub(crate) count: String,
    /// TCP congestion control of the generator's sockets.
    #[arg(long, value_name = "NAME")]
    pub(crate) congestion: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The implementation, with its axes: http/epoll[body=sendfile].
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Folder with the files to serve.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Folder for what outlives the server, with persistence=file, such as the sessions of
    /// mqtt/epoll[persistence=file]; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Sample where processor time goes, and write the folded stacks into this file at the end.
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) sample: Option<PathBuf>,
    /// Processors to run on, such as 0,1; all when left out.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) cpus: Vec<usize>,
    /// Event loops or runtime threads; as many as processors when left out.
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// TCP congestion control of its sockets; the system's when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) congestion: Option<String>,
    /// Time that a client has for the head of a request, such as 2s; the family's own when left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) head_deadline: Option<String>,
    /// What to refuse to itself before it starts, as a container may.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) refuse: Vec<Refused>,
    /// Listen on an address that other machines can reach.
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

/// What a server can be kept from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Refused {
    /// The system call that sets an io_uring up.
    #[value(name = "io_uring")]
    IoUring,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The scenario, with its parameters: http/small{connections=400}.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: String,
    /// Address of the server; several with commas between share the connections.
    #[arg(long, required = true, value_delimiter = ',', value_name = "ADDR")]
    pub(crate) target: Vec<SocketAddr>,
    /// Process id of the server, to watch what it and its children use.
    #[arg(long, value_name = "PID")]
    pub(crate) watch: Option<u32>,
    /// Cores that the server may use, to say what limited the block.
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = cores)]
    pub(crate) server_cores: f64,
    /// Processors of the generator, a thread for each; one thread anywhere when left out.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) cpus: Vec<usize>,
    /// Seed of every byte and every gap.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Load that is applied and not measured.
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub(crate) warmup: String,
    /// Length of the measured window; of each step, for a sweep.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    pub(crate) measure: String,
    /// Length of the window behind it in which system calls are counted; 0ms for none.
    #[arg(long, default_value = "0ms", value_name = "TIME")]
    pub(crate) count: String,
    /// TCP congestion control of the generator's sockets; the system's when left out.
    #[arg(long, value_name = "NAME")]
    pub(crate) congestion: Option<String>,
    /// The server's document root: the files that the scenario asks for are written there first.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Load a server that is not on a loopback address.
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The implementation or outside program, with its axes.
    #[arg(value_name = "ID", required_unless_present = "target")]
    pub(crate) id: Option<String>,
    /// Check a server that runs already, of the family given by --family.
    #[arg(long, value_name = "ADDR", requires = "family")]
    pub(crate) target: Option<SocketAddr>,
    /// The family whose cases to run against --target.
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<String>,
    /// The folder that the server of --target serves.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Check a server that is not on a loopback address.
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// A number of cores above zero.
fn cores(text: &str) -> Result<f64, String> {
    let cores: Option<f64> = text.parse().ok();
    cores
        .filter(|cores| cores.is_finite() && *cores > 0.0)
        .ok_or_else(|| "expected a number above 0, such as 1 or 0.5".to_owned())
}

/// A slowdown that is allowed, in per cent.
fn percent(text: &str) -> Result<f64, String> {
    let percent: Option<f64> = text.parse().ok();
    percent
        .filter(|percent| percent.is_finite() && *percent >= 0.0)
        .ok_or_else(|| "expected a number of at least 0, such as 5 or 2.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn no_option_of_every_command_clashes_with_one_of_a_single_command() {
        Cli::command().debug_assert();
    }
}

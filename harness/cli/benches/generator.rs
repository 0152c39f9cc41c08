//! The load generator beside `wrk -t1`: requests for a second of generator processor time, in turn on
//! one floor server, in fresh processes. Run it with `cargo bench --package ringside --bench generator`.
//!
//! Both get the whole of their processor time counted, connecting included, as the kernel adds it up
//! for a child that has ended.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ringside_contract::Measures;
use ringside_judge::{NOMINAL_CONFIDENCE, ratio_interval};

/// Rounds of one block of each. Many short ones: the state of the host is the same for both of a pair.
const ROUNDS: usize = 40;
/// From this part of its core on, in per cent, the server can be the limit of a generator.
const BUSY_MAX: f64 = 90.0;
const CONNECTIONS: u32 = 400;
/// Length of a block; wrk takes whole seconds.
const SECONDS: u64 = 1;
const RINGSIDE: &str = env!("CARGO_BIN_EXE_ringside");

/// What one block gave.
#[derive(Debug, Clone, Copy)]
struct Block {
    requests: f64,
    generator_s: f64,
    server_busy: f64,
}

impl Block {
    fn per_cpu_s(&self) -> f64 {
        self.requests / self.generator_s
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("skipped: wrk is not installed; `apt-get install wrk` installs it");
        return Ok(());
    }
    let root = tempfile::tempdir()?;
    // The 1 KiB file that http/small asks for, as the generator checks it.
    write_fixture(root.path())?;
    let mut server = Server::start(root.path())?;
    let mut pairs = Vec::new();
    let (mut busy, mut wrk_busy) = (Vec::new(), Vec::new());
    println!("round  ringside req/cpu-s  wrk req/cpu-s  server busy (ringside, wrk)");
    for round in 0..ROUNDS {
        let (ours, wrk) = if round % 2 == 0 {
            let ours = ours(&server)?;
            (ours, wrk(&server)?)
        } else {
            let wrk = wrk(&server)?;
            (ours(&server)?, wrk)
        };
        println!(
            "{round:>5}  {:>18.0}  {:>13.0}  {:.2}, {:.2}",
            ours.per_cpu_s(),
            wrk.per_cpu_s(),
            ours.server_busy,
            wrk.server_busy
        );
        busy.push(ours.server_busy);
        wrk_busy.push(wrk.server_busy);
        pairs.push((ours.per_cpu_s(), wrk.per_cpu_s()));
    }
    server.stop()?;
    let ratio = ratio_interval(&pairs, NOMINAL_CONFIDENCE).ok_or("a block gave no figure")?;
    println!(
        "ringside / wrk: {:.3} times the requests for a second of generator processor time \
         ({:.3} to {:.3}, {:.1} % interval, {} rounds)",
        ratio.point,
        ratio.low,
        ratio.high,
        ratio.confidence * 100.0,
        ratio.samples
    );
    let [ours, wrk] = [busy, wrk_busy].map(median_and_most);
    println!(
        "the server was {:.0} % busy under ringside and {:.0} % under wrk in the median round, at most {:.0} % and {:.0} %",
        ours.0, wrk.0, ours.1, wrk.1
    );
    if wrk.1 >= BUSY_MAX {
        let because =
            "the server was too busy under wrk, so that it and not wrk may have been the limit";
        return Err(format!("{because}: run it again on a quieter machine").into());
    }
    if ours.1 >= BUSY_MAX {
        println!("a full server can only hold ringside up, so that its figure is a lower bound");
    }
    Ok(())
}

/// In per cent.
fn median_and_most(mut shares: Vec<f64>) -> (f64, f64) {
    shares.sort_by(f64::total_cmp);
    let of = |index: usize| shares.get(index).map_or(0.0, |share| share * 100.0);
    (of(shares.len() / 2), of(shares.len() - 1))
}

fn write_fixture(root: &Path) -> Result<(), Box<dyn Error>> {
    let scenario = ringside_scenarios::all()
        .iter()
        .find(|scenario| scenario.meta().id == "http/small")
        .ok_or("http/small is gone")?;
    let params = scenario.meta().resolve(&"http/small".parse()?)?;
    for fixture in scenario.fixtures(&params) {
        let mut bytes = vec![0; usize::try_from(fixture.length)?];
        scenario.fixture_bytes(&fixture, 0, &mut bytes);
        std::fs::write(root.join(&fixture.path), bytes)?;
    }
    Ok(())
}

/// The floor server, pinned to core 0.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(root: &Path) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(RINGSIDE)
            .args([
                "serve",
                "http/floor[io=uring]",
                "--cpus",
                "0",
                "--workers",
                "1",
                "--root",
            ])
            .arg(root)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let address = ready["addr"]
            .as_str()
            .ok_or("the ready line has no addr")?
            .to_owned();
        Ok(Self { child, address })
    }

    fn cpu_s(&self) -> f64 {
        ringside_metal::process_cpu_ns(self.child.id()).map_or(0.0, |ns| ns as f64 / 1e9)
    }

    fn stop(&mut self) -> Result<(), Box<dyn Error>> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already stopped, unless an error led here.
        let _ = self.stop();
    }
}

fn ours(server: &Server) -> Result<Block, Box<dyn Error>> {
    let mut command = Command::new(RINGSIDE);
    command
        .args([
            "load",
            &format!("http/small{{connections={CONNECTIONS}}}"),
            "--cpus",
            "1",
        ])
        .args([
            "--target",
            &server.address,
            "--format",
            "json",
            "--warmup",
            "0ms",
        ])
        .args(["--measure", &format!("{SECONDS}s")]);
    timed(server, &mut command, |text| {
        let measures: Measures = serde_json::from_str(text)?;
        Ok(measures.operations as f64)
    })
}

fn wrk(server: &Server) -> Result<Block, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command
        .args([
            "-c",
            "1",
            "wrk",
            "-t1",
            &format!("-c{CONNECTIONS}"),
            &format!("-d{SECONDS}s"),
        ])
        .arg(format!("http://{}/", server.address));
    timed(server, &mut command, |text| {
        // "  276543 requests in 2.00s, 345.67MB read"
        let line = text
            .lines()
            .find(|line| line.contains(" requests in "))
            .ok_or("wrk said nothing")?;
        Ok(line
            .split_whitespace()
            .next()
            .ok_or("an empty line")?
            .parse()?)
    })
}

fn timed(
    server: &Server,
    command: &mut Command,
    requests: impl Fn(&str) -> Result<f64, Box<dyn Error>>,
) -> Result<Block, Box<dyn Error>> {
    let children = ringside_metal::ended_children_cpu_ns();
    let served = server.cpu_s();
    let start = std::time::Instant::now();
    let output = command.stderr(Stdio::inherit()).output()?;
    let wall = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}", output.status).into());
    }
    let used = ringside_metal::ended_children_cpu_ns() - children;
    Ok(Block {
        requests: requests(&String::from_utf8(output.stdout)?)?,
        generator_s: used as f64 / 1e9,
        server_busy: (server.cpu_s() - served) / wall,
    })
}

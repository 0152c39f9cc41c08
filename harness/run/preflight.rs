//! What the machine allows and what disturbs it, before a run and for `ringside doctor`.

use std::fs;
use std::time::Duration;

use ringside_contract::{Host, Plan, UringSupport};

use crate::catalogue::Catalogue;
use crate::manifest::find_program;

/// Time over which steal and other work are sampled.
const SAMPLE: Duration = Duration::from_millis(200);
/// Files that a process needs besides its connections.
const FILES_BESIDE: u64 = 200;

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingState {
    /// As it should be.
    Ok,
    /// Something is skipped or less sure.
    Warning,
    /// A run makes no sense like this.
    Refused,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, such as `cores`.
    pub name: &'static str,
    /// How good it is.
    pub state: FindingState,
    /// What was found.
    pub found: String,
    /// What would make it better.
    pub remedy: Option<String>,
}

/// Looks at everything; takes about 0.2 s. With a plan, its needs are compared with the limits.
pub fn preflight(host: &Host, catalogue: &Catalogue, plan: Option<&Plan>) -> Vec<Finding> {
    let mut findings = vec![
        cores(host),
        open_files(
            host,
            plan.map_or(0, |plan| connections_most(plan, catalogue)),
        ),
        uring(host),
        syscall_counting(host),
        hardware_counters(host),
        congestion(host),
        port_range(host),
        priority(host),
    ];
    findings.extend(load_average(host));
    findings.extend(steal());
    findings.extend(
        catalogue
            .programs
            .iter()
            .flat_map(|manifest| &manifest.needs)
            .map(program),
    );
    findings
}

fn ok(name: &'static str, found: String) -> Finding {
    Finding {
        name,
        state: FindingState::Ok,
        found,
        remedy: None,
    }
}

fn warning(name: &'static str, found: String, remedy: &str) -> Finding {
    Finding {
        name,
        state: FindingState::Warning,
        found,
        remedy: Some(remedy.to_owned()),
    }
}

fn cores(host: &Host) -> Finding {
    let cores = host.cpus.len();
    let found = format!("{cores} usable, {}", host.processor);
    match cores {
        0 | 1 => warning(
            "cores",
            found,
            "server and generator share one: use a machine with two or more",
        ),
        2 | 3 => warning(
            "cores",
            format!("{found}: one for the server, one for the generator"),
            "claims about engines for each core need four",
        ),
        _ => ok("cores", found),
    }
}

fn open_files(host: &Host, connections: u64) -> Finding {
    let limit = host.open_files_max;
    let needed = connections + FILES_BESIDE;
    let found = format!("{limit} a process at most");
    if limit < needed {
        let found = format!("{found}, the plan's largest scenario opens {needed}");
        return warning(
            "open files",
            found,
            "the generator and the ring engines get further tables of descriptors; for the others raise the \
             hard limit: `ulimit -Hn 65536` as root",
        );
    }
    ok("open files", found)
}

fn connections_most(plan: &Plan, catalogue: &Catalogue) -> u64 {
    let connections = plan.groups.iter().filter_map(|group| {
        let (scenario, params) = catalogue.scenario(&group.scenario).ok()?;
        Some(u64::from(scenario.load(&params).ok()?.connections))
    });
    connections.max().unwrap_or(0)
}

fn uring(host: &Host) -> Finding {
    match &host.uring {
        UringSupport::Available { features } => ok(
            "io_uring",
            format!("available, {} features", features.len()),
        ),
        UringSupport::Refused { reason } => warning(
            "io_uring",
            reason.clone(),
            "engines on io_uring are skipped with this reason",
        ),
    }
}

fn syscall_counting(host: &Host) -> Finding {
    match &host.syscall_counting_refused {
        None => ok("system calls", "can be counted".to_owned()),
        Some(reason) => warning(
            "system calls",
            reason.clone(),
            "figures per system call are left out",
        ),
    }
}

fn hardware_counters(host: &Host) -> Finding {
    if host.hardware_counters {
        return ok("hardware counters", "can be read".to_owned());
    }
    let found = format!("cannot be read ({})", host.virtualisation);
    warning(
        "hardware counters",
        found,
        "not needed for verdicts; on real hardware: sysctl kernel.perf_event_paranoid=1",
    )
}

fn congestion(host: &Host) -> Finding {
    let sysctl = |name: &str| host.sysctls.get(name).map_or("unknown", String::as_str);
    let system = sysctl("net.ipv4.tcp_congestion_control");
    let available = sysctl("net.ipv4.tcp_available_congestion_control");
    let found = format!("the system's is {system}, available: {available}");
    if available.split(' ').any(|name| name == "cubic") {
        return ok(
            "congestion control",
            format!("{found}; cubic is set on every socket of both sides"),
        );
    }
    warning(
        "congestion control",
        found,
        "`modprobe tcp_cubic`, or mind that BBR halves loopback transfers",
    )
}

fn port_range(host: &Host) -> Finding {
    let range = host
        .sysctls
        .get("net.ipv4.ip_local_port_range")
        .map_or("unknown", String::as_str);
    let mut ends = range.split(' ').filter_map(|end| end.parse::<u32>().ok());
    match (ends.next(), ends.next()) {
        (Some(low), Some(high)) if high.saturating_sub(low) < 20_000 => warning(
            "port range",
            format!("{low} to {high}"),
            "`sysctl net.ipv4.ip_local_port_range='1024 65535'`: many connections use it up",
        ),
        _ => ok("port range", range.to_owned()),
    }
}

fn priority(host: &Host) -> Finding {
    let autogroup = host
        .sysctls
        .get("kernel.sched_autogroup_enabled")
        .is_some_and(|value| value == "1");
    if autogroup && !host.root {
        return warning(
            "priority",
            "autogroups are on and raising their priority needs root".to_owned(),
            "run as root, or keep the machine otherwise idle",
        );
    }
    ok(
        "priority",
        if autogroup {
            "autogroups are raised"
        } else {
            "no autogroups"
        }
        .to_owned(),
    )
}

fn load_average(host: &Host) -> Option<Finding> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    let found = format!(
        "{load:.2} over the last minute on {} cores",
        host.cpus.len()
    );
    // Half a core's worth of other work is seen in every figure when each role has one core.
    let busy = load > 0.5;
    Some(if busy {
        warning("other work", found, "wait until the machine is idle")
    } else {
        ok("other work", found)
    })
}

fn steal() -> Option<Finding> {
    let before = processor_times()?;
    std::thread::sleep(SAMPLE);
    let after = processor_times()?;
    let all = after.0.saturating_sub(before.0).max(1);
    let share = after.1.saturating_sub(before.1) as f64 / all as f64;
    let found = format!(
        "{:.1} % of processor time goes to other machines",
        share * 100.0
    );
    Some(if share > 0.02 {
        warning(
            "steal",
            found,
            "a neighbour uses the same hardware: only paired ratios are to be trusted",
        )
    } else {
        ok("steal", found)
    })
}

/// All processor time so far, and what was stolen of it, in ticks.
fn processor_times() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    Some((fields.iter().take(8).sum(), *fields.get(7)?))
}

fn program(need: &crate::manifest::Need) -> Finding {
    match find_program(&need.program) {
        Some(path) => ok("program", path.display().to_string()),
        None => {
            let found = format!("{} is not installed and is skipped", need.program);
            warning(
                "program",
                found,
                &format!("to install it: {}", need.install),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalogue, host};

    fn check(finding: &Finding, state: FindingState, part: &str) {
        assert_eq!(finding.state, state, "{finding:?}");
        let text = format!(
            "{} {}",
            finding.found,
            finding.remedy.as_deref().unwrap_or_default()
        );
        assert!(text.contains(part), "{finding:?}");
    }

    #[test]
    fn too_few_cores_and_files_are_warned_of() {
        let small = Host {
            cpus: vec![0],
            open_files_max: 1024,
            ..host()
        };
        check(&cores(&small), FindingState::Warning, "share one");
        check(&open_files(&small, 10_000), FindingState::Warning, "10200");
        check(&open_files(&small, 400), FindingState::Ok, "1024");
    }

    #[test]
    fn a_refused_ring_keeps_its_reason() {
        check(&uring(&host()), FindingState::Warning, "fake");
    }

    #[test]
    fn a_missing_program_names_its_command() {
        let need = crate::manifest::Need {
            program: "no-such-program".to_owned(),
            install: "apt-get install it".to_owned(),
        };
        check(&program(&need), FindingState::Warning, "apt-get install it");
    }

    #[test]
    fn a_narrow_port_range_is_warned_of() {
        let mut narrow = host();
        narrow.sysctls.insert(
            "net.ipv4.ip_local_port_range".to_owned(),
            "50000 51000".to_owned(),
        );
        check(&port_range(&narrow), FindingState::Warning, "1024 65535");
    }

    #[test]
    fn everything_is_looked_at() {
        let names: Vec<_> = preflight(&host(), &catalogue(), None)
            .iter()
            .map(|f| f.name)
            .collect();
        for name in [
            "cores",
            "open files",
            "io_uring",
            "system calls",
            "congestion control",
        ] {
            assert!(names.contains(&name), "{name}");
        }
    }
}

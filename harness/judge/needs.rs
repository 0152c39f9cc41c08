//! What a claim needs, held against what its servers had: the host's kind, memory and instructions, and
//! the processors that the run gave to a server. A host with many cores whose servers ran on one says
//! nothing of a figure that was documented on all of them.

use ringside_contract::{Host, RunRecord};

/// What the servers of a run had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) host: &'a Host,
    /// Processors that a server could use: the fewest of its blocks.
    pub(crate) server_cores: usize,
}

impl<'a> Here<'a> {
    /// What the servers of these records had; `None` when there is none.
    pub(crate) fn of(records: impl Iterator<Item = &'a RunRecord>) -> Option<Self> {
        let here = records.map(|record| {
            let pinned = record.placement.server_cpus.len();
            let host = &record.host;
            // A server that is not pinned may use every core of the host.
            let server_cores = if pinned == 0 { host.cpus.len() } else { pinned };
            Self { host, server_cores }
        });
        here.reduce(|least, next| Self {
            server_cores: least.server_cores.min(next.server_cores),
            ..least
        })
    }
}

/// The needs that are not fulfilled here, as the claim writes them. A need that no probe can see,
/// such as a network card behind loopback, is never fulfilled.
pub(crate) fn unmet<'a>(needs: &'a [String], here: &Here<'_>) -> Vec<&'a str> {
    needs
        .iter()
        .map(String::as_str)
        .filter(|need| !fulfilled(need, here))
        .collect()
}

/// What a claim may need, as messages write it.
pub(crate) const NEEDS: &str = "empty or, with semicolons between, any of os=, arch=, cpu= with a name behind, \
     cores>=, ram_gib>=, open_files>=, numa>=, nic_queues>=, threads>=, hours>= with a number behind, hw_counters, nic";

/// A need in words, such as `12 cores` for `cores>=12`.
pub(crate) fn in_words(need: &str) -> String {
    if let Some((what, amount)) = need.split_once(">=") {
        let what = match what {
            "ram_gib" => "GiB of memory",
            "open_files" => "open files for a process",
            "numa" => "NUMA nodes",
            "nic_queues" => "queues of a network card",
            other => other,
        };
        return format!("{amount} {what}");
    }
    match need.split_once('=') {
        Some(("cpu", feature)) => format!("a processor with {feature}"),
        Some(("os" | "arch", name)) => name.to_owned(),
        _ if need == "nic" => "a network card".to_owned(),
        _ if need == "hw_counters" => "hardware counters".to_owned(),
        _ => need.to_owned(),
    }
}

/// Whether `need` is written in one of the forms of [`NEEDS`].
pub(crate) fn is_need(need: &str) -> bool {
    if let Some((what, amount)) = need.split_once(">=") {
        let known = [
            "cores",
            "ram_gib",
            "open_files",
            "numa",
            "nic_queues",
            "threads",
            "hours",
        ];
        return known.contains(&what) && amount.parse::<u64>().is_ok();
    }
    match need.split_once('=') {
        Some((what, name)) => ["os", "arch", "cpu"].contains(&what) && !name.is_empty(),
        None => ["hw_counters", "nic"].contains(&need),
    }
}

/// The number of a `cores>=N` among `needs`.
pub(crate) fn cores_needed(needs: &[String]) -> Option<u64> {
    needs
        .iter()
        .find_map(|need| need.strip_prefix("cores>=")?.parse().ok())
}

/// Whether all that is missing is a greater amount of something the host has.
pub(crate) fn only_size(unmet: &[&str]) -> bool {
    unmet
        .iter()
        .all(|need| need.starts_with("cores>=") || need.starts_with("ram_gib>="))
}

fn fulfilled(need: &str, here: &Here<'_>) -> bool {
    let host = here.host;
    if let Some((what, amount)) = need.split_once(">=") {
        let Ok(amount) = amount.parse::<f64>() else {
            return false;
        };
        return amount_of(what, here).is_some_and(|has| has >= amount);
    }
    match need.split_once('=') {
        Some(("os", os)) => host.os == os,
        Some(("arch", arch)) => host.arch == arch,
        // /proc/cpuinfo writes sse4_2 where the claims write sse4.2.
        Some(("cpu", feature)) => {
            let plain = feature.replace('.', "_");
            host.cpu_features
                .iter()
                .any(|has| has == feature || *has == plain)
        }
        None if need == "hw_counters" => host.hardware_counters,
        _ => false,
    }
}

fn amount_of(what: &str, here: &Here<'_>) -> Option<f64> {
    let host = here.host;
    match what {
        "cores" => Some(here.server_cores as f64),
        "numa" => Some(host.numa_nodes as f64),
        "open_files" => Some(host.open_files_max as f64),
        // Firmware and kernel keep a part of what is fitted: 16 GiB read as 15.6.
        "ram_gib" => Some((host.memory_bytes as f64 / 1_073_741_824.0 + 0.5).round()),
        _ => None,
    }
}

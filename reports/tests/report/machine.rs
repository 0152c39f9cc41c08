//! The run and the machine that the documents of `fixtures` tell of.

use std::collections::BTreeMap;

use ringside_contract::{
    Build, Check, CheckState, Host, Placement, RunSummary, Settings, UringSupport,
};

/// A run of the quick plan, four minutes and a half long.
pub(crate) fn run() -> RunSummary {
    RunSummary {
        run: "2026-11-20-1107-quick".to_owned(),
        plan: "quick".to_owned(),
        began_at: 1_795_172_820,
        ended_at: 1_795_173_101,
        records: 512,
        build: Build {
            commit: "c0ffee0123".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            flags: "-C force-frame-pointers=yes".to_owned(),
            profile: "release".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            binary: "0123456789abcdef".to_owned(),
        },
        host: host(),
        placement: Placement { server_cpus: vec![0], generator_cpus: vec![1], shared: false },
        seed: 7,
        aligned: Settings::parse("congestion=cubic,nodelay=on,workers=1", ',').unwrap(),
        repeat: vec![
            "git checkout c0ffee0123".to_owned(),
            "cargo bench-all --plan quick --seed 7".to_owned(),
            "ringside judge reports/runs/2026-11-20-1107-quick && ringside report reports/runs/2026-11-20-1107-quick".to_owned(),
        ],
    }
}

fn host() -> Host {
    Host {
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        kernel: "6.18.5".to_owned(),
        processor: "Example Processor at 2.60 GHz".to_owned(),
        cpus: vec![0, 1],
        numa_nodes: 1,
        memory_bytes: 25_276_502_016,
        cpu_features: ["aes", "avx2", "bmi2", "sse4.2"]
            .map(str::to_owned)
            .to_vec(),
        hardware_counters: false,
        open_files_max: 20_000,
        root: true,
        uring: UringSupport::Available {
            features: vec!["defer_taskrun".to_owned(); 62],
        },
        syscall_counting_refused: None,
        sysctls: BTreeMap::from([
            ("net.core.somaxconn".to_owned(), "4096".to_owned()),
            (
                "net.ipv4.tcp_congestion_control".to_owned(),
                "bbr".to_owned(),
            ),
        ]),
        virtualisation: "virtual (kvm)".to_owned(),
    }
}

/// The parameters of a scenario with its usual values.
pub(crate) fn params(load: &str) -> Settings {
    let mut params = Settings::default();
    for (key, value) in [("size", "1KiB"), ("connections", "64"), ("load", load)] {
        params.set(key, value);
    }
    params
}

/// What a reader of the run relies on.
pub(crate) fn checks() -> Vec<Check> {
    let check = |state, sentence: &str| Check {
        state,
        sentence: sentence.to_owned(),
    };
    vec![
        check(
            CheckState::Ok,
            "Latency counts from the intended send time in every open loop.",
        ),
        check(
            CheckState::Ok,
            "Rounds of compared cells alternate in random order, 8 process pairs each.",
        ),
        check(
            CheckState::Warning,
            "The hypervisor took 0.8 % of processor time on average, 6.1 % in the worst block.",
        ),
        check(
            CheckState::Ok,
            "No answer was wrong, lost or repeated in 61 208 114 operations.",
        ),
        check(
            CheckState::Warning,
            "Late sends were over 1 % in 2 cells; they are marked.",
        ),
    ]
}

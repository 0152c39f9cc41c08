//! Records made by hand, for the tests of verdicts.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use ringside_contract::{
    BlockTiming, Build, Claim, Host, Latency, Limit, Measures, Placement, RunRecord, SCHEMA,
    Settings, Side, Status, System, UringSupport, Verdicts,
};
use ringside_judge::{Fairer, Families, JudgeInput, Records, ScenarioInfo, judge, read_claims};

/// A host with this many processors.
pub(crate) fn host(cpus: usize) -> Host {
    Host {
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        kernel: "6.18".to_owned(),
        processor: "test".to_owned(),
        cpus: (0..cpus).collect(),
        numa_nodes: 1,
        memory_bytes: 24 << 30,
        cpu_features: vec!["avx2".to_owned(), "sse4_2".to_owned()],
        hardware_counters: false,
        open_files_max: 20_000,
        root: true,
        uring: UringSupport::Available {
            features: Vec::new(),
        },
        syscall_counting_refused: None,
        sysctls: BTreeMap::new(),
        virtualisation: "virtual (kvm)".to_owned(),
    }
}

/// A completed block with round figures: 1,000 operations in a second, the server saturated.
pub(crate) fn measures(throughput: f64) -> Measures {
    Measures {
        duration_s: 1.0,
        operations: 1000,
        throughput_per_s: throughput,
        bytes_sent: 64_000,
        bytes_received: 1_024_000,
        connections: 400,
        latency: Some(Latency {
            mean_us: 1e6 / throughput,
            p50_us: 1e6 / throughput,
            p99_us: 2e6 / throughput,
            ..Latency::default()
        }),
        server: Some(Side {
            cpu_ns: (1e12 / throughput) as u64,
            cores_busy: 0.97,
            cores: 1.0,
            rss_bytes: 4 << 20,
            rss_peak_bytes: 5 << 20,
            syscalls_per_op: Some(2.0),
            ..Side::default()
        }),
        generator: Side {
            cores_busy: 0.5,
            cores: 1.0,
            ..Side::default()
        },
        system: System::default(),
        limited_by: Some(Limit::Server),
        ..Measures::default()
    }
}

/// A record of one block. `scenario` and `implementation` are canonical; `params` and `axes` are
/// what they set and the usual defaults.
pub(crate) fn record(
    scenario: &str,
    implementation: &str,
    round: u32,
    measures: Measures,
) -> RunRecord {
    let scenario: ringside_contract::ScenarioSpec = scenario.parse().unwrap();
    let implementation: ringside_contract::ImplementationSpec = implementation.parse().unwrap();
    let mut params = Settings::default();
    for (key, value) in [
        ("size", "1KiB"),
        ("connections", "64"),
        ("load", "closed"),
        ("rate", "10000"),
    ] {
        params.set(key, scenario.params.value(key).unwrap_or(value));
    }
    let mut axes = Settings::default();
    axes.set(
        "body",
        implementation.axes.value("body").unwrap_or("memory"),
    );
    RunRecord {
        schema: SCHEMA,
        run: "test".to_owned(),
        recorded_at: 1_700_000_000 + u64::from(round),
        build: Build::default(),
        host: host(2),
        placement: Placement {
            server_cpus: vec![0],
            generator_cpus: vec![1],
            shared: false,
        },
        params,
        axes,
        ranked: implementation.id.name != "floor",
        scenario,
        implementation,
        program: None,
        server_command: Vec::new(),
        generator_command: Vec::new(),
        aligned: BTreeMap::new(),
        not_aligned: Vec::new(),
        seed: 1,
        round,
        position: round % 2,
        replica: 0,
        group: 0,
        timing: BlockTiming {
            warmup_ms: 10,
            measure_ms: 50,
            count_ms: 10,
        },
        status: Status::Completed,
        measures: Some(measures),
        artifacts: Vec::new(),
        quality_fault: None,
        warnings: Vec::new(),
    }
}

/// A cell of `rounds` blocks whose throughput spreads by 1 % around `throughput`.
pub(crate) fn cell(
    scenario: &str,
    implementation: &str,
    rounds: u32,
    throughput: f64,
) -> Vec<RunRecord> {
    let spread = |round: u32| throughput * (1.0 + 0.01 * (f64::from(round % 5) - 2.0) / 2.0);
    (0..rounds)
        .map(|round| record(scenario, implementation, round, measures(spread(round))))
        .collect()
}

/// Leaves the server half idle, as when `limit` kept the block from going faster.
pub(crate) fn idle(measures: &mut Measures, limit: Limit) {
    measures.limited_by = Some(limit);
    if let Some(server) = &mut measures.server {
        server.cores_busy = 0.5;
    }
}

/// Changes the measures of every record.
pub(crate) fn with(mut records: Vec<RunRecord>, change: impl Fn(&mut Measures)) -> Vec<RunRecord> {
    records
        .iter_mut()
        .filter_map(|record| record.measures.as_mut())
        .for_each(change);
    records
}

/// A claim about http from the fields that matter to a verdict.
pub(crate) fn claim(line: &str) -> Claim {
    let [
        id,
        role,
        scenario,
        params,
        metric,
        unit,
        baseline,
        candidate,
        kind,
        low,
        high,
        needs,
    ] = line.split(';').collect::<Vec<_>>().try_into().unwrap();
    let params = params.replace('&', ";");
    let text = format!(
        "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement\n\
         {id},doc,1,{role},{scenario},{params},{metric},{unit},\"{baseline}\",\"{candidate}\",{kind},{low},{high},{needs},s\n"
    );
    read_claims(&text, "claims.csv").unwrap().remove(0)
}

/// The scenarios that the tests know.
pub(crate) fn scenarios() -> Vec<ScenarioInfo> {
    let info = |id: &str, ranked_by: &str| ScenarioInfo {
        id: id.parse().unwrap(),
        question: format!("how fast is {id}?"),
        operations: "requests".to_owned(),
        ranked_by: ranked_by.to_owned(),
    };
    vec![
        info("http/small", "operations_per_cpu_s"),
        info("http/large", "cpu_per_gb"),
        info("echo/small", "throughput"),
        info("hash/throughput", "throughput"),
        info("map/read", "throughput"),
        info("ring/lookup", "throughput"),
        info("mqtt/pairs", "operations_per_cpu_s"),
        info("mqtt/fan_out", "operations_per_cpu_s"),
        info("mqtt/connect", "operations_per_cpu_s"),
        info("mqtt/slow_subscriber", "latency_p99"),
        info("mqtt/hold", "memory_per_connection"),
        info("codec/log_entry", "throughput"),
        info("log/append", "throughput"),
    ]
}

/// Judges claims on records, with the families codec, echo, hash, http, log, map, mqtt and ring built.
pub(crate) fn judged(records: Vec<RunRecord>, claims: &[Claim]) -> Verdicts {
    let records = Records {
        records,
        warnings: Vec::new(),
    };
    let names = [
        "epoll",
        "uring",
        "tokio",
        "floor",
        "per_core_epoll",
        "nginx",
        "mosquitto",
        "rumqttd",
        "papaya",
        "bucketed",
        "rapidhash",
        "foldhash_quality",
        "xxh3",
        "avx2_fixed",
        "sorted",
        "hashring",
        "rkyv",
        "prost",
        "zero_copy",
        "okaywal",
        "preallocated",
    ];
    let implementations: Vec<_> = [
        "codec", "echo", "hash", "http", "log", "map", "mqtt", "ring",
    ]
    .iter()
    .flat_map(|family| {
        names
            .iter()
            .map(move |name| format!("{family}/{name}").parse().unwrap())
    })
    .collect();
    let families = Families {
        built: [
            "codec", "echo", "hash", "http", "log", "map", "mqtt", "ring",
        ]
        .map(str::to_owned)
        .to_vec(),
        roadmap: vec!["raft".to_owned()],
    };
    let fairer = Fairer {
        instead_of: "http/tokio".parse().unwrap(),
        take: "http/nginx".parse().unwrap(),
        because: "it is no runtime".to_owned(),
    };
    judge(&JudgeInput {
        records: &records,
        plan: None,
        claims,
        formulas: &[],
        fairer: &[fairer],
        scenarios: &scenarios(),
        implementations: &implementations,
        families: &families,
        repeat: &[],
    })
}

/// A histogram of some thousand values around `centre_ns`, encoded as in a record.
pub(crate) fn histogram(centre_ns: u64, seed: u64) -> String {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).unwrap();
    let mut state = seed | 1;
    for _ in 0..3000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let tail = if state.is_multiple_of(100) { 20 } else { 1 };
        histogram
            .record(centre_ns / 2 + state % centre_ns * tail)
            .unwrap();
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(&histogram, &mut bytes)
        .unwrap();
    STANDARD.encode(bytes)
}

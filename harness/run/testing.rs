//! A small catalogue for tests: the names are like the real ones, nothing behind them serves.

use std::time::Duration;

use ringside_contract::{
    Arrivals, Axis, BlockTiming, Build, Claim, ClaimKind, Fixture, Host, Implementation,
    ImplementationMeta, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params,
    Placement, Plan, Role, RunRecord, SCHEMA, Scenario, ScenarioMeta, ServeOptions, Service,
    Session, Settings, SocketOptions, StartError, Status, Support, UringSupport, Violation,
};

use crate::catalogue::Catalogue;

struct FakeEngine(ImplementationMeta);

impl Implementation for FakeEngine {
    fn meta(&self) -> &'static ImplementationMeta {
        ENGINES
            .iter()
            .map(|engine| &engine.0)
            .find(|meta| meta.id == self.0.id)
            .unwrap()
    }

    fn support(&self, _: &Host, axes: &Settings) -> Support {
        match axes.value("body") {
            Some("impossible") => Support::No {
                reason: "nobody can".to_owned(),
            },
            _ => Support::Yes,
        }
    }

    fn start(&self, _: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        Err(StartError::Unsupported {
            reason: "a name only".to_owned(),
        })
    }
}

const BODY: &[Axis] = &[
    Axis {
        name: "body",
        values: &["copy_8k", "sendfile", "impossible"],
        default: "sendfile",
        about: "How bytes are sent.",
    },
    Axis {
        name: "polling",
        values: &["off", "on"],
        default: "off",
        about: "Whether it polls.",
    },
];

const fn engine(id: &'static str, axes: &'static [Axis], ranked: bool) -> FakeEngine {
    FakeEngine(ImplementationMeta {
        id,
        about: "A fake.",
        axes,
        ranked,
    })
}

static ENGINES: &[FakeEngine] = &[
    engine("http/epoll", BODY, true),
    engine("http/uring", BODY, true),
    engine("http/tokio", &[], true),
    engine("http/floor", &[], false),
    engine("echo/epoll", &[], true),
    engine("echo/uring", &[], true),
];

struct FakeScenario(ScenarioMeta);

impl Scenario for FakeScenario {
    fn meta(&self) -> &'static ScenarioMeta {
        SCENARIOS
            .iter()
            .map(|scenario| &scenario.0)
            .find(|meta| meta.id == self.0.id)
            .unwrap()
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let arrivals = match params.text("load") {
            "sweep" => Arrivals::Sweep {
                rates_per_s: vec![1e3; 8],
                poisson: false,
                window: 1,
            },
            _ => Arrivals::Closed { window: 1 },
        };
        let connections = params.count("connections");
        Ok(LoadPlan {
            connections,
            connections_min: 1,
            active: connections,
            connecting_max: 64,
            arrivals,
            sockets: SocketOptions::default(),
            timeout: Duration::from_secs(1),
            read_buffer: 4096,
            operations_min: 0,
            together: false,
            stalled: 0,
            deliveries: 1,
        })
    }

    fn session(&self, _: &Params, _: u64, _: u32) -> Box<dyn Session> {
        unreachable!("nothing is loaded in these tests")
    }

    fn verify(&self, _: &Params, _: &Measures) -> Result<(), Violation> {
        Ok(())
    }

    fn fixtures(&self, params: &Params) -> Vec<Fixture> {
        vec![Fixture {
            path: "a/file".to_owned(),
            length: params.size("size"),
        }]
    }

    fn fixture_bytes(&self, _: &Fixture, offset: u64, buffer: &mut [u8]) {
        for (position, byte) in buffer.iter_mut().enumerate() {
            *byte = (offset + position as u64) as u8;
        }
    }
}

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "connections",
        kind: ParameterKind::Count,
        default: "64",
        smoke: Some("4"),
        about: "Connections.",
    },
    Parameter {
        name: "size",
        kind: ParameterKind::Size,
        default: "1KiB",
        smoke: None,
        about: "Bytes of a body.",
    },
];

const fn scenario(id: &'static str) -> FakeScenario {
    FakeScenario(ScenarioMeta {
        id,
        question: "None.",
        operations: "requests",
        ranked_by: "throughput",
        parameters: PARAMETERS,
    })
}

static SCENARIOS: &[FakeScenario] = &[
    scenario("http/small"),
    scenario("http/large"),
    scenario("echo/small"),
];

/// Fake engines and scenarios of two families.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue {
        in_process: Vec::new(),
        implementations: ENGINES.iter().map(|engine| engine as _).collect(),
        scenarios: SCENARIOS.iter().map(|scenario| scenario as _).collect(),
        programs: Vec::new(),
    }
}

/// A host with two processors.
pub(crate) fn host() -> Host {
    Host {
        os: "linux".to_owned(),
        arch: "x86_64".to_owned(),
        kernel: "6.1".to_owned(),
        processor: "fake".to_owned(),
        cpus: vec![0, 1],
        numa_nodes: 1,
        memory_bytes: 1 << 30,
        cpu_features: Vec::new(),
        hardware_counters: false,
        open_files_max: 20_000,
        root: false,
        uring: UringSupport::Refused {
            reason: "fake".to_owned(),
        },
        syscall_counting_refused: None,
        sysctls: Default::default(),
        virtualisation: "virtual".to_owned(),
    }
}

/// A claim that compares `candidate` with `baseline` on `scenario`.
pub(crate) fn claim(id: &str, scenario: &str, baseline: Option<&str>, candidate: &str) -> Claim {
    Claim {
        id: id.to_owned(),
        seed: "seed".to_owned(),
        section: "1".to_owned(),
        role: Role::Promise,
        scenario: scenario.parse().unwrap(),
        metric: "throughput".to_owned(),
        unit: "ratio".to_owned(),
        baseline: baseline.map(|spec| spec.parse().unwrap()),
        baseline_params: Settings::default(),
        candidate: candidate.parse().unwrap(),
        kind: ClaimKind::Ratio,
        low: Some(1.0),
        high: None,
        needs: Vec::new(),
        statement: "It is faster.".to_owned(),
    }
}

/// Short windows.
pub(crate) const TIMING: BlockTiming = BlockTiming {
    warmup_ms: 1,
    measure_ms: 10,
    count_ms: 0,
};

/// A plan without groups.
pub(crate) fn plan() -> Plan {
    Plan {
        schema: SCHEMA,
        name: "sample".to_owned(),
        seed: 1,
        groups: Vec::new(),
        omitted: Vec::new(),
        estimated_s: 0,
    }
}

/// A record of one block.
pub(crate) fn record(implementation: &str, round: u32) -> RunRecord {
    RunRecord {
        schema: SCHEMA,
        run: "sample".to_owned(),
        recorded_at: 0,
        build: Build::default(),
        host: host(),
        placement: Placement::default(),
        scenario: "http/small".parse().unwrap(),
        params: Settings::default(),
        implementation: implementation.parse().unwrap(),
        axes: Settings::default(),
        ranked: true,
        program: None,
        server_command: Vec::new(),
        generator_command: Vec::new(),
        aligned: Default::default(),
        not_aligned: Vec::new(),
        seed: 1,
        round,
        position: 0,
        replica: 0,
        group: 0,
        timing: TIMING,
        status: Status::Completed,
        measures: None,
        artifacts: Vec::new(),
        warnings: Vec::new(),
        quality_fault: None,
    }
}

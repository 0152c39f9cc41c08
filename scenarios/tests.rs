//! What holds of every scenario.

use std::collections::HashSet;
use std::path::Path;

use ringside_contract::{Arrivals, Measures, Params, Scenario, ScenarioSpec};

use crate::all;

fn resolve(scenario: &dyn Scenario, text: &str) -> Params {
    scenario.meta().resolve(&text.parse().unwrap()).unwrap()
}

#[test]
fn ids_are_paths_of_files_and_each_stands_once() {
    let mut seen = HashSet::new();
    for scenario in all() {
        let id = scenario.meta().id();
        assert!(seen.insert(id.to_string()), "{id} stands twice");
        let file = format!("{}/{}.rs", id.family, id.name);
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).is_file(),
            "{file}"
        );
    }
}

#[test]
fn every_file_of_a_scenario_is_in_the_list() {
    for family in [
        "affinity",
        "backends",
        "build",
        "codec",
        "counters",
        "echo",
        "events",
        "hash",
        "http",
        "idioms",
        "log",
        "map",
        "mqtt",
        "numa",
        "pool",
        "rate_limit",
        "ring",
    ] {
        for entry in Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(family)
            .read_dir()
            .unwrap()
        {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let is_scenario = ["const META", "meta: &ScenarioMeta {"]
                .iter()
                .any(|part| text.contains(part));
            let listed = all()
                .iter()
                .any(|s| s.meta().id == format!("{family}/{name}"));
            assert_eq!(is_scenario, listed, "{family}/{name}");
        }
    }
}

#[test]
fn defaults_and_smoke_values_are_valid_and_give_a_load() {
    for scenario in all() {
        for parameter in scenario.meta().parameters() {
            parameter.check(parameter.default).unwrap();
            if let Some(smoke) = parameter.smoke {
                parameter.check(smoke).unwrap();
            }
        }
        let plan = scenario
            .load(&resolve(*scenario, scenario.meta().id))
            .unwrap();
        assert!(
            plan.active >= 1 && plan.active <= plan.connections,
            "{}",
            scenario.meta().id
        );
    }
}

#[test]
fn every_claim_of_these_families_names_a_scenario_and_parameters_that_exist() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/claims.csv");
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(file)
        .unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (scenario, params) = (column("scenario"), column("params"));
    let mut claims = 0;
    for line in reader.records().map(Result::unwrap) {
        let id = &line[scenario];
        if !id.starts_with("echo/") && !id.starts_with("http/") {
            continue;
        }
        let text = format!("{id}{{{}}}", line[params].replace(';', ","));
        let spec: ScenarioSpec = text.parse().unwrap();
        let found = all()
            .iter()
            .find(|s| s.meta().id == id)
            .unwrap_or_else(|| panic!("{id}"));
        let resolved = found
            .meta()
            .resolve(&spec)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        found
            .load(&resolved)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        claims += 1;
    }
    assert!(claims >= 18, "{claims}");
}

#[test]
fn what_a_session_sends_follows_from_its_arguments() {
    for scenario in all() {
        let params = resolve(*scenario, scenario.meta().id);
        if let Some(workload) = scenario.workload(&params, 9) {
            // Threads of a worker are the load, and nothing is sent.
            assert_eq!(scenario.workload(&params, 9), Some(workload.clone()));
            assert_ne!(scenario.workload(&params, 8), Some(workload));
            continue;
        }
        let bytes = || {
            let mut session = scenario.session(&params, 9, 4);
            let mut out = Vec::new();
            session.open(&mut out);
            let operation = ringside_contract::Operation {
                sequence: 3,
                intended: 77,
            };
            session.send(&[operation], &mut out);
            out
        };
        assert_eq!(bytes(), bytes(), "{}", scenario.meta().id);
        assert!(!bytes().is_empty());
    }
}

/// The scenario of a name, whatever is written behind it.
fn named(text: &str) -> &'static dyn Scenario {
    let id = text.split('{').next();
    let mut all = all().iter().copied();
    all.find(|scenario| Some(scenario.meta().id) == id).unwrap()
}

#[test]
fn common_parameters_become_arrivals() {
    let scenario = named("echo/small");
    let arrivals = |text| scenario.load(&resolve(scenario, text)).unwrap().arrivals;
    let open = arrivals("echo/small{load=open,rate=500,arrivals=poisson,window=4}");
    assert_eq!(
        open,
        Arrivals::Open {
            rate_per_s: 500.0,
            poisson: true,
            window: 4
        }
    );
    let Arrivals::Sweep { rates_per_s, .. } = arrivals("echo/small{load=sweep,rate=1000}") else {
        panic!("a sweep")
    };
    assert!(
        rates_per_s.is_sorted() && rates_per_s.last() == Some(&1000.0),
        "{rates_per_s:?}"
    );
}

#[test]
fn loads_that_make_no_sense_are_refused_with_what_would() {
    for text in [
        "echo/small{size=23B}",
        "echo/small{load=open,rate=0}",
        "hash/throughput{key=65KiB}",
        "hash/throughput{load=sweep}",
        "http/slow_reader{read_rate=0B}",
    ] {
        let scenario = named(text);
        let error = scenario.load(&resolve(scenario, text)).unwrap_err();
        assert!(error.to_string().contains("do not fit together"), "{error}");
    }
}

#[test]
fn large_files_are_asked_for_one_at_a_time_unless_told_otherwise() {
    let connections = |text| {
        let scenario = named(text);
        scenario.load(&resolve(scenario, text)).unwrap().connections
    };
    assert_eq!(connections("http/large"), 100);
    assert_eq!(connections("http/large{size=100MB}"), 1);
    assert_eq!(connections("http/large{size=100MB,connections=100}"), 100);
}

#[test]
fn fixtures_can_be_read_in_any_pieces() {
    let scenario = named("http/large");
    let params = resolve(scenario, "http/large{size=1MB}");
    let fixture = &scenario.fixtures(&params)[0];
    assert_eq!(fixture.length, 1_000_000);
    let (mut whole, mut part) = (vec![0; 1000], vec![0; 100]);
    scenario.fixture_bytes(fixture, 0, &mut whole);
    scenario.fixture_bytes(fixture, 333, &mut part);
    assert_eq!(part, whole[333..433]);
}

#[test]
fn a_sound_block_keeps_every_promise_and_one_without_connections_breaks_one() {
    for scenario in all() {
        let id = scenario.meta().id;
        let params = resolve(*scenario, id);
        let connections = scenario.load(&params).unwrap().connections;
        let sound = Measures {
            operations: 100_000,
            connections,
            ..Measures::default()
        };
        assert_eq!(scenario.verify(&params, &sound), Ok(()), "{id}");
        let silent = Measures::default();
        assert!(scenario.verify(&params, &silent).is_err(), "{id}");
    }
}

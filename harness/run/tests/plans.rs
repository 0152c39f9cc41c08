//! The plans and manifests that come with the tool, against the real lists.

use std::path::{Path, PathBuf};

use ringside_contract::{Claim, Host, Measurement, Plan, Purpose};
use ringside_run::{Candidate, Catalogue, GatePlan, Manifest, PlanDefinition, PlanOptions, plan};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn catalogue() -> Catalogue {
    let manifest =
        |path: &str| Manifest::read(&repository(path)).expect("the repository's own data is right");
    Catalogue {
        in_process: ringside_operations::all(),
        implementations: [
            ringside_echo::all(),
            ringside_http::all(),
            ringside_mqtt::all(),
        ]
        .concat(),
        scenarios: ringside_scenarios::all().to_vec(),
        programs: vec![
            manifest("impls/http/nginx.toml"),
            manifest("impls/http/caddy.toml"),
            manifest("impls/mqtt/mosquitto.toml"),
            manifest("impls/mqtt/rumqttd.toml"),
        ],
    }
}

/// What the documents claim, then this project's goals, as the tool reads them.
fn claims() -> Vec<Claim> {
    ["claims.csv", "goals.csv"]
        .iter()
        .flat_map(|name| table(name))
        .collect()
}

fn table(name: &str) -> Vec<Claim> {
    let text = std::fs::read_to_string(repository("datasets").join(name))
        .expect("the repository's own data is right");
    ringside_judge::read_claims(&text, name).expect("the repository's own data is right")
}

/// The plan as a machine with every feature makes it.
fn make(name: &str) -> Plan {
    make_part(name, &[])
}

/// The same, of what holds one of these texts.
fn make_part(name: &str, filter: &[&str]) -> Plan {
    let path = repository(&format!("datasets/plans/{name}.toml"));
    let text = std::fs::read_to_string(path).expect("the repository's own data is right");
    let catalogue = catalogue();
    let definition =
        PlanDefinition::parse(name, &text, &catalogue).expect("the repository's own data is right");
    let host: Host = ringside_metal::host::probe();
    plan(
        &definition,
        &catalogue,
        &claims(),
        &host,
        &PlanOptions {
            filter: filter.iter().map(|text| (*text).to_owned()).collect(),
            ..PlanOptions::default()
        },
    )
    .expect("the repository's own data is right")
}

#[test]
fn smoke_is_short_and_leaves_no_scenario_or_engine_out() {
    let plan = make("smoke");
    assert!(plan.estimated_s < 60, "{} s", plan.estimated_s);
    let catalogue = catalogue();
    for scenario in &catalogue.scenarios {
        let id = scenario.meta().id();
        assert!(
            plan.groups.iter().any(|group| group.scenario.id == id),
            "{id}"
        );
    }
    for candidate in catalogue.candidates() {
        let id = candidate.meta().id();
        let mut all = plan.groups.iter().flat_map(|group| &group.cells);
        assert!(all.any(|cell| cell.implementation.id == id), "{id}");
    }
}

#[test]
fn quick_has_at_most_48_cells_of_echo_and_http_and_takes_at_most_five_minutes_for_services() {
    let plan = make("quick");
    let groups = plan.groups.iter();
    let first = groups.filter(|group| ["echo", "http"].contains(&&*group.scenario.id.family));
    let cells: usize = first.map(|group| group.cells.len()).sum();
    assert!(cells <= 48, "{cells} cells");
    let services = make_part("quick", &["echo/", "http/", "mqtt/"]).estimated_s;
    assert!(services <= 300, "{services} s of services");
    let operations = plan.estimated_s - services;
    assert!(operations <= 180, "{operations} s of operations");
    // As the README has it.
    assert!(plan.estimated_s <= 360, "{} s", plan.estimated_s);
}

#[test]
fn quick_can_decide_what_the_documents_say_of_one_core() {
    let plan = make("quick");
    let purposes: Vec<_> = plan
        .groups
        .iter()
        .flat_map(|group| &group.cells)
        .flat_map(|cell| &cell.purposes)
        .collect();
    for id in [
        "http-uring-gain",
        "http-tokio-enough",
        "echo-uring",
        "send-sendfile-overall",
        "send-mmap",
    ] {
        assert!(
            purposes.contains(&&Purpose::Claim { id: id.to_owned() }),
            "{id}"
        );
    }
}

#[test]
fn goals_has_every_cell_that_decides_a_goal_in_rounds_that_suffice() {
    let plan = make("goals");
    let catalogue = catalogue();
    for goal in table("goals.csv") {
        assert!(goal.is_goal(), "{}", goal.id);
        let elsewhere = goal.baseline_scenario();
        let baseline = goal.baseline.iter().map(|named| (named, &elsewhere));
        let mut places = Vec::new();
        for (named, scenario) in baseline.chain([(&goal.candidate, &goal.scenario)]) {
            let (_, params) = catalogue.scenario(scenario).expect("it is built");
            let subject = catalogue.subject(named).expect("it is built");
            let place = plan.groups.iter().position(|group| {
                let mut cells = group.cells.iter();
                let has = cells.any(|cell| cell.implementation == subject.spec);
                group.scenario == *params.spec() && has
            });
            let place = place.unwrap_or_else(|| panic!("{}: no {named} in {scenario}", goal.id));
            // 8 is what an absolute figure needs, see the judge's rules.
            assert!(plan.groups[place].rounds >= 8, "{}", goal.id);
            places.push(place);
        }
        places.sort_unstable();
        let (first, last) = (places[0], places[places.len() - 1]);
        let between = &plan.groups[first + 1..=last];
        assert!(between.iter().all(|group| group.interleaved), "{}", goal.id);
    }
    assert!(plan.estimated_s <= 900, "{} s", plan.estimated_s);
}

#[test]
fn self_compares_one_implementation_with_itself_for_a_minute() {
    let plan = make("self");
    let replicas: Vec<_> = plan.groups[0]
        .cells
        .iter()
        .map(|cell| cell.replica)
        .collect();
    assert_eq!((plan.groups.len(), replicas), (1, vec![0, 1]));
    assert!(
        (50..=60).contains(&plan.estimated_s),
        "{} s",
        plan.estimated_s
    );
}

/// The families that claims name and that are still to come.
#[derive(serde::Deserialize)]
struct Roadmap {
    families: Vec<String>,
    under_way: Vec<String>,
}

fn roadmap() -> Roadmap {
    let text = std::fs::read_to_string(repository("datasets/roadmap.toml"))
        .expect("the repository's own data is right");
    toml::from_str(&text).expect("the repository's own data is right")
}

#[test]
fn every_claim_names_what_exists_or_is_to_come() {
    let (catalogue, roadmap) = (catalogue(), roadmap());
    let to_come =
        |family: &String| roadmap.families.contains(family) || roadmap.under_way.contains(family);
    for claim in claims() {
        let id = &claim.id;
        if !to_come(&claim.scenario.id.family) {
            let found = catalogue.scenario(&claim.scenario);
            assert!(found.is_ok(), "{id}: {:?}", found.err());
        }
        for named in claim.baseline.iter().chain([&claim.candidate]) {
            if !to_come(&named.id.family) {
                let found = catalogue.subject(named);
                assert!(found.is_ok(), "{id}: {:?}", found.err());
            }
        }
    }
    for scenario in &catalogue.scenarios {
        let family = scenario.meta().id().family;
        let listed = roadmap.families.contains(&family);
        assert!(!listed, "{family} is built: take it off the list");
    }
}

/// What is fair in the place of what documents name.
#[derive(serde::Deserialize)]
struct Fair {
    fairer: Vec<ringside_judge::Fairer>,
}

#[test]
fn what_is_fair_in_another_ones_place_is_there_and_of_the_same_family() {
    let text = std::fs::read_to_string(repository("datasets/fairer.toml"))
        .expect("the repository's own data is right");
    let fair: Fair = toml::from_str(&text).expect("the repository's own data is right");
    let catalogue = catalogue();
    for pair in fair.fairer {
        for id in [&pair.instead_of, &pair.take] {
            assert!(catalogue.candidate(id).is_ok(), "{id}");
        }
        assert_eq!(pair.instead_of.family, pair.take.family);
        let named = claims().iter().any(|claim| {
            let mut both = claim.baseline.iter().chain([&claim.candidate]);
            both.any(|named| named.id == pair.instead_of)
        });
        assert!(named, "no claim names {}", pair.instead_of);
    }
}

/// The judge finds such a cell by its name alone: one that is written in another way would never be found.
#[test]
fn every_cell_that_a_formula_is_measured_in_is_in_a_plan_under_that_name() {
    let text = std::fs::read_to_string(repository("datasets/formulas.toml"))
        .expect("the repository's own data is right");
    let formulas = ringside_judge::read_formulas(&text, "formulas.toml")
        .expect("the repository's own data is right");
    let plans = ["full", "goals", "million"].map(make);
    let parts = formulas.iter().flat_map(|formula| {
        let of_terms = formula.terms.iter().flat_map(|term| &term.parts);
        of_terms.chain([&formula.whole]).chain(&formula.besides)
    });
    let mut seen = 0;
    for part in parts {
        let Measurement::Cells(cells) = &part.measured else {
            continue;
        };
        for cell in cells {
            for implementation in [&cell.implementation].into_iter().chain(&cell.beyond) {
                let mut groups = plans.iter().flat_map(|plan| &plan.groups);
                let is_planned = groups.any(|group| {
                    let mut planned = group.cells.iter();
                    group.scenario == cell.scenario
                        && planned.any(|planned| planned.implementation == *implementation)
                });
                let scenario = &cell.scenario;
                assert!(is_planned, "{}: {implementation} in {scenario}", part.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no formula is measured");
}

#[test]
fn full_leaves_out_no_claim_of_a_built_family() {
    let plan = make("full");
    let built: Vec<_> = ringside_scenarios::all()
        .iter()
        .map(|scenario| scenario.meta().id())
        .collect();
    let (catalogue, under_way) = (catalogue(), roadmap().under_way);
    for claim in claims()
        .iter()
        .filter(|claim| built.contains(&claim.scenario.id))
    {
        let mut named = claim.baseline.iter().chain([&claim.candidate]);
        let begun = under_way.contains(&claim.scenario.id.family);
        if begun && named.any(|named| catalogue.subject(named).is_err()) {
            continue;
        }
        assert!(
            plan.omitted.iter().all(|omitted| omitted.what != claim.id),
            "{}",
            claim.id
        );
    }
}

#[test]
fn full_has_every_value_of_every_axis_on_the_main_scenarios_and_ends_in_two_hours() {
    let plan = make("full");
    assert!(plan.estimated_s < 120 * 60, "{} s", plan.estimated_s);
    let catalogue = catalogue();
    for scenario in ["echo/small", "http/small", "http/large", "mqtt/pairs"] {
        let planned: Vec<_> = plan
            .groups
            .iter()
            .filter(|group| group.scenario.id.to_string() == scenario)
            .flat_map(|group| &group.cells)
            .map(|cell| cell.implementation.to_string())
            .collect();
        let family = scenario.split('/').next().expect("an id has a family");
        let metas = catalogue.candidates().map(Candidate::meta);
        for meta in metas.filter(|meta| meta.id().family == family) {
            for axis in meta.axes {
                for value in axis.values {
                    let text = format!("{}[{}={value}]", meta.id, axis.name);
                    let spec = text.parse().expect("axes have names that can be read");
                    let subject = catalogue.subject(&spec).expect("it is in the catalogue");
                    let name = subject.spec.to_string();
                    assert!(planned.contains(&name), "{scenario} {name}");
                }
            }
        }
    }
}

#[test]
fn a_manifest_can_say_that_it_lacks_whatever_a_case_needs() {
    let cases = [
        ringside_conform::echo::cases(),
        ringside_conform::http::cases(),
        ringside_conform::mqtt::cases(),
    ]
    .concat();
    let mut needed: Vec<_> = cases.iter().flat_map(|case| case.needs).copied().collect();
    needed.sort_unstable();
    needed.dedup();
    assert_eq!(needed, ringside_run::CAPABILITIES);
}

#[test]
fn what_two_builds_are_compared_by_names_what_exists() {
    let text = std::fs::read_to_string(repository("datasets/plans/gate.toml")).unwrap();
    let plan = GatePlan::parse("gate.toml", &text, &catalogue()).unwrap();
    assert!(plan.cells.len() >= 6, "{plan:?}");
    assert_eq!(plan.turns, None, "turns are fitted to each cell");
}

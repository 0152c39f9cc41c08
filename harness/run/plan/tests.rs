use super::*;
use crate::testing::{catalogue, claim, host};

const HEAD: &str = r#"schema = 1
name = "sample"
about = "A sample."
rounds = 8
rounds_min = 6
timing = { warmup = "100ms", measure = "400ms", count = "0ms" }
"#;

fn make(body: &str, claims: &[Claim], options: &PlanOptions) -> Plan {
    let catalogue = catalogue();
    let definition = PlanDefinition::parse("sample", &format!("{HEAD}{body}"), &catalogue).unwrap();
    plan(&definition, &catalogue, claims, &host(), options).unwrap()
}

fn names(group: &Group) -> Vec<String> {
    group
        .cells
        .iter()
        .map(|cell| cell.implementation.to_string())
        .collect()
}

#[test]
fn one_axis_changes_at_a_time() {
    let plan = make(
        "[[group]]\nscenario='http/small'\naxes=['http/epoll']",
        &[],
        &PlanOptions::default(),
    );
    assert_eq!(
        names(&plan.groups[0]),
        [
            "http/epoll",
            "http/epoll[body=copy_8k]",
            "http/epoll[body=impossible]",
            "http/epoll[polling=on]"
        ]
    );
    let axis = Purpose::Axis {
        axis: "body".to_owned(),
    };
    assert_eq!(plan.groups[0].cells[1].purposes, [axis]);
}

#[test]
fn engines_come_with_the_floor_that_is_not_ranked() {
    let plan = make(
        "[[group]]\nscenario='http/small'\nengines=true",
        &[],
        &PlanOptions::default(),
    );
    assert_eq!(
        names(&plan.groups[0]),
        ["http/epoll", "http/uring", "http/tokio", "http/floor"]
    );
    assert_eq!(plan.groups[0].cells[3].purposes, [Purpose::Floor]);
}

#[test]
fn claims_bring_the_pairs_that_they_compare() {
    let claims = [
        claim(
            "copy",
            "http/large{size=1KiB}",
            Some("http/epoll[body=copy_8k]"),
            "http/epoll[body=sendfile]",
        ),
        claim("other", "http/large{size=1MB}", None, "http/epoll"),
        claim("later", "mqtt/small", None, "mqtt/epoll"),
    ];
    let plan = make(
        "[[group]]\nscenario='http/large'\nclaims=true",
        &claims,
        &PlanOptions::default(),
    );
    assert_eq!(
        names(&plan.groups[0]),
        ["http/epoll[body=copy_8k]", "http/epoll"]
    );
    let omitted: Vec<_> = plan
        .omitted
        .iter()
        .map(|omitted| omitted.what.as_str())
        .collect();
    assert_eq!(omitted, ["other", "later"]);
    assert!(plan.omitted[0].because.contains("--plan full"));
    assert!(plan.omitted[1].because.starts_with("not built yet"));
}

#[test]
fn cells_that_are_there_anyway_are_marked_with_their_claim() {
    let claims = [claim(
        "gain",
        "http/small",
        Some("http/epoll"),
        "http/uring",
    )];
    let plan = make(
        "[[group]]\nscenario='http/small'\nengines=true",
        &claims,
        &PlanOptions::default(),
    );
    let marked = plan.groups[0]
        .cells
        .iter()
        .filter(|cell| cell.purposes.len() == 2)
        .count();
    assert_eq!((marked, plan.omitted.len()), (2, 0));
}

#[test]
fn every_claim_gets_its_own_group_where_there_is_none() {
    let claims = [claim(
        "large",
        "http/large{size=1MB}",
        Some("http/epoll"),
        "http/uring",
    )];
    let body = "every_claim = true\n[[group]]\nscenario='http/small'\ncells=['http/epoll']";
    let plan = make(body, &claims, &PlanOptions::default());
    assert_eq!(plan.groups[1].scenario.to_string(), "http/large{size=1MB}");
    assert_eq!(names(&plan.groups[1]), ["http/epoll", "http/uring"]);
}

#[test]
fn self_control_is_a_second_copy() {
    let plan = make(
        "[[group]]\nscenario='http/small'\nself_control=['http/epoll']",
        &[],
        &PlanOptions::default(),
    );
    let replicas: Vec<_> = plan.groups[0]
        .cells
        .iter()
        .map(|cell| cell.replica)
        .collect();
    assert_eq!(replicas, [0, 1]);
}

#[test]
fn cover_brings_every_scenario_and_every_engine_in_smoke_sizes() {
    let plan = make(
        "smoke_sizes = true\ncover = { engines = 1 }",
        &[],
        &PlanOptions::default(),
    );
    let scenarios: Vec<_> = plan
        .groups
        .iter()
        .map(|group| group.scenario.to_string())
        .collect();
    assert_eq!(
        scenarios,
        [
            "http/small{connections=4}",
            "http/large{connections=4}",
            "echo/small{connections=4}"
        ]
    );
    let mut covered: Vec<_> = plan.groups.iter().flat_map(names).collect();
    covered.sort();
    covered.dedup();
    assert_eq!(covered.len(), 6);
}

#[test]
fn cover_leaves_out_scenarios_that_a_group_has() {
    let body = "cover = { families = ['http'], engines = 2 }\n[[group]]\nscenario='http/small'\ncells=['http/epoll']";
    let plan = make(body, &[], &PlanOptions::default());
    let scenarios: Vec<_> = plan
        .groups
        .iter()
        .map(|group| group.scenario.to_string())
        .collect();
    assert_eq!(scenarios, ["http/small", "http/large"]);
    assert_eq!(plan.groups[1].cells.len(), 4);
}

#[test]
fn unsupported_cells_stay_and_cost_no_time() {
    let body = "[[group]]\nscenario='http/small'\ncells=['http/epoll[body=impossible]']";
    let plan = make(body, &[], &PlanOptions::default());
    assert_eq!(plan.groups[0].cells.len(), 1);
    assert!(plan.estimated_s <= 1);
}

#[test]
fn a_filter_keeps_what_matches_and_tells_the_rest() {
    let options = PlanOptions {
        filter: vec!["tokio".to_owned()],
        ..PlanOptions::default()
    };
    let plan = make(
        "[[group]]\nscenario='http/small'\nengines=true",
        &[],
        &options,
    );
    assert_eq!(names(&plan.groups[0]), ["http/tokio"]);
    assert_eq!(plan.omitted.len(), 3);
}

#[test]
fn a_budget_takes_rounds_first_and_claims_last() {
    let claims = [claim(
        "gain",
        "http/small",
        Some("http/epoll"),
        "http/uring",
    )];
    let body = "[[group]]\nscenario='http/small'\nengines=true\naxes=['http/uring']\nself_control=['http/epoll']";
    let full = make(body, &claims, &PlanOptions::default());
    let fit = |seconds| {
        let budget = Some(Duration::from_secs(seconds));
        make(
            body,
            &claims,
            &PlanOptions {
                budget,
                ..PlanOptions::default()
            },
        )
    };
    let fewer_rounds = fit(full.estimated_s * 7 / 8);
    assert!(fewer_rounds.groups[0].rounds < 8);
    assert_eq!(
        fewer_rounds.groups[0].cells.len(),
        full.groups[0].cells.len()
    );
    let fewer_cells = fit(12);
    assert!(fewer_cells.estimated_s <= 12, "{}", fewer_cells.estimated_s);
    assert_eq!(fewer_cells.groups[0].rounds, 6);
    assert_eq!(names(&fewer_cells.groups[0]), ["http/epoll", "http/uring"]);
    assert!(
        fewer_cells
            .omitted
            .iter()
            .any(|omitted| omitted.because.contains("budget of 12 s"))
    );
}

#[test]
fn a_budget_never_leaves_half_of_a_claim() {
    let claims = [
        claim("a", "http/small", Some("http/epoll"), "http/uring"),
        claim(
            "b",
            "http/small",
            Some("http/tokio"),
            "http/uring[polling=on]",
        ),
    ];
    let body = "[[group]]\nscenario='http/small'\nclaims=true";
    let budget = Some(Duration::from_secs(11));
    let options = PlanOptions {
        budget,
        ..PlanOptions::default()
    };
    let plan = make(body, &claims, &options);
    assert_eq!(names(&plan.groups[0]), ["http/epoll", "http/uring"]);
    let omitted: Vec<_> = plan.omitted.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        omitted,
        [
            "http/small http/uring[polling=on]",
            "http/small http/tokio",
            "b"
        ]
    );
}

#[test]
fn every_axis_of_every_engine_comes_once() {
    let body =
        "[[group]]\nscenario='http/small'\nengines=true\nevery_axis=true\naxes=['http/uring']";
    let plan = make(body, &[], &PlanOptions::default());
    let names = names(&plan.groups[0]);
    for engine in ["http/epoll", "http/uring"] {
        for axes in ["", "[body=copy_8k]", "[body=impossible]", "[polling=on]"] {
            let name = format!("{engine}{axes}");
            assert_eq!(
                names.iter().filter(|one| **one == name).count(),
                1,
                "{name}"
            );
        }
    }
    assert_eq!(names.len(), 10);
}

#[test]
fn a_sweep_counts_each_of_its_steps() {
    let seconds = |scenario: &str| {
        let body = format!("[[group]]\nscenario='{scenario}'\ncells=['http/epoll']");
        make(&body, &[], &PlanOptions::default()).estimated_s
    };
    assert!(seconds("http/small{load=sweep}") > seconds("http/small") + 20);
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let body = "[[group]]\nscenario='http/small'\nengines=true\nclaims=true";
    let claims = [claim(
        "gain",
        "http/small",
        Some("http/epoll"),
        "http/uring",
    )];
    let options = PlanOptions {
        seed: 7,
        ..PlanOptions::default()
    };
    assert_eq!(make(body, &claims, &options), make(body, &claims, &options));
}

#[test]
fn what_a_claim_compares_in_two_scenarios_takes_turns() {
    let mut alone = claim(
        "alone",
        "http/small{connections=8}",
        Some("http/epoll"),
        "http/epoll",
    );
    alone.baseline_params.set("connections", "16");
    let plan = make("every_claim = true", &[alone], &PlanOptions::default());
    let groups: Vec<_> = plan
        .groups
        .iter()
        .map(|group| (group.scenario.to_string(), group.interleaved, names(group)))
        .collect();
    let epoll = || vec!["http/epoll".to_owned()];
    assert_eq!(
        groups,
        [
            ("http/small{connections=8}".to_owned(), false, epoll()),
            ("http/small{connections=16}".to_owned(), true, epoll()),
        ]
    );
    assert!(plan.omitted.is_empty());
}

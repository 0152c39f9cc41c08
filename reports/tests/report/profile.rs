//! A profile as page and rows, from a document made by hand.

use ringside_contract::{
    AttachedProfile, Build, FunctionChange, PROFILE_SCHEMA, Placement, Profile, ProfileDifference,
    ProfileFigure, ProfileReport, ProfiledSide, ProfiledSubject, ProfilerAbout, ProfilerSlowdown,
};
use ringside_reports::{Block, page, profile_page, profile_table};

use crate::{fixtures, machine};

/// A drawing, as small as it gets.
const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 50" width="1200" height="50"><rect width="1200" height="50"/></svg>"#;
/// What a function of a generic type is called.
const LONG: &str = "<ringside_engine::connection::Connection<ringside_http::core::Http,ringside_engine::outbox::Outbox> as core::ops::drop::Drop>::drop";

/// Two servers, each with a graph, what changed between them, and a count.
pub(crate) fn both() -> ProfileReport {
    ProfileReport {
        schema: PROFILE_SCHEMA,
        began_at: 1_795_172_820,
        scenario: "http/small{connections=400}".parse().unwrap(),
        side: ProfiledSide::Server,
        seconds: 6.0,
        host: machine::run().host,
        placement: Placement {
            server_cpus: vec![1],
            generator_cpus: vec![0],
            shared: false,
        },
        subjects: vec![
            subject("http/uring"),
            subject("./a/very/long/path/to/the/folder/of/another/build/of/ringside-before"),
        ],
        profilers: vec![ProfilerAbout {
            name: "on-processor".to_owned(),
            purpose: "in which functions processor time goes".to_owned(),
            slowdown: "an interrupt for each sample".to_owned(),
            output: "a flame graph".to_owned(),
        }],
        profiles: vec![stacks(0), stacks(1), counts()],
        differences: vec![ProfileDifference {
            profiler: "on-processor".to_owned(),
            graph_after: "on-processor-change-after.svg".to_owned(),
            graph_before: "on-processor-change-before.svg".to_owned(),
            changes: vec![FunctionChange {
                function: LONG.to_owned(),
                before: 0.0,
                after: 0.83,
            }],
        }],
        warnings: vec!["another program used 7 % of core 1".to_owned()],
    }
}

/// Hostile text in every place that a person or a program can fill.
fn hostile() -> ProfileReport {
    let mut report = both();
    let text = || fixtures::HOSTILE.to_owned();
    for subject in &mut report.subjects {
        subject.name = text();
        subject.build.flags = text();
    }
    for profile in &mut report.profiles {
        profile
            .figures
            .iter_mut()
            .for_each(|figure| figure.name = text());
        profile.remarks = vec![text()];
    }
    report.differences[0].changes[0].function = text();
    report.warnings = vec![text()];
    report
}

/// Every document with its name.
pub(crate) fn profiles() -> [(&'static str, ProfileReport); 2] {
    [("profile_both", both()), ("profile_hostile", hostile())]
}

/// The page of a document, with all its graphs.
pub(crate) fn page_of(report: &ProfileReport) -> String {
    let names = report
        .profiles
        .iter()
        .filter_map(|profile| profile.graph.clone());
    let changes = report.differences.iter();
    let changes = changes.flat_map(|one| [one.graph_after.clone(), one.graph_before.clone()]);
    let images: Vec<_> = names
        .chain(changes)
        .map(|name| (name, SVG.to_owned()))
        .collect();
    profile_page(report, &images)
}

#[test]
fn a_report_links_to_the_profiles_of_its_cells() {
    let attached = |report| AttachedProfile {
        folder: "profiles/http-uring".to_owned(),
        report,
    };
    let html = page(&fixtures::rich(), &[attached(both())]);
    let graph = both().profiles[0].graph.clone().unwrap();
    for link in [
        "#profiles",
        "profiles/http-uring/index.html",
        &format!("profiles/http-uring/{graph}"),
    ] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(!page(&fixtures::rich(), &[]).contains("profiles-h"));
    let hostile = page(&fixtures::rich(), &[attached(hostile())]);
    assert!(!hostile.contains(fixtures::HOSTILE));
}

fn subject(name: &str) -> ProfiledSubject {
    ProfiledSubject {
        name: name.to_owned(),
        implementation: "http/uring".parse().unwrap(),
        build: Build::default(),
    }
}

fn stacks(subject: usize) -> Profile {
    Profile {
        profiler: "on-processor".to_owned(),
        subject,
        total: 5_821,
        unit: "samples".to_owned(),
        slowdown: Some(ProfilerSlowdown {
            rates_bare_per_s: vec![100.0, 101.0, 99.0],
            rates_attached_per_s: vec![98.0, 99.0, 97.0],
            rate_lost: 0.021,
            processor_time_grown: Some(0.023),
        }),
        folded: Some(format!("on-processor-{subject}.folded")),
        graph: Some(format!("on-processor-{subject}.svg")),
        figures: vec![figure(LONG, 0.83, "share")],
        remarks: vec!["names are hidden; `sysctl kernel.kptr_restrict=0` shows them".to_owned()],
    }
}

fn counts() -> Profile {
    Profile {
        profiler: "system-calls".to_owned(),
        unit: "calls".to_owned(),
        folded: None,
        graph: None,
        figures: vec![figure("epoll_pwait2", 0.0312, "calls/op")],
        ..stacks(0)
    }
}

fn figure(name: &str, value: f64, unit: &str) -> ProfileFigure {
    ProfileFigure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
    }
}

#[test]
fn a_page_holds_its_graphs_and_says_what_they_are_not() {
    let html = page_of(&both());
    assert_eq!(html.matches("data:image/svg+xml;base64,").count(), 4);
    for part in [
        "enters no verdict",
        "slows the server by",
        "on-processor-0.folded",
        "what slows the server",
        "kptr_restrict",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(html, page_of(&both()));
    assert!(!page_of(&hostile()).contains("<script"));
}

#[test]
fn a_terminal_has_the_same_figures() {
    let blocks = format!("{:?}", profile_table(&both()));
    for part in [
        "enters no verdict",
        "slows the server by",
        "epoll_pwait2",
        "83",
    ] {
        assert!(blocks.contains(part), "{part}: {blocks}");
    }
    let tables = profile_table(&both()).into_iter();
    let tables = tables.filter(|block| matches!(block, Block::Table { .. }));
    assert_eq!(tables.count(), 4);
}

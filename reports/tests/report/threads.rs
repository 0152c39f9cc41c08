//! Operations that were measured with several numbers of threads.

use ringside_contract::Verdicts;
use ringside_reports::page;

use crate::fixtures::{self, cell, empty, interval, ranking};

/// Maps with one, two and eight threads on the machine of the other documents, which has two cores.
pub(crate) fn threads() -> Verdicts {
    let mut verdicts = empty();
    for (threads, faster) in [("1", 1.0), ("2", 1.9), ("8", 1.7)] {
        let scenario = if threads == "1" {
            "map/read".to_owned()
        } else {
            format!("map/read{{threads={threads}}}")
        };
        let cells = ["map/mutex", "map/papaya"].map(|implementation| {
            let mut cell = cell(&scenario, implementation, "closed", 1, 8);
            let rate = cell.metrics.entry("throughput".to_owned());
            rate.and_modify(|rate| rate.interval = interval(20e6 * faster, 0.01));
            cell.params.set("threads", threads);
            cell.metrics.retain(|name, _| !name.starts_with("latency"));
            cell.curve.clear();
            cell
        });
        verdicts.rankings.push(ranking(&scenario, &cells));
        verdicts.cells.extend(cells);
    }
    verdicts
}

#[test]
fn threads_stand_beside_each_other_and_more_than_cores_are_no_speed_up() {
    let html = page(&threads(), &[]);
    let section = html.split("id=\"scaling\"").nth(1).unwrap_or_default();
    let section = section.split("</section>").next().unwrap_or_default();
    for part in [
        "thread</th>",
        "threads</th>",
        "(oversubscribed)</th>",
        "1.90×",
    ] {
        assert!(section.contains(part), "{part} is not in {section}");
    }
    assert_eq!(section.matches("1.90×").count(), 2, "{section}");
    assert!(!section.contains("1.70×"), "{section}");
    // What has one number of threads has no such section.
    assert!(!page(&fixtures::rich(), &[]).contains("id=\"scaling\""));
}

//! Every case of the family over every engine, with each value of each axis changed alone.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ringside_conform::{Case, Outcome, Target, check, http};
use ringside_contract::{Implementation, ServeOptions, Settings, StartError, Support};

/// One server to be tested.
struct Variant {
    implementation: &'static dyn Implementation,
    axes: Settings,
}

/// Servers that run at a time. Most of the time of a case is waiting.
const PARALLEL: usize = 16;

#[test]
fn every_engine_conforms_with_every_axis_value() {
    let root = tempfile::tempdir().unwrap();
    http::prepare(root.path()).unwrap();
    let uring = ringside_metal::uring_probe::probe();
    let host = ringside_contract::Host {
        uring,
        ..ringside_metal::host::probe()
    };
    let variants = variants();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                // Relaxed: each index is taken once, nothing else is read through it.
                while let Some(variant) = variants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = variant.failures(&host, root.path(), &passed);
                    failures.lock().unwrap().extend(found);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let (count, all) = (failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{count} failures:\n{all}");
    // The thread and readiness engines run everywhere: nothing passes by skipping everything.
    let passed = passed.into_inner();
    let least = 4 * 8 * (http::cases().len() - 1);
    assert!(passed >= least, "only {passed} cases ran");
}

#[test]
fn cases_fail_on_a_server_that_does_not_read_requests() {
    let root = tempfile::tempdir().unwrap();
    http::prepare(root.path()).unwrap();
    std::fs::write(root.path().join("file"), "always the same").unwrap();
    let floor = ringside_http::all()
        .iter()
        .find(|server| !server.meta().ranked)
        .unwrap();
    let axes = floor.meta().resolve(&Settings::default()).unwrap();
    let service = floor.start(&options(axes, root.path())).unwrap();
    let address = service.endpoint().addresses[0];
    let target = Target {
        address,
        root: None,
        cannot: Vec::new(),
    };
    let case = |name| http::cases().iter().find(|case| case.name == name).unwrap();
    let passed: Vec<_> = QUICK_TO_FAIL
        .iter()
        .filter(|name| failure(case(**name), &target).is_none())
        .collect();
    assert!(
        passed.is_empty(),
        "passed on a server that reads nothing: {passed:?}"
    );
    service.stop().unwrap();
}

/// Cases whose requests end in an empty line, so that a floor answers them, wrongly. The others would
/// end only by the client's patience.
const QUICK_TO_FAIL: &[&str] = &[
    "get_gives_the_file",
    "empty_file_has_length_zero",
    "large_file_arrives_whole",
    "missing_file_is_404_and_the_connection_goes_on",
    "pipelined_requests_are_answered_in_order",
    "range_gives_the_part",
    "range_behind_the_end_is_416",
    "known_tag_is_not_sent_again",
    "failed_precondition_is_412",
    "missing_or_repeated_host_is_400",
    "method_that_changes_is_405",
    "other_major_version_is_505",
    "long_target_is_414",
    "ambiguous_length_is_refused",
    "malformed_field_is_refused",
    "path_cannot_leave_the_root",
];

/// Everything that is ranked: a floor answers one thing only.
fn variants() -> Vec<Variant> {
    let mut variants = Vec::new();
    for &implementation in ringside_http::all() {
        let meta = implementation.meta();
        if !meta.ranked {
            continue;
        }
        variants.push(Variant {
            implementation,
            axes: Settings::default(),
        });
        for axis in meta.axes {
            for value in axis.values.iter().filter(|&&value| value != axis.default) {
                let mut axes = Settings::default();
                axes.set(axis.name, value);
                variants.push(Variant {
                    implementation,
                    axes,
                });
            }
        }
    }
    variants
}

impl Variant {
    fn failures(
        &self,
        host: &ringside_contract::Host,
        root: &Path,
        passed: &AtomicUsize,
    ) -> Vec<String> {
        let meta = self.implementation.meta();
        let spec = meta.canonical(&self.axes).unwrap();
        let axes = meta.resolve(&self.axes).unwrap();
        if let Support::No { reason } = self.implementation.support(host, &axes) {
            eprintln!("skipped {spec}: {reason}");
            return Vec::new();
        }
        let service = match self.implementation.start(&options(axes, root)) {
            Ok(service) => service,
            Err(StartError::Unsupported { reason }) => {
                eprintln!("skipped {spec}: {reason}");
                return Vec::new();
            }
            Err(error) => return vec![format!("{spec} does not start: {error}")],
        };
        // Deadlines are the core's: once for each engine is enough, and takes 2 s.
        let cannot = if self.axes.is_empty() {
            vec![]
        } else {
            vec!["408".to_owned(), "upload_rate".to_owned()]
        };
        let mut failures = Vec::new();
        for &address in &service.endpoint().addresses {
            let target = Target {
                address,
                root: Some(root.to_owned()),
                cannot: cannot.clone(),
            };
            for case in http::cases() {
                match failure(case, &target) {
                    Some(why) => failures.push(format!("{spec}: {why}")),
                    None => drop(passed.fetch_add(1, Ordering::Relaxed)),
                }
            }
        }
        if let Err(error) = service.stop() {
            failures.push(format!("{spec} does not stop: {error}"));
        }
        failures
    }
}

fn failure(case: &Case, target: &Target) -> Option<String> {
    match check(case, target) {
        Outcome::Failed(failure) => Some(format!("{}: {failure}", case.name)),
        Outcome::Passed | Outcome::NotApplicable { .. } => None,
    }
}

fn options(axes: Settings, root: &Path) -> ServeOptions {
    ServeOptions {
        root: Some(root.to_owned()),
        head_deadline: Some(Duration::from_secs(2)),
        ..ServeOptions::local(axes)
    }
}

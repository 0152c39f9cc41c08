//! The servers under a client that the world uses: curl, where it is installed.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::process::Command;

use ringside_contract::{ServeOptions, Settings, StartError};

/// What curl was asked, and what it must write to its standard output.
const CALLS: &[(&[&str], &str)] = &[
    (&["/small"], "0123456789"),
    (&["/small?query", "--compressed"], "0123456789"),
    (&["/small", "--range", "2-4"], "234"),
    (&["/small", "--http1.0"], "0123456789"),
    (
        &[
            "/small",
            "--head",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ],
        "200",
    ),
    (
        &[
            "/none",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ],
        "404",
    ),
    (
        &[
            "/../etc/passwd",
            "--path-as-is",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ],
        "400",
    ),
    (
        &[
            "/small",
            "--data",
            "x=y",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ],
        "405",
    ),
    (
        &[
            "/small",
            "-T",
            "/etc/hostname",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ],
        "405",
    ),
    (
        &[
            "/large",
            "--output",
            "/dev/null",
            "--write-out",
            "%{size_download}",
        ],
        "3000000",
    ),
];

#[test]
fn curl_gets_what_it_asks_for() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not installed (apt-get install curl)");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("small"), "0123456789").unwrap();
    std::fs::write(root.path().join("large"), vec![b'x'; 3_000_000]).unwrap();
    // One engine of each kind.
    for name in [
        "http/blocking",
        "http/epoll",
        "http/tokio",
        "http/uring",
        "http/compio",
    ] {
        let all = ringside_http::all();
        let server = all.iter().find(|server| server.meta().id == name).unwrap();
        let options = ServeOptions {
            workers: 1,
            root: Some(root.path().to_owned()),
            ..ServeOptions::local(server.meta().resolve(&Settings::default()).unwrap())
        };
        let service = match server.start(&options) {
            Ok(service) => service,
            Err(StartError::Unsupported { reason }) => {
                eprintln!("skipped {name}: {reason}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let base = format!("http://{}", service.endpoint().addresses[0]);
        for (arguments, expected) in CALLS {
            assert_eq!(
                curl(&base, arguments),
                *expected,
                "{name}: curl {arguments:?}"
            );
        }
        connections_are_reused(&base);
        service.stop().unwrap();
    }
}

fn connections_are_reused(base: &str) {
    let both = [
        &format!("{base}/small"),
        "-o",
        "/dev/null",
        "-o",
        "/dev/null",
    ];
    let written = ["-w", "%{num_connects} ", &format!("{base}/large")];
    assert_eq!(run(&[&both[..], &written[..]].concat()), "1 0 ");
}

fn curl(base: &str, arguments: &[&str]) -> String {
    let url = format!("{base}{}", arguments[0]);
    run(&[&[&*url], &arguments[1..]].concat())
}

fn run(arguments: &[&str]) -> String {
    // Settings of the user, such as a proxy, must not reach the test.
    let first = [
        "--disable",
        "--noproxy",
        "*",
        "--silent",
        "--show-error",
        "--max-time",
        "20",
    ];
    let output = Command::new("curl")
        .args(first)
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "curl {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

//! What a browser makes of the page: headless Chromium opens copies with a probe inside (`probe.js`),
//! which reports requests, script errors, overflowing or cut text, overlapping labels and weak contrast.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringside_reports::{gate_page, page};

use crate::{fixtures, gate, profile, published};

/// The names of the browser that Debian, Ubuntu and Fedora install.
const NAMES: [&str; 2] = ["chromium", "chromium-browser"];
/// A phone.
const NARROW: u32 = 390;
/// A desktop screen.
const WIDE: u32 = 1280;

#[test]
fn every_document_is_clean_on_a_phone() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for (name, verdicts) in fixtures::documents() {
        let report = browser.open(name, &page(&verdicts, &[]), NARROW);
        report.expect_clean();
        assert_eq!(report.fact("width"), Some("390"), "{name}");
    }
}

#[test]
fn a_rich_page_is_clean_on_a_desktop_screen() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for (name, verdicts) in [("rich", fixtures::rich()), ("hostile", fixtures::hostile())] {
        browser
            .open(name, &page(&verdicts, &[]), WIDE)
            .expect_clean();
    }
}

#[test]
fn a_published_run_is_clean_and_its_tables_fit_a_desktop_screen() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for verdicts in published::documents() {
        let html = page(&verdicts, &[]);
        browser.open("published", &html, NARROW).expect_clean();
        let wide = browser.open("published", &html, WIDE);
        wide.expect_clean();
        assert_eq!(wide.fact("scrolling"), Some("0"));
    }
}

#[test]
fn every_gate_is_clean_at_each_width_and_in_the_dark() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for (name, report) in gate::gates() {
        let html = gate_page(&report);
        let dark = html.replace("id=\"theme-auto\" checked", "id=\"theme-auto\"");
        let dark = dark.replace("id=\"theme-dark\"", "id=\"theme-dark\" checked");
        assert_ne!(html, dark, "{name}");
        for width in [NARROW, WIDE] {
            browser.open(name, &html, width).expect_clean();
        }
        browser
            .open(&format!("{name}_dark"), &dark, NARROW)
            .expect_clean();
    }
}

#[test]
fn every_profile_is_clean_on_a_phone_and_on_a_desktop_screen() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for (name, report) in profile::profiles() {
        let html = profile::page_of(&report);
        for width in [NARROW, WIDE] {
            browser.open(name, &html, width).expect_clean();
        }
    }
}

#[test]
fn the_dark_page_is_dark_and_clean() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let light = page(&fixtures::rich(), &[]);
    let dark = light.replace("id=\"theme-auto\" checked", "id=\"theme-auto\"");
    let dark = dark.replace("id=\"theme-dark\"", "id=\"theme-dark\" checked");
    assert_ne!(
        light, dark,
        "the theme switch is not where this test looks for it"
    );
    let light = browser.open("rich", &light, NARROW);
    for width in [NARROW, WIDE] {
        let dark = browser.open("rich_dark", &dark, width);
        dark.expect_clean();
        assert_ne!(dark.fact("background"), light.fact("background"));
    }
}

#[test]
fn scripts_add_sorting_and_nothing_else_needs_them() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let html = page(&fixtures::rich(), &[]);
    let with = browser.open("rich", &html, NARROW);
    assert_eq!(with.fact("sorted"), Some("ascending"));
    assert_eq!(
        with.fact("series"),
        Some("none"),
        "a box of the legend hides its series"
    );
    // The probe itself is a script, so scripts cannot be off; the page's own is taken out instead.
    let (start, end) = (
        html.rfind("<script>").unwrap(),
        html.rfind("</script>").unwrap(),
    );
    let without = format!("{}{}", &html[..start], &html[end + "</script>".len()..]);
    let without = browser.open("rich_without_script", &without, NARROW);
    without.expect_clean();
    assert_eq!(without.fact("sorted"), None);
    assert_eq!(
        without.fact("series"),
        Some("none"),
        "style sheets alone hide a series"
    );
}

#[test]
fn the_probe_finds_planted_faults() {
    let Some(browser) = Browser::find() else {
        return;
    };
    for (planted, expected) in [
        (
            "<img src=\"file:///nowhere.png\" alt=\"\">",
            "refused by policy",
        ),
        ("<script>nothing.at.all()</script>", "error:"),
        ("<p style=\"width:500px\">wide</p>", "the page is 5"),
        (
            "<div style=\"width:90px;white-space:nowrap\">words that do not fit</div>",
            "overflows: div",
        ),
        (
            "<p style=\"color:#999;background:#fff\">pale</p>",
            "contrast 2.8",
        ),
        (
            "<svg viewBox=\"0 0 9 9\"><text>long label</text></svg>",
            "label cut off",
        ),
    ] {
        let html = page(&fixtures::empty(), &[]).replace("<footer>", &format!("{planted}<footer>"));
        let report = browser.open("planted", &html, NARROW);
        let found = report.lines.iter().any(|line| line.contains(expected));
        assert!(found, "{planted}: {:?}", report.lines);
    }
}

/// An installed browser.
struct Browser {
    program: PathBuf,
}

impl Browser {
    /// The browser, or `None` after a line that says how to get one.
    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .flat_map(|folder| NAMES.map(|name| folder.join(name)))
            .find(|program| program.is_file());
        if found.is_none() {
            // Written to the stream itself: the test runner hides what a passing test prints.
            let line =
                "skipped: no Chromium to look at the report with; apt-get install chromium\n";
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        found.map(|program| Self { program })
    }

    /// Opens a copy of the page with the probe and reads what it found. The page without the probe is
    /// kept below the target folder for whoever wants to look at it.
    fn open(&self, name: &str, html: &str, width: u32) -> Report {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join(format!("{name}.html")), html).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let probe = format!("<head><script>{}</script>", include_str!("probe.js"));
        let inner = html
            .replacen("<head>", &probe, 1)
            .replace('&', "&amp;")
            .replace('"', "&quot;");
        // A window is never narrower than 500 pixels, a frame may be.
        let outer = format!(
            "<!DOCTYPE html><body><iframe style=\"border:0;width:{width}px;height:900px\" srcdoc=\"{inner}\"></iframe>"
        );
        let file = folder.path().join("page.html");
        fs::write(&file, outer).unwrap();
        // `timeout` of coreutils ends a browser that hangs; an ordinary visit takes a second.
        let output = Command::new("timeout")
            .arg("120")
            .arg(&self.program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .args(["--hide-scrollbars", "--window-size=1400,1000"])
            .arg("--dump-dom")
            .arg(&file)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text
            .split_once("<pre id=\"ringside-probe\">")
            .and_then(|(_, rest)| rest.split_once("</pre>"))
            .map(|(lines, _)| lines.lines().map(str::to_owned).collect());
        let Some(lines) = lines else {
            panic!(
                "the probe gave no answer for {name}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        Report {
            name: format!("{name} at {width}"),
            lines,
        }
    }
}

/// What the probe wrote.
struct Report {
    name: String,
    lines: Vec<String>,
}

impl Report {
    fn expect_clean(&self) {
        let faults: Vec<_> = self
            .lines
            .iter()
            .filter(|line| line.starts_with("fault: "))
            .collect();
        assert!(
            faults.is_empty(),
            "{}: {} faults\n{faults:#?}",
            self.name,
            faults.len()
        );
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            line.strip_prefix("fact: ")?
                .strip_prefix(name)?
                .strip_prefix(' ')
        })
    }
}

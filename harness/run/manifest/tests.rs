use super::*;

const SAMPLE: &str = r#"schema = 1
id = "http/sample"
service = "http"
engine = "epoll"
about = "A sample."
source = "nowhere"
version = ["true"]
run = ["sh", "-c", "true {port} {mode}"]
ready = { tcp = true }
stop = { signal = "SIGTERM", grace = "1s" }
needs = [{ program = "sh", install = "apt-get install dash" }]

[[axis]]
name = "mode"
values = ["on", "off"]
default = "on"
about = "A switch."
texts = { off = "--off" }

[[file]]
path = "sample.conf"
text = "root {root}; { }"
"#;

fn parse(text: &str) -> Result<Manifest, DataError> {
    Manifest::parse("sample.toml", text, None)
}

/// Replaces `from` by `to` in the sample and expects an error at the line and field.
fn check(from: &str, to: &str, line: usize, field: &str) {
    assert!(SAMPLE.contains(from), "{from}");
    let error = parse(&SAMPLE.replace(from, to)).unwrap_err();
    assert_eq!(
        (error.file.as_str(), error.line, error.field.as_str()),
        ("sample.toml", line, field),
        "{error}"
    );
}

#[test]
fn a_right_manifest_is_read() {
    let manifest = parse(SAMPLE).unwrap();
    assert_eq!(manifest.meta().id, "http/sample");
    assert_eq!(manifest.stop_grace, Duration::from_secs(1));
    assert_eq!(manifest.support(), Support::Yes);
    let axes = manifest
        .meta()
        .resolve(
            &"http/sample[mode=off]"
                .parse::<ringside_contract::ImplementationSpec>()
                .unwrap()
                .axes,
        )
        .unwrap();
    assert_eq!(manifest.axis_texts(&axes)["mode"], "--off");
}

#[test]
fn broken_manifests_name_file_line_and_field() {
    check("schema = 1", "schema = 2", 1, "schema");
    check("id = \"http/sample\"", "id = \"sample\"", 2, "id");
    check("service = \"http\"", "service = \"mqtt\"", 3, "service");
    check(
        "run = [\"sh\", \"-c\", \"true {port} {mode}\"]",
        "run = []",
        8,
        "run",
    );
    check("{port}", "{prot}", 8, "run");
    let build = |word: &str| format!("version = [\"true\"]\nbuild = [\"make\", \"{{{word}}}\"]");
    check("version = [\"true\"]", &build("port"), 8, "build");
    check(
        "ready = { tcp = true }",
        "ready = { udp = true }",
        9,
        "ready",
    );
    check("{port} {mode}", "{mode}", 8, "run");
    check("tcp = true", "tcp = false", 9, "ready");
    check("tcp = true", "http = \"index\"", 9, "ready");
    let cannot = "ready = { tcp = true }\ncannot = [\"range\"]";
    check("ready = { tcp = true }", cannot, 10, "cannot");
    check("name = \"mode\"", "name = \"A b\"", 14, "axis.name");
    check(
        "[\"on\", \"off\"]",
        "[\"on\", \"off\", \"a b,c\"]",
        15,
        "axis.values",
    );
    check(
        "[\"on\", \"off\"]",
        "[\"on\", \"off\", \"on\"]",
        15,
        "axis.values",
    );
    let again =
        "[[axis]]\nname = \"mode\"\nvalues = [\"a\"]\ndefault = \"a\"\nabout = \"A.\"\n\n[[file]]";
    check("[[file]]", again, 21, "axis.name");
    check("SIGTERM", "SIGNONE", 10, "stop.signal");
    check("grace = \"1s\"", "grace = \"soon\"", 10, "stop.grace");
    check(
        "default = \"on\"",
        "default = \"maybe\"",
        16,
        "axis.default",
    );
    check(
        "{ off = \"--off\" }",
        "{ of = \"--off\" }",
        18,
        "axis.texts",
    );
    check(
        "path = \"sample.conf\"",
        "path = \"../sample.conf\"",
        21,
        "file.path",
    );
    check("about = \"A sample.\"", "abuot = \"A sample.\"", 5, "abuot");
    check(
        "ready = { tcp = true }",
        "listener = \"inherit\"\nready = { tcp = true }",
        9,
        "listener",
    );
}

#[test]
fn a_missing_program_names_the_command_that_installs_it() {
    let text = SAMPLE.replace("program = \"sh\"", "program = \"no-such-program\"");
    let Support::No { reason } = parse(&text).unwrap().support() else {
        panic!("supported")
    };
    assert!(
        reason.contains("no-such-program") && reason.contains("apt-get install dash"),
        "{reason}"
    );
}

#[test]
fn a_value_of_an_axis_takes_back_what_is_aligned() {
    let off = r#"texts = { off = "--off" }"#;
    let taken_back = format!("{off}\nnot_aligned.off = {{ access_log = \"a line a request\" }}");
    let manifest = parse(&SAMPLE.replace(off, &taken_back)).unwrap();
    let unaligned = |mode: &str| {
        let mut axes = ringside_contract::Settings::default();
        axes.set("mode", mode);
        let names: Vec<_> = manifest
            .unaligned(&axes)
            .map(|(name, instead)| format!("{name}: {instead}"))
            .collect();
        names
    };
    assert_eq!(unaligned("off"), ["access_log: a line a request"]);
    assert!(unaligned("on").is_empty());
    check(
        off,
        &format!("{off}\nnot_aligned.up = {{ a = \"b\" }}"),
        19,
        "axis.not_aligned",
    );
}

//! The compiler flags of both builds: head's, found the way cargo finds them.

use toml::{Table, Value};

use super::error::GateSetupError;

/// What stands between flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// The value of `CARGO_ENCODED_RUSTFLAGS` for both builds. Given it, cargo looks at no file for
/// flags, so that both get the same. The environment counts before head's `.cargo/config.toml`, and
/// there the table of the machine's target before `build`, as with cargo itself.
pub(crate) fn encoded_flags(
    variable: impl Fn(&str) -> Option<String>,
    config: Option<&str>,
    target: &str,
) -> Result<String, GateSetupError> {
    if let Some(encoded) = variable("CARGO_ENCODED_RUSTFLAGS") {
        return Ok(encoded);
    }
    if let Some(flags) = variable("RUSTFLAGS") {
        return Ok(encode(flags.split_whitespace()));
    }
    let table: Table = config.unwrap_or_default().parse().map_err(|error| {
        let because = format!("its .cargo/config.toml is not TOML ({error})");
        GateSetupError::Flags { because }
    })?;
    of_config(&table, target)
}

fn of_config(config: &Table, target: &str) -> Result<String, GateSetupError> {
    if let Some(Value::Table(targets)) = config.get("target") {
        let conditional = targets
            .iter()
            .find(|(name, table)| name.starts_with("cfg(") && table.get("rustflags").is_some());
        if let Some((name, _)) = conditional {
            // Whether it holds only cargo can tell.
            let because = format!("its .cargo/config.toml has rustflags under {name}");
            return Err(GateSetupError::Flags { because });
        }
        if let Some(flags) = targets.get(target).and_then(|table| table.get("rustflags")) {
            return Ok(of_value(flags));
        }
    }
    let build = config.get("build").and_then(|table| table.get("rustflags"));
    Ok(build.map(of_value).unwrap_or_default())
}

/// A list of flags, or one text of them.
fn of_value(value: &Value) -> String {
    match value {
        Value::Array(flags) => encode(flags.iter().filter_map(Value::as_str)),
        Value::String(flags) => encode(flags.split_whitespace()),
        _ => String::new(),
    }
}

fn encode<'a>(flags: impl Iterator<Item = &'a str>) -> String {
    flags.collect::<Vec<_>>().join(SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
        [build]
        rustflags = ["-C", "force-frame-pointers=yes"]
        [target.here]
        rustflags = "-C target-cpu=native"
    "#;

    fn check(environment: &[(&str, &str)], config: Option<&str>, target: &str, expected: &[&str]) {
        let variable = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let encoded = encoded_flags(variable, config, target).unwrap();
        assert_eq!(encoded, expected.join(SEPARATOR));
    }

    #[test]
    fn the_environment_counts_before_the_file_and_the_target_before_build() {
        let pointers = ["-C", "force-frame-pointers=yes"];
        check(&[], Some(CONFIG), "there", &pointers);
        check(&[], Some(CONFIG), "here", &["-C", "target-cpu=native"]);
        check(
            &[("RUSTFLAGS", "-O  -g")],
            Some(CONFIG),
            "here",
            &["-O", "-g"],
        );
        check(&[("RUSTFLAGS", "")], Some(CONFIG), "here", &[]);
        let both = [("RUSTFLAGS", "-O"), ("CARGO_ENCODED_RUSTFLAGS", "-g")];
        check(&both, Some(CONFIG), "here", &["-g"]);
        check(&[], None, "here", &[]);
    }

    #[test]
    fn flags_under_a_condition_are_not_guessed() {
        let config = "[target.'cfg(unix)']\nrustflags = ['-g']";
        let error = encoded_flags(|_| None, Some(config), "here").unwrap_err();
        assert!(error.to_string().contains("cfg(unix)"), "{error}");
        assert!(error.to_string().contains("set RUSTFLAGS"), "{error}");
    }
}

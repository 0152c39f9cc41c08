//! What a manifest must keep to beyond its form, so that a slip is named before anything is started.

use ringside_contract::Settings;
use toml::Spanned;

use super::{ConfigFile, Listener, RawAxis, RawManifest, Ready};
use crate::template;
use crate::toml_file::{DataError, TomlFile};

/// What a program may say that it cannot do: the capabilities that cases of conformance need.
pub const CAPABILITIES: &[&str] = &[
    "405",
    "408",
    "413",
    "414",
    "417",
    "431",
    "501",
    "505",
    "allow",
    "bad_path_4xx",
    "bare_lf_refused",
    "etag",
    "expect_continue",
    "folding_refused",
    "half_close",
    "index",
    "keep_alive",
    "keep_alive_1_0",
    "last_modified",
    "leading_empty_line",
    "length_with_chunks_refused",
    "mqtt_5",
    "one_copy",
    "ranges",
    "receive_maximum",
    "root",
    "special_files",
    "symlink_containment",
    "takeover_reason",
    "upload_rate",
];

impl RawManifest {
    pub(super) fn check_names(&self, file: &TomlFile<'_>) -> Result<(), DataError> {
        for name in &self.cannot {
            if !CAPABILITIES.contains(&name.get_ref().as_str()) {
                let known = CAPABILITIES.join(", ");
                let expected = format!("unknown `{}`, expected some of {known}", name.get_ref());
                return Err(file.error(&name.span(), "cannot", &expected));
            }
        }
        for (index, axis) in self.axes.iter().enumerate() {
            axis.check(file)?;
            let name = axis.name.get_ref();
            if self.axes[..index]
                .iter()
                .any(|one| one.name.get_ref() == name)
            {
                let expected = format!("`{name}` is there twice; expected one axis of a name");
                return Err(file.error(&axis.name.span(), "axis.name", &expected));
            }
        }
        self.check_ready(file)
    }

    fn check_ready(&self, file: &TomlFile<'_>) -> Result<(), DataError> {
        let expected = match self.ready.get_ref() {
            Ready::Tcp(false) => "expected `tcp = true`, `http = \"/path\"` or `stdout = \"text\"`",
            Ready::Http(path) if !path.starts_with('/') => "expected a path such as http = \"/\"",
            Ready::Stdout(text) if text.is_empty() => "expected a part of the line that it prints",
            _ => return Ok(()),
        };
        Err(file.error(&self.ready.span(), "ready", expected))
    }

    /// Every placeholder must be known, and the one that says where to listen must be there.
    pub(super) fn check_placeholders(
        &self,
        file: &TomlFile<'_>,
        files: &[ConfigFile],
    ) -> Result<(), DataError> {
        let axes = self.axes.iter().map(|axis| axis.name.get_ref().as_str());
        let known: Vec<&str> = template::PLACEHOLDERS.iter().copied().chain(axes).collect();
        let check = |span, field: &str, text: &str| {
            template::check(text, &known).map_err(|because| file.error(&span, field, &because))
        };
        for argument in self.build.get_ref() {
            template::check(argument, template::BUILD_PLACEHOLDERS)
                .map_err(|because| file.error(&self.build.span(), "build", &because))?;
        }
        for argument in self.run.get_ref() {
            check(self.run.span(), "run", argument)?;
        }
        for (name, value) in &self.environment {
            let field = format!("environment.{name}");
            check(value.span(), &field, value.get_ref())?;
        }
        for text in self.axes.iter().flat_map(|axis| axis.texts.values()) {
            check(text.span(), "axis.texts", text.get_ref())?;
        }
        for (raw, config) in self.files.iter().zip(files) {
            match (&raw.template, &raw.text) {
                (Some(template), _) => check(template.span(), "file.template", &config.text)?,
                (None, Some(text)) => check(text.span(), "file.text", &config.text)?,
                (None, None) => {}
            }
        }
        self.check_listener(file, files)
    }

    fn check_listener(&self, file: &TomlFile<'_>, files: &[ConfigFile]) -> Result<(), DataError> {
        let values = self.environment.values().map(Spanned::get_ref);
        let mut started = self.run.get_ref().iter().chain(values);
        match self.listener.get_ref() {
            Listener::Inherit if !started.any(|text| text.contains("{listener_fd}")) => {
                let expected = "`inherit` expects {listener_fd} in run or environment";
                Err(file.error(&self.listener.span(), "listener", expected))
            }
            Listener::Port => {
                let texts = self.axes.iter().flat_map(|axis| axis.texts.values());
                let mut told = started
                    .chain(texts.map(Spanned::get_ref))
                    .chain(files.iter().map(|file| &file.text));
                if told.any(|text| text.contains("{port}")) {
                    return Ok(());
                }
                let expected = "nothing tells the program its port; expected {port} in run, \
                                environment, an axis or a file";
                Err(file.error(&self.run.span(), "run", expected))
            }
            Listener::Inherit => Ok(()),
        }
    }
}

impl RawAxis {
    fn check(&self, file: &TomlFile<'_>) -> Result<(), DataError> {
        let name = self.name.get_ref();
        if template::is_reserved(name) {
            let expected = format!("`{name}` is a placeholder already; choose another name");
            return Err(file.error(&self.name.span(), "axis.name", &expected));
        }
        self.check_nameable(file)?;
        if !self.values.get_ref().contains(self.default.get_ref()) {
            let expected = format!("expected one of {}", self.values.get_ref().join(", "));
            return Err(file.error(&self.default.span(), "axis.default", &expected));
        }
        let texts = self
            .texts
            .iter()
            .map(|(value, text)| ("axis.texts", value, text.span()));
        let unaligned = self
            .not_aligned
            .iter()
            .map(|(value, names)| ("axis.not_aligned", value, names.span()));
        for (field, value, span) in texts.chain(unaligned) {
            if !self.values.get_ref().contains(value) {
                let expected = format!("`{value}` is no value of {name}");
                return Err(file.error(&span, field, &expected));
            }
        }
        Ok(())
    }

    /// Name and values must be readable in `family/name[axis=value]`.
    fn check_nameable(&self, file: &TomlFile<'_>) -> Result<(), DataError> {
        let name = self.name.get_ref();
        let nameable = |value: &str| {
            let read = Settings::parse(&format!("{name}={value}"), ',');
            let bracket = value.contains(['[', ']']);
            !bracket && read.is_ok_and(|read| read.value(name) == Some(value))
        };
        if !nameable("x") {
            let expected = format!("`{name}`: expected lower-case letters, digits and _");
            return Err(file.error(&self.name.span(), "axis.name", &expected));
        }
        for (index, value) in self.values.get_ref().iter().enumerate() {
            let again = self.values.get_ref()[..index].contains(value);
            if again || !nameable(value) {
                let expected =
                    format!("`{value}`: expected each value once, without , [ ] or space");
                return Err(file.error(&self.values.span(), "axis.values", &expected));
            }
        }
        Ok(())
    }
}

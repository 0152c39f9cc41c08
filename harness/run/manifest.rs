//! An outside program behind a manifest: how it is built, started, found ready and stopped, without a
//! line of Rust.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringside_contract::{Axis, Id, ImplementationMeta, SCHEMA, Support, parse_duration};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::toml_file::{DataError, TomlFile};

mod checks;

pub use checks::CAPABILITIES;

/// A checked manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    meta: &'static ImplementationMeta,
    /// The family whose service it provides, such as `http`.
    pub service: String,
    /// What kind of engine it has, such as `epoll`.
    pub engine: String,
    /// Where to get it.
    pub source: String,
    /// Prints its version.
    pub version: Vec<String>,
    /// Builds it; empty when there is nothing to build.
    pub build: Vec<String>,
    /// Starts it.
    pub run: Vec<String>,
    /// How it gets its listening socket.
    pub listener: Listener,
    /// Variables set for it.
    pub environment: BTreeMap<String, String>,
    /// Files written before it starts.
    pub files: Vec<ConfigFile>,
    /// How it is known to be ready.
    pub ready: Ready,
    /// The signal that stops it.
    pub stop_signal: i32,
    /// How long it may take to stop before it is killed.
    pub stop_grace: Duration,
    /// Programs that must be there.
    pub needs: Vec<Need>,
    /// Capabilities that it does not have: not applicable, never zero.
    pub cannot: Vec<String>,
    /// Cases that it is known to fail and is timed with all the same, since no scenario touches them. Each
    /// record names them.
    pub fails: Vec<String>,
    /// What it was asked to do like all the others.
    pub aligned: BTreeMap<String, String>,
    /// What could not be aligned.
    pub not_aligned: Vec<String>,
    /// Text of each value of each axis, where it is not the value itself.
    texts: BTreeMap<String, BTreeMap<String, String>>,
    /// What a value of an axis takes out of [`Self::aligned`], by axis and value: the name, and what it
    /// does instead.
    unaligned: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    origin: StoredManifest,
}

/// The texts of a manifest, as a run's folder keeps them: the run can be gone on with from them alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredManifest {
    /// The file's name, for errors.
    pub name: String,
    /// What it says.
    pub text: String,
    /// What the templates that it names say.
    pub templates: BTreeMap<String, String>,
}

/// How a program gets its listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// It binds `{host}:{port}` itself; the port was free a moment before.
    Port,
    /// It inherits a listening socket as `{listener_fd}`: the port cannot be taken by another, and
    /// options of the socket, such as the congestion control, are set for it.
    Inherit,
}

/// How a program is known to be ready.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ready {
    /// A connection is accepted.
    Tcp(bool),
    /// A GET of this path has any answer.
    Http(String),
    /// A line of its standard output holds this text.
    Stdout(String),
}

/// A program that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Its name in PATH.
    pub program: String,
    /// The command that installs it.
    pub install: String,
}

/// A file written before the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path below `{tmp}`.
    pub path: String,
    /// Its text, with placeholders.
    pub text: String,
}

impl Manifest {
    /// Reads and checks a manifest. `name` is the file's name for errors; templates that it names are
    /// looked for in `folder`.
    ///
    /// # Errors
    /// [`DataError`]: file, line, field, what was expected.
    pub fn parse(name: &str, text: &str, folder: Option<&Path>) -> Result<Self, DataError> {
        let file = TomlFile { name, text };
        let folder = folder.unwrap_or(Path::new("."));
        let read = |template: &str| {
            let path = folder.join(template);
            std::fs::read_to_string(&path)
                .map_err(|error| format!("failed to read {}: {error}", path.display()))
        };
        file.parse::<RawManifest>()?.check(&file, &read)
    }

    /// Reads and checks a manifest that a run's folder kept.
    ///
    /// # Errors
    /// [`DataError`], as [`Self::parse`].
    pub fn restore(stored: &StoredManifest) -> Result<Self, DataError> {
        let (name, text) = (stored.name.as_str(), stored.text.as_str());
        let file = TomlFile { name, text };
        let read = |template: &str| {
            let kept = stored.templates.get(template).cloned();
            kept.ok_or_else(|| format!("the run kept no template `{template}`"))
        };
        file.parse::<RawManifest>()?.check(&file, &read)
    }

    /// Reads a manifest's file.
    ///
    /// # Errors
    /// [`DataError`], also when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| DataError {
            file: name.clone(),
            line: 0,
            field: String::new(),
            expected: format!("failed to read it: {error}"),
        })?;
        Self::parse(&name, &text, path.parent())
    }

    /// Name, technique and axes, in the same form as those of a built-in implementation.
    pub fn meta(&self) -> &'static ImplementationMeta {
        self.meta
    }

    /// Whether every program that it needs is installed.
    pub fn support(&self) -> Support {
        let missing: Vec<_> = self
            .needs
            .iter()
            .filter(|need| find_program(&need.program).is_none())
            .collect();
        if missing.is_empty() {
            return Support::Yes;
        }
        let reasons: Vec<_> = missing
            .iter()
            .map(|need| {
                format!(
                    "{} is not installed (to install it: {})",
                    need.program, need.install
                )
            })
            .collect();
        Support::No {
            reason: reasons.join("; "),
        }
    }

    /// What placeholders of axes stand for, given every axis with its value.
    pub fn axis_texts(&self, axes: &ringside_contract::Settings) -> BTreeMap<String, String> {
        axes.iter()
            .map(|(axis, value)| {
                let text = self.texts.get(axis).and_then(|texts| texts.get(value));
                (
                    axis.to_owned(),
                    text.map_or(value, String::as_str).to_owned(),
                )
            })
            .collect()
    }

    /// What the values of its axes take out of [`Self::aligned`]: the name, and what it does instead.
    pub fn unaligned<'a>(
        &'a self,
        axes: &'a ringside_contract::Settings,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let of_value = |(axis, value)| self.unaligned.get(axis)?.get(value);
        axes.iter()
            .filter_map(of_value)
            .flatten()
            .map(|(name, instead)| (name.as_str(), instead.as_str()))
    }

    /// The same program, started from the file `program` in place of the one that it names, with no build
    /// before.
    #[must_use]
    pub fn with_program(&self, program: &Path) -> Self {
        let mut other = self.clone();
        let named = other.run.first().cloned().unwrap_or_default();
        let file = program.display().to_string();
        for command in [&mut other.run, &mut other.version] {
            if let Some(first) = command.first_mut().filter(|first| **first == named) {
                first.clone_from(&file);
            }
        }
        other.build.clear();
        other.needs.retain(|need| need.program != named);
        other
    }

    /// The texts that it was read from: two manifests are the same when these are.
    pub fn origin(&self) -> &StoredManifest {
        &self.origin
    }
}

/// The path of a program, if it is in PATH or is itself a path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| is_executable(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// The manifest as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    schema: Spanned<u32>,
    id: Spanned<String>,
    service: Spanned<String>,
    engine: String,
    about: String,
    source: String,
    version: Spanned<Vec<String>>,
    #[serde(default = "no_command")]
    build: Spanned<Vec<String>>,
    run: Spanned<Vec<String>>,
    #[serde(default = "default_listener")]
    listener: Spanned<Listener>,
    #[serde(default)]
    environment: BTreeMap<String, Spanned<String>>,
    ready: Spanned<Ready>,
    stop: RawStop,
    needs: Vec<Need>,
    #[serde(default)]
    cannot: Vec<Spanned<String>>,
    #[serde(default)]
    fails: Vec<Spanned<String>>,
    #[serde(default)]
    aligned: BTreeMap<String, String>,
    #[serde(default)]
    not_aligned: Vec<String>,
    #[serde(default, rename = "axis")]
    axes: Vec<RawAxis>,
    #[serde(default, rename = "file")]
    files: Vec<RawFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStop {
    signal: Spanned<String>,
    grace: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAxis {
    name: Spanned<String>,
    values: Spanned<Vec<String>>,
    default: Spanned<String>,
    about: String,
    #[serde(default)]
    texts: BTreeMap<String, Spanned<String>>,
    /// By value: what is then not like all the others, and what it is instead.
    #[serde(default)]
    not_aligned: BTreeMap<String, Spanned<BTreeMap<String, String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: Spanned<String>,
    text: Option<Spanned<String>>,
    template: Option<Spanned<String>>,
}

fn no_command() -> Spanned<Vec<String>> {
    Spanned::new(0..0, Vec::new())
}

fn default_listener() -> Spanned<Listener> {
    Spanned::new(0..0, Listener::Port)
}

impl RawManifest {
    fn check(
        self,
        file: &TomlFile<'_>,
        read: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Manifest, DataError> {
        self.check_head(file)?;
        let files = self.config_files(file, read)?;
        self.check_placeholders(file, &files)?;
        let origin = self.origin(file, &files);
        let stop_signal = signal_number(self.stop.signal.get_ref()).ok_or_else(|| {
            file.error(
                &self.stop.signal.span(),
                "stop.signal",
                "expected a signal such as SIGTERM or SIGQUIT",
            )
        })?;
        let stop_grace = parse_duration(self.stop.grace.get_ref()).ok_or_else(|| {
            file.error(
                &self.stop.grace.span(),
                "stop.grace",
                "expected a time such as 500ms or 2s",
            )
        })?;
        let texts = self.axes.iter().map(RawAxis::texts).collect();
        let unaligned = self.axes.iter().map(RawAxis::unaligned).collect();
        Ok(Manifest {
            meta: leak_meta(self.id.get_ref(), &self.about, &self.axes),
            service: self.service.into_inner(),
            engine: self.engine,
            source: self.source,
            version: self.version.into_inner(),
            build: self.build.into_inner(),
            run: self.run.into_inner(),
            listener: self.listener.into_inner(),
            environment: self
                .environment
                .into_iter()
                .map(|(name, value)| (name, value.into_inner()))
                .collect(),
            files,
            ready: self.ready.into_inner(),
            stop_signal,
            stop_grace,
            needs: self.needs,
            cannot: self.cannot.into_iter().map(Spanned::into_inner).collect(),
            fails: self.fails.into_iter().map(Spanned::into_inner).collect(),
            aligned: self.aligned,
            not_aligned: self.not_aligned,
            texts,
            unaligned,
            origin,
        })
    }

    fn origin(&self, file: &TomlFile<'_>, files: &[ConfigFile]) -> StoredManifest {
        let templates = self.files.iter().zip(files).filter_map(|(raw, file)| {
            let name = raw.template.as_ref()?.get_ref().clone();
            Some((name, file.text.clone()))
        });
        StoredManifest {
            name: file.name.to_owned(),
            text: file.text.to_owned(),
            templates: templates.collect(),
        }
    }

    fn check_head(&self, file: &TomlFile<'_>) -> Result<(), DataError> {
        if *self.schema.get_ref() != SCHEMA {
            let expected = format!("is {}, this build knows {SCHEMA}", self.schema.get_ref());
            return Err(file.error(&self.schema.span(), "schema", &expected));
        }
        let id: Id = self
            .id
            .get_ref()
            .parse()
            .map_err(|error| file.error(&self.id.span(), "id", &format!("{error}")))?;
        if id.family != *self.service.get_ref() {
            let expected = format!("expected `{}`, the family of the id {id}", id.family);
            return Err(file.error(&self.service.span(), "service", &expected));
        }
        for (field, argv) in [("version", &self.version), ("run", &self.run)] {
            if argv.get_ref().is_empty() {
                return Err(file.error(
                    &argv.span(),
                    field,
                    "expected a program and its arguments",
                ));
            }
        }
        self.check_names(file)
    }

    fn config_files(
        &self,
        file: &TomlFile<'_>,
        read: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Vec<ConfigFile>, DataError> {
        self.files.iter().map(|raw| raw.load(file, read)).collect()
    }
}

impl RawAxis {
    fn unaligned(&self) -> (String, BTreeMap<String, BTreeMap<String, String>>) {
        let of_values = self
            .not_aligned
            .iter()
            .map(|(value, names)| (value.clone(), names.get_ref().clone()));
        (self.name.get_ref().clone(), of_values.collect())
    }

    fn texts(&self) -> (String, BTreeMap<String, String>) {
        let texts = self
            .texts
            .iter()
            .map(|(value, text)| (value.clone(), text.get_ref().clone()));
        (self.name.get_ref().clone(), texts.collect())
    }
}

impl RawFile {
    fn load(
        &self,
        file: &TomlFile<'_>,
        read: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<ConfigFile, DataError> {
        let path = self.path.get_ref();
        let stays_inside = Path::new(path)
            .components()
            .all(|component| matches!(component, std::path::Component::Normal(_)));
        if path.is_empty() || !stays_inside {
            return Err(file.error(
                &self.path.span(),
                "file.path",
                "expected a path below {tmp}",
            ));
        }
        let text = match (&self.text, &self.template) {
            (Some(text), None) => text.get_ref().clone(),
            (None, Some(template)) => read(template.get_ref())
                .map_err(|expected| file.error(&template.span(), "file.template", &expected))?,
            _ => {
                return Err(file.error(
                    &self.path.span(),
                    "file",
                    "expected either `text` or `template`",
                ));
            }
        };
        Ok(ConfigFile {
            path: path.clone(),
            text,
        })
    }
}

fn signal_number(name: &str) -> Option<i32> {
    let signal = match name {
        "SIGTERM" => Signal::TERM,
        "SIGQUIT" => Signal::QUIT,
        "SIGINT" => Signal::INT,
        "SIGHUP" => Signal::HUP,
        "SIGUSR1" => Signal::USR1,
        "SIGUSR2" => Signal::USR2,
        "SIGKILL" => Signal::KILL,
        _ => return None,
    };
    Some(signal.as_raw())
}

/// A manifest is read once and lives as long as the process: leaking its names gives outside programs
/// the same type of description as ours, so that everything behind treats both alike.
fn leak_meta(id: &str, about: &str, axes: &[RawAxis]) -> &'static ImplementationMeta {
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let axes: Vec<Axis> = axes
        .iter()
        .map(|axis| Axis {
            name: leak(axis.name.get_ref()),
            values: axis
                .values
                .get_ref()
                .iter()
                .map(|value| leak(value))
                .collect::<Vec<_>>()
                .leak(),
            default: leak(axis.default.get_ref()),
            about: leak(&axis.about),
        })
        .collect();
    let meta = ImplementationMeta {
        id: leak(id),
        about: leak(about),
        axes: axes.leak(),
        ranked: true,
    };
    Box::leak(Box::new(meta))
}

#[cfg(test)]
mod tests;

//! The two builds: how each is started, what it offers, and what is known of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{Build, GateSide, Id, ImplementationSpec};
use ringside_run::{Catalogue, GateCell, Manifest, Subject};

use super::identity::Identity;
use crate::args::GateArgs;
use crate::builds::{self, BuildsError, Prepared};
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

/// Base and head.
pub(super) struct Sides {
    pub(super) base: Side,
    pub(super) head: Side,
    /// How they differ besides their source.
    pub(super) differences: Vec<String>,
    /// What a reader should know of them.
    pub(super) warnings: Vec<String>,
    /// Holds the folder in which they were built.
    _prepared: Option<Prepared>,
}

/// One of the two.
pub(super) struct Side {
    /// What the report says of it.
    pub(super) about: GateSide,
    start: Start,
}

enum Start {
    /// A build of this tool, by its `serve`.
    Own { file: PathBuf, identity: Identity },
    /// An outside program, the only one of its catalogue.
    Program { id: Id, catalogue: Catalogue },
}

impl Sides {
    /// Those that the command line names, built first where that is asked for. `folder` gets the names by which they
    /// are started, which are of equal length: what stands in the arguments moves the stack.
    pub(super) fn of(
        args: &GateArgs,
        session: &Session,
        folder: &Path,
        output: &Output,
    ) -> anyhow::Result<Self> {
        if let Some(base) = &args.base {
            return Self::built(base, args.allow_dirty, session, folder, output);
        }
        match (&args.base_bin, &args.head_bin, &args.base_manifest, &args.head_manifest) {
            (Some(base), Some(head), ..) => match outside(args, session)? {
                Some(manifest) => Self::programs([base, head], &manifest, folder),
                None => Self::own([base, head], session, folder),
            },
            (_, _, Some(base), Some(head)) => Self::manifests([base, head], session, folder),
            _ => Err(UsageError(
                "give a revision with --base, or both builds: --base-bin and --head-bin, or --base-manifest and \
                 --head-manifest"
                    .to_owned(),
            )
            .into()),
        }
    }

    fn built(
        base: &str,
        allow_dirty: bool,
        session: &Session,
        folder: &Path,
        output: &Output,
    ) -> anyhow::Result<Self> {
        output.note(&format!(
            "building {base} and what is checked out; this takes minutes"
        ));
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let prepared = builds::prepare(&here, base, allow_dirty, target.as_deref(), &session.stop)
            .map_err(BuildsError::into_anyhow)?;
        let files = [&prepared.base.program, &prepared.head.program];
        let mut sides = Self::own(files, session, folder)?;
        for (side, built) in [
            (&mut sides.base, &prepared.base),
            (&mut sides.head, &prepared.head),
        ] {
            side.about.name.clone_from(&built.name);
            side.about.build.commit.clone_from(&built.commit);
        }
        sides
            .differences
            .extend(prepared.differences.iter().cloned());
        sides.warnings.extend(prepared.warnings.iter().cloned());
        sides._prepared = Some(prepared);
        Ok(sides)
    }

    fn own(files: [&PathBuf; 2], session: &Session, folder: &Path) -> anyhow::Result<Self> {
        let [base, head] = [("base", files[0]), ("head", files[1])].map(|(label, file)| {
            let link = named(label, file, folder)?;
            let log = folder.join(format!("{label}.stderr"));
            let identity = Identity::ask(&link, file, &log, &session.stop)?;
            anyhow::Ok(Side {
                about: GateSide {
                    name: file.display().to_string(),
                    build: identity.build.clone(),
                },
                start: Start::Own {
                    file: link,
                    identity,
                },
            })
        });
        Ok(Self::pair(base?, head?))
    }

    fn programs(files: [&PathBuf; 2], manifest: &Manifest, folder: &Path) -> anyhow::Result<Self> {
        let [base, head] = [("base", files[0]), ("head", files[1])].map(|(label, file)| {
            let link = named(label, file, folder)?;
            let name = file.display().to_string();
            Side::program(manifest.with_program(&link), &name, Some(file))
        });
        Ok(Self::pair(base?, head?))
    }

    fn manifests(files: [&PathBuf; 2], session: &Session, folder: &Path) -> anyhow::Result<Self> {
        let [base, head] = [("base", files[0]), ("head", files[1])].map(|(label, file)| {
            let manifest = Manifest::read(file).map_err(|error| UsageError(error.to_string()))?;
            let log = folder.join(format!("{label}.stderr"));
            ringside_run::build(&manifest, &folder.join(label), &log, &session.launch())
                .map_err(|failure| anyhow::anyhow!("{}: {failure}", file.display()))?;
            let program = manifest
                .run
                .first()
                .and_then(|name| ringside_run::find_program(name));
            let length: usize = manifest.run.iter().map(String::len).sum();
            let side = Side::program(manifest, &file.display().to_string(), program.as_deref())?;
            anyhow::Ok((side, length))
        });
        let ((base, of_base), (head, of_head)) = (base?, head?);
        match (base.id(), head.id()) {
            (Some(of_base), Some(of_head)) if of_base.family != of_head.family => {
                Err(UsageError(format!(
                    "{} is of family {}, and {} of {}; only programs of one family can be compared",
                    base.about.name, of_base.family, head.about.name, of_head.family
                ))
                .into())
            }
            _ => {
                let mut sides = Self::pair(base, head);
                if of_base != of_head {
                    sides.warnings.push(format!(
                        "the commands of both manifests are of different length ({of_base} and {of_head} letters), \
                         which moves the stack and with it the speed: give both programs paths of one length"
                    ));
                }
                Ok(sides)
            }
        }
    }

    fn pair(base: Side, head: Side) -> Self {
        let [of_base, of_head] = [&base, &head].map(|side| &side.about.build);
        let facts = [
            ("compiler", &of_base.rustc, &of_head.rustc),
            ("flags", &of_base.flags, &of_head.flags),
            ("cargo profile", &of_base.profile, &of_head.profile),
            ("target", &of_base.target, &of_head.target),
        ];
        let differences = facts
            .into_iter()
            .filter(|(_, base, head)| base != head)
            .map(|(what, base, head)| format!("{what}: base has `{base}`, head `{head}`"));
        let mut warnings = Vec::new();
        if !of_base.binary.is_empty() && of_base.binary == of_head.binary {
            warnings.push("base and head are the same file: nothing can have changed".to_owned());
        }
        if [of_base, of_head]
            .iter()
            .any(|build| build.profile == "debug")
        {
            warnings.push(
                "a debug build is compared; what is slow there says little of a release".to_owned(),
            );
        }
        Self {
            differences: differences.collect(),
            warnings,
            base,
            head,
            _prepared: None,
        }
    }
}

impl Side {
    /// Whether both are one file of this tool's.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        let own = |side: &Self| matches!(side.start, Start::Own { .. });
        own(self) && own(other) && self.about.build.binary == other.about.build.binary
    }

    fn program(manifest: Manifest, name: &str, file: Option<&Path>) -> anyhow::Result<Self> {
        let id = manifest.meta().id;
        if let ringside_contract::Support::No { reason } = manifest.support() {
            anyhow::bail!("{id} ({name}) cannot run here: {reason}");
        }
        let binary = file.map(std::fs::read).transpose();
        let binary = binary.with_context(|| format!("failed to read the program of {name}"))?;
        let build = Build {
            binary: binary.map_or_else(String::new, |bytes| ringside_run::short_hash(&bytes)),
            ..Build::default()
        };
        let id = manifest.meta().id();
        let mut catalogue = Catalogue::default();
        catalogue.put_programs(vec![manifest]);
        Ok(Self {
            about: GateSide {
                name: name.to_owned(),
                build,
            },
            start: Start::Program { id, catalogue },
        })
    }

    /// The id of an outside program.
    pub(super) const fn id(&self) -> Option<&Id> {
        match &self.start {
            Start::Own { .. } => None,
            Start::Program { id, .. } => Some(id),
        }
    }

    /// An outside program alone.
    pub(super) const fn catalogue(&self) -> Option<&Catalogue> {
        match &self.start {
            Start::Own { .. } => None,
            Start::Program { catalogue, .. } => Some(catalogue),
        }
    }

    /// The file whose `serve` is started; nothing to an outside program.
    pub(super) fn executable(&self) -> &Path {
        match &self.start {
            Start::Own { file, .. } => file,
            Start::Program { .. } => Path::new(""),
        }
    }

    /// Names of its pure functions whose instructions can be counted; `None` of an outside program.
    pub(super) const fn functions(&self) -> Option<&BTreeSet<String>> {
        match &self.start {
            Start::Own { identity, .. } => Some(&identity.functions),
            Start::Program { .. } => None,
        }
    }

    /// What it starts for an implementation.
    pub(super) fn subject<'a>(
        &'a self,
        implementation: &ImplementationSpec,
        session: &'a Session,
    ) -> Result<Subject<'a>, UsageError> {
        let usage = |error| UsageError(format!("{}: {error}", self.about.name));
        match &self.start {
            Start::Own { .. } => session.catalogue.subject(implementation).map_err(usage),
            Start::Program { id, catalogue } => {
                // Both manifests may have ids of their own.
                let own = ImplementationSpec {
                    id: id.clone(),
                    axes: implementation.axes.clone(),
                };
                catalogue.subject(&own).map_err(usage)
            }
        }
    }

    /// Why it cannot take part in a comparison; `None` when it can.
    pub(super) fn lacks(&self, cell: &GateCell) -> Option<String> {
        let Start::Own { identity, .. } = &self.start else {
            return None;
        };
        let name = &self.about.name;
        let (implementation, scenario) = (&cell.implementation.id, &cell.scenario.id);
        if !identity
            .implementations
            .contains(&implementation.to_string())
        {
            return Some(format!("{name} has no implementation {implementation}"));
        }
        let known = identity.scenarios.contains(&scenario.to_string());
        (!known).then(|| format!("{name} has no scenario {scenario}"))
    }
}

/// The manifest of the one outside program that `--implementation` names, if it names one.
fn outside(args: &GateArgs, session: &Session) -> anyhow::Result<Option<Manifest>> {
    let mut programs = Vec::new();
    for text in &args.implementation {
        let spec: ImplementationSpec = text
            .parse()
            .map_err(|error| UsageError(format!("{error}")))?;
        let subject = session
            .catalogue
            .subject(&spec)
            .map_err(|error| UsageError(error.to_string()))?;
        programs.extend(subject.candidate.manifest().cloned());
    }
    match programs.len() {
        0 => Ok(None),
        1 if args.implementation.len() == 1 => Ok(programs.pop()),
        _ => Err(UsageError(
            "two files are builds of one program: name one outside program with --implementation, or only \
             implementations of this tool"
                .to_owned(),
        )
        .into()),
    }
}

/// A name for `file` in `folder`: the same for all sides but for a label of four letters.
pub(super) fn named(label: &str, file: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let target = file
        .canonicalize()
        .map_err(|error| UsageError(format!("there is no program {}: {error}", file.display())))?;
    let link = folder.join(label);
    std::os::unix::fs::symlink(&target, &link)
        .with_context(|| format!("failed to make {}", link.display()))?;
    Ok(link)
}

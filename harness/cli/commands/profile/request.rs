//! What the arguments of a profile ask for, checked.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{
    Build, Confinement, ImplementationSpec, LoadPlan, ProfiledSide, ProfiledSubject, Scenario,
    ScenarioSpec, Support,
};
use ringside_profile::Profiler;
use ringside_run::{Catalogue, Subject};

use crate::args::{ProfileArgs, ProfilerName, SideName};
use crate::commands::gate::Identity;
use crate::commands::load::scenario;
use crate::exit::UsageError;
use crate::session::Session;

/// A checked request.
pub(super) struct Request {
    /// The scenario, in canonical form.
    pub(super) scenario: ScenarioSpec,
    /// Its load.
    pub(super) plan: LoadPlan,
    /// What it keeps from the server.
    pub(super) confinement: Confinement,
    pub(super) side: ProfiledSide,
    pub(super) profilers: Vec<Profiler>,
    /// Seconds that each profiler watches.
    pub(super) seconds: u64,
    pub(super) seed: u64,
    /// The document root, with the scenario's files.
    pub(super) root: PathBuf,
    /// What is profiled, and what it is compared with.
    pub(super) targets: Vec<Target>,
}

/// What is wanted, as it was written.
pub(super) struct Wanted<'a> {
    /// The implementation or outside program, with its axes.
    pub(super) implementation: &'a str,
    /// What it is compared with.
    pub(super) diff: Option<&'a str>,
    /// The scenario, with its parameters.
    pub(super) scenario: &'a str,
    pub(super) side: ProfiledSide,
    pub(super) profilers: Vec<Profiler>,
    /// Seconds that each profiler watches.
    pub(super) seconds: u64,
    pub(super) seed: u64,
}

impl<'a> Wanted<'a> {
    /// What arguments say.
    pub(super) fn of(args: &'a ProfileArgs) -> Self {
        Self {
            implementation: &args.implementation,
            diff: args.diff.as_deref(),
            scenario: &args.scenario,
            side: match args.side {
                SideName::Server => ProfiledSide::Server,
                SideName::Generator => ProfiledSide::Generator,
            },
            profilers: profilers(args),
            seconds: args.seconds,
            seed: args.seed,
        }
    }
}

/// A server to start.
pub(super) struct Target {
    pub(super) about: ProfiledSubject,
    /// The build whose `serve` is started; of no matter to an outside program.
    pub(super) executable: PathBuf,
    /// The one outside program, where it is another build of one.
    catalogue: Option<Catalogue>,
}

impl Request {
    /// Looks up what is wanted. Files go below `scratch`.
    pub(super) fn new(
        wanted: &Wanted<'_>,
        session: &Session,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let (found, params) = scenario(&session.catalogue, wanted.scenario)?;
        let plan = found
            .load(&params)
            .map_err(|error| UsageError(error.to_string()))?;
        let first = Target::implementation(wanted.implementation, session)?;
        let other = wanted
            .diff
            .map(|other| Target::other(other, &first, session, scratch));
        let targets: Vec<Target> = std::iter::once(Ok(first))
            .chain(other)
            .collect::<anyhow::Result<_>>()?;
        for target in &targets {
            target.check(found, session)?;
        }
        let root = scratch.join("root");
        ringside_run::write_fixtures(&root, found, &params)
            .with_context(|| format!("failed to write the files of {}", params.spec()))?;
        Ok(Self {
            scenario: params.spec().clone(),
            plan,
            confinement: found.confinement(&params),
            side: wanted.side,
            profilers: wanted.profilers.clone(),
            seconds: wanted.seconds,
            seed: wanted.seed,
            root,
            targets,
        })
    }
}

/// Those asked for, each once, in the order of their list.
fn profilers(args: &ProfileArgs) -> Vec<Profiler> {
    if args.off_cpu {
        return vec![Profiler::OffProcessor];
    }
    let named = |name: &ProfilerName| match name {
        ProfilerName::OnProcessor => Profiler::OnProcessor,
        ProfilerName::OffProcessor => Profiler::OffProcessor,
        ProfilerName::LockWaits => Profiler::LockWaits,
        ProfilerName::Allocations => Profiler::Allocations,
        ProfilerName::SystemCalls => Profiler::SystemCalls,
        ProfilerName::ContextSwitches => Profiler::ContextSwitches,
    };
    let asked = |profiler: &Profiler| args.kind.iter().any(|name| named(name) == *profiler);
    Profiler::ALL.into_iter().filter(asked).collect()
}

impl Target {
    /// An implementation of this build, or an outside program.
    fn implementation(name: &str, session: &Session) -> anyhow::Result<Self> {
        let spec: ImplementationSpec = name
            .parse()
            .map_err(|error| UsageError(format!("{error}")))?;
        let subject = session
            .catalogue
            .subject(&spec)
            .map_err(|error| UsageError(error.to_string()))?;
        let build = match subject.candidate.manifest() {
            Some(_) => Build::default(),
            None => session.build().clone(),
        };
        Ok(Self {
            about: ProfiledSubject {
                name: subject.spec.to_string(),
                implementation: subject.spec,
                build,
            },
            executable: session.launch().executable.to_owned(),
            catalogue: None,
        })
    }

    /// Another implementation, or another build of the one that `first` is.
    fn other(name: &str, first: &Self, session: &Session, scratch: &Path) -> anyhow::Result<Self> {
        let known = name.parse::<ImplementationSpec>().ok();
        let known = known.is_some_and(|spec| session.catalogue.candidate(&spec.id).is_ok());
        let file = Path::new(name);
        if known || !file.exists() {
            return Self::implementation(name, session).map_err(|error| {
                UsageError(format!("--diff {name}: there is no such file, and {error}")).into()
            });
        }
        let file = file
            .canonicalize()
            .with_context(|| format!("failed to find {name}"))?;
        first.built(name, file, session, scratch)
    }

    /// The same implementation of another build.
    fn built(
        &self,
        name: &str,
        file: PathBuf,
        session: &Session,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let implementation = self.about.implementation.clone();
        let subject = self.subject(session)?;
        let about = |build| ProfiledSubject {
            name: name.to_owned(),
            implementation: implementation.clone(),
            build,
        };
        if let Some(manifest) = subject.candidate.manifest() {
            let mut catalogue = Catalogue::default();
            catalogue.put_programs(vec![manifest.with_program(&file)]);
            return Ok(Self {
                about: about(Build::default()),
                executable: self.executable.clone(),
                catalogue: Some(catalogue),
            });
        }
        let identity = Identity::ask(
            &file,
            &file,
            &scratch.join("identity.stderr"),
            &session.stop,
        )?;
        let id = implementation.id.to_string();
        if !identity.implementations.contains(&id) {
            return Err(UsageError(format!("{name} has no implementation {id}")).into());
        }
        Ok(Self {
            about: about(identity.build),
            executable: file,
            catalogue: None,
        })
    }

    /// What it serves.
    pub(super) fn subject<'a>(&'a self, session: &'a Session) -> anyhow::Result<Subject<'a>> {
        let catalogue = self.catalogue.as_ref().unwrap_or(&session.catalogue);
        catalogue
            .subject(&self.about.implementation)
            .map_err(|error| UsageError(error.to_string()).into())
    }

    fn check(&self, scenario: &dyn Scenario, session: &Session) -> anyhow::Result<()> {
        let subject = self.subject(session)?;
        let (name, id) = (&self.about.name, scenario.meta().id());
        if subject.spec.id.family != id.family {
            return Err(UsageError(format!(
                "{name} cannot be loaded with {id}: it is of another family"
            ))
            .into());
        }
        match subject.candidate.support(&session.host, &subject.axes) {
            Support::Yes => Ok(()),
            Support::No { reason } => anyhow::bail!("{name} cannot run here: {reason}"),
        }
    }
}

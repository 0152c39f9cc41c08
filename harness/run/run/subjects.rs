//! Everything that a run does with its subjects before their first block: outside programs are built
//! and asked for their versions, and the cases of conformance run.

use std::collections::BTreeMap;
use std::path::Path;

use ringside_contract::{ImplementationSpec, Program, Support};

use super::Runner;
use crate::ahead::check_all;
use crate::catalogue::Subject;
use crate::error::RunError;
use crate::fixtures::TemporaryFolder;
use crate::observer::Event;
use crate::program::{build, identify};
use crate::qualify::{Passed, cache_key, has_no_space};
use crate::server::StartFailure;

impl<'a> Runner<'a> {
    /// Name and version of the outside program behind a subject, asked for once.
    pub(super) fn program(&mut self, subject: &Subject<'_>) -> Option<Program> {
        let manifest = subject.candidate.manifest()?;
        let log = self.temporary.path().join("version.stderr");
        Some(
            self.programs
                .entry(manifest.meta().id.to_owned())
                .or_insert_with(|| identify(manifest, &log, &self.options.stop))
                .clone(),
        )
    }

    /// Builds the outside program behind a subject, once in a run.
    fn built(&mut self, subject: &Subject<'_>) -> Result<(), StartFailure> {
        let Some(manifest) = subject.candidate.manifest() else {
            return Ok(());
        };
        let id = manifest.meta().id;
        if let Some(outcome) = self.builds.get(id) {
            return outcome.clone();
        }
        let log = self
            .folder
            .path
            .join("log")
            .join(format!("build-{}.stderr", manifest.meta().id().name));
        let name = format!("build-{}", manifest.meta().id().name);
        let tmp = self.temporary.path().join(name);
        let outcome = build(manifest, &tmp, &log, &self.options.launch());
        self.builds.insert(id, outcome.clone());
        outcome
    }

    /// Runs the conformance cases of everything that will be timed, unless they passed in an earlier
    /// run of the same binary.
    pub(super) fn check_subjects(&mut self) -> Result<(), RunError> {
        let mut unknown: BTreeMap<String, (Subject<'a>, String)> = BTreeMap::new();
        for planned in self.plan.groups.iter().flat_map(|group| &group.cells) {
            let name = planned.implementation.to_string();
            let known = self.checked.contains_key(&name) || unknown.contains_key(&name);
            let Ok(subject) = self.options.catalogue.subject(&planned.implementation) else {
                continue;
            };
            let support = subject.candidate.support(self.options.host, &subject.axes);
            if known || !subject.candidate.meta().ranked || support != Support::Yes {
                continue;
            }
            if let Err(failure) = self.built(&subject) {
                self.refuse_full_disk(failure.disk_full.as_deref(), true)?;
                self.checked.insert(name, Err(failure));
                continue;
            }
            let program = self.program(&subject);
            let version = program.as_ref().map(|program| program.version.as_str());
            let key = cache_key(&subject, &self.options.build.binary, version);
            if self.cache.has_passed(&key) {
                self.checked.insert(name, Ok(Ok(Passed::default())));
            } else {
                unknown.insert(name, (subject, key));
            }
        }
        self.check_unknown(unknown.into_values().collect())
    }

    /// Why an implementation that passed its cases is not to be chosen.
    pub(super) fn quality_fault(&self, implementation: &ImplementationSpec) -> Option<String> {
        match self.checked.get(&implementation.to_string()) {
            Some(Ok(Ok(passed))) => passed.quality_fault.clone(),
            _ => None,
        }
    }

    fn check_unknown(&mut self, unknown: Vec<(Subject<'a>, String)>) -> Result<(), RunError> {
        let place = self.temporary.path().join("conformance");
        let folder = TemporaryFolder::create(place.clone())
            .map_err(|error| RunError::file("create", &place, &self.folder.path, error))?;
        let launch = self.options.launch();
        let (subjects, keys): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
        let (mut full, mut failed) = (None, false);
        check_all(
            &launch,
            &subjects,
            folder.path(),
            self.options.qualifier,
            |index, outcome| {
                let implementation = &subjects[index].spec;
                self.observer.event(&Event::Qualifying { implementation });
                match &outcome {
                    Ok(Ok(passed)) if passed.quality_fault.is_none() => {
                        self.cache.remember(keys[index].clone());
                    }
                    // What failed tests of quality is asked again, as what failed cases is.
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) => failed = true,
                    Err(failure) => {
                        failed = true;
                        full = full.take().or(failure.disk_full.clone());
                    }
                }
                self.checked.insert(implementation.to_string(), outcome);
            },
        );
        self.refuse_full_disk(full.as_deref(), failed)
    }

    /// An error when what failed may have failed because no space is left, at `path` if that is known:
    /// no server is blamed for it, and the cells are still to be run when the run goes on.
    pub(super) fn refuse_full_disk(
        &self,
        path: Option<&Path>,
        failed: bool,
    ) -> Result<(), RunError> {
        let folder = self.temporary.path();
        match path {
            None if failed && has_no_space(folder) => Err(RunError::DiskFull {
                path: folder.to_owned(),
                run: Some(self.folder.path.clone()),
            }),
            None => Ok(()),
            Some(path) => Err(RunError::DiskFull {
                path: path.to_owned(),
                run: Some(self.folder.path.clone()),
            }),
        }
    }
}

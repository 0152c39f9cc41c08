//! Everything that can be named in a plan: implementations, outside programs and scenarios, and the
//! look-up of names among them.

use ringside_contract::operations::{BuiltProgram, InProcess};
use ringside_contract::{
    Group, Host, Id, Implementation, ImplementationMeta, ImplementationSpec, ParamError, Params,
    Plan, SCHEMA, Scenario, ScenarioSpec, Settings, Support,
};
use thiserror::Error;

use crate::manifest::Manifest;
use crate::matrix;

/// What this build and the given manifests offer.
#[derive(Default)]
pub struct Catalogue {
    /// Built-in implementations, in the order of their lists.
    pub implementations: Vec<&'static dyn Implementation>,
    /// Implementations that are called in process, in the order of their lists.
    pub in_process: Vec<&'static dyn InProcess>,
    /// Scenarios, in the order of their lists.
    pub scenarios: Vec<&'static dyn Scenario>,
    /// Outside programs.
    pub programs: Vec<Manifest>,
}

/// Why a name means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameMiss {
    /// No implementation or scenario of this id.
    #[error("there is no {kind} `{name}`; {hint}")]
    Unknown {
        /// `implementation` or `scenario`.
        kind: &'static str,
        /// What was given.
        name: String,
        /// The nearest names, or where to find them.
        hint: String,
    },
    /// The id exists, an axis or its value does not.
    #[error("{0}")]
    Axis(String),
    /// The id exists, a parameter or its value does not.
    #[error(transparent)]
    Parameter(#[from] ParamError),
}

/// One thing that can serve: ours or an outside program.
#[derive(Clone, Copy)]
pub enum Candidate<'a> {
    /// Built in.
    Own(&'static dyn Implementation),
    /// Built in, and called in a worker process.
    InProcess(&'static dyn InProcess),
    /// Behind a manifest.
    Program(&'a Manifest),
}

/// A candidate with every axis set.
#[derive(Clone)]
pub struct Subject<'a> {
    /// What serves.
    pub candidate: Candidate<'a>,
    /// Its canonical name.
    pub spec: ImplementationSpec,
    /// Every axis, defaults included.
    pub axes: Settings,
}

impl<'a> Candidate<'a> {
    /// Name, technique and axes.
    pub fn meta(self) -> &'static ImplementationMeta {
        match self {
            Self::Own(implementation) => implementation.meta(),
            Self::InProcess(operation) => operation.meta(),
            Self::Program(manifest) => manifest.meta(),
        }
    }

    /// Whether it can run on `host`.
    pub fn support(self, host: &Host, axes: &Settings) -> Support {
        match self {
            Self::Own(implementation) => implementation.support(host, axes),
            Self::InProcess(operation) => match operation.program() {
                Some(program) => matrix::support(program, host),
                None => operation.support(host, axes),
            },
            Self::Program(manifest) => manifest.support(),
        }
    }

    /// Capabilities of its family that it does not have.
    pub fn cannot(self) -> Vec<String> {
        match self {
            Self::Own(_) => Vec::new(),
            Self::InProcess(operation) => {
                let lacks = operation.cannot().iter();
                lacks.map(|&lack| lack.to_owned()).collect()
            }
            Self::Program(manifest) => manifest.cannot.clone(),
        }
    }

    /// The program that serves it, where how that was built is what is compared.
    pub fn built_program(self) -> Option<BuiltProgram> {
        match self {
            Self::InProcess(operation) => operation.program(),
            Self::Own(_) | Self::Program(_) => None,
        }
    }

    /// The manifest, for an outside program.
    pub fn manifest(self) -> Option<&'a Manifest> {
        match self {
            Self::Own(_) | Self::InProcess(_) => None,
            Self::Program(manifest) => Some(manifest),
        }
    }
}

impl Catalogue {
    /// Every candidate: ours first, then the outside programs.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        let own = self
            .implementations
            .iter()
            .map(|&implementation| Candidate::Own(implementation));
        let in_process = self.in_process.iter().copied().map(Candidate::InProcess);
        own.chain(in_process)
            .chain(self.programs.iter().map(Candidate::Program))
    }

    /// Adds outside programs; one of the same id is replaced.
    pub fn put_programs(&mut self, programs: Vec<Manifest>) {
        for manifest in programs {
            let id = manifest.meta().id;
            self.programs.retain(|known| known.meta().id != id);
            self.programs.push(manifest);
        }
    }

    /// The candidate of this id.
    ///
    /// # Errors
    /// [`NameMiss::Unknown`] with the nearest names.
    pub fn candidate(&self, id: &Id) -> Result<Candidate<'_>, NameMiss> {
        let name = id.to_string();
        self.candidates()
            .find(|candidate| candidate.meta().id == name)
            .ok_or_else(|| {
                let known = self.candidates().map(|candidate| candidate.meta().id);
                NameMiss::unknown("implementation", &name, known)
            })
    }

    /// The candidate of this name with its axes checked and filled in.
    ///
    /// # Errors
    /// [`NameMiss`].
    pub fn subject(&self, spec: &ImplementationSpec) -> Result<Subject<'_>, NameMiss> {
        let candidate = self.candidate(&spec.id)?;
        let meta = candidate.meta();
        Ok(Subject {
            candidate,
            spec: meta.canonical(&spec.axes).map_err(NameMiss::Axis)?,
            axes: meta.resolve(&spec.axes).map_err(NameMiss::Axis)?,
        })
    }

    /// The scenario of this name with its parameters checked and filled in.
    ///
    /// # Errors
    /// [`NameMiss`].
    pub fn scenario(
        &self,
        spec: &ScenarioSpec,
    ) -> Result<(&'static dyn Scenario, Params), NameMiss> {
        let name = spec.id.to_string();
        let found = self
            .scenarios
            .iter()
            .find(|scenario| scenario.meta().id == name);
        let scenario = found.ok_or_else(|| {
            let known = self.scenarios.iter().map(|scenario| scenario.meta().id);
            NameMiss::unknown("scenario", &name, known)
        })?;
        Ok((*scenario, scenario.meta().resolve(spec)?))
    }
}

/// Whether a plan can be run: its schema is known, its name can be a part of a folder's name, and
/// everything in it exists here.
///
/// # Errors
/// A sentence that says what to change.
pub fn check_plan(plan: &Plan, catalogue: &Catalogue) -> Result<(), String> {
    if plan.schema != SCHEMA {
        let (theirs, name) = (plan.schema, &plan.name);
        return Err(format!(
            "plan {name} has schema {theirs}, this build knows schema {SCHEMA}; make it anew with `ringside plan`"
        ));
    }
    check_plan_name(&plan.name)
        .map_err(|because| format!("the plan's name {:?} {because}", plan.name))?;
    if plan.groups.is_empty() {
        let name = &plan.name;
        return Err(format!(
            "plan {name} has no groups; make one with cells by `ringside plan`"
        ));
    }
    for (index, group) in plan.groups.iter().enumerate() {
        check_group(group, catalogue).map_err(|because| {
            let (name, scenario) = (&plan.name, &group.scenario);
            format!("plan {name}, group {index} ({scenario}): {because}")
        })?;
    }
    Ok(())
}

/// Whether a plan's name can be a part of the name of a run's folder.
pub(crate) fn check_plan_name(name: &str) -> Result<(), String> {
    let strange = |letter: char| letter == '/' || letter.is_control();
    if name.is_empty() || name.contains("..") || name.contains(strange) {
        let expected = "cannot be a part of a folder's name; use letters, digits and -";
        return Err(expected.to_owned());
    }
    Ok(())
}

fn check_group(group: &Group, catalogue: &Catalogue) -> Result<(), String> {
    let misses = |miss: NameMiss| miss.to_string();
    catalogue.scenario(&group.scenario).map_err(misses)?;
    if group.cells.is_empty() || group.rounds == 0 {
        return Err("it measures nothing; give it cells, and rounds of at least 1".to_owned());
    }
    let timing = &group.timing;
    let times = [timing.warmup_ms, timing.measure_ms, timing.count_ms];
    if timing.measure_ms == 0 || times.iter().any(|&time| time > TIME_MAX_MS) {
        return Err(
            "its timing is out of range; expected 1 ms to 1 h of measure_ms, and at most \
                    1 h of warmup_ms and count_ms"
                .to_owned(),
        );
    }
    for cell in &group.cells {
        let subject = catalogue.subject(&cell.implementation).map_err(misses)?;
        check_serves(catalogue, &subject.spec, &group.scenario)?;
    }
    Ok(())
}

/// Whether an implementation serves what a scenario asks for.
pub(crate) fn check_serves(
    catalogue: &Catalogue,
    implementation: &ImplementationSpec,
    scenario: &ScenarioSpec,
) -> Result<(), String> {
    let (ours, theirs) = (&implementation.id.family, &scenario.id.family);
    if ours != theirs {
        return Err(format!(
            "{implementation} does not serve {scenario}; expected an implementation of {theirs}"
        ));
    }
    let Some(lack) = lacking(catalogue, implementation, scenario) else {
        return Ok(());
    };
    let others = catalogue.candidates().filter(|other| {
        other.meta().id().family == *theirs && !other.cannot().iter().any(|other| other == lack)
    });
    let others: Vec<_> = others.map(|other| other.meta().id).collect();
    Err(format!(
        "{implementation} does not serve {scenario}: it has no {lack}; expected one of {}",
        others.join(", ")
    ))
}

/// What a scenario of operations needs and an implementation of its family lacks.
pub(crate) fn lacking(
    catalogue: &Catalogue,
    implementation: &ImplementationSpec,
    scenario: &ScenarioSpec,
) -> Option<&'static str> {
    let (scenario, params) = catalogue.scenario(scenario).ok()?;
    let need = scenario.workload(&params, 0)?.task.needs()?;
    let candidate = catalogue.candidate(&implementation.id).ok()?;
    let lacks = candidate.cannot().iter().any(|lack| lack == need);
    lacks.then_some(need)
}

/// The longest part of a block. Longer ones are slips, such as seconds taken for milliseconds.
pub(crate) const TIME_MAX_MS: u64 = 3_600_000;

impl NameMiss {
    fn unknown(kind: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        let near = nearest(name, known);
        let hint = if near.is_empty() {
            format!("`ringside list {kind}s` shows those that exist")
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Self::Unknown {
            kind,
            name: name.to_owned(),
            hint,
        }
    }
}

/// At most three of `known` that are most like `name`, the best first.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    /// Below this Jaro-Winkler likeness two names have nothing to do with each other.
    const ALIKE_MIN: f64 = 0.75;
    let mut scored: Vec<_> = known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .collect();
    scored.retain(|&(score, _)| score >= ALIKE_MIN);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, other)| other).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalogue;

    #[test]
    fn a_plan_of_another_schema_name_or_catalogue_is_refused() {
        let group = Group {
            scenario: "http/small".parse().unwrap(),
            interleaved: false,
            rounds: 1,
            timing: crate::testing::TIMING,
            cells: vec![ringside_contract::PlannedCell {
                implementation: "http/epoll".parse().unwrap(),
                replica: 0,
                purposes: Vec::new(),
            }],
        };
        let mut good = crate::testing::plan();
        good.groups = vec![group];
        assert_eq!(check_plan(&good, &catalogue()), Ok(()));
        let refused = |change: &dyn Fn(&mut Plan), part: &str| {
            let mut plan = good.clone();
            change(&mut plan);
            let because = check_plan(&plan, &catalogue()).unwrap_err();
            assert!(because.contains(part), "{because}");
        };
        refused(
            &|plan| plan.schema = 99,
            "schema 99, this build knows schema 1",
        );
        refused(&|plan| plan.name = "../up".to_owned(), "../up");
        refused(&|plan| plan.name = "a/b".to_owned(), "a/b");
        refused(
            &|plan| plan.groups[0].scenario = "http/smal".parse().unwrap(),
            "http/small",
        );
        refused(
            &|plan| plan.groups[0].scenario = "echo/small".parse().unwrap(),
            "expected an implementation of echo",
        );
        refused(&|plan| plan.groups.clear(), "no groups");
        refused(&|plan| plan.groups[0].cells.clear(), "give it cells");
        refused(&|plan| plan.groups[0].rounds = 0, "give it cells");
        refused(
            &|plan| plan.groups[0].timing.warmup_ms = u64::MAX,
            "at most 1 h",
        );
    }

    #[test]
    fn a_misspelt_id_gets_the_nearest_names() {
        let catalogue = catalogue();
        let miss = catalogue
            .subject(&"http/epol".parse().unwrap())
            .err()
            .unwrap();
        assert!(
            miss.to_string().contains("did you mean http/epoll"),
            "{miss}"
        );
        let miss = catalogue
            .scenario(&"http/smal".parse().unwrap())
            .err()
            .unwrap();
        assert!(miss.to_string().contains("http/small"), "{miss}");
    }

    #[test]
    fn a_name_like_no_other_is_sent_to_the_list() {
        let catalogue = catalogue();
        let miss = catalogue
            .subject(&"zzz/qqq".parse().unwrap())
            .err()
            .unwrap();
        assert!(
            miss.to_string().contains("ringside list implementations"),
            "{miss}"
        );
    }

    #[test]
    fn defaults_are_left_out_of_the_name_and_kept_in_the_axes() {
        let catalogue = catalogue();
        let subject = catalogue
            .subject(&"http/epoll[body=sendfile]".parse().unwrap())
            .unwrap();
        assert_eq!(subject.spec.to_string(), "http/epoll");
        assert_eq!(subject.axes.value("body"), Some("sendfile"));
    }
}

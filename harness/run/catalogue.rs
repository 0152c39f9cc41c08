//! Everything that can be named in a plan: implementations, outside programs and scenarios, and the
//! look-up of names among them.

use ringside_contract::{
    Host, Id, Implementation, ImplementationMeta, ImplementationSpec, ParamError, Params, Plan,
    SCHEMA, Scenario, ScenarioSpec, Settings, Support,
};
use thiserror::Error;

use crate::manifest::Manifest;

/// What this build and the given manifests offer.
#[derive(Default)]
pub struct Catalogue {
    /// Built-in implementations, in the order of their lists.
    pub implementations: Vec<&'static dyn Implementation>,
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
            Self::Program(manifest) => manifest.meta(),
        }
    }

    /// Whether it can run on `host`.
    pub fn support(self, host: &Host, axes: &Settings) -> Support {
        match self {
            Self::Own(implementation) => implementation.support(host, axes),
            Self::Program(manifest) => manifest.support(),
        }
    }

    /// The manifest, for an outside program.
    pub fn manifest(self) -> Option<&'a Manifest> {
        match self {
            Self::Own(_) => None,
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
        own.chain(self.programs.iter().map(Candidate::Program))
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
    let strange = |letter: char| letter == '/' || letter.is_control();
    if plan.name.is_empty() || plan.name.contains("..") || plan.name.contains(strange) {
        return Err(format!(
            "the plan's name {:?} cannot be a part of a folder's name; use letters, digits and -",
            plan.name
        ));
    }
    for group in &plan.groups {
        let misses = |miss: NameMiss| format!("plan {}: {miss}", plan.name);
        catalogue.scenario(&group.scenario).map_err(misses)?;
        for cell in &group.cells {
            catalogue.subject(&cell.implementation).map_err(misses)?;
        }
    }
    Ok(())
}

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
        let good = crate::testing::plan();
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
        let group = ringside_contract::Group {
            scenario: "http/smal".parse().unwrap(),
            rounds: 1,
            timing: crate::testing::TIMING,
            cells: Vec::new(),
        };
        refused(&|plan| plan.groups = vec![group.clone()], "http/small");
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

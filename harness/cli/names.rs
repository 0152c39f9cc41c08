//! Whether what a claim names exists: a misspelt name in a table would read "not built yet" for ever.
//!
//! Families that are still to come are free to name what they like, and so are those that are built in
//! part and implementations of another system, which this build does not know.

use std::collections::BTreeSet;

use ringside_contract::{Claim, Id, ImplementationSpec};
use ringside_judge::{NameFault, is_metric, metrics};
use ringside_run::{Catalogue, NameMiss};

/// What the names of a claim are looked up in.
pub(crate) struct Names<'a> {
    catalogue: &'a Catalogue,
    /// Implementations that records name: outside programs whose manifest was given to the run only.
    recorded: &'a BTreeSet<Id>,
    /// Families that are built, the whole of them.
    families: BTreeSet<String>,
}

impl<'a> Names<'a> {
    /// Looks names up in `catalogue` and among `recorded`, but those of families that are `under_way`.
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        recorded: &'a BTreeSet<Id>,
        under_way: &BTreeSet<String>,
    ) -> Self {
        let families = catalogue.scenarios.iter();
        let families = families.map(|scenario| scenario.meta().id().family);
        Self {
            families: families
                .filter(|family| !under_way.contains(family))
                .collect(),
            catalogue,
            recorded,
        }
    }

    /// The first name that does not exist.
    pub(crate) fn check(&self, claim: &Claim) -> Result<(), NameFault> {
        if self.families.contains(&claim.scenario.id.family) {
            self.catalogue.scenario(&claim.scenario).map_err(|miss| {
                let field = match miss {
                    NameMiss::Parameter(_) => "params",
                    _ => "scenario",
                };
                fault(field, &miss)
            })?;
            check_metric(&claim.metric)?;
        }
        // Of a need such as `os=windows` follows that the implementation is one of that system.
        let here = |need: &String| {
            need.strip_prefix("os=")
                .is_none_or(|system| system == std::env::consts::OS)
        };
        if !claim.needs.iter().all(here) {
            return Ok(());
        }
        let baseline = claim.baseline.iter().map(|spec| ("baseline", spec));
        for (field, spec) in baseline.chain([("candidate", &claim.candidate)]) {
            self.check_implementation(field, spec)?;
        }
        Ok(())
    }

    fn check_implementation(
        &self,
        field: &'static str,
        spec: &ImplementationSpec,
    ) -> Result<(), NameFault> {
        if !self.families.contains(&spec.id.family) {
            return Ok(());
        }
        match self.catalogue.subject(spec) {
            Ok(_) => Ok(()),
            Err(NameMiss::Unknown { .. }) if self.recorded.contains(&spec.id) => Ok(()),
            Err(miss @ NameMiss::Unknown { .. }) => Err(NameFault {
                field,
                because: format!("{miss}; an outside program needs its --manifest"),
            }),
            Err(miss) => Err(fault(field, &miss)),
        }
    }
}

fn check_metric(name: &str) -> Result<(), NameFault> {
    if is_metric(name) {
        return Ok(());
    }
    let known: Vec<&str> = metrics().iter().map(|metric| metric.name).collect();
    let near = ringside_run::nearest(name, known.iter().copied());
    let hint = if near.is_empty() {
        format!("there are {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Err(NameFault {
        field: "metric",
        because: format!("there is no metric `{name}`; {hint}"),
    })
}

fn fault(field: &'static str, miss: &NameMiss) -> NameFault {
    NameFault {
        field,
        because: miss.to_string(),
    }
}

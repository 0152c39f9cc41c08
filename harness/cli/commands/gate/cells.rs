//! What a gate compares: the cells of its plan, or what the command line chooses.

use ringside_contract::{Arrivals, ImplementationSpec, ScenarioSpec};
use ringside_run::{Catalogue, GateCell, GatePlan};

use crate::commands::list;
use crate::exit::UsageError;

/// What the command line chooses of a plan.
pub(super) struct Choice<'a> {
    /// Scenarios; all when empty.
    pub(super) scenarios: &'a [String],
    /// Implementations; those of the plan when empty.
    pub(super) implementations: &'a [String],
    /// Parts of names, of which one has to be in a cell's.
    pub(super) filters: &'a [String],
}

impl Choice<'_> {
    /// The cells, each once. A scenario or implementation that the plan does not have is a cell of its own, with
    /// the plan's threshold.
    ///
    /// # Errors
    /// A name that does not exist, or a choice that leaves nothing.
    pub(super) fn cells(
        &self,
        plan: &GatePlan,
        catalogue: &Catalogue,
    ) -> Result<Vec<GateCell>, UsageError> {
        let scenarios = self.scenarios(catalogue)?;
        let implementations = self.implementations(catalogue)?;
        let mut cells: Vec<GateCell> = Vec::new();
        for cell in candidates(plan, &scenarios, &implementations, catalogue)? {
            let name = format!("{} {}", cell.scenario, cell.implementation);
            if list::matches(self.filters, &name) && !cells.contains(&cell) {
                takes_turns(&cell.scenario, catalogue)?;
                cells.push(cell);
            }
        }
        if cells.is_empty() {
            return Err(UsageError(
                "nothing is left to compare; `--scenario` and `--implementation` have to be of one family, and a \
                 `--filter` has to be part of a name: see `ringside list`"
                    .to_owned(),
            ));
        }
        Ok(cells)
    }

    fn scenarios(&self, catalogue: &Catalogue) -> Result<Vec<ScenarioSpec>, UsageError> {
        let read = |text: &String| {
            let spec: ScenarioSpec = text.parse().map_err(|error| usage(&error))?;
            canonical(&spec, catalogue)
        };
        self.scenarios.iter().map(read).collect()
    }

    fn implementations(
        &self,
        catalogue: &Catalogue,
    ) -> Result<Vec<ImplementationSpec>, UsageError> {
        let read = |text: &String| {
            let spec: ImplementationSpec = text.parse().map_err(|error| usage(&error))?;
            let subject = catalogue.subject(&spec).map_err(|error| usage(&error))?;
            Ok(subject.spec)
        };
        self.implementations.iter().map(read).collect()
    }
}

/// Every pair that is asked for, before filters.
fn candidates(
    plan: &GatePlan,
    scenarios: &[ScenarioSpec],
    implementations: &[ImplementationSpec],
    catalogue: &Catalogue,
) -> Result<Vec<GateCell>, UsageError> {
    let planned = planned(plan, catalogue)?;
    if implementations.is_empty() {
        if let Some(missing) = scenarios.iter().find(|asked| !has(&planned, asked)) {
            return Err(UsageError(format!(
                "the plan compares nothing under {missing}; say what to compare with --implementation"
            )));
        }
        let asked = |cell: &GateCell| scenarios.is_empty() || scenarios.contains(&cell.scenario);
        return Ok(planned.into_iter().filter(asked).collect());
    }
    let known: Vec<ScenarioSpec> = planned.iter().map(|cell| cell.scenario.clone()).collect();
    let scenarios = if scenarios.is_empty() {
        &known
    } else {
        scenarios
    };
    let pairs = implementations.iter().flat_map(|implementation| {
        scenarios
            .iter()
            .map(move |scenario| (implementation, scenario))
    });
    let fitting =
        pairs.filter(|(implementation, scenario)| implementation.id.family == scenario.id.family);
    Ok(fitting
        .map(|(implementation, scenario)| GateCell {
            scenario: scenario.clone(),
            implementation: implementation.clone(),
            threshold: threshold(&planned, scenario, implementation).unwrap_or(plan.threshold),
        })
        .collect())
}

fn has(cells: &[GateCell], scenario: &ScenarioSpec) -> bool {
    cells.iter().any(|cell| cell.scenario == *scenario)
}

/// The plan's cells under the full names of their scenarios and implementations.
fn planned(plan: &GatePlan, catalogue: &Catalogue) -> Result<Vec<GateCell>, UsageError> {
    let full = |cell: &GateCell| {
        let subject = catalogue
            .subject(&cell.implementation)
            .map_err(|error| usage(&error))?;
        Ok(GateCell {
            scenario: canonical(&cell.scenario, catalogue)?,
            implementation: subject.spec,
            threshold: cell.threshold,
        })
    };
    plan.cells.iter().map(full).collect()
}

/// The threshold that the plan has for just this pair.
fn threshold(
    planned: &[GateCell],
    scenario: &ScenarioSpec,
    implementation: &ImplementationSpec,
) -> Option<f64> {
    let same =
        |cell: &&GateCell| cell.scenario == *scenario && cell.implementation == *implementation;
    planned.iter().find(same).map(|cell| cell.threshold)
}

fn canonical(spec: &ScenarioSpec, catalogue: &Catalogue) -> Result<ScenarioSpec, UsageError> {
    let (_, params) = catalogue.scenario(spec).map_err(|error| usage(&error))?;
    Ok(params.spec().clone())
}

/// Turns are short and take the load from one server to the other: what has none is refused before anything is built up.
fn takes_turns(spec: &ScenarioSpec, catalogue: &Catalogue) -> Result<(), UsageError> {
    let (scenario, params) = catalogue.scenario(spec).map_err(|error| usage(&error))?;
    let plan = scenario.load(&params).map_err(|error| usage(&error))?;
    let because = match plan.arrivals {
        Arrivals::Sweep { .. } => "a sweep has no turns",
        // Its threads spin until the next operation is to start: rate and processor time are those of the offer.
        Arrivals::Open { .. } if scenario.workload(&params, 0).is_some() => {
            "threads in an open loop do as much as they are asked to, however fast that goes"
        }
        _ if plan.operations_min > 0 => "its operations are larger than a turn",
        _ => return Ok(()),
    };
    Err(UsageError(format!(
        "{spec} cannot be gated: {because}; take a scenario of small operations in a closed loop, such as those of \
         datasets/plans/gate.toml"
    )))
}

fn usage(error: &dyn std::fmt::Display) -> UsageError {
    UsageError(error.to_string())
}

//! From a plan's definition to a plan: a pure function. One axis at a time from the defaults, the
//! pairs that claims name, and never the whole product.

use std::time::Duration;

use ringside_contract::{
    BlockTiming, Claim, Group, Host, ImplementationSpec, Omitted, Params, Plan, PlannedCell,
    Purpose, SCHEMA, ScenarioSpec,
};

use crate::budget;
use crate::catalogue::{Candidate, Catalogue, NameMiss, lacking};
use crate::definition::{Cover, GroupDefinition, PlanDefinition};

/// What a user asks of a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Only cells whose scenario or implementation holds one of these texts; all when empty.
    pub filter: Vec<String>,
    /// The time that the run may take.
    pub budget: Option<Duration>,
    /// Seed of the order of the cells and of every load.
    pub seed: u64,
}

/// A group while the plan is made.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) scenario: ScenarioSpec,
    pub(crate) interleaved: bool,
    pub(crate) rounds: u32,
    pub(crate) timing: BlockTiming,
    pub(crate) priority: u8,
    pub(crate) cells: Vec<PlannedCell>,
}

/// Makes the plan. Cells that this host does not support stay in it: they become explained skips.
///
/// # Errors
/// [`NameMiss`]: the definition names something that is not in the catalogue.
pub fn plan(
    definition: &PlanDefinition,
    catalogue: &Catalogue,
    claims: &[Claim],
    host: &Host,
    options: &PlanOptions,
) -> Result<Plan, NameMiss> {
    let planner = Planner {
        definition,
        catalogue,
        claims,
    };
    let mut drafts = planner.drafts()?;
    let mut omitted = planner.tag_claims(&mut drafts);
    apply_filter(&mut drafts, &options.filter, &mut omitted);
    if let Some(limit) = options.budget {
        budget::fit(
            &mut drafts,
            definition.rounds_min,
            limit,
            catalogue,
            host,
            &mut omitted,
        );
    }
    let estimated_s = budget::estimate(&drafts, catalogue, host)
        .as_secs_f64()
        .ceil() as u64;
    let groups = drafts.into_iter().map(|draft| Group {
        scenario: draft.scenario,
        interleaved: draft.interleaved,
        rounds: draft.rounds,
        timing: draft.timing,
        cells: draft.cells,
    });
    Ok(Plan {
        schema: SCHEMA,
        name: definition.name.clone(),
        seed: options.seed,
        groups: groups.collect(),
        omitted,
        estimated_s,
    })
}

struct Planner<'a> {
    definition: &'a PlanDefinition,
    catalogue: &'a Catalogue,
    claims: &'a [Claim],
}

/// What a claim compares, in canonical names.
struct ClaimCells {
    scenario: ScenarioSpec,
    cells: Vec<ImplementationSpec>,
}

impl Planner<'_> {
    fn drafts(&self) -> Result<Vec<Draft>, NameMiss> {
        let mut drafts = Vec::new();
        for group in &self.definition.groups {
            drafts.push(self.draft(group)?);
        }
        if let Some(cover) = &self.definition.cover {
            self.cover(cover, &mut drafts)?;
        }
        if self.definition.every_claim {
            self.add_every_claim(&mut drafts);
        }
        drafts.retain(|draft| !draft.cells.is_empty());
        Ok(drafts)
    }

    fn draft(&self, group: &GroupDefinition) -> Result<Draft, NameMiss> {
        let params = self.params(&group.scenario)?;
        let family = &group.scenario.id.family;
        let mut draft = Draft {
            scenario: params.spec().clone(),
            interleaved: group.interleaved,
            rounds: group.rounds.unwrap_or(self.definition.rounds),
            timing: group.timing.unwrap_or(self.definition.timing),
            priority: group.priority,
            cells: Vec::new(),
        };
        let mut taken = Vec::new();
        let of_family = self
            .catalogue
            .candidates()
            .filter(|c| c.meta().id().family == *family)
            .filter(|&c| lacking(self.catalogue, &plain(c), &group.scenario).is_none());
        for candidate in of_family {
            let wanted = match candidate {
                Candidate::Own(_) | Candidate::InProcess(_) => group.engines,
                Candidate::Program(_) => group.programs,
            };
            if wanted {
                self.add(&mut draft, &plain(candidate), None)?;
                taken.push(candidate);
            }
        }
        for spec in &group.cells {
            self.add(&mut draft, spec, None)?;
        }
        for spec in &group.axes {
            self.add_axes(&mut draft, spec)?;
        }
        for candidate in taken.into_iter().filter(|_| group.every_axis) {
            self.add_axes(&mut draft, &plain(candidate))?;
        }
        if group.claims {
            self.add_claims(&mut draft);
        }
        for spec in &group.self_control {
            self.add(&mut draft, spec, None)?;
            let implementation = self.catalogue.subject(spec)?.spec;
            let purposes = vec![Purpose::SelfControl];
            draft.cells.push(PlannedCell {
                implementation,
                replica: 1,
                purposes,
            });
        }
        Ok(draft)
    }

    /// The parameters of a group's scenario, in smoke sizes if the plan says so.
    fn params(&self, spec: &ScenarioSpec) -> Result<Params, NameMiss> {
        let (scenario, params) = self.catalogue.scenario(spec)?;
        if !self.definition.smoke_sizes {
            return Ok(params);
        }
        let mut small = spec.clone();
        for parameter in scenario.meta().parameters() {
            if let (Some(size), None) = (parameter.smoke, spec.params.value(parameter.name)) {
                small.params.set(parameter.name, size);
            }
        }
        Ok(scenario.meta().resolve(&small)?)
    }

    /// Adds a cell once; a further reason for it joins those that it has.
    fn add(
        &self,
        draft: &mut Draft,
        spec: &ImplementationSpec,
        purpose: Option<Purpose>,
    ) -> Result<(), NameMiss> {
        let subject = self.catalogue.subject(spec)?;
        let purpose = purpose.unwrap_or_else(|| natural_purpose(subject.candidate, &subject.spec));
        let same =
            |cell: &&mut PlannedCell| cell.implementation == subject.spec && cell.replica == 0;
        match draft.cells.iter_mut().find(same) {
            Some(cell) if cell.purposes.contains(&purpose) => {}
            Some(cell) => cell.purposes.push(purpose),
            None => draft.cells.push(PlannedCell {
                implementation: subject.spec,
                replica: 0,
                purposes: vec![purpose],
            }),
        }
        Ok(())
    }

    /// The implementation itself and each other value of each of its axes, changed alone.
    fn add_axes(&self, draft: &mut Draft, spec: &ImplementationSpec) -> Result<(), NameMiss> {
        self.add(draft, spec, None)?;
        let subject = self.catalogue.subject(spec)?;
        for axis in subject.candidate.meta().axes {
            let current = subject.axes.value(axis.name);
            for value in axis.values.iter().filter(|value| Some(**value) != current) {
                let mut changed = spec.clone();
                changed.axes.set(axis.name, value);
                self.add(
                    draft,
                    &changed,
                    Some(Purpose::Axis {
                        axis: axis.name.to_owned(),
                    }),
                )?;
            }
        }
        Ok(())
    }

    fn add_claims(&self, draft: &mut Draft) {
        for claim in self.claims {
            let Ok(parts) = self.claim_cells(claim) else {
                continue;
            };
            let scenario = draft.scenario.clone();
            for part in parts.iter().filter(|part| part.scenario == scenario) {
                for spec in &part.cells {
                    // `claim_cells` has found it in the catalogue, so that it can be added.
                    let _ = self.add(
                        draft,
                        spec,
                        Some(Purpose::Claim {
                            id: claim.id.clone(),
                        }),
                    );
                }
            }
        }
    }

    fn add_every_claim(&self, drafts: &mut Vec<Draft>) {
        for claim in self.claims {
            let Ok(parts) = self.claim_cells(claim) else {
                continue;
            };
            let mut before = None;
            for part in parts {
                let known = drafts
                    .iter()
                    .position(|draft| draft.scenario == part.scenario);
                before = Some(known.unwrap_or_else(|| {
                    // What is compared with a cell of another group stands behind that group.
                    let place = before.map_or(drafts.len(), |before| before + 1);
                    let draft = Draft {
                        scenario: part.scenario,
                        interleaved: before.is_some(),
                        rounds: before.map_or(self.definition.rounds, |before: usize| {
                            drafts[before].rounds
                        }),
                        timing: self.definition.timing,
                        priority: 1,
                        cells: Vec::new(),
                    };
                    drafts.insert(place, draft);
                    place
                }));
            }
        }
        drafts.iter_mut().for_each(|draft| self.add_claims(draft));
    }

    /// What a claim compares, in one scenario or in two, or why this build has no such thing.
    fn claim_cells(&self, claim: &Claim) -> Result<Vec<ClaimCells>, NameMiss> {
        let cell = |spec| self.catalogue.subject(spec).map(|subject| subject.spec);
        let canonical = |spec| {
            let (_, params) = self.catalogue.scenario(spec)?;
            Ok::<_, NameMiss>(params.spec().clone())
        };
        let candidate = ClaimCells {
            scenario: canonical(&claim.scenario)?,
            cells: vec![cell(&claim.candidate)?],
        };
        let Some(baseline) = &claim.baseline else {
            return Ok(vec![candidate]);
        };
        let baseline = ClaimCells {
            scenario: canonical(&claim.baseline_scenario())?,
            cells: vec![cell(baseline)?],
        };
        Ok(if baseline.scenario == candidate.scenario {
            let cells = [baseline.cells, candidate.cells].concat();
            vec![ClaimCells { cells, ..candidate }]
        } else {
            vec![candidate, baseline]
        })
    }

    /// Each scenario that no group has with the next few engines of its family, so that every engine
    /// and every outside program comes up at least once.
    fn cover(&self, cover: &Cover, drafts: &mut Vec<Draft>) -> Result<(), NameMiss> {
        let mut families: Vec<String> = Vec::new();
        for scenario in &self.catalogue.scenarios {
            let family = scenario.meta().id().family;
            let wanted = cover.families.is_empty() || cover.families.contains(&family);
            if wanted && !families.contains(&family) {
                families.push(family);
            }
        }
        for family in families {
            self.cover_family(cover, &family, drafts)?;
        }
        Ok(())
    }

    fn cover_family(
        &self,
        cover: &Cover,
        family: &str,
        drafts: &mut Vec<Draft>,
    ) -> Result<(), NameMiss> {
        let scenarios: Vec<_> = self
            .catalogue
            .scenarios
            .iter()
            .map(|scenario| scenario.meta().id())
            .filter(|id| id.family == family)
            .filter(|id| !drafts.iter().any(|draft| draft.scenario.id == *id))
            .collect();
        let candidates: Vec<_> = self
            .catalogue
            .candidates()
            .filter(|candidate| candidate.meta().id().family == family)
            .filter(|candidate| !cover.except.iter().any(|id| id == candidate.meta().id))
            .collect();
        if scenarios.is_empty() || candidates.is_empty() {
            return Ok(());
        }
        // Enough for each scenario to have its share and for each engine to come up.
        let each = cover
            .engines
            .max(candidates.len().div_ceil(scenarios.len()))
            .min(candidates.len());
        let mut turn = candidates.iter().cycle();
        for id in scenarios {
            let scenario = ScenarioSpec {
                id,
                params: ringside_contract::Settings::default(),
            };
            let params = self.params(&scenario)?;
            let mut draft = Draft {
                scenario: params.spec().clone(),
                interleaved: false,
                rounds: self.definition.rounds,
                timing: self.definition.timing,
                priority: 5,
                cells: Vec::new(),
            };
            let some = turn.by_ref().take(each);
            let serving = some.filter(|&&candidate| {
                lacking(self.catalogue, &plain(candidate), &scenario).is_none()
            });
            for candidate in serving {
                self.add(&mut draft, &plain(*candidate), None)?;
            }
            drafts.push(draft);
        }
        Ok(())
    }

    /// Marks the cells that claims compare, wherever both are there; claims that nothing in the plan
    /// can decide are given back with the reason.
    fn tag_claims(&self, drafts: &mut [Draft]) -> Vec<Omitted> {
        let mut omitted = Vec::new();
        for claim in self.claims {
            let because = match self.claim_cells(claim) {
                Ok(parts) if tag(drafts, claim, &parts) => continue,
                Ok(parts) => format!(
                    "plan `{}` does not measure {}; `ringside run --plan full` does",
                    self.definition.name,
                    parts
                        .iter()
                        .map(ClaimCells::name)
                        .collect::<Vec<_>>()
                        .join(" and ")
                ),
                Err(miss) => format!("not built yet: {miss}"),
            };
            omitted.push(Omitted {
                what: claim.id.clone(),
                because,
            });
        }
        omitted
    }
}

impl ClaimCells {
    fn name(&self) -> String {
        let cells: Vec<_> = self.cells.iter().map(ToString::to_string).collect();
        format!("{} on {}", cells.join(" and "), self.scenario)
    }

    /// Whether a group measures them.
    fn are_in(&self, draft: &Draft) -> bool {
        let has =
            |spec: &ImplementationSpec| draft.cells.iter().any(|cell| cell.implementation == *spec);
        draft.scenario == self.scenario && self.cells.iter().all(has)
    }
}

/// True when groups have every cell of the claim.
fn tag(drafts: &mut [Draft], claim: &Claim, parts: &[ClaimCells]) -> bool {
    let is_there = |part: &ClaimCells| drafts.iter().any(|draft| part.are_in(draft));
    if !parts.iter().all(is_there) {
        return false;
    }
    let purpose = Purpose::Claim {
        id: claim.id.clone(),
    };
    for part in parts {
        for draft in drafts.iter_mut().filter(|draft| part.are_in(draft)) {
            let compared = |cell: &&mut PlannedCell| {
                cell.replica == 0 && part.cells.contains(&cell.implementation)
            };
            for cell in draft.cells.iter_mut().filter(compared) {
                if !cell.purposes.contains(&purpose) {
                    cell.purposes.push(purpose.clone());
                }
            }
        }
    }
    true
}

fn apply_filter(drafts: &mut Vec<Draft>, filter: &[String], omitted: &mut Vec<Omitted>) {
    if filter.is_empty() {
        return;
    }
    for draft in drafts.iter_mut() {
        let scenario = draft.scenario.to_string();
        draft.cells.retain(|cell| {
            let name = cell.implementation.to_string();
            let kept = filter
                .iter()
                .any(|part| scenario.contains(part) || name.contains(part));
            if !kept && cell.replica == 0 {
                omitted.push(Omitted {
                    what: format!("{scenario} {name}"),
                    because: format!("it does not match --filter {}", filter.join(",")),
                });
            }
            kept
        });
    }
    drafts.retain(|draft| !draft.cells.is_empty());
}

/// A candidate with every axis at its default.
fn plain(candidate: Candidate<'_>) -> ImplementationSpec {
    ImplementationSpec {
        id: candidate.meta().id(),
        axes: ringside_contract::Settings::default(),
    }
}

fn natural_purpose(candidate: Candidate<'_>, spec: &ImplementationSpec) -> Purpose {
    if candidate.manifest().is_some() {
        return Purpose::Peer;
    }
    if !candidate.meta().ranked {
        return Purpose::Floor;
    }
    let mut changed = spec.axes.iter();
    match (changed.next(), changed.next()) {
        (Some((axis, _)), None) => Purpose::Axis {
            axis: axis.to_owned(),
        },
        _ => Purpose::Ranking,
    }
}

#[cfg(test)]
mod tests;

//! A plan's definition as it is written in `datasets/plans/`: which cells of which scenarios, how many
//! rounds, how long. [`crate::plan()`] makes a plan of it.

use std::collections::BTreeSet;

use ringside_contract::{BlockTiming, ImplementationSpec, SCHEMA, ScenarioSpec, parse_duration};
use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{
    Candidate, Catalogue, NameMiss, TIME_MAX_MS, check_plan_name, check_serves,
};
use crate::toml_file::{DataError, TomlFile};

/// Groups that name no priority have this one; 1 is kept longest.
const PRIORITY_DEFAULT: u8 = 5;

/// A checked definition.
#[derive(Debug, Clone)]
pub struct PlanDefinition {
    /// Its name.
    pub name: String,
    /// What it is for, one sentence.
    pub about: String,
    /// Rounds of groups that do not say otherwise.
    pub rounds: u32,
    /// The least that a budget may leave.
    pub rounds_min: u32,
    /// True to take the parameters' smoke sizes where the definition sets none.
    pub smoke_sizes: bool,
    /// True to add a group for each claim whose scenario and implementations exist.
    pub every_claim: bool,
    /// Times of blocks of groups that do not say otherwise.
    pub timing: BlockTiming,
    /// The groups, in the order in which they run.
    pub groups: Vec<GroupDefinition>,
    /// The rule that lets nothing rot, if there is one.
    pub cover: Option<Cover>,
}

/// One scenario with the cells that share its rounds.
#[derive(Debug, Clone)]
pub struct GroupDefinition {
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// Cells by name.
    pub cells: Vec<ImplementationSpec>,
    /// True for every built-in implementation of the family, axes at their defaults.
    pub engines: bool,
    /// True for every outside program of the family, axes at their defaults.
    pub programs: bool,
    /// Implementations with each value of each of their axes changed alone.
    pub axes: Vec<ImplementationSpec>,
    /// True for each value of each axis, changed alone, of every one that `engines` and `programs` take.
    pub every_axis: bool,
    /// True to add what claims on this scenario compare.
    pub claims: bool,
    /// Its rounds take turns with those of the group before.
    pub interleaved: bool,
    /// Implementations that run twice, to be compared with themselves.
    pub self_control: Vec<ImplementationSpec>,
    /// Rounds, if other than the plan's.
    pub rounds: Option<u32>,
    /// Times of a block, if other than the plan's.
    pub timing: Option<BlockTiming>,
    /// 1 is kept longest when a budget is short.
    pub priority: u8,
}

/// Every scenario of some families with a few engines taken in turn, so that each comes up.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The families; empty for all.
    pub families: Vec<String>,
    /// Engines for each scenario.
    pub engines: usize,
    /// Ids of those that do not take part, since most scenarios of their family are not for them. Groups
    /// name them.
    pub except: Vec<String>,
}

impl PlanDefinition {
    /// Reads a definition; every name in it must be in `catalogue`, except those of outside programs
    /// that no manifest describes, which would make a plan depend on what is installed.
    ///
    /// # Errors
    /// [`DataError`]: file, line, field, what was expected.
    pub fn parse(name: &str, text: &str, catalogue: &Catalogue) -> Result<Self, DataError> {
        let file = TomlFile { name, text };
        let raw: RawPlan = file.parse()?;
        raw.check(&file, catalogue)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    schema: Spanned<u32>,
    name: Spanned<String>,
    about: String,
    rounds: Spanned<u32>,
    rounds_min: Spanned<u32>,
    #[serde(default)]
    smoke_sizes: bool,
    #[serde(default)]
    every_claim: bool,
    timing: RawTiming,
    cover: Option<RawCover>,
    #[serde(default, rename = "group")]
    groups: Vec<RawGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCover {
    #[serde(default)]
    families: Vec<Spanned<String>>,
    engines: Spanned<u32>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTiming {
    warmup: Spanned<String>,
    measure: Spanned<String>,
    count: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    scenario: Spanned<String>,
    #[serde(default)]
    cells: Vec<Spanned<String>>,
    #[serde(default)]
    engines: bool,
    #[serde(default)]
    programs: bool,
    #[serde(default)]
    axes: Vec<Spanned<String>>,
    #[serde(default)]
    every_axis: bool,
    #[serde(default)]
    claims: bool,
    #[serde(default)]
    interleaved: bool,
    #[serde(default)]
    self_control: Vec<Spanned<String>>,
    rounds: Option<Spanned<u32>>,
    timing: Option<RawTiming>,
    priority: Option<u8>,
}

impl RawPlan {
    fn check(
        self,
        file: &TomlFile<'_>,
        catalogue: &Catalogue,
    ) -> Result<PlanDefinition, DataError> {
        if *self.schema.get_ref() != SCHEMA {
            let expected = format!("is {}, this build knows {SCHEMA}", self.schema.get_ref());
            return Err(file.error(&self.schema.span(), "schema", &expected));
        }
        check_plan_name(self.name.get_ref())
            .map_err(|because| file.error(&self.name.span(), "name", &because))?;
        if self.groups.is_empty() && self.cover.is_none() && !self.every_claim {
            let expected = "the plan measures nothing; expected a [[group]] with cells";
            return Err(file.error(&(0..0), "group", expected));
        }
        let rounds = at_least_one(file, &self.rounds, "rounds")?;
        let rounds_min = at_least_one(file, &self.rounds_min, "rounds_min")?;
        if rounds_min > rounds {
            let expected = format!("expected at most rounds = {rounds}");
            return Err(file.error(&self.rounds_min.span(), "rounds_min", &expected));
        }
        let groups = self.groups.iter().map(|group| group.check(file, catalogue));
        Ok(PlanDefinition {
            groups: groups.collect::<Result<_, _>>()?,
            timing: self.timing.check(file)?,
            name: self.name.into_inner(),
            about: self.about,
            rounds,
            rounds_min,
            smoke_sizes: self.smoke_sizes,
            every_claim: self.every_claim,
            cover: self
                .cover
                .map(|cover| cover.check(file, catalogue))
                .transpose()?,
        })
    }
}

impl RawCover {
    fn check(self, file: &TomlFile<'_>, catalogue: &Catalogue) -> Result<Cover, DataError> {
        let known: BTreeSet<String> = catalogue
            .scenarios
            .iter()
            .map(|scenario| scenario.meta().id().family)
            .collect();
        for family in &self.families {
            if !known.contains(family.get_ref()) {
                let known: Vec<_> = known.into_iter().collect();
                let expected = format!(
                    "there is no family `{}`, expected some of {}",
                    family.get_ref(),
                    known.join(", ")
                );
                return Err(file.error(&family.span(), "cover.families", &expected));
            }
        }
        for id in &self.except {
            let is_known = |candidate: Candidate<'_>| candidate.meta().id == id.get_ref();
            if !catalogue.candidates().any(is_known) {
                let expected = format!(
                    "there is no implementation `{}`; `ringside list` names them",
                    id.get_ref()
                );
                return Err(file.error(&id.span(), "cover.except", &expected));
            }
        }
        Ok(Cover {
            except: self.except.into_iter().map(Spanned::into_inner).collect(),
            engines: at_least_one(file, &self.engines, "cover.engines")? as usize,
            families: self.families.into_iter().map(Spanned::into_inner).collect(),
        })
    }
}

impl RawTiming {
    fn check(&self, file: &TomlFile<'_>) -> Result<BlockTiming, DataError> {
        let read = |text: &Spanned<String>, field: &str| {
            let time = parse_duration(text.get_ref())
                .and_then(|time| u64::try_from(time.as_millis()).ok())
                .filter(|&time| time <= TIME_MAX_MS);
            time.ok_or_else(|| {
                let expected = "expected a time such as 100ms or 2s, at most 1h";
                file.error(&text.span(), field, expected)
            })
        };
        let measure_ms = read(&self.measure, "timing.measure")?;
        if measure_ms == 0 {
            return Err(file.error(
                &self.measure.span(),
                "timing.measure",
                "expected at least 1ms",
            ));
        }
        Ok(BlockTiming {
            warmup_ms: read(&self.warmup, "timing.warmup")?,
            measure_ms,
            count_ms: read(&self.count, "timing.count")?,
        })
    }
}

impl RawGroup {
    fn check(
        &self,
        file: &TomlFile<'_>,
        catalogue: &Catalogue,
    ) -> Result<GroupDefinition, DataError> {
        let rounds = self
            .rounds
            .as_ref()
            .map(|rounds| at_least_one(file, rounds, "group.rounds"));
        let scenario = self.scenario(file, catalogue)?;
        if !self.has_cells() {
            let expected = "its group measures nothing; expected cells, engines, programs, axes, \
                            claims or self_control beside it";
            return Err(file.error(&self.scenario.span(), "group.scenario", expected));
        }
        let names = |texts, field| names(file, catalogue, &scenario, texts, field);
        Ok(GroupDefinition {
            cells: names(&self.cells, "group.cells")?,
            engines: self.engines,
            programs: self.programs,
            axes: names(&self.axes, "group.axes")?,
            every_axis: self.every_axis,
            claims: self.claims,
            interleaved: self.interleaved,
            self_control: names(&self.self_control, "group.self_control")?,
            rounds: rounds.transpose()?,
            timing: self
                .timing
                .as_ref()
                .map(|timing| timing.check(file))
                .transpose()?,
            priority: self.priority.unwrap_or(PRIORITY_DEFAULT),
            scenario,
        })
    }

    fn has_cells(&self) -> bool {
        let named = [&self.cells, &self.axes, &self.self_control];
        let chosen = self.engines || self.programs || self.claims;
        chosen || named.iter().any(|names| !names.is_empty())
    }

    fn scenario(
        &self,
        file: &TomlFile<'_>,
        catalogue: &Catalogue,
    ) -> Result<ScenarioSpec, DataError> {
        let error = |because: String| file.error(&self.scenario.span(), "group.scenario", &because);
        let spec: ScenarioSpec = self
            .scenario
            .get_ref()
            .parse()
            .map_err(|e| error(format!("{e}")))?;
        catalogue
            .scenario(&spec)
            .map_err(|miss: NameMiss| error(miss.to_string()))?;
        Ok(spec)
    }
}

fn names(
    file: &TomlFile<'_>,
    catalogue: &Catalogue,
    scenario: &ScenarioSpec,
    texts: &[Spanned<String>],
    field: &str,
) -> Result<Vec<ImplementationSpec>, DataError> {
    let read = |text: &Spanned<String>| {
        let error = |because: String| file.error(&text.span(), field, &because);
        let spec: ImplementationSpec = text.get_ref().parse().map_err(|e| error(format!("{e}")))?;
        catalogue
            .subject(&spec)
            .map_err(|miss| error(miss.to_string()))?;
        check_serves(catalogue, &spec, scenario).map_err(error)?;
        Ok(spec)
    };
    texts.iter().map(read).collect()
}

fn at_least_one(file: &TomlFile<'_>, number: &Spanned<u32>, field: &str) -> Result<u32, DataError> {
    match *number.get_ref() {
        0 => Err(file.error(&number.span(), field, "is 0, expected at least 1")),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalogue;

    const SAMPLE: &str = r#"schema = 1
name = "sample"
about = "A sample."
rounds = 8
rounds_min = 6
timing = { warmup = "100ms", measure = "300ms", count = "50ms" }

[[group]]
scenario = "http/small{connections=400}"
cells = ["http/epoll", "http/epoll[body=copy_8k]"]
self_control = ["http/epoll"]
"#;

    fn check(from: &str, to: &str, line: usize, field: &str, part: &str) {
        assert!(SAMPLE.contains(from), "{from}");
        let text = SAMPLE.replace(from, to);
        let error = PlanDefinition::parse("plan.toml", &text, &catalogue()).unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
        assert!(error.expected.contains(part), "{error}");
    }

    #[test]
    fn a_right_definition_is_read() {
        let definition = PlanDefinition::parse("plan.toml", SAMPLE, &catalogue()).unwrap();
        assert_eq!(definition.timing.measure_ms, 300);
        assert_eq!(definition.groups[0].cells.len(), 2);
    }

    #[test]
    fn a_definition_that_measures_nothing_is_refused() {
        let (head, _) = SAMPLE.split_once("[[group]]").unwrap();
        let parse = |text: &str| PlanDefinition::parse("plan.toml", text, &catalogue());
        assert_eq!(parse(head).unwrap_err().field, "group");
        let empty = format!("{head}[[group]]\nscenario = \"http/small\"\nengines = false\n");
        let error = parse(&empty).unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (9, "group.scenario"));
    }

    #[test]
    fn broken_definitions_name_file_line_and_field() {
        check("schema = 1", "schema = 9", 1, "schema", "knows 1");
        check("rounds = 8", "rounds = 0", 4, "rounds", "at least 1");
        check(
            "rounds_min = 6",
            "rounds_min = 9",
            5,
            "rounds_min",
            "at most",
        );
        check("\"300ms\"", "\"long\"", 6, "timing.measure", "100ms");
        check(
            "http/small{",
            "http/smal{",
            9,
            "group.scenario",
            "http/small",
        );
        check(
            "connections=400",
            "conections=400",
            9,
            "group.scenario",
            "connections",
        );
        check(
            "[\"http/epoll\", ",
            "[\"http/epol\", ",
            10,
            "group.cells",
            "http/epoll",
        );
        check("body=copy_8k", "body=copy_9k", 10, "group.cells", "copy_8k");
        check(
            "cells = [\"http/epoll\", ",
            "cells = [\"echo/epoll\", ",
            10,
            "group.cells",
            "an implementation of http",
        );
        check("\"100ms\"", "\"61m\"", 6, "timing.warmup", "at most 1h");
        check("\"sample\"", "\"a/b\"", 2, "name", "letters");
        check(
            "\n[[group]]",
            "cover = { engines = 1, families = [\"htpt\"] }\n[[group]]",
            7,
            "cover.families",
            "echo, http",
        );
        check(
            "\n[[group]]",
            "cover = { engines = 1, except = [\"http/flor\"] }\n[[group]]",
            7,
            "cover.except",
            "http/flor",
        );
        check(
            "self_control",
            "self_contrl",
            11,
            "self_contrl",
            "unknown field",
        );
    }
}

//! Files of a profile: folded stacks and a flame graph for each server, and two graphs of what changed between two.

use std::path::{Path, PathBuf};

use ringside_contract::{FunctionChange, ProfiledSide, ScenarioSpec};
use ringside_profile::{Folded, GraphWords, Profiler, changes, differential, flame_graph};

use super::bench::{Bench, Profiled};
use super::recording::Recording;
use crate::files::write_whole;

/// What stands on the graphs of one scenario.
pub(super) struct Drawing<'a> {
    pub(super) folder: &'a Path,
    pub(super) profiler: Profiler,
    pub(super) scenario: &'a ScenarioSpec,
    pub(super) side: ProfiledSide,
}

/// Where stacks and graph of one server lie.
pub(crate) struct GraphFiles {
    /// Folded stacks.
    pub(crate) folded: PathBuf,
    /// The flame graph.
    pub(crate) graph: PathBuf,
}

/// What changed between two servers.
pub(crate) struct Change {
    /// What was recorded, before and after.
    pub(crate) recordings: [Recording; 2],
    /// Its files, before and after.
    pub(crate) files: [GraphFiles; 2],
    /// Flame graph of what came after, coloured by the change.
    pub(crate) graph_after: PathBuf,
    /// Flame graph of what was before, coloured by the same change.
    pub(crate) graph_before: PathBuf,
    /// The functions that changed most.
    pub(crate) functions: Vec<FunctionChange>,
}

/// How a comparison of two profiles ended.
pub(crate) enum Compared {
    /// It was drawn.
    Drawn(Box<Change>),
    /// This server has no sample at all.
    Empty(String),
    /// It was interrupted.
    Interrupted,
}

impl Bench<'_> {
    /// Profiles two servers, before and after, and writes stacks and graphs of both and of what changed into
    /// `folder`. The gate asks for it too: it needs no more than how two builds are started.
    pub(crate) fn compare(
        &self,
        profiler: Profiler,
        servers: [&Profiled<'_>; 2],
        folder: &Path,
    ) -> anyhow::Result<Compared> {
        let mut recordings = Vec::new();
        for server in servers {
            match self.record(server, profiler)? {
                None => return Ok(Compared::Interrupted),
                Some(recording) if recording.folded.is_empty() => {
                    return Ok(Compared::Empty(server.name.to_owned()));
                }
                Some(recording) => recordings.push(recording),
            }
        }
        let Ok([before, after]) = <[Recording; 2]>::try_from(recordings) else {
            unreachable!("two servers were recorded")
        };
        let drawing = Drawing {
            folder,
            profiler,
            scenario: self.scenario,
            side: self.side,
        };
        let names = servers.map(|server| server.name);
        let files = [
            drawing.one(names[0], Some("before"), &before.folded)?,
            drawing.one(names[1], Some("after"), &after.folded)?,
        ];
        let [graph_after, graph_before] = drawing.both(names, [&before.folded, &after.folded])?;
        let functions = changes(&before.folded, &after.folded, FUNCTIONS);
        Ok(Compared::Drawn(Box::new(Change {
            recordings: [before, after],
            files,
            graph_after,
            graph_before,
            functions,
        })))
    }
}

impl Drawing<'_> {
    /// Stacks and graph of one server.
    pub(super) fn one(
        &self,
        name: &str,
        label: Option<&str>,
        folded: &Folded,
    ) -> anyhow::Result<GraphFiles> {
        let stem = match label {
            Some(label) => format!("{}-{label}", self.profiler.name()),
            None => self.profiler.name().to_owned(),
        };
        let files = GraphFiles {
            folded: self.folder.join(format!("{stem}.folded")),
            graph: self.folder.join(format!("{stem}.svg")),
        };
        let total = format!("{} {}", folded.total(), self.profiler.unit().name());
        let words = self.words(name, total);
        write_whole(&files.folded, folded.to_string().as_bytes())?;
        write_whole(&files.graph, &flame_graph(folded, &words)?)?;
        Ok(files)
    }

    /// Graphs of what changed: of what came after, and of what was before.
    fn both(
        &self,
        [before, after]: [&str; 2],
        stacks: [&Folded; 2],
    ) -> anyhow::Result<[PathBuf; 2]> {
        let about = |widths: &str| {
            self.words(
                &format!("from {before} to {after}"),
                format!("widths: {widths}; red has grown in {after}, blue has shrunk; scaled to equal weights"),
            )
        };
        let drawn = differential(stacks[0], stacks[1], [&about(after), &about(before)])?;
        let file = |label: &str| {
            self.folder
                .join(format!("{}-change-{label}.svg", self.profiler.name()))
        };
        let files = [file("after"), file("before")];
        write_whole(&files[0], &drawn.after)?;
        write_whole(&files[1], &drawn.before)?;
        Ok(files)
    }

    fn words(&self, name: &str, subtitle: String) -> GraphWords {
        let side = match self.side {
            ProfiledSide::Server => "",
            ProfiledSide::Generator => "generator of ",
        };
        GraphWords {
            title: format!("{side}{name}, {}: {}", self.scenario, self.profiler.name()),
            subtitle,
            unit: self.profiler.unit(),
        }
    }
}

/// Functions that are named beside a graph.
pub(super) const FUNCTIONS: usize = 12;

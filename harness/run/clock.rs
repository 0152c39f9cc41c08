//! How far a run is.

use std::time::{Duration, Instant};

use ringside_contract::Plan;

use crate::folder::RunFolder;

/// How far a run is, and how long the rest will take.
pub(crate) struct Clock {
    began: Instant,
    estimate_s: f64,
    /// Blocks of this call.
    pub(crate) blocks: usize,
    /// How many of them ended.
    pub(crate) ended: usize,
}

impl Clock {
    pub(crate) fn new(plan: &Plan, folder: &RunFolder) -> Self {
        let all: usize = plan
            .groups
            .iter()
            .map(|group| group.cells.len() * group.rounds as usize)
            .sum();
        let blocks = all.saturating_sub(folder.done.len());
        let share = blocks as f64 / all.max(1) as f64;
        Self {
            began: Instant::now(),
            estimate_s: plan.estimated_s as f64 * share,
            blocks,
            ended: 0,
        }
    }

    /// From the plan's estimate at first, from what the blocks took later.
    pub(crate) fn left(&self) -> Duration {
        let share_ended = self.ended as f64 / self.blocks.max(1) as f64;
        let measured = self.began.elapsed().as_secs_f64() / share_ended.max(1e-9);
        let total = self.estimate_s * (1.0 - share_ended) + measured.min(1e7) * share_ended;
        Duration::from_secs_f64((total * (1.0 - share_ended)).clamp(0.0, 1e7))
    }
}

//! How much a profiler costs: the load with it beside the load without it, in blocks that take turns.

use ringside_contract::ProfilerSlowdown;

/// One block of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockRate {
    /// Operations a second.
    pub per_s: f64,
    /// Processor time of the profiled side for an operation, in nanoseconds; `None` where it could not be read.
    pub processor_ns: Option<f64>,
}

/// What the profiler costs, from pairs of a block without it and one with it; `None` without pairs.
pub fn slowdown(pairs: &[(BlockRate, BlockRate)]) -> Option<ProfilerSlowdown> {
    let lost = pairs
        .iter()
        .map(|(bare, attached)| 1.0 - attached.per_s / bare.per_s);
    let grown = pairs
        .iter()
        .filter_map(|(bare, attached)| Some(attached.processor_ns? / bare.processor_ns? - 1.0));
    let rates = |of: fn(&(BlockRate, BlockRate)) -> f64| pairs.iter().map(of).collect();
    Some(ProfilerSlowdown {
        rates_bare_per_s: rates(|(bare, _)| bare.per_s),
        rates_attached_per_s: rates(|(_, attached)| attached.per_s),
        rate_lost: median(lost)?,
        processor_time_grown: median(grown),
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted[middle - 1] + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(per_s: f64, processor_ns: Option<f64>) -> BlockRate {
        BlockRate {
            per_s,
            processor_ns,
        }
    }

    #[test]
    fn a_slowdown_is_the_median_of_pairs() {
        let pairs = [
            (block(100.0, Some(10.0)), block(90.0, Some(11.0))),
            (block(200.0, Some(10.0)), block(190.0, Some(12.0))),
            (block(100.0, Some(10.0)), block(50.0, Some(13.0))),
        ];
        let found = slowdown(&pairs).unwrap();
        assert!((found.rate_lost - 0.1).abs() < 1e-9, "{found:?}");
        assert!((found.processor_time_grown.unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(found.rates_attached_per_s, [90.0, 190.0, 50.0]);
    }

    #[test]
    fn what_could_not_be_read_has_no_figure() {
        let pairs = [(block(100.0, None), block(98.0, Some(1.0)))];
        assert_eq!(slowdown(&pairs).unwrap().processor_time_grown, None);
        assert_eq!(slowdown(&[]), None);
    }
}

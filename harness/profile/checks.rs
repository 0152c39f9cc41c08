//! What may be wrong with a profile, in sentences that say what would mend it.

use thiserror::Error;

use crate::folded::Folded;
use crate::frame::{KERNEL_MARK, UNKNOWN_KERNEL};
use crate::profilers::{ALLOCATIONS_EACH, Profiler, Unit};

/// The kernel lets `perf` not watch.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the kernel refuses to let perf watch; `sysctl kernel.perf_event_paranoid=1` as root allows it (in a container \
     also the capability CAP_PERFMON), or run this as root. perf said: {said}"
)]
pub struct Refusal {
    /// The first line that says so.
    pub said: String,
}

/// Whether what `perf` said means that it was refused.
pub fn refusal(said: &str) -> Option<Refusal> {
    let signs = [
        "perf_event_paranoid",
        "ermission",
        "not permitted",
        "EACCES",
    ];
    let tells = |line: &&str| signs.iter().any(|sign| line.contains(sign));
    said.lines().map(str::trim).find(tells).map(|line| Refusal {
        said: line.to_owned(),
    })
}

/// What a reader of these stacks should know.
pub fn remarks(profiler: Profiler, folded: &Folded) -> Vec<String> {
    let masked = (profiler == Profiler::OnProcessor).then(|| masked(folded));
    [
        few(profiler, folded),
        broken(folded),
        hidden(folded),
        no_kernel(folded),
        masked.flatten(),
        passed_over(profiler),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same of stacks that a process took of itself, in which the kernel has no part.
pub fn remarks_of_itself(folded: &Folded) -> Vec<String> {
    let remarks = [few(Profiler::OnProcessor, folded), broken(folded)];
    remarks.into_iter().flatten().collect()
}

fn few(profiler: Profiler, folded: &Folded) -> Option<String> {
    let total = folded.total();
    let few = profiler.unit() == Unit::Samples && total < SAMPLES_FEW;
    few.then(|| {
        format!("only {total} samples: shares may be off by several per cent; give more --seconds, or a heavier load")
    })
}

fn passed_over(profiler: Profiler) -> Option<String> {
    (profiler == Profiler::Allocations).then(|| {
        format!(
            "of each thread and function each {ALLOCATIONS_EACH}th call was looked at: a thread that ends sooner is not \
             seen"
        )
    })
}

fn broken(folded: &Folded) -> Option<String> {
    // The thread's name, and one function.
    let share = share(folded, |frames| frames.len() <= 2);
    (share > SHARE_MAX).then(|| {
        format!(
            "{} of it has a stack of a single function, so that nobody sees who called it: what it belongs to was \
             built without frame pointers; rustc keeps them with `-C force-frame-pointers=yes`, gcc and clang with \
             `-fno-omit-frame-pointer`",
            percent(share)
        )
    })
}

fn hidden(folded: &Folded) -> Option<String> {
    let name = format!("{UNKNOWN_KERNEL}{KERNEL_MARK}");
    let share = share(folded, |frames| frames.contains(&name.as_str()));
    (share > SHARE_MAX).then(|| {
        format!(
            "{} of it has kernel functions without names, since their addresses are hidden; `sysctl \
             kernel.kptr_restrict=0` as root shows them",
            percent(share)
        )
    })
}

fn no_kernel(folded: &Folded) -> Option<String> {
    let seen = share(folded, |frames| {
        frames.iter().any(|frame| frame.ends_with(KERNEL_MARK))
    });
    (seen == 0.0 && folded.total() >= SAMPLES_FEW).then(|| {
        "no kernel function was seen, as an unprivileged recorder must not look there; `sysctl \
         kernel.perf_event_paranoid=1` as root allows it"
            .to_owned()
    })
}

fn masked(folded: &Folded) -> Option<String> {
    let share = share(folded, |frames| {
        frames.last().is_some_and(|last| {
            last.ends_with("_[k]") && UNMASK.iter().any(|name| last.starts_with(name))
        })
    });
    (share > UNMASKED_MAX).then(|| {
        format!(
            "{} of it is where the kernel allows interrupts again: the clock cannot tick while they are forbidden, so \
             that what was done meanwhile is counted there",
            percent(share)
        )
    })
}

/// The share of all whose frames are so.
fn share(folded: &Folded, is: impl Fn(&[&str]) -> bool) -> f64 {
    let such = folded
        .stacks()
        .filter(|(frames, _)| is(&frames.clone().collect::<Vec<_>>()));
    such.map(|(_, weight)| weight).sum::<u64>() as f64 / folded.total().max(1) as f64
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Functions of the kernel that end with allowing interrupts, as their names begin: a compiler may put something behind.
const UNMASK: [&str; 3] = [
    "_raw_spin_unlock_irqrestore",
    "_raw_spin_unlock_irq",
    "finish_task_switch",
];
/// More than this is too much for what these functions do themselves.
const UNMASKED_MAX: f64 = 0.05;
/// With so many samples a share of a tenth has a standard error of 3 %.
const SAMPLES_FEW: u64 = 100;
/// A few odd stacks are in every profile: those that begin in a thread's first instructions, for one.
const SHARE_MAX: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = remarks(Profiler::OnProcessor, &text.parse().unwrap());
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_mend_it() {
        check("t;main;a;read_[k] 200\n", &[]);
        check("t;main;a;read_[k] 20\n", &["only 20 samples"]);
        check("t;main;read_[k] 150\nt;a 50\n", &["25 % of it"]);
        check("t;main;[kernel]_[k];x 200\n", &["kptr_restrict=0"]);
        check("t;main;a 200\n", &["perf_event_paranoid=1"]);
        let masked = "t;main;a;read_[k] 180\nt;main;a;_raw_spin_unlock_irqrestore_[k] 20\n";
        check(masked, &["10 % of it is where"]);
    }

    #[test]
    fn off_the_processor_there_are_no_samples_to_be_few() {
        let found = remarks(
            Profiler::OffProcessor,
            &"t;main;read_[k] 20\n".parse().unwrap(),
        );
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_refusal_is_told_from_any_other_failure() {
        let said = "Error:\nAccess to performance monitoring is limited.\nConsider adjusting \
                    /proc/sys/kernel/perf_event_paranoid setting\n";
        let found = refusal(said).unwrap().to_string();
        assert!(
            found.contains("perf_event_paranoid=1") && found.contains("Consider"),
            "{found}"
        );
        assert_eq!(refusal("failed to open out.data: No space left"), None);
    }
}

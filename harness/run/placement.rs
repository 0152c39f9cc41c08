//! Which processors each role gets.

use ringside_contract::operations::Task;
use ringside_contract::{Host, Params, Placement, Scenario};
use ringside_metal::numa::{Node, nodes};
use thiserror::Error;

use crate::catalogue::Candidate;

/// The machine has too few processors for the placement that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "failed to give a server {wanted} processors: this machine has {available}, and the generator needs one of \
     its own; give --cores {most} or less"
)]
pub struct TooFewProcessors {
    /// Processors of a server.
    pub wanted: usize,
    /// Processors of the machine that may be used.
    pub available: usize,
    /// The most that a server can get.
    pub most: usize,
}

/// The server on the first `server_cores` processors, the generator on as many of the next ones, if there
/// are so many: a server of several cores is more than one generating thread can load. With a single
/// processor both share it, and the placement says so.
///
/// # Errors
/// [`TooFewProcessors`]: none would be left for the generator.
pub fn place(host: &Host, server_cores: usize) -> Result<Placement, TooFewProcessors> {
    let cpus = &host.cpus;
    let server = server_cores.max(1);
    if cpus.len() < 2 && server == 1 {
        return Ok(Placement {
            server_cpus: cpus.clone(),
            generator_cpus: cpus.clone(),
            shared: true,
        });
    }
    if server >= cpus.len() {
        return Err(TooFewProcessors {
            wanted: server,
            available: cpus.len(),
            most: cpus.len().saturating_sub(1).max(1),
        });
    }
    let generator = server.min(cpus.len() - server);
    Ok(Placement {
        server_cpus: cpus[..server].to_vec(),
        generator_cpus: cpus[server..server + generator].to_vec(),
        shared: false,
    })
}

/// A worker process of `threads` threads: a processor for each while there are as many. The generator only gives orders
/// and waits meanwhile; it has the last processor if no thread needs it.
pub fn place_worker(host: &Host, threads: u32) -> Placement {
    let taken = (threads as usize).clamp(1, host.cpus.len().max(1));
    let (worker, rest) = host.cpus.split_at(taken.min(host.cpus.len()));
    Placement {
        server_cpus: worker.to_vec(),
        generator_cpus: rest.last().copied().into_iter().collect(),
        shared: false,
    }
}

/// Threads of the conformance cases of operations in process.
const CASE_THREADS: u32 = 4;

/// Where something is while its conformance cases run. Those of operations in process have threads, which have to meet: on
/// one core they would take turns, and hardly ever be in the middle of something at the same time.
pub fn place_for_cases(candidate: Candidate<'_>, host: &Host, placement: &Placement) -> Placement {
    match candidate {
        Candidate::InProcess(_) => place_worker(host, CASE_THREADS),
        Candidate::Own(_) | Candidate::Program(_) => placement.clone(),
    }
}

/// Where both sides are in this scenario: threads of a worker are the load themselves.
pub fn place_for_load(
    scenario: &dyn Scenario,
    params: &Params,
    host: &Host,
    placement: &Placement,
) -> Placement {
    match scenario.workload(params, 0) {
        Some(workload) if matches!(workload.task, Task::Numa(_)) => {
            place_worker(&spread(host, &nodes()), workload.threads)
        }
        Some(workload) => place_worker(host, workload.cores()),
        None => placement.clone(),
    }
}

/// The same machine with its processors in another order: one of each node in turn.
fn spread(host: &Host, nodes: &[Node]) -> Host {
    let node = |cpu: usize| nodes.iter().position(|node| node.cpus.contains(&cpu));
    let mut in_turn: Vec<_> = host
        .cpus
        .iter()
        .enumerate()
        .map(|(place, &cpu)| {
            let of_node = &host.cpus[..place];
            let before = of_node.iter().filter(|&&other| node(other) == node(cpu));
            (before.count(), node(cpu), cpu)
        })
        .collect();
    in_turn.sort_unstable();
    Host {
        cpus: in_turn.into_iter().map(|(_, _, cpu)| cpu).collect(),
        ..host.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::host;

    fn with(cpus: &[usize]) -> Host {
        Host {
            cpus: cpus.to_vec(),
            ..host()
        }
    }

    fn check(cpus: &[usize], cores: usize, server: &[usize], generator: &[usize], shared: bool) {
        let expected = Placement {
            server_cpus: server.to_vec(),
            generator_cpus: generator.to_vec(),
            shared,
        };
        assert_eq!(place(&with(cpus), cores), Ok(expected));
    }

    #[test]
    fn roles_get_processors_of_their_own_where_there_are_two() {
        check(&[0, 1], 1, &[0], &[1], false);
        check(&[2, 3, 5, 7], 1, &[2], &[3], false);
        check(&[2, 3, 5, 7], 2, &[2, 3], &[5, 7], false);
        check(&[2, 3, 5, 7], 3, &[2, 3, 5], &[7], false);
        check(&[3], 1, &[3], &[3], true);
    }

    #[test]
    fn threads_of_a_worker_get_a_processor_each_while_there_are_as_many() {
        let worker = |cpus: &[usize], threads| {
            let placed = place_worker(&with(cpus), threads);
            (placed.server_cpus, placed.generator_cpus)
        };
        assert_eq!(worker(&[2, 3, 5], 1), (vec![2], vec![5]));
        assert_eq!(worker(&[2, 3, 5], 3), (vec![2, 3, 5], vec![]));
        assert_eq!(worker(&[2, 3], 8), (vec![2, 3], vec![]));
        assert_eq!(worker(&[], 2), (vec![], vec![]));
    }

    #[test]
    fn threads_on_all_nodes_get_a_processor_of_each_in_turn() {
        let node = |id, cpus: &[usize]| Node {
            id,
            cpus: cpus.to_vec(),
        };
        let spread = |cpus: &[usize], nodes: &[Node]| spread(&with(cpus), nodes).cpus;
        let two = [node(0, &[0, 1, 2]), node(1, &[3, 4, 5])];
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5], &two), [0, 3, 1, 4, 2, 5]);
        // Some are kept from this process.
        assert_eq!(spread(&[0, 1, 2, 5], &two), [0, 5, 1, 2]);
        assert_eq!(spread(&[2, 3], &[node(0, &[2, 3])]), [2, 3]);
    }

    #[test]
    fn a_server_that_leaves_no_processor_to_the_generator_is_refused() {
        let refused = place(&with(&[0, 1]), 4).unwrap_err();
        assert_eq!((refused.available, refused.most), (2, 1));
        assert!(place(&with(&[3]), 2).is_err());
    }
}

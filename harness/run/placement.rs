//! Which processors each role gets.

use ringside_contract::{Host, Placement};

/// The server on the first `workers` processors, the generator on the next one. With a single
/// processor both share it, and the placement says so.
pub fn place(host: &Host, workers: usize) -> Placement {
    let cpus = &host.cpus;
    if cpus.len() < 2 {
        return Placement {
            server_cpus: cpus.clone(),
            generator_cpus: cpus.clone(),
            shared: true,
        };
    }
    let server = workers.clamp(1, cpus.len() - 1);
    Placement {
        server_cpus: cpus[..server].to_vec(),
        generator_cpus: vec![cpus[server]],
        shared: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::host;

    fn check(cpus: &[usize], workers: usize, server: &[usize], generator: &[usize], shared: bool) {
        let placement = place(
            &Host {
                cpus: cpus.to_vec(),
                ..host()
            },
            workers,
        );
        let expected = Placement {
            server_cpus: server.to_vec(),
            generator_cpus: generator.to_vec(),
            shared,
        };
        assert_eq!(placement, expected);
    }

    #[test]
    fn roles_get_processors_of_their_own_where_there_are_two() {
        check(&[0, 1], 1, &[0], &[1], false);
        check(&[2, 3, 5, 7], 2, &[2, 3], &[5], false);
        check(&[0, 1], 4, &[0], &[1], false);
        check(&[3], 1, &[3], &[3], true);
    }
}

//! What the loads of all scenarios have in common: the common parameters as arrivals, and the checks
//! of an outcome that hold everywhere.

use std::time::Duration;

use ringside_contract::{
    Arrivals, LoadPlan, Measures, ParamError, Params, SocketOptions, Violation,
};

/// Connections being opened at one time. Servers with a listen backlog of 100 drop what is above it,
/// and the client then waits a second for the retransmission.
const CONNECTING_MAX: u32 = 64;

/// Steps of a sweep as parts of its highest rate: closer together where the knee is expected.
const SWEEP_STEPS: [f64; 8] = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0];

/// A share of errors above this is a broken promise, not bad luck of single connections.
const ERROR_SHARE_MAX: f64 = 0.01;

/// A load over `connections` connections, all of them active, as the common parameters say.
///
/// # Errors
/// An open loop or a sweep without a rate.
pub(crate) fn plan(params: &Params, connections: u32) -> Result<LoadPlan, ParamError> {
    Ok(LoadPlan {
        connections,
        connections_min: connections,
        active: connections,
        connecting_max: CONNECTING_MAX,
        arrivals: arrivals(params)?,
        sockets: SocketOptions::default(),
        timeout: Duration::from_secs(5),
        read_buffer: 64 << 10,
        operations_min: 0,
        together: false,
        stalled: 0,
        deliveries: 1,
    })
}

fn arrivals(params: &Params) -> Result<Arrivals, ParamError> {
    let window = params.count("window");
    let poisson = params.text("arrivals") == "poisson";
    let rate_per_s = params.rate("rate");
    let load = params.text("load");
    if load != "closed" && rate_per_s <= 0.0 {
        let because = format!("load={load} needs a rate above 0, such as rate=10000");
        return Err(ParamError::Conflict { because });
    }
    Ok(match load {
        "open" => Arrivals::Open {
            rate_per_s,
            poisson,
            window,
        },
        "sweep" => {
            let rates_per_s = SWEEP_STEPS.iter().map(|step| step * rate_per_s).collect();
            Arrivals::Sweep {
                rates_per_s,
                poisson,
                window,
            }
        }
        _ => Arrivals::Closed { window },
    })
}

/// Fewer open connections than this part of the stated ones are no accident of the last instant, in
/// which some may just be opened again.
const CONNECTIONS_SHARE_MIN: f64 = 0.9;

/// What must hold of a block whose connections are kept: the answers, and that the load came from about
/// the `stated` number of connections.
///
/// # Errors
/// The promise that was broken.
pub(crate) fn verify_load(measures: &Measures, stated: u32) -> Result<(), Violation> {
    verify_answers(measures)?;
    let open = measures.connections;
    if f64::from(open) < CONNECTIONS_SHARE_MIN * f64::from(stated) {
        let because = format!(
            "only {open} of {stated} connections were open at the end ({} could not be opened): the load \
             was not the one that was asked for{}",
            measures.connect_failures,
            sampled(measures)
        );
        return Err(Violation { because });
    }
    Ok(())
}

/// The first errors in words, to be put behind a sentence.
fn sampled(measures: &Measures) -> String {
    match measures.error_samples.join("; ") {
        none if none.is_empty() => none,
        some => format!(": {some}"),
    }
}

/// What must hold of every block: something was answered, nothing wrongly, and hardly anything was
/// refused or lost.
///
/// # Errors
/// The promise that was broken.
pub(crate) fn verify_answers(measures: &Measures) -> Result<(), Violation> {
    let samples = sampled(measures);
    let violation = |because: String| Err(Violation { because });
    if measures.corrupt > 0 {
        return violation(format!(
            "{} of {} answers were wrong, out of order or repeated{samples}",
            measures.corrupt, measures.operations
        ));
    }
    if measures.operations == 0 {
        return violation(format!(
            "nothing was answered in the measured window{samples}"
        ));
    }
    if measures.stopped {
        return violation(format!(
            "the server stopped answering: nothing came in the last half of the window while operations \
             were in flight{samples}"
        ));
    }
    let error_share = measures.errors as f64 / measures.operations as f64;
    if error_share > ERROR_SHARE_MAX {
        let hint = if measures.errors == measures.operations {
            "; does the server have the scenario's files? `ringside load --root DIR` writes them"
        } else {
            ""
        };
        return violation(format!(
            "{} of {} operations were refused or lost with their connection{samples}{hint}",
            measures.errors, measures.operations
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(operations: u64, errors: u64, corrupt: u64) -> Measures {
        Measures {
            operations,
            errors,
            corrupt,
            ..Measures::default()
        }
    }

    #[test]
    fn right_answers_with_few_errors_pass() {
        assert_eq!(verify_answers(&measures(1000, 10, 0)), Ok(()));
    }

    #[test]
    fn a_load_over_fewer_connections_than_stated_is_a_violation() {
        let over = |connections| Measures {
            connections,
            ..measures(1000, 0, 0)
        };
        assert_eq!(verify_load(&over(60), 64), Ok(()));
        let violation = verify_load(&over(3), 64).unwrap_err();
        assert!(violation.because.contains("only 3 of 64"), "{violation}");
    }

    #[test]
    fn a_server_that_stops_answering_is_a_violation() {
        let stopped = Measures {
            stopped: true,
            ..measures(1000, 0, 0)
        };
        let violation = verify_answers(&stopped).unwrap_err();
        assert!(
            violation.because.contains("stopped answering"),
            "{violation}"
        );
    }

    #[test]
    fn one_wrong_answer_many_errors_or_none_at_all_are_violations() {
        for (operations, errors, corrupt, word) in [
            (1000, 0, 1, "wrong"),
            (1000, 11, 0, "refused"),
            (0, 0, 0, "nothing"),
        ] {
            let violation = verify_answers(&measures(operations, errors, corrupt)).unwrap_err();
            assert!(violation.because.contains(word), "{violation}");
        }
    }
}

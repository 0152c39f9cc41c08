//! Affinity: which backend a client must be sent to, and whose session may end.

use ringside_contract::operations::affinity::{SessionTable, TestedAffinity};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{THREADS, asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What a table did wrong, or that there is no such case.
pub fn run(name: &str, affinity: &dyn TestedAffinity) -> Result<(), Failure> {
    let table = affinity.of(MOST);
    let table = table.as_ref();
    match name {
        "keeps_a_client_at_its_backend" => keeps_a_client_at_its_backend(table),
        "gives_threads_the_same_backend" => gives_threads_the_same_backend(table),
        "keeps_to_its_limit" => keeps_to_its_limit(table),
        "keeps_to_its_limit_for_threads" => keeps_to_its_limit_for_threads(table),
        "keeps_who_comes_back" => keeps_who_comes_back(table),
        "forgets_who_stays_away" => forgets_who_stays_away(table),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "keeps_a_client_at_its_backend",
        "A client gets the backend of its first request again, whatever else is chosen for it later."
    ),
    asked!(
        "gives_threads_the_same_backend",
        "Threads that ask for the same new clients at once, each with a choice of its own, get the same backends."
    ),
    asked!(
        "keeps_to_its_limit",
        "A table for 1,000 sessions has no more when 5,000 clients have come, and no fewer than half."
    ),
    asked!(
        "keeps_to_its_limit_for_threads",
        "The same when threads bring clients of their own at the same time."
    ),
    asked!(
        "keeps_who_comes_back",
        "A client that asks again and again keeps its backend while 5,000 others come and go."
    ),
    asked!(
        "forgets_who_stays_away",
        "Of clients that never ask again, no session is left when five times as many as the table keeps have come."
    ),
];

/// Sessions that a table of these cases keeps.
const MOST: usize = 1000;

fn keeps_a_client_at_its_backend(table: &dyn SessionTable) -> Result<(), Failure> {
    for (now, shift) in [(1, 0), (2, 7), (2, 9), (3, 13)] {
        for client in 0..200 {
            let found = table.backend(client, now, client % 10 + shift);
            ensure(found == client % 10, || {
                format!(
                    "client {client} got backend {found} where {} was its own",
                    client % 10
                )
            })?;
        }
    }
    let sessions = table.sessions();
    ensure(sessions == 200, || {
        format!("there are {sessions} sessions of 200 clients")
    })
}

fn gives_threads_the_same_backend(table: &dyn SessionTable) -> Result<(), Failure> {
    let given = together(|thread| {
        let own = |client| table.backend(client, 1, thread as u32);
        (0..200).map(own).collect::<Vec<_>>()
    })?;
    for (client, first) in given[0].iter().enumerate() {
        ensure(given.iter().all(|thread| thread[client] == *first), || {
            let all: Vec<_> = given.iter().map(|thread| thread[client]).collect();
            format!("client {client} got backends {all:?} from {THREADS} threads")
        })?;
    }
    Ok(())
}

fn is_within(table: &dyn SessionTable) -> Result<(), Failure> {
    let sessions = table.sessions();
    ensure((MOST / 2..=MOST).contains(&sessions), || {
        format!("a table for {MOST} sessions has {sessions}")
    })
}

fn keeps_to_its_limit(table: &dyn SessionTable) -> Result<(), Failure> {
    for client in 0..5 * MOST as u32 {
        table.backend(client, client / 100, 1);
    }
    is_within(table)
}

fn keeps_to_its_limit_for_threads(table: &dyn SessionTable) -> Result<(), Failure> {
    together(|thread| {
        for number in 0..2 * MOST as u32 {
            table.backend(number * THREADS as u32 + thread as u32, number / 100, 1);
        }
    })?;
    is_within(table)
}

fn keeps_who_comes_back(table: &dyn SessionTable) -> Result<(), Failure> {
    // As many as a tenth of what the table keeps; more could meet in one part of a table that has several.
    let faithful = u32::MAX - MOST as u32 / 10..u32::MAX;
    for client in faithful.clone() {
        table.backend(client, 0, 77);
    }
    for client in 0..5 * MOST as u32 {
        table.backend(client, client + 1, 1);
        for faithful in faithful.clone() {
            let found = table.backend(faithful, client + 1, 2);
            ensure(found == 77, || {
                format!("a client that asked all the time lost its session after {client} others")
            })?;
        }
    }
    Ok(())
}

fn forgets_who_stays_away(table: &dyn SessionTable) -> Result<(), Failure> {
    let early = 0..20;
    for client in early.clone() {
        table.backend(client, 0, 77);
    }
    for client in 1000..1000 + 5 * MOST as u32 {
        table.backend(client, client, 1);
    }
    let kept: Vec<_> = early
        .filter(|&client| table.backend(client, u32::MAX, 2) == 77)
        .collect();
    ensure(kept.is_empty(), || {
        format!("clients {kept:?} have not asked for long and have their sessions")
    })
}

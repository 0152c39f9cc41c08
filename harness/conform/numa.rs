//! Placement: memory must lie where it is said to.

use ringside_contract::operations::numa::TestedNuma;

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// Where memory lies and should not, or that there is no such case.
pub fn run(name: &str, numa: &dyn TestedNuma) -> Result<(), Failure> {
    match name {
        "lies_where_it_was_promised" => lies_where_it_was_promised(numa),
        "lends_a_buffer_to_one_thread_at_a_time" => lends_a_buffer_to_one_thread_at_a_time(numa),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "lies_where_it_was_promised",
        "Every page of memory for a thread of each node is there, and on that node, as the kernel says (move_pages)."
    ),
    asked!(
        "lends_a_buffer_to_one_thread_at_a_time",
        "Threads that take, fill, read and give back thousands of buffers find nothing in them that they did not put there."
    ),
];

/// Of a thread.
const BYTES: u64 = 4 << 20;

fn lies_where_it_was_promised(numa: &dyn TestedNuma) -> Result<(), Failure> {
    let placed = numa.placed(BYTES).map_err(Failure::new)?;
    ensure(!placed.is_empty(), || "there is no node".to_owned())?;
    for placed in placed {
        let count = placed.pages.len();
        ensure(count > 0, || format!("{BYTES} bytes have no page"))?;
        let absent = placed.pages.iter().filter(|page| page.is_none()).count();
        ensure(absent == 0, || {
            format!("{absent} of {count} pages were not touched")
        })?;
        let Some(node) = placed.promised else {
            continue;
        };
        let elsewhere = placed
            .pages
            .iter()
            .filter(|&&page| page != Some(node))
            .count();
        ensure(elsewhere == 0, || {
            format!("{elsewhere} of {count} pages do not lie on node {node}")
        })?;
    }
    Ok(())
}

fn lends_a_buffer_to_one_thread_at_a_time(numa: &dyn TestedNuma) -> Result<(), Failure> {
    let foreign = numa.foreign_words().map_err(Failure::new)?;
    ensure(foreign == 0, || {
        format!("{foreign} words of buffers were not as they were filled")
    })
}

//! Where the documents contradict themselves. Listed by hand: no rule finds these, and a reader has
//! to know them before a verdict on either side means anything.

use ringside_contract::{Claim, Contradiction};

/// Ids of claims, and what stands against what.
const CONTRADICTIONS: &[(&[&str], &str)] = &[
    (
        &["send-sendfile-copies"],
        "The text says that sendfile makes no copy by the processor; the table of the same section counts one.",
    ),
    (
        &["send-syscalls", "send-sendfile-syscalls"],
        "Section 1.1 counts 262144 system calls for 1 GB by copying; section 1.2 has sendfile only halve the switches, from 4 to 2, which holds one block of 8 KB against a whole transfer.",
    ),
    (
        &["send-sendfile-1g", "send-sendfile-100m"],
        "1 GB and 100 MB are said to take the same time: 524 against 520 ms by copying, 150 against 145 ms by sendfile.",
    ),
    (
        &["send-sendfile-1g-time", "send-sendfile-100m-time"],
        "sendfile of 1 GB is said to take 150 ms and of 100 MB, a tenth of it, 145 ms.",
    ),
    (
        &["http-uring-rate", "http-uring-latency"],
        "388912 requests a second over 400 connections leave 1.03 ms a request in a closed loop; the document gives a mean of 1.23 ms.",
    ),
    (
        &["http-uring-rate", "http-uring-gain"],
        "The output beside 388912 requests a second reads 2.34 GB for 11678345 requests, about 215 bytes an answer with its head; the same document calls 1 KB a small file, and that size is measured here.",
    ),
    (
        &["mqtt-mem-uring", "mqtt-mem-million"],
        "50 KB for each of a million connections are 50 GB; another section says 40 GB, and section 7.1 allows 50.",
    ),
    (
        &["mqtt-windows-mem"],
        "Section 4.1 gives 45 GB for a million connections on Windows; section 7.1 allows 55.",
    ),
    (
        &["mqtt-embedded-mem"],
        "Section 4.2 gives 500 MB for the embedded profile; section 7.1 allows 0.5 to 1 GB.",
    ),
    (
        &["mqtt-mem-blocking", "mqtt-stack-blocking"],
        "A thread for each connection is said to reserve 8 MB of stack, 80 GB at 10000 connections, and to use 2 GB; the first is address space and the second memory, and the document does not tell them apart.",
    ),
    (
        &["build-baseline-float", "build-float-prose"],
        "Soft floating point is 10 to 20 times slower in the table and 10 to 50 times in the text above it.",
    ),
    (
        &["map-write-gain", "map-lockfree-overall"],
        "Lock-free maps gain 200 to 500 percent in one place and 50 to 150 percent in the overview.",
    ),
    (
        &[
            "transport-64k-gain",
            "transport-large-gain",
            "transport-zc-overall",
        ],
        "Zero-copy packets gain 200 percent in the benchmarks, 100 to 300 percent in section 2 and 30 to 80 percent in the overview.",
    ),
    (
        &["numa-gain", "numa-overall"],
        "NUMA placement gives 1.5 to 2 times in one document and 20 to 60 percent in another.",
    ),
    (
        &["proxy-zero-copy", "proxy-zero-copy-uring"],
        "io_uring in place of epoll is counted as zero-copy I/O and given the same 60 to 80 percent as splice, though it copies as often as epoll.",
    ),
];

/// The contradictions whose claims are all in the table.
pub fn contradictions(claims: &[Claim]) -> Vec<Contradiction> {
    let exists = |id: &&str| claims.iter().any(|claim| claim.id == *id);
    CONTRADICTIONS
        .iter()
        .filter(|(ids, _)| ids.iter().all(exists))
        .map(|(ids, sentence)| Contradiction {
            claims: ids.iter().map(|id| (*id).to_owned()).collect(),
            sentence: (*sentence).to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_stands_in_the_table() {
        let claims =
            crate::read_claims(include_str!("../../datasets/claims.csv"), "claims.csv").unwrap();
        for id in CONTRADICTIONS.iter().flat_map(|(ids, _)| *ids) {
            assert!(claims.iter().any(|claim| claim.id == *id), "{id}");
        }
        assert_eq!(contradictions(&claims).len(), CONTRADICTIONS.len());
        assert!(contradictions(&[]).is_empty());
    }
}

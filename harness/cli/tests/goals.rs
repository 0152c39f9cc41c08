//! This project's own goals beside the claims of the documents: read together, told apart.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::path::Path;

use assert_cmd::Command;

const HEADER: &str = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";

/// The code, standard output and standard error of `ringside list claims --format json`.
fn list_claims(datasets: Option<&Path>) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("ringside").unwrap();
    command.args(["list", "claims", "--format", "json"]);
    if let Some(folder) = datasets {
        command.arg("--datasets").arg(folder);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A table with one line of this id and seed.
fn table(id: &str, seed: &str) -> String {
    format!(
        "{HEADER}\n{id},{seed},1,promise,echo/small,,throughput,op/s,,echo/epoll,at_least,1,,,it is fast\n"
    )
}

#[test]
fn the_built_in_list_has_both_kinds() {
    let (code, list, _) = list_claims(None);
    assert_eq!(code, Some(0));
    let entries: serde_json::Value = serde_json::from_str(&list).unwrap();
    let kind_of = |id: &str| {
        let entries = entries.as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["id"] == id).unwrap();
        entry["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind_of("http-uring-gain"), "claim");
    assert_eq!(kind_of("goal-uring-epoll-400"), "goal");
}

#[test]
fn a_folder_of_datasets_may_have_no_goals() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("claims.csv"), table("one", "notes")).unwrap();
    let (code, list, said) = list_claims(Some(folder.path()));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        list.contains("\"one\"") && !list.contains("\"goal\""),
        "{list}"
    );
}

#[test]
fn a_goal_with_the_name_of_a_claim_is_refused_by_file_and_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("claims.csv"), table("one", "notes")).unwrap();
    std::fs::write(folder.path().join("goals.csv"), table("one", "ringside")).unwrap();
    let (code, _, said) = list_claims(Some(folder.path()));
    assert_eq!(code, Some(2));
    assert!(
        said.contains("goals.csv") && said.contains("`one`"),
        "{said}"
    );
}

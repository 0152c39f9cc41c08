//! A good line, and what is said of broken ones.

use super::*;

const HEADER: &str = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";
const GOOD: &str = "a-b,doc,1,promise,http/small,size=1KiB;connections=400,throughput,ratio,http/epoll,\
                    \"http/uring[body=splice,sqpoll=on]\",ratio,2,3,cores>=4;nic,\"one, two\"";

/// Replaces one field of the good line and expects a fault that names it.
fn check(field: &str, value: &str, named: &str) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(GOOD.as_bytes());
    let row = reader.records().next().unwrap().unwrap();
    let column = COLUMNS.iter().position(|name| *name == field).unwrap();
    let fields: Vec<_> = row
        .iter()
        .enumerate()
        .map(|(i, old)| if i == column { value } else { old })
        .collect();
    let text = format!("{HEADER}\n\"{}\"\n", fields.join("\",\""));
    let message = read_claims(&text, "claims.csv").unwrap_err().to_string();
    assert!(message.starts_with("claims.csv, line 2"), "{message}");
    assert!(message.contains(&format!("`{named}`")), "{message}");
}

#[test]
fn good_line_is_read() {
    let claims = read_claims(&format!("{HEADER}\n{GOOD}\n"), "claims.csv").unwrap();
    let claim = &claims[0];
    assert_eq!(
        claim.scenario.to_string(),
        "http/small{connections=400,size=1KiB}"
    );
    assert_eq!(
        claim.candidate.to_string(),
        "http/uring[body=splice,sqpoll=on]"
    );
    assert_eq!(claim.needs, ["cores>=4", "nic"]);
    assert_eq!(
        (claim.low, claim.high, claim.statement.as_str()),
        (Some(2.0), Some(3.0), "one, two")
    );
}

#[test]
fn faults_name_line_and_field() {
    check("id", "A b", "id");
    check("role", "wish", "role");
    check("kind", "about", "kind");
    check("scenario", "small", "scenario");
    check("params", "size", "params");
    check("candidate", "", "candidate");
    check("candidate", "http/uring[", "candidate");
    check("baseline", "", "baseline");
    for broken in [
        "http/epoll{",
        "http/epoll{}",
        "{a=1}",
        "http/epoll{a}",
        "http/epoll{a=1}b",
    ] {
        check("baseline", broken, "baseline");
    }
    check("low", "", "low");
    check("low", "two", "low");
    check("low", "inf", "low");
    check("high", "1", "high");
    check("kind", "at_least", "baseline");
    check("statement", " ", "statement");
    check("statement", "a\nb", "statement");
    check("metric", "Throughput", "metric");
    check("unit", "parsecs", "unit");
    check("needs", "core>=4", "needs");
    check("needs", "cores>=many", "needs");
}

#[test]
fn duplicates_missing_fields_and_headers_are_refused() {
    let twice = read_claims(&format!("{HEADER}\n{GOOD}\n{GOOD}\n"), "c").unwrap_err();
    assert!(
        matches!(
            twice,
            ClaimsError::Duplicate {
                line: 3,
                first: 2,
                ..
            }
        ),
        "{twice}"
    );
    let short = read_claims(&format!("{HEADER}\na,b\n"), "c").unwrap_err();
    assert!(
        matches!(short, ClaimsError::Line { line: 2, .. }),
        "{short}"
    );
    assert!(matches!(
        read_claims("", "c"),
        Err(ClaimsError::Header { .. })
    ));
    assert!(matches!(
        read_claims("id,seed\n", "c"),
        Err(ClaimsError::Header { .. })
    ));
}

#[test]
fn published_table_is_read() {
    let claims = read_claims(
        include_str!("../../../datasets/claims.csv"),
        "datasets/claims.csv",
    )
    .unwrap();
    assert!(claims.len() > 150, "{}", claims.len());
}

#[test]
fn an_open_quote_swallows_no_lines() {
    let open = GOOD.replace("a-b", "c-d").replace("two\"", "two");
    let error = read_claims(&format!("{HEADER}\n{GOOD}\n{open}\n{GOOD}\n"), "c").unwrap_err();
    assert!(
        matches!(error, ClaimsError::Line { line: 3, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("`statement`"), "{error}");
}

#[test]
fn line_numbers_hold_after_blank_lines() {
    let other = GOOD.replace("a-b", "c-d");
    for (end, filler, expected) in [("\n", "", 3), ("\r\n", "", 3), ("\n", "\n", 4)] {
        let text = format!("{HEADER}{end}{other}{end}{filler}{GOOD}{end}");
        let broken = text.replace("a-b,doc", "A,doc");
        let error = read_claims(&broken, "c").unwrap_err();
        let ClaimsError::Field { line, field, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((line, field), (expected, "id"), "{end:?} {filler:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_ends_in_a_panic(line in ".{0,200}", text in "[a-z0-9/{}\\[\\]=;,\"\n]{0,300}") {
        let _ = read_claims(&text, "c");
        let _ = read_claims(&format!("{HEADER}\n{line}\n{text}"), "c");
    }
}

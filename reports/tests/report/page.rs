//! The page and the summary from documents of many kinds.

use std::time::Instant;

use ringside_contract::{Mark, Ranking};
use ringside_reports::{markdown, page};

use crate::fixtures;

#[test]
fn equal_verdicts_give_equal_bytes() {
    for (name, verdicts) in fixtures::documents() {
        assert_eq!(page(&verdicts, &[]), page(&verdicts.clone(), &[]), "{name}");
        assert_eq!(markdown(&verdicts), markdown(&verdicts.clone()), "{name}");
    }
}

#[test]
fn verdicts_read_back_from_json_give_the_same_page() {
    let verdicts = fixtures::rich();
    let text = serde_json::to_string(&verdicts).unwrap();
    let read: ringside_contract::Verdicts = serde_json::from_str(&text).unwrap();
    assert!(
        page(&read, &[]) == page(&verdicts, &[]),
        "the page changed with the last bit of a figure"
    );
}

#[test]
fn no_page_holds_a_figure_that_is_none() {
    for (name, verdicts) in fixtures::documents() {
        let html = page(&verdicts, &[]);
        for word in ["NaN", "inf ", ">inf", "\"inf"] {
            assert!(!html.contains(word), "{name} holds {word}");
        }
    }
}

#[test]
fn no_page_names_another_place_to_load_from() {
    for (name, verdicts) in fixtures::documents() {
        let html = page(&verdicts, &[]);
        for word in [
            "http://",
            "https://",
            "url(",
            "@import",
            "<iframe",
            "<link rel=\"stylesheet\"",
        ] {
            assert!(!html.contains(word), "{name} holds {word}");
        }
    }
}

#[test]
fn hostile_text_is_only_ever_text() {
    let html = page(&fixtures::hostile(), &[]);
    assert_eq!(
        html.matches("<script").count(),
        1,
        "only the page's own script"
    );
    assert!(!html.contains("<img"), "an element came out of text");
    assert!(html.contains("&lt;img src=x"), "the text itself is shown");
    let summary = markdown(&fixtures::hostile());
    assert!(
        !summary.contains("<script") && !summary.contains("<img"),
        "{summary}"
    );
}

#[test]
fn identifiers_are_unique_and_inner_links_lead_somewhere() {
    for (name, verdicts) in fixtures::documents() {
        let html = page(&verdicts, &[]);
        let ids = attribute_values(&html, " id=\"");
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{name} repeats an id");
        for target in attribute_values(&html, "href=\"#") {
            assert!(
                unique.contains(&target),
                "{name}: nothing is called {target}"
            );
        }
    }
}

#[test]
fn no_element_names_an_attribute_twice() {
    for (name, verdicts) in fixtures::documents() {
        let html = page(&verdicts, &[]);
        for tag in html.split('<').filter_map(|rest| rest.split('>').next()) {
            for attribute in [" class=\"", " id=\"", " title=\""] {
                assert!(tag.matches(attribute).count() < 2, "{name}: <{tag}>");
            }
        }
    }
}

#[test]
fn headings_go_down_one_level_at_a_time() {
    for (name, verdicts) in fixtures::documents() {
        let html = page(&verdicts, &[]);
        let levels: Vec<u32> = html
            .match_indices("<h")
            .filter_map(|(place, _)| html[place + 2..].chars().next()?.to_digit(10))
            .collect();
        assert_eq!(
            levels.iter().filter(|level| **level == 1).count(),
            1,
            "{name}"
        );
        for pair in levels.windows(2) {
            assert!(
                pair[1] <= pair[0] + 1,
                "{name}: h{} follows h{}",
                pair[1],
                pair[0]
            );
        }
    }
}

#[test]
fn every_claim_is_shown_with_its_source_and_reason() {
    let verdicts = fixtures::rich();
    let html = page(&verdicts, &[]);
    for judgement in &verdicts.judgements {
        assert!(
            html.contains(&format!("id=\"c-{}\"", judgement.claim.id)),
            "{}",
            judgement.claim.id
        );
    }
    for sentence in [
        "seed 001_6d2685016df4ccb3 §\u{a0}4.1/7.1",
        "Needs cores&gt;=4; this machine has 2",
        "Refuted",
    ] {
        assert!(html.contains(sentence), "{sentence}");
    }
}

#[test]
fn a_baseline_with_other_parameters_says_which() {
    let mut verdicts = fixtures::rich();
    let claims = verdicts.judgements.iter_mut().map(|one| &mut one.claim);
    let claim = claims.into_iter().find(|claim| claim.baseline.is_some());
    let claim = claim.expect("a claim that compares");
    claim.baseline = Some("http/uring".parse().unwrap());
    claim.baseline_params.set("connections", "3");
    let html = page(&verdicts, &[]).replace("<wbr>", "");
    assert!(html.contains("against http/uring{connections=3} in "));
}

#[test]
fn the_summary_names_verdicts_and_the_best() {
    let summary = markdown(&fixtures::rich());
    for part in [
        "✕ Missed | http-uring-gain",
        "| echo/small |",
        "| echo/epoll |",
        "documented promises measured here",
        "the interval crosses the bound",
    ] {
        assert!(summary.contains(part), "{part}:\n{summary}");
    }
}

#[test]
fn goals_stand_apart_and_are_counted_with_no_promise() {
    let with = fixtures::rich();
    let mut without = with.clone();
    without
        .judgements
        .retain(|judgement| !judgement.claim.is_goal());
    let html = page(&with, &[]);
    let (documents, own) = html
        .split_once("<section id=\"goals\"")
        .expect("a section for the goals");
    assert!(own.contains("id=\"c-goal-epoll-nginx-400\"") && own.contains("goal: at least"));
    assert!(!documents.contains("c-goal-"));
    let strip = |html: &str| {
        let (_, rest) = html.split_once("Verdicts in numbers").expect("a strip");
        rest.split("</section>").next().map(str::to_owned)
    };
    assert_eq!(strip(&html), strip(&page(&without, &[])));
    let summary = markdown(&with);
    assert!(
        summary.contains("### This project's own goals"),
        "{summary}"
    );
    assert!(
        summary.contains("Of this project's own goals, "),
        "{summary}"
    );
    assert!(!page(&without, &[]).contains("id=\"goals\""));
}

#[test]
fn too_few_rounds_name_no_winner() {
    let verdicts = fixtures::smoke();
    let because = "1 round: too few to rank, 6 are needed";
    for text in [page(&verdicts, &[]), markdown(&verdicts)] {
        assert!(text.contains("too few rounds to decide anything"), "{text}");
        assert!(text.contains(because));
        for winner in ["is best", "shares the first place"] {
            assert!(!text.contains(winner), "{winner}");
        }
    }
    assert!(!page(&verdicts, &[]).contains("<b>★ "), "a leader of a row");
}

#[test]
fn no_winner_stands_beside_rivals_that_were_not_told_apart() {
    let mut verdicts = fixtures::rich();
    for ranking in &mut verdicts.rankings {
        ranking.cells[1].mark = Mark::Undecided {
            because: "0.63 to 1.13: not told apart from the best".to_owned(),
        };
    }
    let (html, summary) = (page(&verdicts, &[]), markdown(&verdicts));
    for text in [&html, &summary] {
        assert!(text.contains("no clear best: "), "{text}");
        assert!(text.contains("no implementation was told apart as the best"));
        assert!(!text.contains(" gives "), "a leader in the first sentences");
    }
    assert!(!html.contains("<b>★ "), "a leader of a scenario");
}

#[test]
fn the_top_of_the_page_is_three_short_sentences_and_the_strongest_findings() {
    let mut verdicts = fixtures::rich();
    let weaker = |ranking: &mut Ranking, share: f64| {
        for cell in ranking.cells.iter_mut().skip(1) {
            cell.mark = Mark::Behind;
            cell.relative = Some(fixtures::interval(share, 0.01));
        }
    };
    let of_echo = verdicts.rankings.iter_mut();
    let of_echo = of_echo.filter(|ranking| ranking.scenario.id.family == "echo");
    for (ranking, share) in of_echo.zip([0.8, 0.25, 0.5]) {
        weaker(ranking, share);
    }
    let html = page(&verdicts, &[]);
    let (_, lead) = html.split_once("<p class=\"lead\">").expect("a lead");
    let (lead, rest) = lead.split_once("</p>").expect("its end");
    let sentences: Vec<&str> = lead.split_terminator(". ").collect();
    assert!((1..=3).contains(&sentences.len()), "{lead}");
    assert!(
        sentences.iter().all(|sentence| sentence.len() < 120),
        "{lead}"
    );
    let (list, _) = rest.split_once("</ul>").expect("findings");
    let factors: Vec<&str> = list
        .split("<span class=\"factor\"><b>")
        .skip(1)
        .filter_map(|finding| finding.split('<').next())
        .collect();
    assert_eq!(
        factors[..2],
        ["4.00×", "2.00×"],
        "the strongest two of echo"
    );
    assert!(!list.contains("1.25×"));
    assert!(list.contains("href=\"#s-echo-small-connections-400-\""));
}

#[test]
fn a_figure_that_is_only_a_bound_says_so() {
    let mut verdicts = fixtures::rich();
    let cells = &mut verdicts.rankings[0].cells;
    cells[0].bound = true;
    let last = cells
        .iter_mut()
        .rev()
        .find(|cell| cell.mark == Mark::Behind);
    let last = last.expect("one is behind");
    last.bound = true;
    last.mark = Mark::Undecided {
        because: "the server was not saturated".to_owned(),
    };
    assert!(page(&verdicts, &[]).contains(">≥\u{202f}0."));
    verdicts.rankings[0].cells.retain(|cell| cell.bound);
    verdicts.rankings[0].cells.truncate(1);
    assert!(markdown(&verdicts).contains("(not saturated)"));
}

#[test]
fn a_self_comparison_shows_width_pairs_and_coverage() {
    let summary = markdown(&fixtures::rich());
    for part in [
        "echo/epoll in echo/small",
        "97.0 of 100 trials",
        "too few pairs",
        "2.2",
    ] {
        assert!(summary.contains(part), "{part}:\n{summary}");
    }
}

#[test]
fn five_hundred_cells_make_a_page_of_a_few_megabytes_in_a_moment() {
    let verdicts = fixtures::large(500, 150);
    let began = Instant::now();
    let html = page(&verdicts, &[]);
    let taken = began.elapsed();
    println!("500 cells, 150 claims: {} bytes in {taken:?}", html.len());
    assert!(html.len() < 6_000_000, "{} bytes", html.len());
    // It takes some 20 ms; a busy machine gets a hundredfold.
    assert!(taken.as_secs_f64() < 2.0, "{taken:?}");
}

fn attribute_values(html: &str, opening: &str) -> Vec<String> {
    html.match_indices(opening)
        .filter_map(|(place, _)| html[place + opening.len()..].split('"').next())
        .map(str::to_owned)
        .collect()
}

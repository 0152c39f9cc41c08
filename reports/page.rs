//! The page: head, sections in order, style and script inside, so that one file is all.
//!
//! The markup is written with `maud`: its templates are Rust that the compiler checks, it escapes all
//! text and attributes by default, and it needs no template files at run time.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use ringside_contract::{AttachedProfile, Verdicts};

use crate::printable::printable;
use crate::sections;
use crate::view::goals;

/// Nothing may be fetched: what the page needs is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The report as one HTML file, with links to the profiles that lie beside it. Pure: equal verdicts and profiles give
/// equal bytes.
pub fn page(verdicts: &Verdicts, profiles: &[AttachedProfile]) -> String {
    let scaling = sections::scaling(verdicts);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("Ringside: run {}", verdicts.run.run), ""))
            body {
                a.skip href="#main" { "To the verdicts" }
                (sections::headline(verdicts))
                (navigation(verdicts, scaling.is_some(), profiles))
                main #main {
                    (sections::choose(verdicts))
                    (sections::claims(verdicts))
                    (sections::contradictions(verdicts))
                    (sections::goals(verdicts))
                    (sections::scenarios(verdicts))
                    @if let Some(scaling) = &scaling { (scaling) }
                    (sections::profiles(profiles))
                    (sections::trust(verdicts))
                    (sections::repeat(verdicts))
                }
                footer { p.hint { "One file, no network. Readable without scripts; they add the sorting of tables." } }
                script { (PreEscaped(include_str!("script.js"))) }
            }
        }
    };
    printable(&markup.into_string()).into_owned()
}

/// The head of a page: what it may load, which is nothing, and its styles. `styles` are its own ones,
/// behind those that all pages share.
pub(crate) fn head(title: &str, styles: &'static str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="referrer" content="no-referrer";
            // An empty icon keeps browsers from asking a server for one.
            link rel="icon" href="data:,";
            title { (title) }
            style { (PreEscaped(include_str!("style.css"))) (PreEscaped(styles)) }
        }
    }
}

fn navigation(verdicts: &Verdicts, has_scaling: bool, profiles: &[AttachedProfile]) -> Markup {
    html! {
        nav aria-label="Sections" {
            a href="#choose" { "Which to choose" }
            a href="#claims" { "Claims" }
            @if !verdicts.contradictions.is_empty() { a href="#contradictions" { "Contradictions" } }
            @if goals(verdicts).next().is_some() { a href="#goals" { "Own goals" } }
            a href="#scenarios" { "Scenarios" }
            @if has_scaling { a href="#scaling" { "Threads" } }
            @if !profiles.is_empty() { a href="#profiles" { "Where the time goes" } }
            a href="#trust" { "Can I trust this run?" }
            a href="#repeat" { "How to repeat it" }
        }
    }
}

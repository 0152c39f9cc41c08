//! Flame graphs of what changed between two profiles, in both directions: what vanished has no width in the graph
//! of what came after, and is seen in the other one only.

use std::io::BufRead;

use inferno::differential::{self as folds, Options};

use crate::folded::Folded;
use crate::graph::{GraphError, GraphWords, draw};

/// Two graphs of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differential {
    /// Widths as after; red has grown, blue has shrunk.
    pub after: Vec<u8>,
    /// Widths as before; the colours are the same.
    pub before: Vec<u8>,
}

/// Draws what changed. Both are scaled to equal weights first: the question is where time goes, not how long each
/// was watched. `words` are those of the graphs of after and of before.
///
/// # Errors
/// [`GraphError`]; a profile without stacks has no difference to another.
pub fn differential(
    before: &Folded,
    after: &Folded,
    words: [&GraphWords; 2],
) -> Result<Differential, GraphError> {
    if before.is_empty() || after.is_empty() {
        return Err(GraphError::Empty);
    }
    Ok(Differential {
        after: draw(&both_counts(before, after)?, words[0], false)?,
        before: draw(&both_counts(after, before)?, words[1], true)?,
    })
}

/// Lines with two counts, those of `before` scaled to the total of `after`.
fn both_counts(before: &Folded, after: &Folded) -> Result<Vec<String>, GraphError> {
    let options = Options {
        normalize: true,
        ..Options::default()
    };
    let mut text = Vec::new();
    let texts = [before, after].map(Folded::to_string);
    folds::from_readers(options, texts[0].as_bytes(), texts[1].as_bytes(), &mut text)?;
    let mut lines: Vec<String> = text.lines().collect::<Result<_, _>>()?;
    // It comes out of a hash map.
    lines.sort_unstable();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profilers::Unit;

    fn draw_both(before: &str, after: &str) -> Result<[String; 2], GraphError> {
        let words = GraphWords {
            title: "title".to_owned(),
            subtitle: "subtitle".to_owned(),
            unit: Unit::Samples,
        };
        let [before, after] = [before, after].map(|text| text.parse().unwrap());
        let drawn = differential(&before, &after, [&words, &words])?;
        Ok([drawn.after, drawn.before].map(|svg| String::from_utf8(svg).unwrap()))
    }

    /// The title of a function's frame.
    fn title<'a>(svg: &'a str, function: &str) -> Option<&'a str> {
        let found = svg
            .split("<title>")
            .find(|text| text.starts_with(&format!("{function} (")))?;
        found.split("</title>").next()
    }

    #[test]
    fn equal_shares_are_no_change_however_long_they_were_watched() {
        let [after, _] = draw_both("t;a 1\nt;b 3\n", "t;a 10\nt;b 30\n").unwrap();
        assert_eq!(title(&after, "a"), Some("a (10 samples, 25.00%; 0.00%)"));
    }

    #[test]
    fn what_came_is_in_one_graph_and_what_went_in_the_other() {
        let [after, before] = draw_both("t;a 50\nt;old 50\n", "t;a 50\nt;new 50\n").unwrap();
        assert_eq!(
            title(&after, "new"),
            Some("new (50 samples, 50.00%; +50.00%)")
        );
        assert_eq!(title(&after, "old"), None);
        let old = title(&before, "old").unwrap();
        assert!(old.starts_with("old (50 samples, 50.00%;"), "{old}");
        assert!(draw_both("", "t;a 1\n").is_err());
    }
}

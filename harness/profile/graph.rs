//! Flame graphs: Brendan Gregg's form, drawn by `inferno`.

use std::io;

use inferno::flamegraph::color::{BackgroundColor, Color, MultiPalette};
use inferno::flamegraph::{self, Options, Palette};
use thiserror::Error;

use crate::folded::Folded;
use crate::profilers::Unit;

/// What stands on a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphWords {
    /// Over it.
    pub title: String,
    /// Under the title.
    pub subtitle: String,
    /// What the widths are.
    pub unit: Unit,
}

/// Why there is none.
#[derive(Debug, Error)]
pub enum GraphError {
    /// There is not one stack.
    #[error("failed to draw a flame graph: there is no stack")]
    Empty,
    /// The drawing library's answer.
    #[error("failed to draw a flame graph: {0}")]
    Draw(#[from] io::Error),
}

/// An SVG that can be searched and zoomed in a browser; equal stacks give equal bytes.
///
/// # Errors
/// [`GraphError`].
pub fn flame_graph(folded: &Folded, words: &GraphWords) -> Result<Vec<u8>, GraphError> {
    if folded.is_empty() {
        return Err(GraphError::Empty);
    }
    draw(&folded.lines(), words, false)
}

/// Draws lines of folded stacks, with one count or two. `negated` turns the colours of a difference round.
pub(crate) fn draw(
    lines: &[String],
    words: &GraphWords,
    negated: bool,
) -> Result<Vec<u8>, GraphError> {
    let mut options = Options::default();
    options.title.clone_from(&words.title);
    options.subtitle = Some(words.subtitle.clone());
    words.unit.name().clone_into(&mut options.count_name);
    // Names tell whose code it is: the kernel's (`_[k]`), Rust's, the C library's.
    options.colors = Palette::Multi(MultiPalette::Rust);
    options.bgcolors = Some(BackgroundColor::Flat(BACKGROUND));
    options.deterministic = true;
    options.image_width = Some(WIDTH);
    options.negate_differentials = negated;
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    Ok(svg)
}

/// Units of the drawing, not pixels of the screen: a page scales it.
const WIDTH: usize = 1200;
/// Light behind the frames, whose names are black, on light and dark pages alike.
const BACKGROUND: Color = Color {
    r: 0xf7,
    g: 0xf6,
    b: 0xf2,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> GraphWords {
        GraphWords {
            title: "a <title>".to_owned(),
            subtitle: "below".to_owned(),
            unit: Unit::Samples,
        }
    }

    #[test]
    fn a_graph_names_its_functions_and_is_the_same_each_time() {
        let folded: Folded = "t;main;hot 9\nt;main 1\n".parse().unwrap();
        let svg = flame_graph(&folded, &words()).unwrap();
        let text = String::from_utf8(svg.clone()).unwrap();
        assert!(text.contains("hot (9 samples, 90.00%)"), "{text}");
        assert!(text.contains("a &lt;title&gt;"), "{text}");
        assert_eq!(svg, flame_graph(&folded, &words()).unwrap());
    }

    #[test]
    fn nothing_is_no_graph() {
        let drawn = flame_graph(&Folded::default(), &words());
        assert!(matches!(drawn, Err(GraphError::Empty)));
    }
}

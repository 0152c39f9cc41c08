//! Text from outside (what a server said, a version string) without the characters that command a
//! terminal or turn the order of a line around.

use std::borrow::Cow;

/// `text` with each such character as U+FFFD: control characters other than line feeds and tabs, and the
/// marks of bidirectional text (Unicode Standard Annex 9).
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_command) {
        let shown = |character| {
            if is_command(character) {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        };
        Cow::Owned(text.chars().map(shown).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_command(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(
            character,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_replaced_and_words_are_kept() {
        assert_eq!(
            printable("\u{1b}[31mred\u{7}\u{9b}2J \u{202e}txt"),
            "\u{fffd}[31mred\u{fffd}\u{fffd}2J \u{fffd}txt"
        );
        let kept = "line\n\tå, 消息, שלום, 1\u{202f}000";
        assert!(matches!(printable(kept), Cow::Borrowed(text) if text == kept));
    }
}

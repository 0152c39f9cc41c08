//! Classes of bytes, and scans that stop at the first byte outside of a class.

/// Bytes of a token: methods and names of header fields (RFC 9110, 5.6.2).
const TOKEN: u8 = 1;
/// Bytes of a request target: what is visible in ASCII (RFC 3986 allows fewer; none is dangerous).
const TARGET: u8 = 2;
/// Bytes of a host with its port (RFC 3986, 3.2.2).
const HOST: u8 = 4;

/// One look-up tells every class of a byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        let character = byte as u8;
        let letter = character.is_ascii_alphanumeric();
        table[byte] = TARGET;
        if letter
            || matches!(character, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        {
            table[byte] |= TOKEN;
        }
        if letter
            || matches!(
                character,
                b'!' | b'$'..=b'.' | b':' | b';' | b'=' | b'[' | b']' | b'_' | b'~'
            )
        {
            table[byte] |= HOST;
        }
        byte += 1;
    }
    table
}

/// Length of the token at the beginning of `input`.
pub(super) fn token(input: &[u8]) -> usize {
    while_in(input, TOKEN)
}

/// Length of what can be a request target at the beginning of `input`.
pub(super) fn target(input: &[u8]) -> usize {
    while_in(input, TARGET)
}

/// True when every byte may stand in a `Host` field.
pub(super) fn is_host(input: &[u8]) -> bool {
    while_in(input, HOST) == input.len()
}

fn while_in(input: &[u8], class: u8) -> usize {
    let outside = input
        .iter()
        .position(|&byte| CLASSES[usize::from(byte)] & class == 0);
    outside.unwrap_or(input.len())
}

/// Length of what can be the value of a header field at the beginning of `input`: everything but
/// control characters, the tab excepted (RFC 9110, 5.5). Eight bytes a step, since values are the
/// bulk of a head.
pub(super) fn value(input: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += visible(&input[at..]);
        if input.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

/// Length of the beginning that has no byte below 0x20 and no 0x7f.
fn visible(input: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;
    let (words, rest) = input.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest flag of each term is exact: a borrow runs only upwards, out of a byte that is
        // itself flagged.
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let delete = word ^ (ONES * 0x7f);
        let delete = delete.wrapping_sub(ONES) & !delete;
        let flags = (below | delete) & HIGHS;
        if flags != 0 {
            return index * 8 + flags.trailing_zeros() as usize / 8;
        }
    }
    let outside = rest.iter().position(|&byte| byte < 0x20 || byte == 0x7f);
    words.len() * 8 + outside.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_stops_at_each_control_character_at_each_place() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                let mut text = vec![b'x'; 20];
                text[place] = byte;
                let control = (byte < 0x20 && byte != b'\t') || byte == 0x7f;
                let expected = if control { place } else { 20 };
                assert_eq!(value(&text), expected, "byte {byte} at {place}");
            }
        }
    }

    #[test]
    fn classes_are_those_of_the_grammar() {
        let of = |class| -> String {
            (0..=255_u8)
                .filter(|&b| CLASSES[usize::from(b)] & class != 0)
                .map(char::from)
                .collect()
        };
        let tokens = of(TOKEN);
        assert_eq!(tokens.len(), 62 + 15);
        assert!(
            "\"(),/:;<=>?@[\\]{} "
                .chars()
                .all(|separator| !tokens.contains(separator))
        );
        assert_eq!(of(TARGET).len(), 94);
        assert!(
            "/?#@ \"<>"
                .chars()
                .all(|outside| !of(HOST).contains(outside))
        );
    }
}

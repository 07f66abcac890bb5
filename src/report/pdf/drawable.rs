//! Text that can be drawn: hostile and foreign characters out, before anything is measured.

use super::typeface::Face;

/// Stands for a character that the typeface lacks.
pub(super) const MISSING: char = '□';
/// Characters of a text that is read out. A string has 32,767 bytes at most in PDF/A, a character 4 of them in UTF-16.
const MAX_READABLE: usize = 8_000;
/// Marks above one letter that are drawn; more only smear over the lines around.
const MAX_MARKS: usize = 2;

/// The text as it can be drawn. Line ends stay, other white space becomes spaces; control and invisible characters go, among
/// them those that turn the direction of writing; what the typeface lacks becomes a box.
pub(super) fn drawable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut n_marks = 0;
    for character in text.chars() {
        if character == '\n' {
            shown.push(character);
            continue;
        }
        if is_mark(character) {
            n_marks += 1;
            if n_marks > MAX_MARKS {
                continue;
            }
        } else {
            n_marks = 0;
        }
        match character {
            '\u{a0}' | '\u{202f}' => shown.push('\u{a0}'),
            '\u{2011}' => shown.push('-'),
            '\t' => shown.push(' '),
            _ if character.is_control() || is_invisible(character) => {}
            _ if character.is_whitespace() => shown.push(' '),
            _ if is_drawn(character) => shown.push(character),
            _ => shown.push(MISSING),
        }
    }
    shown
}

/// Whether [`drawable`] puts a box into the text.
pub(super) fn lacks_glyphs(text: &str) -> bool {
    !text.contains(MISSING) && drawable(text).contains(MISSING)
}

/// The text for those who do not see it: whole, but for control characters and those that turn the direction of writing. What
/// is longer than the standards allow is cut off.
pub(super) fn readable(text: &str) -> String {
    let is_read =
        |character: &char| !character.is_control() && !is_invisible(*character) && !is_noncharacter(*character);
    text.chars()
        .map(|character| if character == '\n' { ' ' } else { character })
        .filter(is_read)
        .take(MAX_READABLE)
        .collect()
}

fn is_drawn(character: char) -> bool {
    let is_private = matches!(character, '\u{e000}'..='\u{f8ff}');
    !is_private && Face::ALL.into_iter().all(|face| face.has(character))
}

const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Characters without a shape of their own: joiners, direction, variation, tags.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

const fn is_noncharacter(character: char) -> bool {
    matches!(character as u32, 0xfdd0..=0xfdef) || character as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::{drawable, lacks_glyphs, readable};

    #[test]
    fn what_cannot_be_drawn_is_a_box_and_what_turns_text_around_is_gone() {
        for (text, expected) in [
            ("Jürgen Łukasz Ёлка Ñandú", "Jürgen Łukasz Ёлка Ñandú"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{ad}e", "abcde"),
            ("a\tb\u{2003}c\u{a0}d\u{2028}e", "a b c\u{a0}de"),
            ("first\nsecond\r\n\u{0}\u{1b}[2J", "first\nsecond\n[2J"),
            ("\u{1f600}!", "□!"),
            ("\u{5d0}\u{5d1} \u{4e2d}", "□□ □"),
            ("\u{e000}\u{fffe}\u{10ffff}", "□□□"),
            ("u\u{308}\u{301}\u{300}\u{302}", "u\u{308}\u{301}"),
            ("", ""),
        ] {
            assert_eq!(drawable(text), expected, "{text:?}");
        }
        assert!(lacks_glyphs("\u{4e2d}") && !lacks_glyphs("□") && !lacks_glyphs("abc"));
        assert_eq!(readable("\u{5d0}\u{202e}\u{0}a\u{fffe}\nb"), "\u{5d0}a b");
        assert_eq!(readable(&"\u{1f600}".repeat(50_000)).chars().count(), 8_000);
    }
}

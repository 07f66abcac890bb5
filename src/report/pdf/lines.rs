//! Runs of text broken into lines.

use super::palette::Style;

/// Text of one style.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// What; drawable.
    pub(super) text: String,
    /// How.
    pub(super) style: Style,
}

impl Run {
    /// A run of any text.
    pub(super) fn new(text: &str, style: Style) -> Self {
        Self { text: super::drawable::drawable(text), style }
    }
}

/// Part of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    /// Left edge, from the line's.
    pub(super) x: f32,
    /// What; with the space after it, so that words stay apart when they are read out.
    pub(super) text: String,
    /// How.
    pub(super) style: Style,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// From left to right.
    pub(super) pieces: Vec<Piece>,
    /// Without space at the end.
    pub(super) width: f32,
    /// From this line's top to the next one's.
    pub(super) leading: f32,
}

/// Breaks runs into lines of at most `width`: at spaces, after hyphens and slashes, and within what is longer than a line.
pub(super) fn wrap(runs: &[Run], width: f32) -> Vec<Line> {
    let mut setter = Setter { lines: Vec::new(), line: Line::default(), x: 0.0, width };
    for run in runs {
        for (number, paragraph) in run.text.split('\n').enumerate() {
            if number > 0 {
                setter.line.leading = setter.line.leading.max(run.style.leading);
                setter.end_line();
            }
            for chunk in chunks(paragraph) {
                setter.place(chunk, run.style);
            }
        }
    }
    if !setter.line.pieces.is_empty() || setter.lines.is_empty() {
        setter.end_line();
    }
    setter.lines
}

/// At most `limit` lines; the last one says with an ellipsis that there are more.
pub(super) fn wrap_at_most(runs: &[Run], width: f32, limit: usize) -> Vec<Line> {
    let mut lines = wrap(runs, width);
    if lines.len() > limit {
        lines.truncate(limit);
        if let Some(line) = lines.last_mut()
            && let Some(piece) = line.pieces.last_mut()
        {
            while piece.x + piece.style.face.width(&format!("{}…", piece.text), piece.style.size) > width
                && piece.text.pop().is_some()
            {}
            piece.text = format!("{}…", piece.text.trim_end());
            line.width = piece.x + piece.style.face.width(&piece.text, piece.style.size);
        }
    }
    lines
}

/// Words with what follows them, each the end of a possible line. A hyphen between figures or before one holds them together.
fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let breaks = |(at, character): (usize, char)| {
            let after = at + character.len_utf8();
            let is_before_letter = || rest[after..].chars().next().is_some_and(char::is_alphabetic);
            let is_end = match character {
                ' ' => !rest[after..].starts_with(' '),
                '-' | '/' | '@' | '_' | '–' => is_before_letter(),
                _ => false,
            };
            is_end.then_some(after)
        };
        let (chunk, left) = rest.split_at(rest.char_indices().find_map(breaks).unwrap_or(rest.len()));
        rest = left;
        Some(chunk)
    })
}

struct Setter {
    lines: Vec<Line>,
    line: Line,
    x: f32,
    width: f32,
}

impl Setter {
    fn place(&mut self, chunk: &str, style: Style) {
        let visible = style.face.width(chunk.trim_end_matches(' '), style.size);
        if self.x + visible > self.width && self.x > 0.0 {
            self.end_line();
        }
        if visible <= self.width {
            self.push(chunk, style);
            return;
        }
        let mut from = 0;
        let mut part_width = 0.0;
        for (at, character) in chunk.char_indices() {
            let advance = style.face.width(character.encode_utf8(&mut [0; 4]), style.size);
            if part_width + advance > self.width && at > from {
                self.push(&chunk[from..at], style);
                self.end_line();
                (from, part_width) = (at, 0.0);
            }
            part_width += advance;
        }
        self.push(&chunk[from..], style);
    }

    fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        let x = self.x;
        self.x += style.face.width(text, style.size);
        let visible = style.face.width(text.trim_end_matches(' '), style.size);
        self.line.width = if visible > 0.0 { x + visible } else { self.line.width };
        self.line.leading = self.line.leading.max(style.leading);
        match self.line.pieces.last_mut() {
            Some(piece) if piece.style == style => piece.text.push_str(text),
            _ => self.line.pieces.push(Piece { x, text: text.to_owned(), style }),
        }
    }

    fn end_line(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        self.x = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::BODY;
    use super::{Line, Run, wrap, wrap_at_most};

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "The quick brown fox jumps over the lazy dog, again and again.";
        let lines = wrap(&[Run::new(text, BODY)], 80.0);
        assert!(lines.len() > 3 && lines.iter().all(|line| line.width <= 80.0), "{lines:?}");
        assert_eq!(texts(&lines).concat(), text);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken_and_empty_lines_stay() {
        let digest = "0123456789abcdef".repeat(8);
        let lines = wrap(&[Run::new(&digest, BODY)], 100.0);
        assert!(lines.len() > 5 && lines.iter().all(|line| line.width <= 100.0));
        assert_eq!(texts(&lines).concat(), digest);
        assert_eq!(texts(&wrap(&[Run::new("a\n\nb", BODY)], 100.0)), ["a", "", "b"]);
        assert_eq!(wrap(&[Run::new("", BODY)], 100.0).len(), 1);
        assert_eq!(texts(&wrap(&[Run::new("ab", BODY)], 1.0)), ["a", "b"], "at least one character a line");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        let chunks = |text| super::chunks(text).collect::<Vec<_>>();
        assert_eq!(
            chunks("SHA-256 at 16:05, 3/4 and/or  well-known a_b"),
            ["SHA-256 ", "at ", "16:05, ", "3/4 ", "and/", "or  ", "well-", "known ", "a_", "b"]
        );
        assert_eq!(chunks(""), Vec::<&str>::new());
        assert_eq!(chunks("ä-ö "), ["ä-", "ö "]);
    }

    #[test]
    fn what_is_cut_off_says_so() {
        let lines = wrap_at_most(&[Run::new(&"word ".repeat(100), BODY)], 100.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(texts(&lines)[1].ends_with('…') && lines[1].width <= 100.0);
    }
}

//! How wide characters are, and which there are: read from the typefaces themselves.
//!
//! Text is shaped when it is drawn, with kerning; what is measured here is the sum of advances, which is that or a little more.

use std::sync::OnceLock;

/// Height of a capital in em, of Noto Sans.
pub(super) const CAP_HEIGHT_EM: f32 = 0.714;

/// A face of the one typeface family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// For text.
    Regular,
    /// For headings and what matters.
    Bold,
    /// For people's own words.
    Italic,
}

impl Face {
    /// Every face.
    pub(super) const ALL: [Self; 3] = [Self::Regular, Self::Bold, Self::Italic];

    /// The TrueType file.
    pub(super) const fn data(self) -> &'static [u8] {
        match self {
            Self::Regular => notosans::REGULAR_TTF,
            Self::Bold => notosans::BOLD_TTF,
            Self::Italic => notosans::ITALIC_TTF,
        }
    }

    fn advances(self) -> &'static Advances {
        static ADVANCES: OnceLock<[Advances; 3]> = OnceLock::new();
        let [regular, bold, italic] = ADVANCES.get_or_init(|| {
            // A test holds that each of them parses.
            Face::ALL.map(|face| parse(face.data()).unwrap_or_default())
        });
        match self {
            Self::Regular => regular,
            Self::Bold => bold,
            Self::Italic => italic,
        }
    }

    /// Whether the face has a glyph for a character.
    pub(super) fn has(self, character: char) -> bool {
        self.advances().of(character).is_some()
    }

    /// How wide a text is, in points; characters without a glyph count as none.
    pub(super) fn width(self, text: &str, size: f32) -> f32 {
        let advances = self.advances();
        size * text.chars().filter_map(|character| advances.of(character)).sum::<f32>()
    }
}

/// Advances in em by code point of the basic plane; not a number where there is no glyph.
#[derive(Debug, Default)]
struct Advances(Vec<f32>);

impl Advances {
    fn of(&self, character: char) -> Option<f32> {
        let code = usize::try_from(u32::from(character)).ok()?;
        self.0.get(code).copied().filter(|advance| advance.is_finite())
    }
}

/// Advances in em of every character of a TrueType font with a `cmap` of format 4 for the basic plane.
///
/// # Source
/// OpenType 1.9, `cmap`, `head`, `hhea`, `hmtx`.
fn parse(data: &[u8]) -> Option<Advances> {
    let units_per_em = f32::from(u16_at(data, table(data, *b"head")? + 18)?);
    let n_metrics = usize::from(u16_at(data, table(data, *b"hhea")? + 34)?);
    let hmtx = table(data, *b"hmtx")?;
    let advance = |glyph: u16| {
        let metric = usize::from(glyph).min(n_metrics.checked_sub(1)?);
        Some(f32::from(u16_at(data, hmtx + 4 * metric)?) / units_per_em)
    };
    let cmap = table(data, *b"cmap")?;
    let n_subtables = usize::from(u16_at(data, cmap + 2)?);
    let subtable = (0..n_subtables).find_map(|subtable| {
        let record = cmap + 4 + 8 * subtable;
        let at = cmap + u32_at(data, record + 4)?;
        (u16_at(data, record)? == 3 && u16_at(data, record + 2)? == 1 && u16_at(data, at)? == 4).then_some(at)
    })?;
    let doubled = usize::from(u16_at(data, subtable + 6)?);
    let (ends, starts) = (subtable + 14, subtable + 16 + doubled);
    let (deltas, offsets) = (starts + doubled, starts + 2 * doubled);
    let mut advances = vec![f32::NAN; usize::from(u16::MAX) + 1];
    for at in (0..doubled).step_by(2) {
        let (first, last) = (u16_at(data, starts + at)?, u16_at(data, ends + at)?);
        let (delta, offset) = (u16_at(data, deltas + at)?, u16_at(data, offsets + at)?);
        for code in first..=last {
            let glyph = if offset == 0 {
                code.wrapping_add(delta)
            } else {
                let place = offsets + at + usize::from(offset) + 2 * usize::from(code - first);
                match u16_at(data, place).unwrap_or(0) {
                    0 => 0,
                    glyph => glyph.wrapping_add(delta),
                }
            };
            if let Some(place) = advances.get_mut(usize::from(code)).filter(|_| glyph != 0) {
                *place = advance(glyph)?;
            }
        }
    }
    Some(Advances(advances))
}

fn table(data: &[u8], tag: [u8; 4]) -> Option<usize> {
    let n_tables = usize::from(u16_at(data, 4)?);
    let record = (0..n_tables).map(|table| 12 + 16 * table).find(|at| data.get(*at..at + 4) == Some(tag.as_slice()))?;
    u32_at(data, record + 8)
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::{Face, parse};

    #[test]
    fn every_face_has_the_characters_that_reports_are_written_with() {
        for face in Face::ALL {
            let advances = parse(face.data()).expect("parses");
            let n_glyphs = advances.0.iter().filter(|advance| advance.is_finite()).count();
            assert!(n_glyphs > 2_000, "{face:?}: {n_glyphs}");
            for character in "azAZ09äöüßéñçğşłžα\u{416}–—…•·−×→“”„‚’«»€§°±≥□\u{a0}".chars()
            {
                assert!(face.has(character), "{face:?} {character}");
            }
            assert!(!face.has('\u{1f600}') && !face.has('\u{4e2d}') && !face.has('\u{5d0}'));
        }
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // Advances of NotoSans-Regular.ttf in units of 1/2048 em: 'A' 1309, 'i' 528, digits 1169.
        assert!((Face::Regular.width("A", 2_048.0) - 1_309.0).abs() < 0.5);
        assert!((Face::Regular.width("i", 2_048.0) - 528.0).abs() < 0.5);
        assert!((Face::Regular.width("0", 10.0) - Face::Regular.width("7", 10.0)).abs() < 1e-4, "figures are tabular");
        assert!(Face::Bold.width("Alert", 10.0) > Face::Regular.width("Alert", 10.0));
    }

    #[test]
    fn what_is_no_font_gives_nothing() {
        let data = Face::Regular.data();
        for length in [0, 3, 12, 100, 1_000] {
            assert!(parse(&data[..length]).is_none(), "{length}");
        }
    }
}

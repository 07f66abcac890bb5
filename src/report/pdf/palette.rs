//! Sizes and colours: one grid, one accent, one colour a level, all of them AA on their ground.

use crate::scoring::Level;

use super::typeface::Face;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// Which face.
    pub(super) face: Face,
    /// In points.
    pub(super) size: f32,
    /// From one line's top to the next one's, in points.
    pub(super) leading: f32,
    /// What colour.
    pub(super) color: Color,
}

impl Style {
    const fn new(face: Face, size: f32, leading: f32, color: Color) -> Self {
        Self { face, size, leading, color }
    }

    /// The same in another colour.
    pub(super) const fn colored(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// The same in bold.
    pub(super) const fn bold(self) -> Self {
        Self { face: Face::Bold, ..self }
    }
}

/// A4, in points.
pub(super) const PAGE_WIDTH: f32 = 595.28;
/// A4, in points.
pub(super) const PAGE_HEIGHT: f32 = 841.89;
/// Left and right margin.
pub(super) const MARGIN: f32 = 54.0;
/// Where text begins on a page.
pub(super) const TOP: f32 = 66.0;
/// Where it ends.
pub(super) const BOTTOM: f32 = PAGE_HEIGHT - 62.0;
/// Width between the margins.
pub(super) const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
/// Between two columns.
pub(super) const GUTTER: f32 = 18.0;

pub(super) const INK: Color = Color(0x1b, 0x1f, 0x24);
pub(super) const MUTED: Color = Color(0x57, 0x60, 0x6a);
pub(super) const HAIRLINE: Color = Color(0xd0, 0xd6, 0xdd);
pub(super) const PANEL: Color = Color(0xf5, 0xf7, 0xf9);
pub(super) const WHITE: Color = Color(0xff, 0xff, 0xff);
pub(super) const ACCENT: Color = Color(0x1f, 0x4e, 0x79);
pub(super) const ACCENT_TINT: Color = Color(0xcf, 0xde, 0xeb);

pub(super) const TITLE: Style = Style::new(Face::Bold, 21.0, 27.0, INK);
pub(super) const HEADING: Style = Style::new(Face::Bold, 13.5, 20.0, INK);
pub(super) const SUBHEADING: Style = Style::new(Face::Bold, 10.0, 15.0, INK);
pub(super) const VERDICT: Style = Style::new(Face::Bold, 17.0, 22.0, INK);
pub(super) const BODY: Style = Style::new(Face::Regular, 9.25, 13.5, INK);
pub(super) const SMALL: Style = Style::new(Face::Regular, 8.0, 11.5, INK);
pub(super) const TINY: Style = Style::new(Face::Regular, 7.25, 10.0, MUTED);
pub(super) const LABEL: Style = Style::new(Face::Regular, 8.0, 11.5, MUTED);
pub(super) const QUOTE: Style = Style::new(Face::Italic, 9.0, 13.0, INK);

/// A level's own colour, for its word and shape.
pub(super) const fn level_color(level: Level) -> Color {
    match level {
        Level::Inconclusive => Color(0x4f, 0x5b, 0x66),
        Level::Clear => Color(0x17, 0x6b, 0x43),
        Level::Suspicious => Color(0x9a, 0x4f, 0x00),
        Level::Alert => Color(0xa8, 0x1f, 0x1f),
    }
}

/// The ground behind a level.
pub(super) const fn level_tint(level: Level) -> Color {
    match level {
        Level::Inconclusive => Color(0xee, 0xf1, 0xf4),
        Level::Clear => Color(0xe9, 0xf4, 0xee),
        Level::Suspicious => Color(0xfd, 0xf2, 0xe3),
        Level::Alert => Color(0xfc, 0xec, 0xea),
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCENT, Color, INK, Level, MUTED, PANEL, WHITE, level_color, level_tint};

    /// WCAG 2.2, relative luminance and contrast ratio.
    fn contrast(a: Color, b: Color) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |Color(r, g, b)| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_stands_out_from_every_ground() {
        for level in Level::ALL {
            let (color, tint) = (level_color(level), level_tint(level));
            for (text, ground) in [(color, WHITE), (color, tint), (INK, tint), (MUTED, tint), (WHITE, color)] {
                assert!(contrast(text, ground) >= 4.5, "{level:?} {text:?} on {ground:?}: {}", contrast(text, ground));
            }
        }
        for (text, ground) in [(INK, WHITE), (MUTED, WHITE), (MUTED, PANEL), (ACCENT, WHITE)] {
            assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}");
        }
    }
}

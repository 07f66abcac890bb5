//! A report as a PDF.
//!
//! `summary` is the first page; `timeline`, `signals`, `segments`, `stills`, `review` and `origins` are the chapters; they fill
//! a `sheet`, which `paint` writes. `typeface`, `drawable` and `lines` make lines of text, `shapes` and `palette` the rest.

mod blocks;
mod drawable;
mod lines;
mod origins;
mod paint;
mod palette;
mod review;
mod segments;
mod shapes;
mod sheet;
mod signals;
mod stills;
mod summary;
mod table;
mod timeline;
mod typeface;

use crate::audit::Digest;
use crate::service::ReportContent;
use crate::text::Language;

use self::lines::{Run, wrap_at_most};
use self::paint::{About, paint};
use self::palette::{ACCENT, LABEL, MARGIN, PAGE_HEIGHT, TINY, WIDTH};
use self::sheet::{Decoration, Op, Sheet};
use super::error::ReportError;
use super::export::JSON_FILE;
use super::words::Words;

/// Where the header's text stands.
const HEADER_Y: f32 = 32.0;
/// Where the footer's text stands.
const FOOTER_Y: f32 = PAGE_HEIGHT - 40.0;

/// What a PDF carries besides the content.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// The JSON of the same content, attached as it is.
    pub json: &'a [u8],
    /// SHA-256 of it.
    pub json_sha256: Digest,
    /// SHA-256 of its content.
    pub content_sha256: Digest,
    /// The key that signs the report, 64 hex digits.
    pub public_key: &'a str,
}

/// Writes a report as PDF.
///
/// # Errors
/// [`ReportError::Pdf`] when it would not conform to PDF/A-3a and PDF/UA-1: a defect.
pub fn to_pdf(content: &ReportContent, language: Language, attached: &Attached<'_>) -> Result<Vec<u8>, ReportError> {
    let words = Words(language);
    let stills = stills::Stills::of(content);
    let mut sheet = Sheet::new();
    summary::draw(&mut sheet, content, words);
    sheet.begin_page();
    timeline::draw(&mut sheet, content, words);
    signals::draw(&mut sheet, content, words);
    segments::draw(&mut sheet, content, &stills, words);
    stills::draw(&mut sheet, &stills, words);
    review::draw(&mut sheet, content, words);
    review::draw_log(&mut sheet, content, words);
    origins::draw_limits(&mut sheet, words);
    origins::draw(&mut sheet, content, attached, words);
    furnish(&mut sheet, content, words);
    let about = About {
        title: format!("{}: {}", words.get("title"), content.session.id),
        subject: words.get("subject"),
        language: language.tag(),
        program: &content.engine,
        made: content.made,
        id: attached.content_sha256.to_string(),
        attached: (JSON_FILE, words.get("attachment"), attached.json),
    };
    paint(&sheet, &stills.pictures, &about)
}

/// Header and footer of every page, now that their number is known.
fn furnish(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let n_pages = sheet.pages.len();
    let session = content.session.id.as_str();
    for (number, page) in sheet.pages.iter_mut().enumerate() {
        let count = [("page", (number + 1).to_string().into()), ("pages", n_pages.to_string().into())];
        page.push(Op::BeginArtifact(Decoration::Header));
        edge(page, HEADER_Y, ("Bonafide", LABEL.bold().colored(ACCENT)), (session, LABEL));
        page.push(Op::Fill(shapes::rect(MARGIN, HEADER_Y + 15.0, WIDTH, 0.5), palette::HAIRLINE));
        page.push(Op::End);
        page.push(Op::BeginArtifact(Decoration::Footer));
        page.push(Op::Fill(shapes::rect(MARGIN, FOOTER_Y - 6.0, WIDTH, 0.5), palette::HAIRLINE));
        edge(page, FOOTER_Y, (&words.get("footer"), TINY), (&words.with("page", &count), TINY));
        page.push(Op::End);
    }
}

/// Text at the left and the right margin.
fn edge(page: &mut Vec<Op>, y: f32, left: (&str, palette::Style), right: (&str, palette::Style)) {
    let mut put = |(text, style): (&str, palette::Style), x: &dyn Fn(f32) -> f32| {
        for line in wrap_at_most(&[Run::new(text, style)], WIDTH * 0.7, 1) {
            for piece in &line.pieces {
                let baseline = y + style.leading / 2.0 + style.size * typeface::CAP_HEIGHT_EM / 2.0;
                page.push(Op::Text { x: x(line.width) + piece.x, baseline, text: piece.text.clone(), style });
            }
        }
    };
    put(left, &|_| MARGIN);
    put(right, &|width| MARGIN + WIDTH - width);
}

/// A share of a length in points; nothing for what is no number.
fn points(length: f32, share: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "half a point is precise enough, and shares are small")]
    let share = share as f32;
    if share.is_finite() { length * share } else { 0.0 }
}

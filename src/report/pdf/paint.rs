//! Filled pages as a PDF: PDF/A-3a and PDF/UA-1, with the JSON attached.

use std::num::NonZeroU16;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::error::KrillaError;
use krilla::geom::{Path, PathBuilder, Point, Size, Transform};
use krilla::image::Image;
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, LineJoin, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind,
    TagTree,
};
use krilla::text::{Font, TextDirection};

use crate::report::error::ReportError;

use super::palette::{Color, PAGE_HEIGHT, PAGE_WIDTH};
use super::shapes::{Shape, Step};
use super::sheet::{Decoration, Kid, Node, Op, Role, Sheet};
use super::typeface::Face;

/// What the document says of itself.
pub(super) struct About<'a> {
    /// Title.
    pub(super) title: String,
    /// Subject.
    pub(super) subject: String,
    /// BCP 47 tag of its language.
    pub(super) language: &'static str,
    /// The program that made it.
    pub(super) program: &'a str,
    /// When.
    pub(super) made: Timestamp,
    /// What tells it from others.
    pub(super) id: String,
    /// The attached file's name, what it is, and its bytes.
    pub(super) attached: (&'static str, String, &'a [u8]),
}

/// Writes the document.
///
/// # Errors
/// [`ReportError::Pdf`] when it would not conform.
pub(super) fn paint(sheet: &Sheet, pictures: &[Option<Image>], about: &About<'_>) -> Result<Vec<u8>, ReportError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| failed("PDF/A-3a and PDF/UA-1 do not go together"))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let fonts = Face::ALL.map(|face| Font::new(face.data().to_vec().into(), 0));
    let [Some(regular), Some(bold), Some(italic)] = fonts else { return Err(failed("the typeface cannot be read")) };
    let mut painter = Painter { fonts: [regular, bold, italic], pictures, marks: vec![None; sheet.n_marks] };
    for ops in &sheet.pages {
        let settings = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).ok_or_else(|| failed("a page has no size"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for op in ops {
            painter.draw(&mut surface, op);
        }
        surface.finish();
        page.finish();
    }
    let made = date_time(about.made);
    document.set_tag_tree(tag_tree(sheet, &mut painter.marks, about.language)?);
    document.set_outline(outline(sheet));
    document.set_metadata(
        Metadata::new()
            .title(about.title.clone())
            .description(about.subject.clone())
            .language(about.language.to_owned())
            .creator(about.program.to_owned())
            .producer(about.program.to_owned())
            .creation_date(made)
            .document_id(about.id.clone()),
    );
    let (path, description, bytes) = &about.attached;
    let attached = EmbeddedFile {
        path: (*path).to_owned(),
        mime_type: MimeType::new("application/json"),
        description: Some(description.clone()),
        association_kind: AssociationKind::Alternative,
        data: bytes.to_vec().into(),
        modification_date: Some(made),
        compress: Some(true),
        location: None,
    };
    document.embed_file(attached).ok_or_else(|| failed("the JSON cannot be attached"))?;
    document.finish().map_err(|error| failed(&problem(&error)))
}

fn failed(problem: &str) -> ReportError {
    ReportError::Pdf { problem: problem.to_owned() }
}

/// What is wrong, without a word of the content.
fn problem(error: &KrillaError) -> String {
    let KrillaError::Validation(errors) = error else { return error.to_string() };
    let names = errors.iter().map(|(error, _)| {
        let text = format!("{error:?}");
        text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    format!("{error}: {}", names.join(", "))
}

fn date_time(time: Timestamp) -> DateTime {
    let zoned = time.to_zoned(TimeZone::UTC);
    let small = |part: i8| u8::try_from(part).unwrap_or(0);
    DateTime::new(u16::try_from(zoned.year()).unwrap_or(0))
        .month(small(zoned.month()))
        .day(small(zoned.day()))
        .hour(small(zoned.hour()))
        .minute(small(zoned.minute()))
        .second(small(zoned.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

struct Painter<'a> {
    fonts: [Font; 3],
    pictures: &'a [Option<Image>],
    marks: Vec<Option<Identifier>>,
}

impl Painter<'_> {
    fn draw(&mut self, surface: &mut Surface<'_>, op: &Op) {
        match op {
            Op::Begin(number) => {
                let identifier = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                if let Some(mark) = self.marks.get_mut(*number) {
                    *mark = Some(identifier);
                }
            }
            Op::BeginArtifact(decoration) => {
                let kind = match decoration {
                    Decoration::Layout => ArtifactType::Layout,
                    Decoration::Header => ArtifactType::Header,
                    Decoration::Footer => ArtifactType::Footer,
                };
                surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
            }
            Op::End => surface.end_tagged(),
            Op::Text { x, baseline, text, style } => {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(style.color)));
                let [regular, bold, italic] = &self.fonts;
                let font = match style.face {
                    Face::Regular => regular,
                    Face::Bold => bold,
                    Face::Italic => italic,
                };
                let start = Point::from_xy(*x, *baseline);
                surface.draw_text(start, font.clone(), style.size, text, false, TextDirection::LeftToRight);
            }
            Op::Fill(shape, color) => {
                surface.set_stroke(None);
                surface.set_fill(Some(fill(*color)));
                if let Some(path) = path(shape) {
                    surface.draw_path(&path);
                }
            }
            Op::Stroke(shape, color, width) => {
                let Some(path) = path(shape) else { return };
                surface.set_fill(None);
                surface.set_stroke(Some(Stroke {
                    paint: paint_of(*color).into(),
                    width: *width,
                    line_cap: LineCap::Round,
                    line_join: LineJoin::Round,
                    ..Stroke::default()
                }));
                surface.draw_path(&path);
            }
            Op::Picture { number, place: [x, y, width, height] } => {
                if let Some(picture) = self.pictures.get(*number).and_then(Option::as_ref)
                    && let Some(size) = Size::from_wh(*width, *height)
                {
                    surface.push_transform(&Transform::from_translate(*x, *y));
                    surface.draw_image(picture.clone(), size);
                    surface.pop();
                }
            }
        }
    }
}

/// The outline as krilla has it; `None` for one of a single point, or of what is no number.
fn path(shape: &Shape) -> Option<Path> {
    let mut path = PathBuilder::new();
    for step in &shape.0 {
        match *step {
            Step::Move(x, y) => path.move_to(x, y),
            Step::Line(x, y) => path.line_to(x, y),
            Step::Cubic([x1, y1, x2, y2, x, y]) => path.cubic_to(x1, y1, x2, y2, x, y),
            Step::Close => path.close(),
        }
    }
    path.finish()
}

fn paint_of(Color(red, green, blue): Color) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn fill(color: Color) -> Fill {
    Fill { paint: paint_of(color).into(), opacity: NormalizedF32::ONE, rule: krilla::paint::FillRule::NonZero }
}

fn outline(sheet: &Sheet) -> Outline {
    let mut outline = Outline::new();
    for bookmark in &sheet.bookmarks {
        let destination = XyzDestination::new(bookmark.page, Point::from_xy(0.0, (bookmark.y - 12.0).max(0.0)));
        outline.push_child(OutlineNode::new(bookmark.title.clone(), destination));
    }
    outline
}

fn tag_tree(sheet: &Sheet, marks: &mut [Option<Identifier>], language: &str) -> Result<TagTree, ReportError> {
    let mut tree = TagTree::new().with_lang(Some(language.to_owned()));
    let document = sheet.nodes.first().ok_or_else(|| failed("there is no content"))?;
    for kid in &document.kids {
        match kid {
            Kid::Node(number) => tree.push(group(sheet, *number, marks)?),
            Kid::Mark(number) => tree.push(identifier(*number, marks)?),
        }
    }
    Ok(tree)
}

/// A part with its parts. Parts nest no deeper than the layout nests them: a few levels.
fn group(sheet: &Sheet, number: usize, marks: &mut [Option<Identifier>]) -> Result<TagGroup, ReportError> {
    let node = sheet.nodes.get(number).ok_or_else(|| failed("a part is missing"))?;
    let mut group = TagGroup::new(tag(node)?);
    for kid in &node.kids {
        match kid {
            Kid::Node(number) => group.push(self::group(sheet, *number, marks)?),
            // What was cut off at the last page has none.
            Kid::Mark(number) => {
                if let Some(mark) = marks.get_mut(*number).and_then(Option::take) {
                    group.push(mark);
                }
            }
        }
    }
    Ok(group)
}

fn identifier(number: usize, marks: &mut [Option<Identifier>]) -> Result<Identifier, ReportError> {
    marks.get_mut(number).and_then(Option::take).ok_or_else(|| failed("content is missing"))
}

fn tag(node: &Node) -> Result<TagKind, ReportError> {
    let tag: TagKind = match &node.role {
        Role::Section => Tag::Section.into(),
        Role::Heading(level, title) => {
            let level = NonZeroU16::new(*level).ok_or_else(|| failed("a heading has no level"))?;
            Tag::Hn(level, Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Quote => Tag::BlockQuote.into(),
        Role::List => Tag::L(ListNumbering::Disc).into(),
        Role::Item => Tag::LI.into(),
        Role::Body => Tag::LBody.into(),
        Role::Table(summary) => Tag::Table.with_summary(Some(summary.clone())).into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
        Role::Figure(alt) => Tag::Figure(Some(alt.clone())).into(),
        Role::Code => Tag::Code.into(),
    };
    Ok(match &node.actual {
        Some(text) => tag.with_actual_text(Some(text.clone())),
        None => tag,
    })
}

/// The picture of a JPEG; `None` for what is none.
pub(super) fn picture(jpeg: &[u8]) -> Option<Image> {
    Image::from_jpeg(jpeg.to_vec().into(), false).ok()
}

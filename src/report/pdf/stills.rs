//! Stills beside what they show: the frame with the face framed, the face itself, and what was measured on it.

use krilla::image::Image;

use crate::report::words::Words;
use crate::service::{ReportContent, ReportStill};
use crate::session::{GapCause, ParticipantId, StillGap, StillSubject};
use crate::text::clock_time;

use super::lines::{Run, wrap_at_most};
use super::palette::{ACCENT, BODY, HAIRLINE, HEADING, MARGIN, MUTED, PANEL, SMALL, SUBHEADING, TINY, WHITE, WIDTH};
use super::shapes::{Shape, Step, polygon, rect};
use super::sheet::{Op, Role, Sheet};

/// Height of a picture.
const HEIGHT: f32 = 84.0;
/// Between a frame and its face.
const INNER_GAP: f32 = 2.0;
/// Between two stills.
const GAP: f32 = 10.0;
/// Lines of a caption.
const MAX_CAPTION: usize = 2;
/// Height of a row of stills with their captions.
const ROW: f32 = HEIGHT + 27.0;

/// The stills and their pictures: of each the frame, then the face.
pub(super) struct Stills<'a> {
    content: &'a ReportContent,
    /// `None` for what is no picture.
    pub(super) pictures: Vec<Option<Image>>,
}

/// A still and which of the pictures are its own.
#[derive(Clone, Copy)]
struct Placed<'a> {
    still: &'a ReportStill,
    frame: usize,
    left: f32,
    frame_width: f32,
    chip_width: f32,
}

impl<'a> Stills<'a> {
    /// Reads the pictures.
    pub(super) fn of(content: &'a ReportContent) -> Self {
        let both = |still: &ReportStill| {
            let chip = still.chip.as_ref().and_then(|chip| super::paint::picture(&chip.jpeg));
            [super::paint::picture(&still.frame.jpeg), chip]
        };
        Self { content, pictures: content.stills.iter().flat_map(both).collect() }
    }

    fn picture(&self, number: usize) -> Option<&Image> {
        self.pictures.get(number).and_then(Option::as_ref)
    }
}

/// Draws the chapter: what shows no segment.
pub(super) fn draw(sheet: &mut Sheet, stills: &Stills<'_>, words: Words) {
    let content = stills.content;
    if content.stills.is_empty() {
        return;
    }
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("stills"), HEADING, SUBHEADING.leading + ROW + 20.0);
        sheet.skip(2.0);
        for participant in &content.session.participants {
            let id = &participant.participant_id;
            let shows = |still: &ReportStill| still.segment.is_none() && still.participant_id == *id;
            if !content.stills.iter().any(shows) {
                tell_gap(sheet, content, (id, StillSubject::Enrolment), MARGIN, words);
                continue;
            }
            let title = words.with("stills-enrolment", &[("who", id.as_str().into())]);
            sheet.need(SUBHEADING.leading + ROW + 8.0);
            sheet.part(Role::Heading(3, title.clone()), |sheet| {
                sheet.say(&title);
                sheet.flow(&[Run::new(&title, SUBHEADING)], MARGIN, WIDTH);
            });
            strip(sheet, stills, &shows, MARGIN, words);
            sheet.skip(8.0);
        }
        let n_left_out = content.n_stills.saturating_sub(content.stills.len() as u64);
        if n_left_out > 0 {
            sheet.paragraph(&words.count("stills-left-out", n_left_out), BODY.colored(MUTED));
        }
        sheet.skip(10.0);
    });
}

/// The stills that `shows` holds for, side by side.
pub(super) fn strip(
    sheet: &mut Sheet,
    stills: &Stills<'_>,
    shows: &dyn Fn(&ReportStill) -> bool,
    left_edge: f32,
    words: Words,
) {
    let chosen = stills.content.stills.iter().enumerate().filter(|(_, still)| shows(still));
    let mut x = None;
    for (number, still) in chosen {
        let frame = 2 * number;
        let width = |number| stills.picture(number).map_or(HEIGHT, |picture| scaled_width(picture.size()));
        let frame_width = width(frame);
        let chip_width = if stills.picture(frame + 1).is_some() { width(frame + 1) } else { 0.0 };
        let both = frame_width + if chip_width > 0.0 { INNER_GAP + chip_width } else { 0.0 };
        let left = match x {
            Some(x) if x + both <= MARGIN + WIDTH => x,
            begun => {
                sheet.y += if begun.is_some() { ROW } else { 5.0 };
                sheet.need(ROW);
                left_edge
            }
        };
        figure(sheet, stills, Placed { still, frame, left, frame_width, chip_width }, words);
        x = Some(left + both + GAP);
    }
    if x.is_some() {
        sheet.y += ROW;
    }
}

fn scaled_width((width, height): (u32, u32)) -> f32 {
    let ratio = f64::from(width.max(1)) / f64::from(height.max(1));
    super::points(HEIGHT, ratio.clamp(0.2, 2.4))
}

fn figure(sheet: &mut Sheet, stills: &Stills<'_>, placed: Placed<'_>, words: Words) {
    let Placed { still, frame, left, frame_width, chip_width } = placed;
    let top = sheet.y;
    let at = clock_time(words.0, still.at.as_secs_f64());
    let measured: Vec<String> =
        [("still-presentation", still.presentation_score), ("still-deepfake", still.deepfake_score)]
            .into_iter()
            .filter_map(|(key, score)| Some(words.with(key, &[("score", words.ratio(score?.into()).into())])))
            .collect();
    let caption = [vec![at.clone()], measured].concat().join(" · ");
    sheet.part(Role::Figure(alt(still, &caption, words)), |sheet| {
        sheet.content(|sheet| {
            let place = [left, top, frame_width, HEIGHT];
            picture(sheet, stills, frame, place, words);
            if stills.picture(frame).is_some() {
                overlay(sheet, place, still);
            }
            if chip_width > 0.0 {
                let chip_left = left + frame_width + INNER_GAP;
                picture(sheet, stills, frame + 1, [chip_left, top, chip_width, HEIGHT], words);
            }
        });
    });
    let width = frame_width + if chip_width > 0.0 { INNER_GAP + chip_width } else { 0.0 };
    sheet.part(Role::Paragraph, |sheet| {
        let lines = wrap_at_most(&[Run::new(&caption, TINY)], width, MAX_CAPTION);
        super::blocks::stack(sheet, &lines, left, top + HEIGHT + 2.0);
    });
}

fn alt(still: &ReportStill, caption: &str, words: Words) -> String {
    let mut values = vec![("who", still.participant_id.as_str().into()), ("caption", caption.into())];
    match still.segment {
        Some(segment) => {
            values.push(("number", segment.to_string().into()));
            words.with("still-alt-segment", &values)
        }
        None => words.with("still-alt", &values),
    }
}

fn picture(sheet: &mut Sheet, stills: &Stills<'_>, number: usize, place: [f32; 4], words: Words) {
    let [x, y, width, height] = place;
    sheet.fill(rect(x - 0.5, y - 0.5, width + 1.0, height + 1.0), HAIRLINE);
    sheet.fill(rect(x, y, width, height), PANEL);
    if stills.picture(number).is_some() {
        sheet.push(Op::Picture { number, place });
        return;
    }
    let broken = wrap_at_most(&[Run::new(&words.get("still-broken"), TINY)], width - 8.0, 4);
    for (row, line) in (0_u8..).zip(&broken) {
        sheet.text_at(x + 4.0, y + 4.0 + f32::from(row) * line.leading, line);
    }
}

/// What was measured, drawn over a picture: the face's contours, and corners around it, light below dark, so that they stand out
/// from anything.
fn overlay(sheet: &mut Sheet, [x, y, width, height]: [f32; 4], still: &ReportStill) {
    let is_inside = |share: &f32| (0.0..=1.0).contains(share);
    for line in still.outline.iter().filter(|line| line.len() > 2 && line.iter().flatten().all(is_inside)) {
        let points: Vec<_> = line.iter().map(|[across, down]| (x + across * width, y + down * height)).collect();
        sheet.stroke(polygon(&points), WHITE, 0.45);
    }
    let Some(face_box) = still.face_box.filter(|face_box| face_box.iter().all(|share| share.is_finite())) else {
        return;
    };
    let [left, top, right, bottom] = face_box.map(|share| share.clamp(0.0, 1.0));
    let (left, right) = (x + left * width, x + right * width);
    let (top, bottom) = (y + top * height, y + bottom * height);
    let arm = ((right - left).min(bottom - top) * 0.25).clamp(1.0, 8.0);
    let corners =
        [(left, top, 1.0, 1.0), (right, top, -1.0, 1.0), (right, bottom, -1.0, -1.0), (left, bottom, 1.0, -1.0)];
    let mut shape = Shape::default();
    for (corner_x, corner_y, across, down) in corners {
        shape.0.push(Step::Move(corner_x + across * arm, corner_y));
        shape.0.push(Step::Line(corner_x, corner_y));
        shape.0.push(Step::Line(corner_x, corner_y + down * arm));
    }
    sheet.stroke(shape.clone(), WHITE, 2.2);
    sheet.stroke(shape, ACCENT, 1.0);
}

/// Says why there is no still of something, if that is known and is not so for the whole session.
pub(super) fn tell_gap(
    sheet: &mut Sheet,
    content: &ReportContent,
    (participant, shows): (&ParticipantId, StillSubject),
    left_edge: f32,
    words: Words,
) {
    let is_it = |gap: &&StillGap| gap.shows == shows && gap.participant_id == *participant;
    let Some(gap) = content.gaps.iter().find(is_it).filter(|gap| gap.cause != GapCause::NoImages) else { return };
    let cause = words.get(&format!("gap-{}", gap.cause.as_str()));
    let runs = [Run::new(&words.with("gap", &[("cause", cause.into())]), SMALL.colored(MUTED))];
    sheet.part(Role::Paragraph, |sheet| sheet.flow(&runs, left_edge, MARGIN + WIDTH - left_edge));
}

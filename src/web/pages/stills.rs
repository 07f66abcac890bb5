//! The few pictures of a session, with what was measured drawn over them.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use crate::audit::Digest;
use crate::error::{ErrorKind, Kinded as _};
use crate::service::{StillFace, StillPart, StillView};
use crate::session::{GapCause, StillGap, StillSubject};
use crate::text::{Value, clock_time, fixed};
use crate::vision::PointPx;
use crate::web::error::{Failure, status_of};
use crate::web::layout::{Page, Section, page};
use crate::web::parts::exact_moment;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::session::session_id;

/// Seconds around a still in which the timeline's cursor points at it.
const NEARBY_SECS: f64 = 0.75;
/// What the file names in addresses end in.
const ENDING: &str = ".jpg";

/// A picture; that it was looked at stands in the audit log. In place of one that was changed or lost stands a picture that says
/// so, with the status of an error.
pub(in crate::web) async fn picture(
    State(web): State<Web>,
    member: Member,
    Path((id, ordinal, file)): Path<(String, u32, String)>,
) -> Result<Response, Failure> {
    let id = session_id(&id)?;
    let part = file.strip_suffix(ENDING).and_then(StillPart::from_name).ok_or_else(Failure::not_found)?;
    match web.services.evidence.open(member.caller(), &id, ordinal, part).await {
        Ok(jpeg) => Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response()),
        Err(error) if error.kind() == ErrorKind::DataLoss => {
            tracing::error!(session.id = %id, still.ordinal = ordinal, error = &error as &dyn std::error::Error, "a still cannot be shown");
            let picture = in_place(&member.visit, part).into_string();
            let status = status_of(ErrorKind::DataLoss);
            Ok((status, [(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// What stands in the place of a picture that is not there any more, large enough to be read in it.
fn in_place(visit: &Visit, part: StillPart) -> Markup {
    let (width, height, key) = match part {
        StillPart::Frame => (320, 180, "still-broken"),
        StillPart::Chip => (112, 112, "still-broken-short"),
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
            rect width="100%" height="100%" fill="#4f5b66" {}
            text x="50%" y="50%" fill="#ffffff" font-family="sans-serif" font-size="13" text-anchor="middle" dominant-baseline="middle" {
                (visit.text(key))
            }
        }
    }
}

/// One still, large, with every figure.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Path((id, ordinal)): Path<(String, u32)>,
) -> Result<Markup, Failure> {
    let id = session_id(&id)?;
    let session = web.services.interviews.get(member.caller(), &id).await?;
    let stills = web.services.evidence.stills(member.caller(), &id).await?;
    let position = stills.iter().position(|still| still.ordinal == ordinal).ok_or_else(Failure::not_found)?;
    let still = stills.get(position).ok_or_else(Failure::not_found)?;
    let visit = &*member.visit;
    let path = format!("/sessions/{id}");
    let name = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
    let title = visit.text_with("still-title", &[("at", clock(visit, still).into())]);
    let neighbour = |position: Option<usize>, key: &str, rel: &'static str| {
        let still = position.and_then(|position| stills.get(position));
        html! {
            @if let Some(still) = still {
                a rel=(rel) href={ (path) "/stills/" (still.ordinal) } { (visit.text(key)) }
            }
        }
    };
    let content = html! {
        p.crumbs { a href="/" { (visit.text("inbox-title")) } " / " a href=(path) { (name) } }
        h1 { (title) }
        p.meta { (subject(visit, still.shows)) " · " (still.participant_id.as_str()) }
        section.card.still-page aria-label=(title) {
            input.marks-toggle id="marks" type="checkbox" checked;
            label for="marks" { (visit.text("still-marks")) }
            (frame(visit, &path, still))
            @if still.chip.is_some() { (chip(visit, &path, still)) }
            nav.pages aria-label=(visit.text("stills-title")) {
                (neighbour(position.checked_sub(1), "still-before", "prev"))
                (neighbour(position.checked_add(1), "still-after", "next"))
            }
        }
        section.card aria-labelledby="measured" {
            h2 id="measured" { (visit.text("still-measured")) }
            (figures(visit, still))
        }
    };
    Ok(page(visit, &Page { title: &title, section: Some(Section::Inbox), scripts: &[], refresh_secs: None }, &content))
}

/// The stills of one subject side by side, or why there is none.
pub(super) fn strip<'a>(
    visit: &Visit,
    path: &str,
    stills: impl Iterator<Item = &'a StillView>,
    gap: Option<&StillGap>,
) -> Markup {
    let mut stills = stills.peekable();
    html! {
        @if stills.peek().is_some() {
            div.stills {
                @for still in stills {
                    @let at = still.media_time.as_secs_f64();
                    figure.still data-from=(format!("{:.2}", at - NEARBY_SECS)) data-to=(format!("{:.2}", at + NEARBY_SECS)) {
                        a href={ (path) "/stills/" (still.ordinal) } { (frame(visit, path, still)) }
                        figcaption { (caption(visit, still)) }
                    }
                }
            }
        } @else if let Some(gap) = gap {
            p.quiet.gap { (visit.text(gap_key(gap.cause))) }
        }
    }
}

/// The frame with the face outlined; the picture says the same in words.
fn frame(visit: &Visit, path: &str, still: &StillView) -> Markup {
    let at = clock(visit, still);
    let key = if still.facts.face.is_some() { "still-alt-face" } else { "still-alt-no-face" };
    html! {
        span.frame {
            img src={ (path) "/stills/" (still.ordinal) "/frame" (ENDING) } width=(still.frame.width_px) height=(still.frame.height_px)
                loading="lazy" decoding="async" alt=(visit.text_with(key, &[("at", at.into())]));
            @if let Some(face) = &still.facts.face { (overlay(still, face)) }
        }
    }
}

/// The face alone, cut out.
pub(super) fn chip(visit: &Visit, path: &str, still: &StillView) -> Markup {
    html! {
        @if let Some(chip) = &still.chip {
            img.chip src={ (path) "/stills/" (still.ordinal) "/chip" (ENDING) } width=(chip.width_px) height=(chip.height_px)
                loading="lazy" decoding="async" alt=(visit.text_with("still-alt-chip", &[("at", clock(visit, still).into())]));
        }
    }
}

/// Lines over the frame, in its pixels.
fn overlay(still: &StillView, face: &StillFace) -> Markup {
    let area = face.box_in_frame;
    let line = |points: &[PointPx]| {
        points.iter().map(|point| format!("{:.1},{:.1}", point.x, point.y)).collect::<Vec<_>>().join(" ")
    };
    html! {
        svg.overlay viewBox={ "0 0 " (still.frame.width_px) " " (still.frame.height_px) } aria-hidden="true" {
            rect x=(format!("{:.1}", area.left)) y=(format!("{:.1}", area.top)) width=(format!("{:.1}", area.width()))
                height=(format!("{:.1}", area.height())) rx="4" {}
            @if let Some(outline) = &face.outline {
                @for points in [&outline.oval, &outline.left_eye, &outline.right_eye, &outline.mouth] {
                    polygon points=(line(points)) {}
                }
            }
        }
    }
}

fn caption(visit: &Visit, still: &StillView) -> Markup {
    html! {
        strong { (clock(visit, still)) }
        @if let Some(face) = &still.facts.face {
            span.quiet { " " (visit.text_with("still-face-px", &[("px", Value::Number(f64::from(face.quality.face_height_px)))])) }
            @if let Some(score) = face.deepfake_score {
                span.quiet { " · " (visit.text("still-deepfake")) " " (fixed(visit.language, f64::from(score), 2)) }
            }
        }
    }
}

/// Every figure of a still as a table.
fn figures(visit: &Visit, still: &StillView) -> Markup {
    let number = |value: f32, decimals| fixed(visit.language, f64::from(value), decimals);
    let row = |key: &str, value: String| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    html! {
        dl.facts {
            (row("still-faces", still.facts.n_faces.to_string()))
            @if let Some(face) = &still.facts.face {
                (row("still-height", format!("{} px", number(face.quality.face_height_px, 0))))
                (row("still-sharpness", number(face.quality.sharpness, 0)))
                (row("still-exposure", number(face.quality.exposure, 2)))
                (row("still-confidence", number(face.confidence, 2)))
                @if let Some(pose) = &face.pose {
                    (row("still-pose", visit.text_with("still-pose-words", &[
                        ("yaw", Value::Number(f64::from(pose.yaw_deg))),
                        ("pitch", Value::Number(f64::from(pose.pitch_deg))),
                        ("roll", Value::Number(f64::from(pose.roll_deg))),
                    ])))
                }
                @if let Some(score) = face.presentation_score { (row("still-presentation", number(score, 2))) }
                @if let Some(score) = face.deepfake_score { (row("still-deepfake", number(score, 2))) }
            }
            div { dt { (visit.text("still-kept")) } dd { (exact_moment(visit, still.keep_time)) } }
            div { dt { (visit.text("still-digest")) } dd { code { (Digest(still.frame.sha256)) } } }
        }
    }
}

fn subject(visit: &Visit, shows: StillSubject) -> Markup {
    html! {
        @match shows {
            StillSubject::Enrolment => (visit.text("stills-enrolment")),
            StillSubject::Segment(ordinal) => { (visit.text("segment-title")) " " (ordinal) }
        }
    }
}

fn clock(visit: &Visit, still: &StillView) -> String {
    clock_time(visit.language, still.media_time.as_secs_f64())
}

const fn gap_key(cause: GapCause) -> &'static str {
    match cause {
        GapCause::NoImages => "still-gap-no-images",
        GapCause::NoPicture => "still-gap-no-picture",
        GapCause::Full => "still-gap-full",
        GapCause::NotKept => "still-gap-not-kept",
        GapCause::Expired => "still-gap-expired",
        GapCause::Broken => "still-gap-broken",
    }
}

//! Following a session while it goes on: the page, and the events that keep it up to date.
//!
//! The page is right when it is loaded; without scripts it is loaded again every few seconds. Events carry finished sentences
//! in the visitor's language, so that a script only has to put them in their places.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use maud::{Markup, html};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, Sleep};

use crate::scoring::Score;
use crate::service::{EndCause, LiveEvent, SegmentView, SessionView};
use crate::session::{ParticipantId, Segment, SegmentState, SessionEvent};
use crate::text::{Language, clock_time};
use crate::web::assets::Asset;
use crate::web::error::Failure;
use crate::web::layout::{Page, Section, page};
use crate::web::parts::{level_badge, level_class, level_key, level_shape, score_bar, score_words};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::participant::{llr_words, sentence, signal_name};
use super::session::session_id;

/// Without scripts the page is loaded again after so many seconds.
const REFRESH_SECS: u32 = 5;
/// A stream of events ends after so long, and the browser asks for a new one: whoever was logged out gets none.
const LONGEST_STREAM: Duration = Duration::from_mins(5);
/// Something is sent at least so often, so that nobody takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it asks again.
const RETRY: Duration = Duration::from_secs(3);
/// The newest segments that the page lists.
const MAX_SEGMENTS: usize = 20;
/// When somebody may try again for whom there was no place.
const BUSY_RETRY: Duration = Duration::from_secs(30);

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let id = session_id(&id)?;
    let session = web.services.interviews.look(member.caller(), &id).await?;
    let found = web.services.interviews.segments(member.caller(), &id, 1_000, None).await?;
    let segments: Vec<_> = found.items.into_iter().map(|SegmentView { segment, .. }| segment).collect();
    Ok(view(&member.visit, &session, &segments))
}

/// The events.
pub(in crate::web) async fn events(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = session_id(&id)?;
    let place = web
        .live_pages
        .clone()
        .try_acquire_owned()
        .map_err(|_full| Failure::too_many("error-too-many-live", BUSY_RETRY))?;
    let events = web.services.interviews.watch(member.caller(), &id).await?;
    let follow = Follow {
        visit: member.visit.as_ref().clone(),
        events,
        ending: web.ending.clone(),
        end: Box::pin(tokio::time::sleep_until(Instant::now() + LONGEST_STREAM)),
        is_over: false,
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(follow.into_stream()).keep_alive(keep_alive).into_response())
}

/// A stream of events in the making.
struct Follow {
    visit: Visit,
    events: mpsc::Receiver<LiveEvent>,
    ending: watch::Receiver<bool>,
    end: std::pin::Pin<Box<Sleep>>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Follow {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follow| async move { Some((Ok(follow.next().await?), follow)) })
    }

    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            let event = tokio::select! {
                event = self.events.recv() => event?,
                () = &mut self.end => return None,
                _ended = self.ending.wait_for(|is_ended| *is_ended) => return None,
            };
            match event {
                LiveEvent::Session(SessionEvent::Score { participant_id, score }) => {
                    return Some(score_event(&self.visit, &participant_id, &score));
                }
                LiveEvent::Session(SessionEvent::Segment { segment, .. }) => {
                    return Some(segment_event(&self.visit, &segment));
                }
                LiveEvent::Ended(cause) => {
                    self.is_over = true;
                    return Some(end_event(&self.visit, cause));
                }
                LiveEvent::Session(SessionEvent::Pacing(_)) | LiveEvent::Ack(_) | LiveEvent::SampleProblem(_) => {}
            }
        }
        None
    }
}

fn named(name: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).retry(RETRY).data(data.to_string())
}

fn score_event(visit: &Visit, participant_id: &ParticipantId, score: &Score) -> Event {
    let bar = score.authenticity.map(|estimate| [estimate.low, estimate.value, estimate.high]);
    let signals: Vec<_> = score
        .signals
        .iter()
        .map(|signal| {
            let why: Vec<_> = signal.reasons.iter().map(|reason| sentence(visit, reason)).collect();
            json!({ "name": signal.name.as_str(), "says": llr_words(visit, signal.llr), "why": why })
        })
        .collect();
    let data = json!({
        "participant": participant_id.as_str(),
        "level": level_class(score.level),
        "word": visit.text(level_key(score.level)),
        "means": visit.text(&format!("{}-means", level_key(score.level))),
        "score": score_words(visit, score.authenticity),
        "bar": bar,
        "at": position(visit.language, score.window_end_secs),
        "reasons": score.reasons.iter().map(|reason| sentence(visit, reason)).collect::<Vec<_>>(),
        "signals": signals,
    });
    named("score", &data)
}

fn segment_event(visit: &Visit, segment: &Segment) -> Event {
    let data = json!({
        "ordinal": segment.ordinal,
        "level": level_class(segment.level),
        "word": visit.text(level_key(segment.level)),
        "when": when(visit, segment),
        "why": why(visit, segment),
    });
    named("segment", &data)
}

fn end_event(visit: &Visit, cause: Option<EndCause>) -> Event {
    let (key, is_final) = match cause {
        None | Some(EndCause::Finished) => ("live-ended", true),
        Some(EndCause::Deleted) => ("live-deleted", true),
        Some(EndCause::Draining | EndCause::TakenOver | EndCause::Failed) => ("live-interrupted", false),
    };
    named("ended", &json!({ "words": visit.text(key), "final": is_final }))
}

fn position(language: Language, secs: f64) -> String {
    clock_time(language, secs)
}

fn when(visit: &Visit, segment: &Segment) -> String {
    let clock = |secs| clock_time(visit.language, secs);
    let (from, to) = (clock(segment.start.as_secs_f64()), clock(segment.end.as_secs_f64()));
    let open =
        if segment.state == SegmentState::Open { format!(" · {}", visit.text("segment-open")) } else { String::new() };
    format!("{from} – {to}{open}")
}

/// The sentence that speaks most against the participant.
fn why(visit: &Visit, segment: &Segment) -> String {
    let worst = segment
        .signals
        .iter()
        .filter(|signal| signal.llr.is_some_and(|llr| llr < 0.0))
        .min_by(|a, b| a.llr.unwrap_or(0.0).total_cmp(&b.llr.unwrap_or(0.0)));
    worst.map_or_else(String::new, |signal| {
        let words = signal.reasons.first().map_or_else(String::new, |reason| sentence(visit, reason));
        format!("{}: {words}", signal_name(visit, signal))
    })
}

fn view(visit: &Visit, session: &SessionView, segments: &[Segment]) -> Markup {
    let name = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
    let title = visit.text_with("live-title", &[("name", name.into())]);
    let path = format!("/sessions/{}", session.id);
    let is_live = session.end_time.is_none();
    let content = html! {
        p.crumbs { a href="/" { (visit.text("inbox-title")) } " / " a href=(path) { (name) } }
        h1 { (title) }
        div id="live" data-events={ (path) "/events" } data-lost=(visit.text("live-lost")) {
            p.live-state role="status" id="live-state" {
                (visit.text(if is_live { "live-on" } else { "live-ended" }))
            }
            div id="live-participants" {
                @if session.participants.is_empty() { p.quiet id="live-nobody" { (visit.text("session-nobody")) } }
                @for participant in &session.participants {
                    (card(visit, participant.participant_id.as_str(), Some(&participant.score)))
                }
            }
            template id="live-card" { (card(visit, "", None)) }
            @for level in crate::scoring::Level::ALL {
                template id={ "shape-" (level_class(level)) } { (level_shape(level)) }
            }
            section.card aria-labelledby="live-segments-title" {
                h2 id="live-segments-title" { (visit.text("segments-title")) }
                ol.live-segments id="live-segments" {
                    @for segment in segments.iter().rev().take(MAX_SEGMENTS) { (item(visit, segment, &path)) }
                }
                p.quiet { (visit.text("live-segments-explained")) }
                template id="live-segment" {
                    li { a href={ (path) "#segment-" } { span.level { span {} } " " span.when {} } p.why {} }
                }
            }
        }
    };
    let refresh_secs = is_live.then_some(REFRESH_SECS);
    let scripts: &[Asset] = if is_live { &[Asset::Live] } else { &[] };
    page(visit, &Page { title: &title, section: Some(Section::Inbox), scripts, refresh_secs }, &content)
}

/// One participant as it stands; without a score the mould that a script fills.
fn card(visit: &Visit, participant: &str, score: Option<&Score>) -> Markup {
    html! {
        section.card.live-card data-participant=(participant) {
            h2 { (visit.text("session-participant")) " " span data-put="participant" { (participant) } }
            p.verdict-level data-put="level" aria-live="polite" {
                @match score {
                    Some(score) => (level_badge(visit, score.level)),
                    None => { span.level { span {} } }
                }
            }
            p.verdict-words data-put="means" {
                @if let Some(score) = score { (visit.text(&format!("{}-means", level_key(score.level)))) }
            }
            div data-put="bar" {
                @let level = score.map_or(crate::scoring::Level::Inconclusive, |score| score.level);
                (score_bar(visit, level, score.and_then(|score| score.authenticity)))
            }
            p.quiet { (visit.text("live-at")) " " span data-put="at" {
                @if let Some(score) = score { (position(visit.language, score.window_end_secs)) }
            } }
            ul.reasons data-put="reasons" {
                @for reason in score.into_iter().flat_map(|score| &score.reasons) { li { (sentence(visit, reason)) } }
            }
            dl.live-signals {
                @for name in crate::signals::SignalName::ALL {
                    @let signal = score.and_then(|score| score.signals.iter().find(|signal| signal.name == name));
                    div data-signal=(name.as_str()) {
                        dt { (visit.text(&format!("signal-{}", name.as_str()))) }
                        dd { span data-put="says" { (llr_words(visit, signal.and_then(|signal| signal.llr))) }
                            span.quiet data-put="why" {
                                @for reason in signal.into_iter().flat_map(|signal| &signal.reasons) { " " (sentence(visit, reason)) "." }
                            } }
                    }
                }
            }
        }
    }
}

fn item(visit: &Visit, segment: &Segment, path: &str) -> Markup {
    html! {
        li data-ordinal=(segment.ordinal) {
            a href={ (path) "#segment-" (segment.ordinal) } {
                (level_badge(visit, segment.level)) " " span.when { (when(visit, segment)) }
            }
            p.why { (why(visit, segment)) }
        }
    }
}

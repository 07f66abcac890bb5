//! One session: the verdict in words, how it came about, the stretches worth a look, and what people made of it.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::scoring::LevelThresholds;
use crate::service::ports::Review;
use crate::service::{
    ParticipantView, Permission, SecondReviewer, SegmentView, SessionStills, SessionView, Timeline, TimelineRange,
    TimelineWish,
};
use crate::session::{EvidenceMode, ParticipantId, Segment, SessionId, StillSubject};
use crate::signals::SignalName;
use crate::text::{Value, count};
use crate::web::assets::Asset;
use crate::web::error::Failure;
use crate::web::layout::{Page, Section, page, said};
use crate::web::parts::{exact_moment, level_badge, moment};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::identity::SeenBefore;
use super::participant::{signals, verdict, worst};
use super::segment::{self, SegmentPlace};
use super::timeline::{Drawing, MAX_BUCKETS};
use super::{inbox_query::InboxQuery, review, stills};

/// Segments in words on one page.
const PAGE_SEGMENTS: usize = 40;
/// Segments that are read: those that a timeline can show.
const MAX_SEGMENTS: u32 = 1_000;

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SessionQuery {
    /// Whose timeline; empty = that of the worst.
    participant: String,
    /// From where on the timeline is drawn, in seconds.
    from: Option<f64>,
    /// Up to where.
    to: Option<f64>,
    /// `timeline` for that part of the page alone.
    part: String,
    /// How many segments to leave out.
    skip: usize,
    /// What came of a form.
    said: Option<String>,
}

impl SessionQuery {
    fn range(&self) -> Option<TimelineRange> {
        Some(TimelineRange { from_secs: self.from?, to_secs: self.to? })
    }
}

/// All that the page shows.
struct SessionPage {
    session: SessionView,
    review: Review,
    segments: Vec<Segment>,
    has_more_segments: bool,
    reviewers: Vec<String>,
    second_reviewer: SecondReviewer,
    participant: Option<ParticipantId>,
    timeline: Option<Timeline>,
    stills: SessionStills,
    thresholds: Option<LevelThresholds>,
    /// For those who may compare faces across sessions.
    seen_before: Option<SeenBefore>,
}

/// An id in an address; what is none names nothing.
pub(super) fn session_id(id: &str) -> Result<SessionId, Failure> {
    SessionId::new(id).map_err(|_| Failure::not_found())
}

/// The page, or its timeline alone.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    Query(query): Query<SessionQuery>,
) -> Result<Markup, Failure> {
    let id = session_id(&id)?;
    let (services, caller) = (&web.services, member.caller());
    let is_part = query.part == "timeline";
    let session = if is_part {
        services.interviews.get(caller, &id).await?
    } else {
        services.interviews.look(caller, &id).await?
    };
    let participant = chosen(&session.participants, &query.participant).map(|chosen| chosen.participant_id.clone());
    let timeline = match &participant {
        Some(participant) => Some(timeline(&web, &member, &id, participant, query.range()).await?),
        None => None,
    };
    let found = services.interviews.segments(caller, &id, MAX_SEGMENTS, None).await?;
    let policy = services.installation.policy();
    let stills = if is_part { None } else { Some(services.evidence.list(caller, &id).await?) };
    let page = SessionPage {
        stills: stills.unwrap_or_else(|| SessionStills {
            mode: session.evidence,
            stills: Vec::new(),
            gaps: Vec::new(),
        }),
        seen_before: if is_part { None } else { SeenBefore::ask(&web, &member, &id).await? },
        thresholds: (policy.name() == session.policy).then_some(policy.levels),
        review: services.reviews.get(caller, &id).await?,
        second_reviewer: services.reviews.second_reviewer(),
        reviewers: services.accounts.reviewers(caller).await?,
        has_more_segments: found.next_page_token.is_some(),
        segments: found.items.into_iter().map(|SegmentView { segment, .. }| segment).collect(),
        session,
        participant,
        timeline,
    };
    Ok(if is_part { page.timeline_section(&member.visit) } else { page.view(&member, &query) })
}

/// The timeline's figures, for the cursor.
pub(in crate::web) async fn timeline_json(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    Query(query): Query<SessionQuery>,
) -> Result<Response, Failure> {
    let participant = ParticipantId::new(&query.participant).map_err(|_| Failure::not_found())?;
    let timeline = timeline(&web, &member, &session_id(&id)?, &participant, query.range()).await?;
    let rounded = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let values = |value: &dyn Fn(usize) -> Option<f64>| -> serde_json::Value {
        (0..timeline.buckets.len()).map(|number| value(number).map(rounded)).collect::<Vec<_>>().into()
    };
    let bucket = |number: usize| timeline.buckets.get(number);
    let mut lanes = serde_json::Map::new();
    lanes.insert("score".to_owned(), values(&|number| Some(bucket(number)?.authenticity?.mean)));
    lanes.insert("face".to_owned(), values(&|number| bucket(number)?.usable_ratio));
    for (index, name) in SignalName::ALL.into_iter().enumerate() {
        let of_signal = |number| Some(bucket(number)?.llrs.get(index).copied().flatten()?.mean);
        lanes.insert(name.as_str().to_owned(), values(&of_signal));
    }
    let body = serde_json::json!({
        "from": rounded(timeline.range.from_secs),
        "to": rounded(timeline.range.to_secs),
        "lanes": lanes,
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}

/// Makes a timeline, few at a time.
async fn timeline(
    web: &Web,
    member: &Member,
    id: &SessionId,
    participant: &ParticipantId,
    range: Option<TimelineRange>,
) -> Result<Timeline, Failure> {
    // The semaphore is never closed; should it be, timelines are not counted.
    let _turn = web.timelines.acquire().await.ok();
    let wish = TimelineWish { participant, range, max_buckets: MAX_BUCKETS };
    Ok(web.services.interviews.timeline(member.caller(), id, wish).await?)
}

/// The participant that the address names, or the worst one.
fn chosen<'a>(participants: &'a [ParticipantView], name: &str) -> Option<&'a ParticipantView> {
    let named = participants.iter().find(|participant| participant.participant_id.as_str() == name);
    named.or_else(|| worst(participants))
}

impl SessionPage {
    fn path(&self) -> String {
        format!("/sessions/{}", self.session.id)
    }

    fn view(&self, member: &Member, query: &SessionQuery) -> Markup {
        let visit = &*member.visit;
        let session = &self.session;
        let title = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
        let rules = review::Rules { reviewers: &self.reviewers, second_reviewer: self.second_reviewer };
        let content = html! {
            div.session-head {
                p.crumbs { a href="/" { (visit.text("inbox-title")) } }
                h1 { (title) }
                p.meta {
                    (level_badge(visit, session.level)) " "
                    span { (visit.text("session-created")) " " (moment(visit, session.create_time)) }
                    @if session.end_time.is_none() {
                        a.tag.live href={ (self.path()) "/live" } { (visit.text("session-follow-live")) }
                    }
                    @if self.review.summary.is_held { span.tag { (visit.text("inbox-held")) } }
                }
            }
            (said(visit, query.said.as_deref()))
            div.columns {
                div.main {
                    (self.verdicts(visit))
                    (self.enrolment(visit))
                    (self.timeline_section(visit))
                    (self.segments(visit, query.skip))
                    (self.evidence(visit))
                }
                aside.side aria-label=(visit.text("review-title")) {
                    (review::panel(member, session, &self.review, &rules))
                    (self.export(visit))
                    @if let Some(seen) = &self.seen_before { (seen.card(visit, session)) }
                    (self.facts(visit))
                    (review::guarded(member, session, &self.review))
                }
            }
        };
        let scripts = [Asset::Timeline];
        page(visit, &Page { title, section: Some(Section::Inbox), scripts: &scripts, refresh_secs: None }, &content)
    }

    fn verdicts(&self, visit: &Visit) -> Markup {
        let participants = &self.session.participants;
        html! {
            section.card aria-labelledby="verdict-title" {
                h2 id="verdict-title" { (visit.text("session-verdict")) }
                @if participants.is_empty() {
                    p { (visit.text("session-nobody")) }
                }
                @for participant in participants { (verdict(visit, participant, participants.len() == 1)) }
                p.support { (visit.text("session-support")) }
            }
        }
    }

    /// What the participants looked like at the beginning.
    fn enrolment(&self, visit: &Visit) -> Markup {
        let participants = &self.session.participants;
        let path = self.path();
        html! {
            @if !participants.is_empty() {
                section.card aria-labelledby="stills-title" {
                    h2 id="stills-title" { (visit.text("stills-title")) " " span.quiet { (visit.text("stills-enrolment")) } }
                    @for participant in participants {
                        @if participants.len() > 1 { h3 { (participant.participant_id.as_str()) } }
                        (self.strip(visit, &path, &participant.participant_id, StillSubject::Enrolment))
                    }
                }
            }
        }
    }

    /// The stills of a subject, or why there is none.
    fn strip(&self, visit: &Visit, path: &str, participant: &ParticipantId, shows: StillSubject) -> Markup {
        let is_of = |of: &ParticipantId, subject: StillSubject| of == participant && subject == shows;
        let stills = self.stills.stills.iter().filter(|still| is_of(&still.participant_id, still.shows));
        let gap = self.stills.gaps.iter().find(|gap| is_of(&gap.participant_id, gap.shows));
        stills::strip(visit, path, stills, gap)
    }

    /// The report to take along.
    fn export(&self, visit: &Visit) -> Markup {
        let path = self.path();
        let link = |ending: &str, key: &str| {
            html! { a.button.small href={ (path) "/report." (ending) "?lang=" (visit.language.tag()) } download { (visit.text(key)) } }
        };
        html! {
            section.card aria-labelledby="export-title" {
                h2 id="export-title" { (visit.text("export-title")) }
                p.quiet { (visit.text("export-explained")) }
                div.buttons { (link("pdf", "export-pdf")) (link("json", "export-json")) (link("zip", "export-signed")) }
            }
        }
    }

    fn timeline_section(&self, visit: &Visit) -> Markup {
        let (Some(participant), Some(timeline)) = (&self.participant, &self.timeline) else { return html! {} };
        let segments: Vec<_> =
            self.segments.iter().filter(|segment| segment.participant_id == *participant).cloned().collect();
        let path = self.path();
        let drawing = Drawing {
            visit,
            path: &path,
            participant: participant.as_str(),
            timeline,
            segments: &segments,
            thresholds: self.thresholds,
        };
        html! {
            @if self.session.participants.len() > 1 {
                nav.chips aria-label=(visit.text("session-whose-timeline")) {
                    @for other in &self.session.participants {
                        @let id = &other.participant_id;
                        a href={ (path) "?" (crate::web::form::encode(&[("participant", id.as_str())])) "#timeline" }
                            aria-current=[(id == participant).then_some("true")] { (id.as_str()) }
                    }
                }
            }
            div.card { (drawing.section()) }
        }
    }

    fn segments(&self, visit: &Visit, skip: usize) -> Markup {
        let may_mark = visit.may(Permission::Review);
        let path = self.path();
        let rest = self.segments.len().saturating_sub(skip.saturating_add(PAGE_SEGMENTS));
        let link =
            |skip: usize, key: &str| html! { a href={ (path) "?skip=" (skip) "#segments" } { (visit.text(key)) } };
        html! {
            section.card id="segments" aria-labelledby="segments-title" {
                h2 id="segments-title" {
                    (visit.text("segments-title")) " "
                    span.count { (count(visit.language, self.segments.len() as u64)) @if self.has_more_segments { "+" } }
                }
                @if self.segments.is_empty() {
                    p.quiet { (visit.text("segments-none")) }
                }
                @for segment in self.segments.iter().skip(skip).take(PAGE_SEGMENTS) {
                    (segment::view(visit, segment, &SegmentPlace {
                        path: &path,
                        mark: self.review.marks.iter().find(|mark| mark.ordinal == segment.ordinal),
                        names_participant: self.session.participants.len() > 1,
                        may_mark,
                        stills: self.strip(visit, &path, &segment.participant_id, StillSubject::Segment(segment.ordinal)),
                    }))
                }
                @if skip > 0 || rest > 0 {
                    nav.pages aria-label=(visit.text("segments-pages")) {
                        @if skip > 0 { (link(skip.saturating_sub(PAGE_SEGMENTS), "segments-before")) }
                        @if rest > 0 { (link(skip + PAGE_SEGMENTS, "segments-after")) }
                    }
                }
                @if self.has_more_segments {
                    p.quiet { (visit.text_with("segments-left-out", &[("n", Value::Number(f64::from(MAX_SEGMENTS)))])) }
                }
            }
        }
    }

    /// What each signal says of each participant.
    fn evidence(&self, visit: &Visit) -> Markup {
        let participants = &self.session.participants;
        html! {
            @if !participants.is_empty() {
                section.card aria-labelledby="signals-title" {
                    h2 id="signals-title" { (visit.text("signals-title")) }
                    p.quiet { (visit.text("signals-explained")) }
                    @for participant in participants {
                        @if participants.len() > 1 { h3 { (participant.participant_id.as_str()) } }
                        (signals(visit, &participant.score.signals))
                    }
                }
            }
        }
    }

    fn facts(&self, visit: &Visit) -> Markup {
        let session = &self.session;
        let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
        let none = || html! { span.quiet { (visit.text("facts-none")) } };
        let when = |time: Option<Timestamp>, without: &str| {
            time.map_or_else(|| html! { (visit.text(without)) }, |time| exact_moment(visit, time))
        };
        let text = |text: &str| {
            if text.is_empty() {
                none()
            } else {
                html! { (text) }
            }
        };
        html! {
            section.card aria-labelledby="facts-title" {
                h2 id="facts-title" { (visit.text("facts-title")) }
                dl.facts {
                    (row("facts-id", html! { code { (session.id.as_str()) } }))
                    (row("facts-reference", text(&session.external_ref)))
                    (row("facts-candidate", match &session.candidate {
                        Some(candidate) => {
                            let all = InboxQuery { show: "all".to_owned(), candidate: candidate.as_str().to_owned(), ..InboxQuery::default() };
                            html! { a href=(all.href()) { (candidate.as_str()) } }
                        }
                        None => none(),
                    }))
                    (row("facts-consent", text(&session.consent_reference)))
                    @for (key, value) in &session.labels { div { dt { (key) } dd { (value) } } }
                    (row("facts-created", exact_moment(visit, session.create_time)))
                    (row("facts-ended", when(session.end_time, "facts-open")))
                    (row("facts-expires", when(session.expire_time, "facts-never")))
                    (row("facts-pictures", html! {
                        (visit.text(match session.evidence {
                            EvidenceMode::Stills => "facts-stills",
                            EvidenceMode::NoImages => "facts-no-images",
                        }))
                    }))
                    (row("facts-challenges", html! { (visit.text("facts-no-challenges")) }))
                    (row("facts-policy", html! { code { (session.policy) } }))
                }
                p { a href={ (self.path()) "/technical" } { (visit.text("facts-technical")) } }
            }
        }
    }
}

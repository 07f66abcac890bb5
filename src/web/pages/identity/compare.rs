//! Two faces side by side, how alike they are, and what a person says of them.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::error::{ErrorKind, Kinded as _};
use crate::service::ports::{MatchVerdict, PageRequest, Pair, TemplateKind, VerdictRecord};
use crate::service::{
    Comparison, LedgerEntry, MAX_NOTE_BYTES, Permission, SceneComparison, SessionView, StillView, Subject,
    TemplateQuality,
};
use crate::session::StillSubject;
use crate::text::{Value, count};
use crate::web::error::Failure;
use crate::web::form::{SafeForm, encode};
use crate::web::layout::{said, token};
use crate::web::parts::{exact_moment, level_badge, moment};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit, own_path};

use super::investigator::Investigator;
use super::subject::{compare_href, subject};
use super::words::{agreement, interval, likelihood, opinion, quality, similarity, verdict, verdict_key};
use super::{IdentityPage, PAGE_LINES, identity_page};

/// Pictures of one side.
const MAX_CHIPS: usize = 3;

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct CompareQuery {
    a: String,
    b: String,
    said: Option<String>,
}

/// What is shown of one face.
enum Side {
    Session { session: Box<SessionView>, chips: Vec<StillView> },
    Reference { entry: Box<LedgerEntry> },
}

/// The comparison, or the form that asks which two.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<CompareQuery>,
) -> Result<Response, Failure> {
    if query.a.is_empty() || query.b.is_empty() {
        return Ok(ask(&web, &member, &query).await?.into_response());
    }
    compared(&web, &member, &query, None).await
}

/// Keeps what a person says of the two.
pub(in crate::web) async fn say(
    State(web): State<Web>,
    Investigator(member): Investigator,
    form: SafeForm,
) -> Result<Response, Failure> {
    let query = CompareQuery { a: form.get("a").to_owned(), b: form.get("b").to_owned(), said: None };
    let verdict = match form.get("same") {
        "yes" => MatchVerdict::Same,
        "no" => MatchVerdict::Different,
        _ => return Err(Failure::bad_request("verdict-missing")),
    };
    let (first, second) = (subject(&query.a)?, subject(&query.b)?);
    let identities = &web.services.identities;
    let kind = if form.get("of") == TemplateKind::Scene.as_str() { TemplateKind::Scene } else { TemplateKind::Face };
    let outcome =
        identities.confirm(member.caller(), Pair::of(kind, (&first, &second)), verdict, form.get("note")).await;
    if let Err(failure) = outcome.map_err(Failure::from) {
        if failure.is_about_the_form() {
            return compared(&web, &member, &query, Some(&failure.said(&member.visit))).await;
        }
        return Err(failure);
    }
    let word = match kind {
        TemplateKind::Face => format!("match-{}", verdict.as_str()),
        TemplateKind::Scene => format!("scene-{}", verdict.as_str()),
    };
    let back = match form.get("back") {
        "" => format!("{}&{}", compare_href(&query.a, &query.b), encode(&[("said", &word)])),
        back => format!("{}?{}", own_path(back).split('?').next().unwrap_or("/"), encode(&[("said", &word)])),
    };
    Ok(Redirect::to(&back).into_response())
}

/// The form that asks which two faces.
async fn ask(web: &Web, member: &Member, query: &CompareQuery) -> Result<Markup, Failure> {
    let visit = &*member.visit;
    let page = PageRequest { size: PAGE_LINES, token: None };
    let candidates = web.services.identities.candidates(member.caller(), &page).await?;
    let content = html! {
        section.card {
            p.quiet { (visit.text("compare-ask")) }
            form.stack method="get" action="/identity/compare" {
                label for="a" { (visit.text("compare-first")) }
                input id="a" name="a" value=(query.a) required placeholder="sessions/…" autocomplete="off" spellcheck="false";
                label for="b" { (visit.text("compare-second")) }
                input id="b" name="b" value=(query.b) required placeholder="sessions/…" autocomplete="off" spellcheck="false";
                p.quiet { (visit.text("compare-names")) }
                button.primary { (visit.text("identity-compare")) }
            }
        }
        @if !candidates.items.is_empty() {
            section.card aria-labelledby="candidates-title" {
                h2 id="candidates-title" { (visit.text("identity-candidates")) }
                p.quiet { (visit.text("compare-candidates")) }
                ul.plain.row {
                    @for candidate in &candidates.items {
                        li { a href={ "/identity/candidates/" (candidate.id.as_str()) } { (candidate.id.as_str()) } }
                    }
                }
            }
        }
    };
    Ok(identity_page(visit, IdentityPage::Compare, &visit.text("compare-title"), &content))
}

/// Both sides and what is between them.
async fn compared(
    web: &Web,
    member: &Member,
    query: &CompareQuery,
    problem: Option<&str>,
) -> Result<Response, Failure> {
    let (first, second) = (subject(&query.a)?, subject(&query.b)?);
    let visit = &*member.visit;
    // Asked first: it is what asks for the permission and is written down.
    let outcome = web.services.identities.compare(member.caller(), &first, &second).await;
    let (comparison, why_not) = match outcome.map_err(Failure::from) {
        Ok(comparison) => (Some(comparison), None),
        Err(failure) if failure.is_about_the_form() => (None, Some(failure.said(visit))),
        Err(failure) => return Err(failure),
    };
    let sides = (side(web, member, &first).await?, side(web, member, &second).await?);
    let content = html! {
        (said(visit, query.said.as_deref()))
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        div.sides.compare {
            (side_view(visit, &sides.0, "compare-first", comparison.as_ref().map(|found| found.first)))
            (side_view(visit, &sides.1, "compare-second", comparison.as_ref().map(|found| found.second)))
        }
        @if let Some(why_not) = why_not {
            section.card { p.hint { (visit.text("compare-not")) " " (why_not) } }
        }
        @if let Some(comparison) = &comparison { (result(visit, comparison)) }
        (verdict_form(visit, TemplateKind::Face, query))
        @if let Some(scene) = comparison.as_ref().and_then(|comparison| comparison.scene.as_ref()) {
            (places(visit, scene, (&sides.0, &sides.1)))
            (verdict_form(visit, TemplateKind::Scene, query))
        }
    };
    let page = identity_page(visit, IdentityPage::Compare, &visit.text("compare-title"), &content);
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

/// What there is to show of a face.
async fn side(web: &Web, member: &Member, of: &Subject) -> Result<Side, Failure> {
    let caller = member.caller();
    match of {
        Subject::Session(face) => {
            let session = Box::new(web.services.interviews.get(caller, &face.session).await?);
            let stills = match web.services.evidence.stills(caller, &face.session).await {
                Ok(stills) => stills,
                // Whoever may not see pictures compares without them.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            let is_shown = |still: &StillView| {
                still.chip.is_some()
                    && still.shows == StillSubject::Enrolment
                    && face.participant.as_ref().is_none_or(|participant| *participant == still.participant_id)
            };
            Ok(Side::Session { session, chips: stills.into_iter().filter(is_shown).take(MAX_CHIPS).collect() })
        }
        Subject::Reference(name) => {
            let ledger = web.services.identities.candidate(caller, &name.candidate).await?;
            let is_it = |entry: &LedgerEntry| matches!(entry, LedgerEntry::Reference { reference, .. } if reference.name == *name);
            let entry = ledger.entries.into_iter().find(is_it).ok_or_else(Failure::not_found)?;
            Ok(Side::Reference { entry: Box::new(entry) })
        }
        Subject::Picture(_) => Err(Failure::not_found()),
    }
}

fn side_view(visit: &Visit, side: &Side, key: &str, rests_on: Option<TemplateQuality>) -> Markup {
    let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    let none = || html! { span.quiet { (visit.text("facts-none")) } };
    html! {
        section.card aria-label=(visit.text(key)) {
            p.quiet { (visit.text(key)) }
            @match side {
                Side::Session { session, chips } => {
                    h2 { a href={ "/sessions/" (session.id.as_str()) } {
                        (if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name })
                    } }
                    @if chips.is_empty() { p.hint { (visit.text("compare-no-still")) } }
                    div.faces {
                        @for still in chips {
                            img src={ "/sessions/" (session.id.as_str()) "/stills/" (still.ordinal) "/chip.jpg" }
                                width="160" height="160" loading="lazy" decoding="async"
                                alt=(visit.text_with("compare-still-alt", &[("participant", still.participant_id.as_str().into())]));
                        }
                    }
                    dl.facts {
                        (row("inbox-level", level_badge(visit, session.level)))
                        (row("facts-created", exact_moment(visit, session.create_time)))
                        (row("facts-candidate", match &session.candidate {
                            Some(candidate) => html! { a href={ "/identity/candidates/" (candidate.as_str()) } { (candidate.as_str()) } },
                            None => none(),
                        }))
                        @if let Some(rests_on) = rests_on { (row("figures-quality", html! { (quality(visit, rests_on)) })) }
                    }
                }
                Side::Reference { entry } => {
                    @if let LedgerEntry::Reference { reference, .. } = &**entry {
                        h2 { a href={ "/identity/candidates/" (reference.name.candidate.as_str()) } { (reference.name.candidate.as_str()) } }
                        p.hint { (visit.text("compare-reference-no-picture")) }
                        dl.facts {
                            (row("reference-purpose", html! { (visit.text(&format!("purpose-{}", reference.purpose.as_str()))) }))
                            (row("reference-created", html! { (moment(visit, reference.create_time)) " · " (reference.created_by) }))
                            (row("facts-consent", html! { (reference.consent_reference) }))
                            @if let Some(rests_on) = rests_on { (row("figures-quality", html! { (quality(visit, rests_on)) })) }
                        }
                    }
                }
            }
        }
    }
}

fn result(visit: &Visit, of: &Comparison) -> Markup {
    let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    let people = [
        ("same", count(visit.language, u64::from(of.n_people.0)).into()),
        ("different", count(visit.language, u64::from(of.n_people.1)).into()),
    ];
    html! {
        section.card aria-labelledby="result-title" {
            h2 id="result-title" { (visit.text("compare-result")) }
            p.verdict-words { (opinion(visit, TemplateKind::Face, of.likeness.opinion)) " " (likelihood(visit, TemplateKind::Face, of.likeness.llr, of.likeness.is_bounded)) }
            dl.facts {
                (row("identity-similarity", html! { (similarity(visit, f64::from(of.likeness.similarity))) }))
                (row("identity-interval", html! { (interval(visit, &of.likeness)) }))
                (row("identity-calibration", html! { code.digest { (of.calibration) } }))
            }
            p { (visit.text_with("compare-means", &people)) }
            p { (visit.text("compare-means-not")) }
            @if let Some(said) = &of.verdict {
                div.mark {
                    p.quiet { (visit.text("compare-said")) }
                    (verdict(visit, TemplateKind::Face, said))
                }
            }
            (earlier(visit, of))
        }
    }
}

/// What was said before the last word.
fn earlier(visit: &Visit, of: &Comparison) -> Markup {
    let is_last = |word: &VerdictRecord| of.verdict.as_ref().is_some_and(|said| said.time == word.time);
    let before: Vec<_> = of.history.iter().filter(|word| !is_last(word)).collect();
    html! {
        @if !before.is_empty() {
            details {
                summary { (visit.text_with("compare-before", &[("n", Value::Number(before.len() as f64))])) }
                p.quiet { (visit.text("compare-before-explained")) }
                ul.plain { @for word in before { li { (verdict(visit, TemplateKind::Face, word)) } } }
            }
        }
    }
}

/// How well the places behind two faces agree, with a picture of each.
fn places(visit: &Visit, of: &SceneComparison, sides: (&Side, &Side)) -> Markup {
    let numbers = [
        ("same", count(visit.language, u64::from(of.n_places.0)).into()),
        ("different", count(visit.language, u64::from(of.n_places.1)).into()),
    ];
    html! {
        section.card aria-labelledby="places-title" {
            h2 id="places-title" { (visit.text("scene-compared")) }
            (agreement(visit, &of.agreement))
            div.sides.frames { (frame(visit, sides.0)) (frame(visit, sides.1)) }
            p { (visit.text_with("scene-means", &numbers)) }
            p { (visit.text("scene-means-not")) }
            p.quiet { (visit.text("identity-calibration")) " " code.digest { (of.calibration) } }
            @if let Some(said) = &of.verdict {
                div.mark {
                    p.quiet { (visit.text("scene-said")) }
                    (verdict(visit, TemplateKind::Scene, said))
                }
            }
        }
    }
}

/// The whole picture that one side began with.
fn frame(visit: &Visit, side: &Side) -> Markup {
    html! {
        @if let Side::Session { session, chips } = side {
            @if let Some(still) = chips.first() {
                img src={ "/sessions/" (session.id.as_str()) "/stills/" (still.ordinal) "/frame.jpg" }
                    width=(still.frame.width_px) height=(still.frame.height_px) loading="lazy" decoding="async"
                    alt=(visit.text_with("scene-frame-alt", &[("participant", still.participant_id.as_str().into())]));
            }
        }
    }
}

/// The form that says what two faces, or the places behind them, are.
fn verdict_form(visit: &Visit, kind: TemplateKind, query: &CompareQuery) -> Markup {
    let (title, heading, note) = match kind {
        TemplateKind::Face => ("compare-say", "say-title", "note"),
        TemplateKind::Scene => ("scene-say", "say-scene-title", "note-scene"),
    };
    html! {
        @if visit.may(Permission::Identity) {
            section.card aria-labelledby=(heading) {
                h2 id=(heading) { (visit.text(title)) }
                p.quiet { (visit.text("compare-say-explained")) }
                form.stack.verdict method="post" action="/identity/compare" {
                    (token(visit))
                    input type="hidden" name="a" value=(query.a);
                    input type="hidden" name="b" value=(query.b);
                    input type="hidden" name="of" value=(kind.as_str());
                    label for=(note) { (visit.text("compare-note")) }
                    textarea id=(note) name="note" rows="2" maxlength=(MAX_NOTE_BYTES) {}
                    div.buttons {
                        button.primary name="same" value="yes" { (visit.text(verdict_key(kind, MatchVerdict::Same))) }
                        button.primary name="same" value="no" { (visit.text(verdict_key(kind, MatchVerdict::Different))) }
                    }
                }
            }
        }
    }
}

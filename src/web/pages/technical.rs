//! What a session was made with: devices and platforms as they describe themselves, models, policy, program.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use maud::{Markup, html};

use crate::service::SessionView;
use crate::session::{SourceKind, Track};
use crate::text::{Value, fixed};
use crate::web::error::Failure;
use crate::web::layout::{Page, Section, page};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::session::session_id;

/// Tracks that are shown; a page of more says nothing to anybody.
const MAX_TRACKS: usize = 200;

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let id = session_id(&id)?;
    let session = web.services.interviews.look(member.caller(), &id).await?;
    // Reads a whole journal, as a timeline does.
    let _turn = web.timelines.acquire().await.ok();
    let tracks = web.services.interviews.tracks(member.caller(), &id).await?;
    Ok(view(&member.visit, &session, &tracks))
}

fn view(visit: &Visit, session: &SessionView, tracks: &[Track]) -> Markup {
    let title = visit.text("technical-title");
    let name = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
    let content = html! {
        p.crumbs { a href="/" { (visit.text("inbox-title")) } " / " a href={ "/sessions/" (session.id.as_str()) } { (name) } }
        h1 { (title) }
        section.card aria-labelledby="devices-title" {
            h2 id="devices-title" { (visit.text("technical-devices")) }
            p.quiet { (visit.text("technical-devices-explained")) }
            @if tracks.is_empty() { p { (visit.text("technical-no-tracks")) } }
            @for track in tracks.iter().take(MAX_TRACKS) { (device(visit, track)) }
            @if tracks.len() > MAX_TRACKS {
                p.quiet { (visit.text_with("technical-left-out", &[("n", Value::Number((tracks.len() - MAX_TRACKS) as f64))])) }
            }
        }
        section.card aria-labelledby="versions-title" {
            h2 id="versions-title" { (visit.text("technical-versions")) }
            p.quiet { (visit.text("technical-versions-explained")) }
            dl.facts { (versions(visit, session)) }
        }
    };
    page(visit, &Page { title: &title, section: Some(Section::Inbox), scripts: &[], refresh_secs: None }, &content)
}

fn device(visit: &Visit, track: &Track) -> Markup {
    let kind = match track.kind {
        SourceKind::Camera => "source-camera",
        SourceKind::Screen => "source-screen",
        SourceKind::Microphone => "source-microphone",
    };
    let claimed = |text: &str| if text.is_empty() { visit.text("facts-none") } else { text.to_owned() };
    html! {
        article.device {
            h3 { (visit.text(kind)) " " code { (track.track_id.as_str()) } }
            dl.facts {
                div { dt { (visit.text("session-participant")) } dd { (track.participant_id.as_str()) } }
                @if let Some(device) = &track.device {
                    div { dt { (visit.text("technical-label")) } dd { (claimed(&device.label)) } }
                    div { dt { (visit.text("technical-platform")) } dd { (claimed(&device.platform)) } }
                } @else {
                    div { dt { (visit.text("technical-label")) } dd { (visit.text("technical-nothing-said")) } }
                }
            }
            @if let Some(device) = track.device.as_ref().filter(|device| !device.probes.is_empty()) {
                div.scroll tabindex="0" {
                    table {
                        thead { tr {
                            @for key in ["technical-setting", "technical-requested", "technical-reported", "technical-actual", "technical-response"] {
                                th scope="col" { (visit.text(key)) }
                            }
                        } }
                        tbody {
                            @for probe in &device.probes { tr {
                                th scope="row" { (probe.name) }
                                @for value in [probe.requested, probe.reported, probe.actual] {
                                    td.number { (fixed(visit.language, value, 1)) }
                                }
                                td.number { (fixed(visit.language, probe.response_secs, 2)) " s" }
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn versions(visit: &Visit, session: &SessionView) -> Markup {
    let scores = || session.participants.iter().map(|participant| &participant.score);
    let engines: BTreeSet<&str> = scores().map(|score| &*score.engine).collect();
    let policies: BTreeSet<&str> =
        scores().map(|score| score.policy.as_str()).chain([session.policy.as_str()]).collect();
    let models: BTreeSet<(&str, &str)> = scores()
        .flat_map(|score| &score.signals)
        .filter_map(|signal| Some((signal.name.as_str(), signal.model.as_deref()?)))
        .collect();
    html! {
        div { dt { (visit.text("technical-program")) } dd { @for engine in engines { p { code { (engine) } } } } }
        div { dt { (visit.text("facts-policy")) } dd { @for policy in policies { p { code { (policy) } } } } }
        @for (signal, model) in models {
            div { dt { (visit.text(&format!("signal-{signal}"))) } dd { code.digest { (model) } } }
        }
    }
}

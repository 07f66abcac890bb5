//! What is set: models, policy, keys, retention. Settings are changed where they are kept, in the configuration.

use axum::extract::State;
use maud::{Markup, html};

use crate::scoring::Policy;
use crate::service::{InstallationView, SecondReviewer};
use crate::signals::SignalName;
use crate::text::{Value, fixed, percent};
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::admin::{AdminPage, admin_page};

/// The page.
pub(in crate::web) async fn show(State(web): State<Web>, member: Member) -> Result<Markup, Failure> {
    let installation = web.services.installation.view(member.caller()).await?;
    Ok(view(&member.visit, &installation))
}

fn view(visit: &Visit, installation: &InstallationView) -> Markup {
    let title = visit.text("admin-settings");
    let content = html! {
        (retention(visit, installation))
        (policy(visit, &installation.facts.policy))
        (models(visit, installation))
        (keys(visit, installation))
    };
    admin_page(visit, AdminPage::Settings, &title, &content)
}

fn retention(visit: &Visit, installation: &InstallationView) -> Markup {
    let options = &installation.facts.options;
    let yes_no = |is_so: bool| visit.text(if is_so { "settings-yes" } else { "settings-no" });
    html! {
        section.card aria-labelledby="retention-title" {
            h2 id="retention-title" { (visit.text("settings-retention")) }
            dl.facts {
                div { dt { (visit.text("settings-retention-sessions")) } dd {
                    @if options.retention_days == 0 { (visit.text("facts-never")) }
                    @else { (visit.text_with("settings-days", &[("n", Value::Number(f64::from(options.retention_days)))])) }
                } }
                div { dt { (visit.text("settings-consent")) } dd { (yes_no(options.require_consent_reference)) } }
                div { dt { (visit.text("settings-second-reviewer")) } dd {
                    (visit.text(match options.second_reviewer {
                        SecondReviewer::Never => "settings-second-never",
                        SecondReviewer::Decline => "settings-second-decline",
                        SecondReviewer::Always => "settings-second-always",
                    }))
                } }
            }
        }
    }
}

fn policy(visit: &Visit, policy: &Policy) -> Markup {
    let number = |value: f64| fixed(visit.language, value, 2);
    let rows = [
        ("policy-prior", percent(visit.language, policy.prior_authenticity)),
        ("policy-clear", number(policy.levels.clear_from)),
        ("policy-suspicious", number(policy.levels.suspicious_below)),
        ("policy-alert", number(policy.levels.alert_below)),
        ("policy-face-time", format!("{} s", fixed(visit.language, policy.evidence.min_usable_face_secs, 0))),
        ("policy-families", policy.evidence.min_families.to_string()),
    ];
    html! {
        section.card aria-labelledby="policy-title" {
            h2 id="policy-title" { (visit.text("settings-policy")) " " code { (policy.name()) } }
            p.quiet { (visit.text("settings-policy-explained")) }
            dl.facts { @for (key, value) in rows { div { dt { (visit.text(key)) } dd { (value) } } } }
            div.scroll tabindex="0" { table.small {
                thead { tr {
                    th scope="col" { (visit.text("signals-name")) }
                    th.number scope="col" { (visit.text("policy-weight")) }
                } }
                tbody { @for name in SignalName::ALL { tr {
                    th scope="row" { (visit.text(&format!("signal-{}", name.as_str()))) }
                    td.number { (policy.signal(name).map_or("–".to_owned(), |signal| number(signal.weight))) }
                } } }
            } }
        }
    }
}

fn models(visit: &Visit, installation: &InstallationView) -> Markup {
    html! {
        section.card aria-labelledby="models-title" {
            h2 id="models-title" { (visit.text("settings-models")) }
            p.quiet {
                (visit.text_with("settings-models-explained", &[("provider", installation.facts.provider.as_str().into())]))
            }
            div.scroll tabindex="0" { table {
                thead { tr {
                    th scope="col" { (visit.text("settings-model")) }
                    th scope="col" { "SHA-256" }
                } }
                tbody { @for model in &installation.facts.models {
                    @let (name, digest) = model.split_once('@').unwrap_or((model, "–"));
                    tr { th scope="row" { (name.trim_start_matches("models/")) } td { code.digest { (digest) } } }
                } }
            } }
        }
    }
}

fn keys(visit: &Visit, installation: &InstallationView) -> Markup {
    let signing = &installation.facts.signing_keys;
    html! {
        section.card aria-labelledby="keys-title" {
            h2 id="keys-title" { (visit.text("settings-keys")) }
            p.quiet { (visit.text("settings-keys-explained")) }
            h3 { (visit.text("settings-api-keys")) }
            @if installation.facts.api_keys.is_empty() {
                p.hint { (visit.text("settings-no-api-keys")) }
            } @else if installation.api_keys.is_empty() {
                p.quiet { (visit.text("settings-no-own-keys")) }
            } @else {
                div.scroll tabindex="0" { table {
                    thead { tr {
                        th scope="col" { (visit.text("settings-key-name")) }
                        th scope="col" { (visit.text("settings-key-scopes")) }
                    } }
                    tbody { @for key in &installation.api_keys { tr {
                        th scope="row" { (key.name) }
                        td { (key.scopes.join(", ")) }
                    } } }
                } }
            }
            h3 { (visit.text("settings-signing-keys")) }
            ul.plain { @for (position, id) in signing.iter().enumerate().rev() {
                li { code { (id) } @if position + 1 == signing.len() { " " span.tag { (visit.text("settings-current-key")) } } }
            } }
        }
    }
}

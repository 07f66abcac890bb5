//! What people said of two faces, or of the places behind them, before, as the audit log tells it: `face_matches` holds the last word alone.

use std::collections::BTreeMap;

use crate::audit::{Action, Event, Outcome};
use crate::service::ports::{FaceName, MatchVerdict, Pair, TemplateKind, VerdictRecord};
use crate::session::TenantId;
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;

/// Words about two faces that are told.
const MAX_WORDS: usize = 50;
/// Words about one of the two, and any other, that are looked at.
const MAX_LOOKED_AT: i64 = 500;

/// The words about a pair, newest first.
pub(super) async fn of_pair(
    connection: &mut Connection,
    tenant: &TenantId,
    Pair { kind, first, second }: Pair<&FaceName>,
) -> Result<Vec<VerdictRecord>, Refusal> {
    // Whoever spoke may have named either first.
    let both = [format!("{first} {second}"), format!("{second} {first}")];
    let mut found: BTreeMap<i64, VerdictRecord> = BTreeMap::new();
    for object in [object(first), object(second)] {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT sequence, event FROM audit WHERE tenant = $1 AND object = $2 AND event LIKE $3 \
             ORDER BY sequence DESC LIMIT $4",
        )
        .bind(tenant.as_str())
        .bind(object)
        .bind(format!("%\"{}\"%", Action::IdentityConfirm.as_str()))
        .bind(MAX_LOOKED_AT)
        .fetch_all(&mut *connection)
        .await?;
        for (sequence, json) in rows {
            let (_, event) = Event::from_json(&json).map_err(|error| corrupt(error.to_string()))?;
            if let Some(word) = word(&event, kind, &both) {
                found.insert(sequence, word);
            }
        }
    }
    Ok(found.into_values().rev().take(MAX_WORDS).collect())
}

/// What the audit log calls what a face is of.
fn object(face: &FaceName) -> String {
    match face {
        FaceName::Session { session, .. } => format!("sessions/{session}"),
        FaceName::Reference(name) => name.to_string(),
    }
}

/// The word that an entry tells of, if it is about this pair. Entries that do not say of what are about faces.
fn word(event: &Event, kind: TemplateKind, both: &[String; 2]) -> Option<VerdictRecord> {
    let of = event.details.get("of").map_or(Some(TemplateKind::Face), |name| TemplateKind::from_name(name));
    let is_one = event.action == Action::IdentityConfirm && event.outcome == Outcome::Done && of == Some(kind);
    let faces = event.details.get("faces").filter(|_| is_one)?;
    let verdict = MatchVerdict::from_name(event.details.get("verdict")?).filter(|_| both.contains(faces))?;
    Some(VerdictRecord { verdict, note: String::new(), by: event.actor.to_string(), time: event.time })
}

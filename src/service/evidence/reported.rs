//! Stills for a report: all of them opened at once, with one entry in the audit log.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::Action;
use crate::keys::{DataKey, SealError};
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::StoredStill;
use crate::service::report::{ReportPicture, ReportStill, ReportStills, StillSource};
use crate::session::{GapCause, SessionId, SessionName, StillSubject};
use crate::vision::{BoxPx, FaceOutline, PointPx};

use super::sealing::{self, PictureInfo};
use super::view::StillView;
use super::{Evidence, gap, open_row, owner};

#[async_trait::async_trait]
impl StillSource for Evidence {
    async fn report_stills(&self, caller: &Caller, id: &SessionId, limit: usize) -> Result<ReportStills, ServiceError> {
        let listed = self.list(caller, id).await?;
        let n_stills = listed.stills.len() as u64;
        let chosen = choose(listed.stills, limit);
        let mut told = ReportStills { stills: Vec::with_capacity(chosen.len()), n_stills, gaps: listed.gaps };
        if chosen.is_empty() {
            return Ok(told);
        }
        let ordinals: Vec<String> = chosen.iter().map(|still| still.ordinal.to_string()).collect();
        let now: Timestamp = self.inner.clock.now();
        let looked = caller.did(now, Action::EvidenceView, format!("sessions/{id}"));
        self.inner.store.append(looked.with("stills", ordinals.join(" ")).with("for", "report")).await?;
        let name = caller.session(id);
        let key = self.session_key(&name).await?;
        let rows = self.inner.store.stills(&name).await?;
        let mut rows: BTreeMap<u32, StoredStill> = rows.into_iter().map(|row| (row.ordinal, row)).collect();
        for view in chosen {
            // Retention may have taken it since it was listed.
            let Some(row) = rows.remove(&view.ordinal) else { continue };
            match self.open_both(&name, key.as_ref(), &row).await {
                Ok((frame, chip)) => told.stills.push(report_still(view, frame, chip)),
                Err(error) => {
                    tracing::error!(
                        session.id = %name,
                        still.ordinal = row.ordinal,
                        error = &error as &dyn std::error::Error,
                        "a still cannot be opened for a report"
                    );
                    told.gaps.push(gap(&row, GapCause::Broken));
                }
            }
        }
        Ok(told)
    }
}

impl Evidence {
    /// Both pictures of a still.
    async fn open_both(
        &self,
        name: &SessionName,
        key: Option<&DataKey>,
        row: &StoredStill,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), ServiceError> {
        let facts = open_row(name, key, row)?;
        let file = self.inner.files.read(row.row.file).await?;
        let key = key.ok_or(SealError::Broken)?;
        let (frame, chip) = sealing::open_pictures(key, owner(name, row), &row.row.key, (&facts, &file))?;
        Ok((frame.to_vec(), facts.chip.map(|_| chip.to_vec())))
    }
}

/// At most `limit` stills: the first of every subject, then the second, and so on.
fn choose(stills: Vec<StillView>, limit: usize) -> Vec<StillView> {
    let mut seen: BTreeMap<(String, StillSubject), u32> = BTreeMap::new();
    let mut ranked: Vec<(u32, StillView)> = stills
        .into_iter()
        .map(|still| {
            let rank = seen.entry((still.participant_id.as_str().to_owned(), still.shows)).or_default();
            *rank += 1;
            (*rank, still)
        })
        .collect();
    ranked.sort_by_key(|(rank, still)| (*rank, still.ordinal));
    ranked.into_iter().map(|(_, still)| still).take(limit).collect()
}

fn report_still(view: StillView, frame: Vec<u8>, chip: Option<Vec<u8>>) -> ReportStill {
    let StillView { ordinal, participant_id, shows, media_time, frame: size, facts, .. } = view;
    let face = facts.face;
    ReportStill {
        ordinal,
        participant_id,
        segment: match shows {
            StillSubject::Enrolment => None,
            StillSubject::Segment(segment) => Some(segment),
        },
        at: media_time,
        frame: ReportPicture::new(frame),
        chip: chip.map(ReportPicture::new),
        face_box: face.as_ref().and_then(|face| box_of(&face.box_in_frame, &size)),
        outline: face.as_ref().and_then(|face| Some(lines_of(face.outline.as_ref()?, &size))).unwrap_or_default(),
        presentation_score: face.as_ref().and_then(|face| face.presentation_score),
        deepfake_score: face.as_ref().and_then(|face| face.deepfake_score),
    }
}

/// A point as shares of a picture's sides.
#[expect(clippy::cast_precision_loss, reason = "stills are below 2^24 pixels wide")]
fn share_of(point: PointPx, size: &PictureInfo) -> [f32; 2] {
    [point.x / size.width_px.max(1) as f32, point.y / size.height_px.max(1) as f32]
}

fn box_of(area: &BoxPx, size: &PictureInfo) -> Option<[f32; 4]> {
    let [left, top] = share_of(PointPx { x: area.left, y: area.top }, size);
    let [right, bottom] = share_of(PointPx { x: area.right, y: area.bottom }, size);
    (right > left && bottom > top).then_some([left, top, right, bottom])
}

fn lines_of(outline: &FaceOutline, size: &PictureInfo) -> Vec<Vec<[f32; 2]>> {
    let FaceOutline { oval, left_eye, right_eye, mouth } = outline;
    let line = |points: &Vec<PointPx>| points.iter().map(|point| share_of(*point, size)).collect();
    [oval, left_eye, right_eye, mouth].map(line).to_vec()
}

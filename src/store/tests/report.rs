//! The use case on a real store: who may have a report, and that the report knows of itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::open;
use crate::audit::{Action, Actor, Outcome};
use crate::error::{ErrorKind, Kinded};
use crate::scoring::ENGINE;
use crate::service::ports::{Clock, SessionStore};
use crate::service::{
    Caller, Permission, ReportPicture, ReportStill, ReportStills, Reports, SecondReviewer, ServiceError, StillSource,
};
use crate::session::{SessionId, TenantId};
use crate::store::AuditReader;
use crate::store::samples::{commit, record, said, time};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        time(43_200)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn caller(tenant: &str, permissions: &[Permission]) -> Caller {
    Caller {
        tenant: TenantId::new(tenant).expect("a good id"),
        actor: Actor::system("test"),
        permissions: permissions.iter().copied().collect(),
    }
}

/// Two stills, the later one first.
struct Album;

#[async_trait::async_trait]
impl StillSource for Album {
    async fn report_stills(&self, _: &Caller, _: &SessionId, _: usize) -> Result<ReportStills, ServiceError> {
        let still = |millis| ReportStill {
            ordinal: 1,
            participant_id: crate::store::samples::participant("candidate"),
            segment: None,
            at: crate::media::MediaTime::from_millis(millis),
            frame: ReportPicture::new(Vec::new()),
            chip: None,
            face_box: None,
            outline: Vec::new(),
            presentation_score: None,
            deepfake_score: None,
        };
        Ok(ReportStills { stills: vec![still(2_000), still(1_000)], n_stills: 3, gaps: Vec::new() })
    }
}

#[tokio::test]
async fn a_report_stands_in_the_log_and_the_log_in_the_report() {
    let (store, folder) = open().await;
    let name = store.create(record("abcd-1", 0), None, said()).await.expect("creates").name;
    store.commit(commit("abcd-1", 0)).await.expect("commits");
    let reports = Reports::new(Arc::clone(&store) as _, Arc::new(Noon), SecondReviewer::Always);
    let reader = caller("default", &[Permission::ReadSessions]);
    let content = reports.content(&reader, &name.id).await.expect("gathers");
    let own = content.audit.last().expect("is there");
    assert_eq!(
        (own.event.action, own.event.outcome, own.event.time),
        (Action::ReportExport, Outcome::Done, content.made)
    );
    assert_eq!((own.sequence, content.engine.as_str()), (content.log_end.sequence, ENGINE));
    assert_eq!((content.second_reviewer, content.session.id.clone()), (SecondReviewer::Always, name.id.clone()));
    let log = AuditReader::open(&super::options(&folder)).expect("opens");
    log.require(content.log_end.sequence, &content.log_end.hash.to_string()).await.expect("is that row");
    assert!(content.stills.is_empty());
    let with_stills = reports.with_stills(Arc::new(Album)).content(&reader, &name.id).await.expect("gathers");
    assert_eq!((with_stills.stills[0].at.as_secs_f64(), with_stills.n_stills), (1.0, 3), "in order of time");
}

#[tokio::test]
async fn who_may_not_read_gets_none_and_is_written_down() {
    let (store, folder) = open().await;
    let name = store.create(record("abcd-1", 0), None, said()).await.expect("creates").name;
    let reports = Reports::new(Arc::clone(&store) as _, Arc::new(Noon), SecondReviewer::Never);
    let writer = caller("default", &[Permission::WriteSessions, Permission::Review, Permission::Identity]);
    let refused = reports.content(&writer, &name.id).await.expect_err("is refused");
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let other = caller("other", &[Permission::ReadSessions]);
    assert_eq!(reports.content(&other, &name.id).await.expect_err("is theirs").kind(), ErrorKind::NotFound);
    let entries = AuditReader::open(&super::options(&folder)).expect("opens").page(0, 10).await.expect("reads");
    let exports: Vec<_> = entries
        .iter()
        .filter(|(_, event)| event.action == Action::ReportExport)
        .map(|(_, event)| (event.tenant.as_str(), event.outcome, event.object.as_str()))
        .collect();
    assert_eq!(exports, [("default", Outcome::Denied, "sessions/abcd-1")]);
}

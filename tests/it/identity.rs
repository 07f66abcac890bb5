//! The identity ledger end to end: real models, a real server, pictures of people.
//!
//! Pictures are those of `BONAFIDE_TEST_DATA`, else of `../shared/data` beside the package: `faces/lfw`, a folder a person.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bonafide::grpc::proto::v1::identity_service_client::IdentityServiceClient;
use bonafide::grpc::proto::v1::{self, face_subject};
use bonafide::grpc::{ApiKey, GrpcOptions, Scope};
use bonafide::media::{MediaTime, Rotation, VideoFormat, VideoSample};
use bonafide::service::{Interviews, NewSession, StreamOptions};
use bonafide::session::{CandidateId, ParticipantId, SessionId, SourceKind, Track, TrackId};
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use sha2::{Digest as _, Sha256};
use tonic::metadata::AsciiMetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{PATIENCE, Server, hex, operator};

/// People with sessions of their own.
const N_PEOPLE: usize = 12;
/// Looks at each of them.
const N_FRAMES: u64 = 12;
/// False matches accepted of a search: of all searches of the test together a hundredth of one.
const MAX_FALSE_MATCHES: f64 = 0.001;
/// The one who comes back under another name.
const WHO: usize = 3;

/// Two pictures of each of some people; `None`, said aloud, without any.
pub(crate) fn people() -> Option<Vec<[Bytes; 2]>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("BONAFIDE_TEST_DATA").map_or_else(beside, PathBuf::from).join("faces/lfw");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no pictures of people: {} is missing; set BONAFIDE_TEST_DATA", folder.display());
        return None;
    };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    let pictures = |folder: &PathBuf| {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).ok()?.filter_map(|file| Some(file.ok()?.path())).collect();
        files.sort();
        let [first, second, ..] = files.as_slice() else { return None };
        let read = |file: &PathBuf| Bytes::from(std::fs::read(file).expect("readable"));
        Some([read(first), read(second)])
    };
    let people: Vec<_> = folders.iter().filter_map(pictures).take(N_PEOPLE).collect();
    assert_eq!(people.len(), N_PEOPLE, "{} has too few people with two pictures", folder.display());
    Some(people)
}

pub(crate) fn key(name: &str, scopes: &[Scope]) -> ApiKey {
    let digest = Sha256::digest(name);
    ApiKey { name: name.to_owned(), sha256: hex(&digest), tenant: "default".to_owned(), scopes: scopes.to_vec() }
}

type AddKey = Box<dyn FnMut(Request<()>) -> Result<Request<()>, Status> + Send>;
pub(crate) type Client = IdentityServiceClient<InterceptedService<Channel, AddKey>>;

pub(crate) async fn client(server: &Server, key: &'static str) -> Client {
    let channel = Channel::from_shared(format!("http://{}", server.address)).expect("an address");
    let channel = channel.connect().await.expect("the server listens");
    let add_key: AddKey = Box::new(move |mut request| {
        request.metadata_mut().insert("x-api-key", AsciiMetadataValue::from_static(key));
        Ok(request)
    });
    IdentityServiceClient::with_interceptor(channel, add_key)
}

/// An interview in which one picture is seen for some seconds, finished.
pub(crate) async fn interview(interviews: &Interviews, session: &str, candidate: &str, picture: &Bytes) {
    let id = SessionId::new(session).expect("valid");
    let track_id = TrackId::new("camera").expect("valid");
    let track = Track {
        track_id: track_id.clone(),
        participant_id: ParticipantId::new("candidate").expect("valid"),
        kind: SourceKind::Camera,
        device: None,
    };
    let options = StreamOptions {
        session_id: id.clone(),
        create: Some(NewSession {
            consent_reference: "consents/1".to_owned(),
            candidate: Some(CandidateId::new(candidate).expect("valid")),
            ..NewSession::default()
        }),
        tracks: vec![(track, Some(VideoFormat::Jpeg))],
        policy: String::new(),
        resume_token: None,
        score_interval: None,
        references: Vec::new(),
    };
    let mut stream = interviews.open_stream(&operator(), options).await.expect("opens");
    for sequence in 0..N_FRAMES {
        let sample = VideoSample {
            sequence,
            media_time: MediaTime::from_millis(i64::try_from(sequence).unwrap_or(0) * 500),
            format: None,
            layout: None,
            rotation: Rotation::None,
            keyframe: false,
            data: picture.clone(),
        };
        let command = bonafide::service::StreamCommand::Video { track_id: track_id.clone(), sample };
        stream.input.send(command).expect("accepted");
        // One after the other, so that none is shed.
        loop {
            let event = tokio::time::timeout(PATIENCE, stream.events.recv()).await.expect("in time").expect("goes on");
            if matches!(&event, bonafide::service::LiveEvent::Ack(ack) if ack.sequence >= sequence) {
                break;
            }
        }
    }
    interviews.finish(&operator(), &id).await.expect("finishes");
}

fn image(picture: &Bytes) -> v1::FaceSubject {
    v1::FaceSubject { subject: Some(face_subject::Subject::Image(picture.clone())) }
}

pub(crate) fn session(id: &str) -> v1::FaceSubject {
    let face = v1::SessionFace { session: format!("sessions/{id}"), participant_id: String::new(), person: 0 };
    v1::FaceSubject { subject: Some(face_subject::Subject::Session(face)) }
}

/// `sessions/…` or `candidates/…/references/…`.
pub(crate) fn name(face: Option<&v1::Face>) -> String {
    match face.and_then(|face| face.face.as_ref()) {
        Some(v1::face::Face::Session(face)) => face.session.clone(),
        Some(v1::face::Face::Reference(name)) => name.clone(),
        None => String::new(),
    }
}

async fn refusals(client: &mut Client, picture: Bytes) -> Vec<String> {
    let request = v1::EnrollReferenceRequest {
        candidate: "candidates/refused".to_owned(),
        purpose: v1::ReferencePurpose::Applied.into(),
        consent_reference: "consents/1".to_owned(),
        source: Some(v1::enroll_reference_request::Source::Image(picture)),
        ..v1::EnrollReferenceRequest::default()
    };
    client.enroll_reference(request).await.expect("is looked at").into_inner().refusals
}

pub(crate) fn jpeg(picture: &RgbImage) -> Bytes {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(picture).expect("a JPEG");
    bytes.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_enrolled_found_confirmed_and_hunted() {
    let Some(people) = people() else { return };
    let keys = vec![key("ledger", &[Scope::Identity]), key("plugin", &[Scope::Sessions])];
    let Some(server) = Server::start_with(GrpcOptions { api_keys: keys, ..GrpcOptions::default() }).await else {
        return;
    };
    for (number, [first, _]) in people.iter().enumerate() {
        interview(&server.interviews, &format!("round-{number}"), &format!("person-{number}"), first).await;
    }
    interview(&server.interviews, "another-name", "somebody-else", &people[WHO][1]).await;
    let mut ledger = client(&server, "ledger").await;

    // Proposed by the machine at the end of the second session.
    let deadline = Instant::now() + PATIENCE;
    let expected = ["sessions/another-name".to_owned(), format!("sessions/round-{WHO}")];
    loop {
        let request = v1::ListMatchesRequest {
            filter: Some(v1::list_matches_request::Filter::Session("sessions/another-name".to_owned())),
            ..v1::ListMatchesRequest::default()
        };
        let listed = ledger.list_matches(request).await.expect("lists").into_inner().matches;
        let is_it = |found: &v1::FaceMatch| {
            let mut pair = [name(found.first.as_ref()), name(found.second.as_ref())];
            pair.sort();
            pair == expected && found.reason() == v1::ProposalReason::OtherCandidate && found.verdict.is_none()
        };
        if listed.iter().any(is_it) {
            break;
        }
        assert!(Instant::now() < deadline, "it was not proposed: {listed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Enrolled pictures find their own sessions and nobody else's.
    let mut n_found = 0;
    for (number, [_, second]) in people.iter().enumerate() {
        let request = v1::EnrollReferenceRequest {
            candidate: format!("candidates/person-{number}"),
            purpose: v1::ReferencePurpose::Applied.into(),
            consent_reference: "consents/1".to_owned(),
            source: Some(v1::enroll_reference_request::Source::Image(second.clone())),
            ..v1::EnrollReferenceRequest::default()
        };
        let enrolled = ledger.enroll_reference(request).await.expect("is looked at").into_inner();
        let Some(reference) = enrolled.reference else { continue };
        let subject = Some(v1::FaceSubject { subject: Some(face_subject::Subject::Reference(reference.name)) });
        let request = v1::SearchFaceRequest { subject, max_false_matches: Some(MAX_FALSE_MATCHES), max_hits: 20 };
        let answer = ledger.search_face(request).await.expect("searches").into_inner();
        let hits: Vec<_> = answer.hits.iter().map(|hit| name(hit.face.as_ref())).collect();
        n_found += usize::from(hits.contains(&format!("sessions/round-{number}")));
        let is_own = |hit: &String| {
            *hit == format!("sessions/round-{number}") || (number == WHO && hit == "sessions/another-name")
        };
        assert!(hits.iter().all(is_own), "person {number}: {hits:?}");
        let figures = answer.figures.expect("is set");
        assert!(figures.searched >= 13 && figures.false_matches <= MAX_FALSE_MATCHES, "{figures:?}");
    }
    assert!(n_found >= N_PEOPLE - 1, "{n_found} of {N_PEOPLE} found by another picture");

    // A person confirms; then one call lists every session that the face was in, by any of its pictures.
    let request = v1::ConfirmMatchRequest {
        first: Some(session("another-name")),
        second: Some(session(&format!("round-{WHO}"))),
        verdict: v1::MatchVerdict::Same.into(),
        note: "same scar".to_owned(),
        kind: v1::MatchKind::Face.into(),
    };
    ledger.confirm_match(request).await.expect("says so");
    let request = v1::HuntFaceRequest { subject: Some(session("another-name")), max_false_matches: None };
    let hunt = ledger.hunt_face(request).await.expect("hunts").into_inner();
    let found: Vec<_> = hunt.found.iter().map(|found| (name(found.face.as_ref()), found.confirmed)).collect();
    assert!(found.contains(&(format!("sessions/round-{WHO}"), true)), "{found:?}");
    assert!(hunt.followed >= 2, "{hunt:?}");
    let request = v1::HuntFaceRequest { subject: Some(image(&people[WHO][0])), max_false_matches: None };
    let hunt = ledger.hunt_face(request).await.expect("hunts").into_inner();
    let found: Vec<_> = hunt.found.iter().map(|found| name(found.face.as_ref())).collect();
    assert!(found.contains(&"sessions/another-name".to_owned()), "{found:?}");

    // What cannot be used is refused with its reason.
    let bare = RgbImage::from_pixel(320, 240, Rgb([90, 120, 150]));
    assert_eq!(refusals(&mut ledger, jpeg(&bare)).await, ["reference.no_face"]);
    let decoded = |number: usize| image::load_from_memory(&people[number][0]).expect("a picture").to_rgb8();
    let (left, right) = (decoded(0), decoded(1));
    let mut both = RgbImage::new(left.width() + right.width(), left.height().max(right.height()));
    image::imageops::replace(&mut both, &left, 0, 0);
    image::imageops::replace(&mut both, &right, i64::from(left.width()), 0);
    assert_eq!(refusals(&mut ledger, jpeg(&both)).await, ["reference.several_faces"]);
    let tiny = image::imageops::resize(&left, 60, 60, image::imageops::FilterType::Triangle);
    let refused = refusals(&mut ledger, jpeg(&tiny)).await;
    assert!(refused == ["quality.face_too_small"] || refused == ["reference.no_face"], "{refused:?}");
    let broken =
        v1::SearchFaceRequest { subject: Some(image(&Bytes::from_static(b"no picture"))), ..Default::default() };
    assert_eq!(ledger.search_face(broken).await.expect_err("is none").code(), Code::InvalidArgument);

    // Without the scope nothing is told; what is deleted is not found.
    let mut plugin = client(&server, "plugin").await;
    let search =
        || v1::SearchFaceRequest { subject: Some(session("another-name")), max_false_matches: None, max_hits: 20 };
    assert_eq!(plugin.search_face(search()).await.expect_err("may not").code(), Code::PermissionDenied);
    let id = SessionId::new(&format!("round-{WHO}")).expect("valid");
    server.interviews.delete(&operator(), &id, None).await.expect("deletes");
    let answer = ledger.search_face(search()).await.expect("searches").into_inner();
    let hits: Vec<_> = answer.hits.iter().map(|hit| name(hit.face.as_ref())).collect();
    assert!(!hits.contains(&format!("sessions/round-{WHO}")), "{hits:?}");
    assert!(server.identities.is_enabled());
    drop((ledger, plugin));
    server.stop().await;
}

//! Stills of a person in a recording, from the stream to the picture that a reviewer opens, and to their deletion.

use std::path::{Path, PathBuf};

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;
use bonafide::grpc::proto::v1::evidence_service_client::EvidenceServiceClient;
use bonafide::media::{MediaLimits, RgbImage, decode_still, encode_jpeg, fit_within};
use bonafide::session::SessionId;
use bonafide::vision::BoxPx;
use bytes::Bytes;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::{Server, operator, pipeline};
use crate::wire::{Client, PICTURE_HZ, config, frame};

/// Pictures of each person: eight seconds.
const N_PICTURES: usize = 64;
/// Pictures that are under way at one time.
const N_AHEAD: u64 = 8;

pub(crate) async fn stills(server: &Server) -> EvidenceServiceClient<Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).expect("an address");
    EvidenceServiceClient::new(endpoint.connect().await.expect("the server listens"))
}

pub(crate) async fn list(client: &EvidenceServiceClient<Channel>, session: &str) -> v1::ListStillsResponse {
    let request = v1::ListStillsRequest { parent: format!("sessions/{session}") };
    client.clone().list_stills(request).await.expect("lists").into_inner()
}

async fn get(client: &EvidenceServiceClient<Channel>, name: &str, part: v1::StillPart) -> Result<RgbImage, Code> {
    let request = v1::GetStillRequest { name: name.to_owned(), part: part.into() };
    let answer = client.clone().get_still(request).await.map_err(|status| status.code())?.into_inner();
    assert_eq!(answer.content_type, "image/jpeg");
    assert!(answer.content.len() <= 64 * 1024, "{} bytes", answer.content.len());
    Ok(decode_still(&answer.content, &MediaLimits::default()).expect("is a picture"))
}

/// Streams pictures into a session and finishes it.
pub(crate) async fn play(server: &Server, session: &str, mode: v1::EvidenceMode, pictures: &[Bytes]) -> v1::Session {
    let client = Client::connect(server.address).await;
    let mut config = config(session);
    config.new_session.as_mut().expect("is set").evidence_mode = mode.into();
    let (mut stream, _ready) = client.open(config).await.expect("opens");
    let mut acked = 0;
    for (number, picture) in pictures.iter().enumerate() {
        let sequence = number as u64 + 1;
        assert!(stream.show(frame(sequence, picture.clone())).await, "the stream goes on");
        // Not much faster than they are analysed: samples would be shed.
        while sequence > acked + N_AHEAD {
            let heard = stream.until_acked(acked + 1).await;
            acked = heard
                .iter()
                .filter_map(|answer| if let Heard::Ack(ack) = answer { Some(ack.sequence) } else { None })
                .max()
                .unwrap_or(acked);
        }
    }
    stream.end();
    stream.until_ended().await.1.expect("an orderly end");
    client.finish(session).await
}

/// Files of stills, without the marker.
fn files(folder: &Path) -> Vec<PathBuf> {
    let shelves = std::fs::read_dir(folder.join("evidence")).expect("is there");
    let shelves = shelves.map(|entry| entry.expect("is there").path()).filter(|path| path.is_dir());
    shelves
        .flat_map(|shelf| std::fs::read_dir(shelf).expect("is there"))
        .map(|entry| entry.expect("is there").path())
        .collect()
}

fn box_of(wire: &v1::StillBox) -> BoxPx {
    BoxPx { left: wire.left, top: wire.top, right: wire.right, bottom: wire.bottom }
}

/// Two people, each a photograph that comes a little nearer and goes again; `None`, said aloud, without sample media.
pub(crate) fn two_people() -> Option<[Vec<Bytes>; 2]> {
    let astronaut = photograph("astronaut.png")?;
    let one_of_three = cut(&photograph("sample3.jpg")?, (1_020, 140), 370);
    Some([moving(&astronaut), moving(&one_of_three)])
}

fn photograph(name: &str) -> Option<RgbImage> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide/media"));
    let folder = std::env::var_os("BONAFIDE_TEST_MEDIA").map(PathBuf::from).or_else(home)?;
    let Ok(bytes) = std::fs::read(folder.join(name)) else {
        eprintln!("SKIPPED: {name} is not there; scripts/setup fetches it");
        return None;
    };
    Some(decode_still(&bytes, &MediaLimits::default()).expect("a picture"))
}

/// A square of a picture.
fn cut(picture: &RgbImage, (left, top): (usize, usize), side: usize) -> RgbImage {
    let row_bytes = picture.width() as usize * 3;
    let rows = picture.pixels().chunks_exact(row_bytes).skip(top).take(side);
    let pixels = rows.flat_map(|row| row[left * 3..(left + side) * 3].iter().copied()).collect();
    let side = u32::try_from(side).expect("small");
    RgbImage::new(side, side, pixels).expect("lies in the picture")
}

fn moving(photograph: &RgbImage) -> Vec<Bytes> {
    let pictures = (0..N_PICTURES).map(|number| {
        let side = 400 + u32::try_from((number % 40).abs_diff(20)).expect("small") * 8;
        let picture = fit_within(photograph.view(), (side, side)).expect("fits");
        Bytes::from(encode_jpeg(picture.view(), 90).expect("a JPEG"))
    });
    pictures.collect()
}

/// Four lines, each from neighbour to neighbour, on the face.
fn assert_outline(outline: &[v1::StillLine], face: &BoxPx) {
    assert_eq!(outline.len(), 4);
    assert!(outline.iter().map(|line| line.points.len()).sum::<usize>() <= 120);
    for line in outline {
        for (point, next) in line.points.iter().zip(line.points.iter().cycle().skip(1)) {
            let distance = (point.x - next.x).hypot(point.y - next.y);
            assert!(distance < face.height() / 6.0, "{point:?} {next:?} of a face of {} px", face.height());
            assert!(
                (point.x - face.center().x).abs() < face.height() && (point.y - face.center().y).abs() < face.height()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_leaves_stills_that_show_who_it_was_and_takes_them_with_it() {
    let (Some(server), Some(pipeline)) = (Server::start(None).await, pipeline()) else { return };
    let Some(people) = two_people() else { return };
    let session = play(&server, "stills", v1::EvidenceMode::Unspecified, &people.concat()).await;
    let client = stills(&server).await;
    let listed = list(&client, "stills").await;
    println!("{} stills, gaps {:?}, session {:?}", listed.stills.len(), listed.gaps, session.level);
    let enrolment: Vec<_> = listed.stills.iter().filter(|still| still.segment.is_empty()).collect();
    assert_eq!(enrolment.len(), 3, "{:?}", listed.gaps);
    let changed_at = N_PICTURES as f64 / PICTURE_HZ;
    for still in &listed.stills {
        let shown = still.face.as_ref().expect("a face");
        let picture = get(&client, &still.name, v1::StillPart::Frame).await.expect("opens");
        let info = still.frame.as_ref().expect("is set");
        assert_eq!((picture.width(), picture.height()), (info.width_px, info.height_px));
        assert!(picture.width() <= 640 && picture.height() <= 640);
        let faces = pipeline.faces((&picture).into()).expect("models run");
        let wanted = box_of(shown.r#box.as_ref().expect("is set"));
        let overlap = faces.iter().map(|face| face.box_in_frame.iou(&wanted)).fold(0.0, f32::max);
        assert!(overlap > 0.6, "{}: the face is where its facts say: {overlap}", still.name);
        let chip = get(&client, &still.name, v1::StillPart::Chip).await.expect("opens");
        assert!(chip.width() == chip.height() && chip.width() <= 256);
        assert!(
            !pipeline.faces((&chip).into()).expect("models run").is_empty(),
            "{}: the chip shows a face",
            still.name
        );
        assert_outline(&shown.outline, &wanted);
    }
    for still in enrolment {
        let at = still.media_time.as_ref().expect("is set").seconds;
        assert!((at as f64) < changed_at, "the enrolment is of the beginning: {at} s");
    }
    let of_segments: Vec<_> = listed.stills.iter().filter(|still| !still.segment.is_empty()).collect();
    assert!(!of_segments.is_empty(), "another person opens a segment, which is shown: {:?}", listed.gaps);
    let shows_change =
        of_segments.iter().any(|still| still.media_time.as_ref().is_some_and(|at| at.seconds as f64 >= changed_at));
    assert!(shows_change, "by the person who came");
    let n_files = files(server.folder()).len();
    assert_eq!(n_files, listed.stills.len());
    assert_eq!(get(&client, "sessions/stills/stills/999", v1::StillPart::Frame).await, Err(Code::NotFound));
    assert_eq!(get(&client, "sessions/gone/stills/1", v1::StillPart::Frame).await, Err(Code::NotFound));
    assert_eq!(get(&client, "sessions/stills/stills/1", v1::StillPart::Unspecified).await, Err(Code::InvalidArgument));

    let id = SessionId::new("stills").expect("valid");
    server.interviews.delete(&operator(), &id, None).await.expect("deletes");
    assert_eq!(files(server.folder()), Vec::<PathBuf>::new(), "nothing is left of it");
    assert_eq!(get(&client, "sessions/stills/stills/1", v1::StillPart::Frame).await, Err(Code::NotFound));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_images_leaves_none() {
    let Some(server) = Server::start(None).await else { return };
    let Some([pictures, _]) = two_people() else { return };
    let session = play(&server, "no-images", v1::EvidenceMode::NoImages, &pictures).await;
    assert_eq!(session.evidence_mode(), v1::EvidenceMode::NoImages);
    let listed = list(&stills(&server).await, "no-images").await;
    assert!(listed.stills.is_empty());
    assert_eq!(listed.gaps.len(), 1, "the one participant");
    assert_eq!(listed.gaps[0].cause(), v1::StillGapCause::NoImages);
    assert_eq!(files(server.folder()), Vec::<PathBuf>::new());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_whose_stills_cannot_be_written_is_scored_all_the_same() {
    let Some(server) = Server::start(None).await else { return };
    let Some([pictures, _]) = two_people() else { return };
    std::fs::rename(server.folder().join("evidence"), server.folder().join("away")).expect("moves");
    let session = play(&server, "gone", v1::EvidenceMode::Stills, &pictures).await;
    assert_eq!(session.participants.len(), 1, "it is scored");
    let listed = list(&stills(&server).await, "gone").await;
    assert!(listed.stills.is_empty() && !server.folder().join("evidence").exists());
    let causes: Vec<_> = listed.gaps.iter().map(v1::StillGap::cause).collect();
    assert_eq!(causes, [v1::StillGapCause::NotKept]);
    server.stop().await;
}

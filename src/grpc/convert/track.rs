//! Tracks and capture devices.

use std::time::Duration;

use crate::grpc::field::{self, FieldError};
use crate::grpc::proto::v1;
use crate::media::VideoFormat;
use crate::session::{CaptureDevice, ParticipantId, SettingProbe, SourceKind, Track, TrackId};

use super::media::{format_from_wire, video_format_to_wire};

const MAX_PROBES: usize = 32;
const MAX_PROBE_NAME_BYTES: usize = 64;
const MAX_PROBE_RESPONSE: Duration = Duration::from_mins(10);

/// A track and the format that its samples default to.
pub(in crate::grpc) fn track_from_wire(track: v1::Track) -> Result<(Track, Option<VideoFormat>), FieldError> {
    field::known::<v1::AudioFormat>("audio_format", track.audio_format)?;
    let kind = match field::known("kind", track.kind)? {
        v1::SourceKind::Unspecified => {
            return Err(FieldError::new("kind", "is not set: say whether the track is a CAMERA, SCREEN or MICROPHONE"));
        }
        v1::SourceKind::Camera => SourceKind::Camera,
        v1::SourceKind::Screen => SourceKind::Screen,
        v1::SourceKind::Microphone => SourceKind::Microphone,
    };
    let format = format_from_wire("video_format", track.video_format)?;
    let track = Track {
        track_id: TrackId::new(&track.track_id)?,
        participant_id: ParticipantId::new(&track.participant_id)?,
        kind,
        device: track.device.map(device_from_wire).transpose().map_err(|error| error.within("device"))?,
    };
    Ok((track, format))
}

/// A track for the wire.
pub(in crate::grpc) fn track_to_wire(track: &Track, format: Option<VideoFormat>) -> v1::Track {
    let kind = match track.kind {
        SourceKind::Camera => v1::SourceKind::Camera,
        SourceKind::Screen => v1::SourceKind::Screen,
        SourceKind::Microphone => v1::SourceKind::Microphone,
    };
    v1::Track {
        track_id: track.track_id.as_str().to_owned(),
        participant_id: track.participant_id.as_str().to_owned(),
        kind: kind.into(),
        video_format: format.map_or(v1::VideoFormat::Unspecified, video_format_to_wire).into(),
        device: track.device.as_ref().map(device_to_wire),
        ..v1::Track::default()
    }
}

fn device_from_wire(device: v1::CaptureDevice) -> Result<CaptureDevice, FieldError> {
    field::at_most("probes", &device.probes, MAX_PROBES)?;
    Ok(CaptureDevice {
        label: field::text("label", device.label, field::MAX_TEXT_BYTES)?,
        platform: field::text("platform", device.platform, field::MAX_TEXT_BYTES)?,
        probes: device
            .probes
            .into_iter()
            .map(probe_from_wire)
            .collect::<Result<_, _>>()
            .map_err(|error| error.within("probes"))?,
    })
}

fn probe_from_wire(probe: v1::SettingProbe) -> Result<SettingProbe, FieldError> {
    let response = field::length("response_time", probe.response_time, MAX_PROBE_RESPONSE)?;
    Ok(SettingProbe {
        name: field::text("name", probe.name, MAX_PROBE_NAME_BYTES)?,
        requested: field::finite("requested", probe.requested)?,
        reported: field::finite("reported", probe.reported)?,
        actual: field::finite("actual", probe.actual)?,
        response_secs: response.unwrap_or_default().as_secs_f64(),
    })
}

fn device_to_wire(device: &CaptureDevice) -> v1::CaptureDevice {
    v1::CaptureDevice {
        label: device.label.clone(),
        platform: device.platform.clone(),
        probes: device
            .probes
            .iter()
            .map(|probe| v1::SettingProbe {
                name: probe.name.clone(),
                requested: probe.requested,
                reported: probe.reported,
                actual: probe.actual,
                response_time: super::secs_to_wire(probe.response_secs),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::grpc::proto::v1;
    use crate::media::VideoFormat;

    use super::{track_from_wire, track_to_wire};

    fn camera() -> v1::Track {
        v1::Track {
            track_id: "camera-1".into(),
            participant_id: "user-7".into(),
            kind: v1::SourceKind::Camera.into(),
            video_format: v1::VideoFormat::Jpeg.into(),
            device: Some(v1::CaptureDevice {
                label: "OBS Virtual Camera".into(),
                platform: "browser/chromium 156".into(),
                probes: vec![v1::SettingProbe { name: "height".into(), actual: 720.0, ..Default::default() }],
            }),
            ..Default::default()
        }
    }

    #[test]
    fn tracks_survive_the_round_trip() {
        let (track, format) = track_from_wire(camera()).expect("valid");
        assert_eq!(format, Some(VideoFormat::Jpeg));
        let again = track_from_wire(track_to_wire(&track, format)).expect("valid");
        assert_eq!(again, (track, format));
    }

    #[test]
    fn bad_tracks_are_refused_by_field() {
        let check = |field: &str, change: fn(&mut v1::Track)| {
            let mut track = camera();
            change(&mut track);
            assert_eq!(track_from_wire(track).expect_err(field).field, field);
        };
        check("kind", |track| track.kind = 0);
        check("kind", |track| track.kind = 99);
        check("video_format", |track| track.video_format = 99);
        check("audio_format", |track| track.audio_format = -1);
        check("track_id", |track| track.track_id.clear());
        check("participant_id", |track| track.participant_id = "x".repeat(129));
        check("device.label", |track| track.device.as_mut().expect("set").label = "x".repeat(257));
        check("device.probes", |track| {
            track.device.as_mut().expect("set").probes = vec![v1::SettingProbe::default(); 33];
        });
        check("device.probes.actual", |track| {
            track.device.as_mut().expect("set").probes =
                vec![v1::SettingProbe { actual: f64::NAN, ..Default::default() }];
        });
    }
}

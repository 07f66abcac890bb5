//! The first message of a stream.

use std::time::Duration;

use bytes::Bytes;

use crate::grpc::field::{self, FieldError};
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::service::{NewSession, StreamOptions};
use crate::session::ParticipantId;

use super::session::evidence_mode_to_wire;
use super::{new_session_from_wire, track_from_wire, track_to_wire};

const MAX_TRACKS: usize = 64;
const MAX_REFERENCES: usize = 8;
const MAX_REFERENCE_BYTES: usize = 8 * 1024 * 1024;
const MAX_SCORE_INTERVAL: Duration = Duration::from_hours(1);

/// How a stream begins.
pub(in crate::grpc) fn config_from_wire(config: v1::StreamConfig) -> Result<StreamOptions, FieldError> {
    let session_id = name::parse_session("session", &config.session)?;
    let create = match (config.create_if_missing, config.new_session) {
        (false, None) => None,
        (false, Some(_)) => {
            return Err(FieldError::new(
                "new_session",
                "is set without create_if_missing: set that too, or leave it out",
            ));
        }
        (true, new) => Some(
            new_session_from_wire(new.unwrap_or_default(), Some(session_id.clone()), None)
                .map_err(|error| error.within("new_session"))?,
        ),
    };
    field::at_most("tracks", &config.tracks, MAX_TRACKS)?;
    field::at_most("reference_images", &config.reference_images, MAX_REFERENCES)?;
    let tracks = config.tracks.into_iter().map(track_from_wire).collect::<Result<Vec<_>, _>>();
    let references = config.reference_images.into_iter().map(reference_from_wire).collect::<Result<Vec<_>, _>>();
    Ok(StreamOptions {
        session_id,
        create,
        tracks: tracks.map_err(|error| error.within("tracks"))?,
        policy: field::text("policy", config.policy, field::MAX_TEXT_BYTES)?,
        resume_token: field::token("resume_token", config.resume_token)?,
        score_interval: field::length("score_interval", config.score_interval, MAX_SCORE_INTERVAL)?,
        references: references.map_err(|error| error.within("reference_images"))?,
    })
}

fn reference_from_wire(reference: v1::ReferenceImage) -> Result<(ParticipantId, Bytes), FieldError> {
    if reference.image.is_empty() {
        return Err(FieldError::new("image", "is empty: send a JPEG, PNG or WebP"));
    }
    if reference.image.len() > MAX_REFERENCE_BYTES {
        return Err(FieldError::new(
            "image",
            format!("has {} bytes: send at most {MAX_REFERENCE_BYTES}", reference.image.len()),
        ));
    }
    Ok((ParticipantId::new(&reference.participant_id)?, reference.image))
}

/// The first message of a stream, for the wire.
pub(in crate::grpc) fn config_to_wire(options: &StreamOptions) -> v1::StreamConfig {
    v1::StreamConfig {
        session: name::session_name(&options.session_id),
        create_if_missing: options.create.is_some(),
        tracks: options.tracks.iter().map(|(track, format)| track_to_wire(track, *format)).collect(),
        policy: options.policy.clone(),
        resume_token: options.resume_token.clone().unwrap_or_default(),
        score_interval: options.score_interval.map(super::length_to_wire),
        new_session: options.create.as_ref().map(new_session_to_wire),
        reference_images: options
            .references
            .iter()
            .map(|(participant_id, image)| v1::ReferenceImage {
                participant_id: participant_id.as_str().to_owned(),
                image: image.clone(),
            })
            .collect(),
    }
}

fn new_session_to_wire(new: &NewSession) -> v1::Session {
    v1::Session {
        display_name: new.display_name.clone(),
        external_ref: new.external_ref.clone(),
        candidate: new.candidate.as_ref().map(name::candidate_name).unwrap_or_default(),
        consent_reference: new.consent_reference.clone(),
        evidence_mode: new.evidence.map_or(v1::EvidenceMode::Unspecified, evidence_mode_to_wire).into(),
        labels: new.labels.clone(),
        expire_time: new.expire_time.map(super::session::timestamp_to_wire),
        ..v1::Session::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use crate::grpc::proto::v1;

    use super::{config_from_wire, config_to_wire};

    fn config() -> v1::StreamConfig {
        v1::StreamConfig {
            session: "sessions/interview-7".into(),
            create_if_missing: true,
            tracks: vec![v1::Track {
                track_id: "camera-1".into(),
                participant_id: "user-7".into(),
                kind: v1::SourceKind::Camera.into(),
                ..Default::default()
            }],
            policy: "default".into(),
            resume_token: "token".into(),
            score_interval: Some(prost_types::Duration { seconds: 2, nanos: 500 }),
            new_session: Some(v1::Session {
                consent_reference: "consent/1".into(),
                expire_time: Some(prost_types::Timestamp { seconds: 1_900_000_000, nanos: 7 }),
                ..Default::default()
            }),
            reference_images: vec![v1::ReferenceImage {
                participant_id: "user-7".into(),
                image: bytes::Bytes::from_static(b"picture"),
            }],
        }
    }

    #[test]
    fn configs_survive_the_round_trip() {
        let options = config_from_wire(config()).expect("valid");
        let create = options.create.as_ref().expect("asked for");
        assert_eq!(create.id.as_ref(), Some(&options.session_id));
        assert_eq!(config_to_wire(&options), config());
    }

    #[test]
    fn bad_configs_are_refused_by_field() {
        let check = |field: &str, change: fn(&mut v1::StreamConfig)| {
            let mut config = config();
            change(&mut config);
            assert_eq!(config_from_wire(config).expect_err(field).field, field);
        };
        check("session", |config| config.session.clear());
        check("session", |config| config.session = "interview-7".into());
        check("new_session", |config| config.create_if_missing = false);
        check("new_session.display_name", |config| {
            config.new_session.as_mut().expect("set").display_name = "x".repeat(300);
        });
        check("tracks", |config| config.tracks = vec![v1::Track::default(); 65]);
        check("tracks.kind", |config| config.tracks = vec![v1::Track::default()]);
        check("policy", |config| config.policy = "x".repeat(257));
        check("resume_token", |config| config.resume_token = "x".repeat(513));
        check("score_interval", |config| {
            config.score_interval = Some(prost_types::Duration { seconds: 3_601, nanos: 0 });
        });
        check("reference_images", |config| config.reference_images = vec![v1::ReferenceImage::default(); 9]);
        check("reference_images.image", |config| config.reference_images = vec![v1::ReferenceImage::default()]);
        check("reference_images.participant_id", |config| {
            config.reference_images.first_mut().expect("one").participant_id.clear();
        });
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(message) = <v1::StreamConfig as prost::Message>::decode(bytes.as_slice())
                && let Err(error) = config_from_wire(message)
            {
                    prop_assert!(!error.field.is_empty() && !error.problem.is_empty());
            }
        }
    }
}

//! Media samples.

use crate::grpc::field::{self, FieldError};
use crate::grpc::proto::v1;
use crate::media::{ColorRange, PixelLayout, Rotation, VideoFormat, VideoSample};
use crate::service::StreamCommand;
use crate::session::TrackId;

/// Raw formats have at most three planes; one more entry is already a mistake.
const MAX_PLANES: usize = 4;

/// What became of one sample of the wire: a command, or a refusal with the place that it concerns.
pub(in crate::grpc) type SampleFromWire = Result<StreamCommand, (SampleRef, FieldError)>;

/// Which sample a refusal is about, as far as the client said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::grpc) struct SampleRef {
    /// As sent; may be empty or break the pattern, but is cut to the length of an id.
    pub(in crate::grpc) track_id: String,
    /// As sent; 0 when the payload is missing.
    pub(in crate::grpc) sequence: u64,
}

/// A media sample.
pub(in crate::grpc) fn sample_from_wire(sample: v1::MediaSample) -> SampleFromWire {
    use v1::media_sample::Payload;

    let sequence = match &sample.payload {
        Some(Payload::Video(frame)) => frame.sequence,
        Some(Payload::Audio(chunk)) => chunk.sequence,
        None => 0,
    };
    let refused = |error: FieldError| {
        let track_id = sample.track_id.chars().take(128).collect();
        (SampleRef { track_id, sequence }, error)
    };
    let track_id = TrackId::new(&sample.track_id).map_err(|error| refused(error.into()))?;
    match sample.payload {
        Some(Payload::Video(frame)) => match video_from_wire(frame) {
            Ok(sample) => Ok(StreamCommand::Video { track_id, sample }),
            Err(error) => Err(refused(error.within("video"))),
        },
        Some(Payload::Audio(chunk)) => match field::media_time("media_time", chunk.media_time) {
            Ok(media_time) => {
                let n_bytes = u64::try_from(chunk.data.len()).unwrap_or(u64::MAX);
                Ok(StreamCommand::Audio { track_id, sequence, media_time, n_bytes })
            }
            Err(error) => Err(refused(error.within("audio"))),
        },
        None => Err(refused(FieldError::new("payload", "is not set: send video or audio"))),
    }
}

fn video_from_wire(frame: v1::VideoFrame) -> Result<VideoSample, FieldError> {
    let format = format_from_wire("format", frame.format)?;
    let layout = frame.layout.map(layout_from_wire).transpose().map_err(|error| error.within("layout"))?;
    if format.is_some_and(VideoFormat::is_raw) && layout.is_none() {
        return Err(FieldError::new("layout", "is not set: raw formats need width and height"));
    }
    if frame.data.is_empty() {
        return Err(FieldError::new("data", "is empty: send the picture"));
    }
    Ok(VideoSample {
        sequence: frame.sequence,
        media_time: field::media_time("media_time", frame.media_time)?,
        format,
        layout,
        rotation: Rotation::from_degrees(frame.rotation_degrees)
            .ok_or_else(|| FieldError::new("rotation_degrees", "must be 0, 90, 180 or 270"))?,
        keyframe: frame.keyframe,
        data: frame.data,
    })
}

fn layout_from_wire(layout: v1::PixelLayout) -> Result<PixelLayout, FieldError> {
    field::at_most("plane_strides", &layout.plane_strides, MAX_PLANES)?;
    if layout.width == 0 || layout.height == 0 {
        return Err(FieldError::new("width", "width and height must both be at least 1"));
    }
    let color_range = match field::known("color_range", layout.color_range)? {
        v1::ColorRange::Unspecified | v1::ColorRange::Limited => ColorRange::Limited,
        v1::ColorRange::Full => ColorRange::Full,
    };
    Ok(PixelLayout { width: layout.width, height: layout.height, plane_strides: layout.plane_strides, color_range })
}

/// A video format; unset asks for sniffing.
pub(super) fn format_from_wire(field: &'static str, number: i32) -> Result<Option<VideoFormat>, FieldError> {
    Ok(match field::known(field, number)? {
        v1::VideoFormat::Unspecified => None,
        v1::VideoFormat::Jpeg => Some(VideoFormat::Jpeg),
        v1::VideoFormat::Png => Some(VideoFormat::Png),
        v1::VideoFormat::Webp => Some(VideoFormat::WebP),
        v1::VideoFormat::Rgb24 => Some(VideoFormat::Rgb24),
        v1::VideoFormat::Bgr24 => Some(VideoFormat::Bgr24),
        v1::VideoFormat::Rgba32 => Some(VideoFormat::Rgba32),
        v1::VideoFormat::Bgra32 => Some(VideoFormat::Bgra32),
        v1::VideoFormat::I420 => Some(VideoFormat::I420),
        v1::VideoFormat::Nv12 => Some(VideoFormat::Nv12),
        v1::VideoFormat::H264 => Some(VideoFormat::H264),
        v1::VideoFormat::Vp8 => Some(VideoFormat::Vp8),
        v1::VideoFormat::Vp9 => Some(VideoFormat::Vp9),
        v1::VideoFormat::Av1 => Some(VideoFormat::Av1),
    })
}

/// A video format for the wire.
pub(in crate::grpc) const fn video_format_to_wire(format: VideoFormat) -> v1::VideoFormat {
    match format {
        VideoFormat::Jpeg => v1::VideoFormat::Jpeg,
        VideoFormat::Png => v1::VideoFormat::Png,
        VideoFormat::WebP => v1::VideoFormat::Webp,
        VideoFormat::Rgb24 => v1::VideoFormat::Rgb24,
        VideoFormat::Bgr24 => v1::VideoFormat::Bgr24,
        VideoFormat::Rgba32 => v1::VideoFormat::Rgba32,
        VideoFormat::Bgra32 => v1::VideoFormat::Bgra32,
        VideoFormat::I420 => v1::VideoFormat::I420,
        VideoFormat::Nv12 => v1::VideoFormat::Nv12,
        VideoFormat::H264 => v1::VideoFormat::H264,
        VideoFormat::Vp8 => v1::VideoFormat::Vp8,
        VideoFormat::Vp9 => v1::VideoFormat::Vp9,
        VideoFormat::Av1 => v1::VideoFormat::Av1,
    }
}

/// A video sample for the wire; the payload is shared, not copied.
pub(in crate::grpc) fn video_to_wire(track_id: &TrackId, sample: &VideoSample) -> v1::MediaSample {
    let layout = sample.layout.as_ref().map(|layout| v1::PixelLayout {
        width: layout.width,
        height: layout.height,
        plane_strides: layout.plane_strides.clone(),
        color_range: match layout.color_range {
            ColorRange::Limited => v1::ColorRange::Limited,
            ColorRange::Full => v1::ColorRange::Full,
        }
        .into(),
    });
    let frame = v1::VideoFrame {
        sequence: sample.sequence,
        media_time: Some(super::duration_to_wire(sample.media_time)),
        format: sample.format.map_or(v1::VideoFormat::Unspecified, video_format_to_wire).into(),
        layout,
        rotation_degrees: match sample.rotation {
            Rotation::None => 0,
            Rotation::Clockwise90 => 90,
            Rotation::Clockwise180 => 180,
            Rotation::Clockwise270 => 270,
        },
        keyframe: sample.keyframe,
        data: sample.data.clone(),
    };
    v1::MediaSample { track_id: track_id.as_str().to_owned(), payload: Some(v1::media_sample::Payload::Video(frame)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use crate::grpc::proto::v1;
    use crate::service::StreamCommand;

    use super::{sample_from_wire, video_to_wire};

    fn picture() -> v1::VideoFrame {
        v1::VideoFrame {
            sequence: 7,
            media_time: Some(prost_types::Duration { seconds: 1, nanos: 5 }),
            format: v1::VideoFormat::Nv12.into(),
            layout: Some(v1::PixelLayout {
                width: 4,
                height: 2,
                plane_strides: vec![4, 4],
                color_range: v1::ColorRange::Full.into(),
            }),
            rotation_degrees: 270,
            keyframe: true,
            data: bytes::Bytes::from_static(&[0; 12]),
        }
    }

    fn sample(frame: v1::VideoFrame) -> v1::MediaSample {
        v1::MediaSample { track_id: "camera-1".into(), payload: Some(v1::media_sample::Payload::Video(frame)) }
    }

    #[test]
    fn pictures_survive_the_round_trip_for_every_format() {
        for number in (0..64).filter(|number| v1::VideoFormat::try_from(*number).is_ok()) {
            let wire = sample(v1::VideoFrame { format: number, ..picture() });
            let StreamCommand::Video { track_id, sample } = sample_from_wire(wire.clone()).expect("valid") else {
                panic!("a picture must become a picture");
            };
            assert_eq!(video_to_wire(&track_id, &sample), wire, "format {number}");
        }
    }

    #[test]
    fn bad_pictures_are_refused_by_field_and_place() {
        let check = |field: &str, change: fn(&mut v1::VideoFrame)| {
            let mut frame = picture();
            change(&mut frame);
            let (place, error) = sample_from_wire(sample(frame)).expect_err(field);
            assert_eq!((error.field.as_ref(), place.track_id.as_str(), place.sequence), (field, "camera-1", 7));
        };
        check("video.media_time", |frame| frame.media_time = None);
        check("video.media_time", |frame| frame.media_time = Some(prost_types::Duration { seconds: 1, nanos: -1 }));
        check("video.format", |frame| frame.format = 99);
        check("video.layout", |frame| frame.layout = None);
        check("video.layout.width", |frame| frame.layout.as_mut().expect("set").width = 0);
        check("video.layout.color_range", |frame| frame.layout.as_mut().expect("set").color_range = 3);
        check("video.layout.plane_strides", |frame| frame.layout.as_mut().expect("set").plane_strides = vec![1; 5]);
        check("video.rotation_degrees", |frame| frame.rotation_degrees = 45);
        check("video.data", |frame| frame.data = bytes::Bytes::new());
    }

    #[test]
    fn a_sample_without_payload_or_track_is_refused() {
        let (place, error) = sample_from_wire(v1::MediaSample::default()).expect_err("empty");
        assert_eq!((error.field.as_ref(), place.sequence), ("track_id", 0));
        let nameless = v1::MediaSample { track_id: "camera-1".into(), payload: None };
        assert_eq!(sample_from_wire(nameless).expect_err("empty").1.field, "payload");
        let long = v1::MediaSample { track_id: "x".repeat(4_000), payload: None };
        assert_eq!(sample_from_wire(long).expect_err("too long").0.track_id.len(), 128);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(message) = <v1::MediaSample as prost::Message>::decode(bytes.as_slice())
                && let Err((_, error)) = sample_from_wire(message)
            {
                    prop_assert!(!error.field.is_empty());
            }
        }
    }
}

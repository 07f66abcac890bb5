//! One track's coded video through FFmpeg.

use std::collections::VecDeque;
use std::sync::Once;

use ffmpeg_the_third::codec::{self, threading};
use ffmpeg_the_third::decoder::Opened;
use ffmpeg_the_third::option::Settable;
use ffmpeg_the_third::{Error, Packet, decoder, frame, log, packet};

use super::convert::FrameConverter;
use super::error::MediaError;
use super::format::{Rotation, VideoFormat};
use super::limits::MediaLimits;
use super::native;
use super::sample::{VideoFrame, VideoSample};
use super::time::MediaTime;
use super::unit::{UnitKind, inspect};

/// Samples whose pictures may still come: the largest reordering of H.264 is 16 pictures.
const MAX_PENDING: usize = 32;
/// Pictures taken out of the decoder for one unit; a superframe has at most eight.
const MAX_FRAMES_PER_UNIT: usize = 32;
/// Pixels by which a coded side may exceed the picture it is cropped to.
const CODED_PADDING_PX: u64 = 128;

/// Silences FFmpeg, which would write to standard error what the callers get as errors.
pub(super) fn silence_ffmpeg() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| log::set_level(log::Level::Quiet));
}

/// Pixels of the largest picture that a decoder may allocate: the limit and the padding of coded sizes.
pub(super) fn max_coded_pixels(limits: &MediaLimits) -> i64 {
    let padding = CODED_PADDING_PX.saturating_mul(u64::from(limits.max_side_px));
    i64::try_from(limits.max_pixels.saturating_add(padding)).unwrap_or(i64::MAX)
}

/// Opens the first of the named decoders that this FFmpeg has, with sizes bounded before allocation; of `n_threads` above one
/// each works on a frame of its own.
pub(super) fn open_decoder(
    mut context: codec::Context,
    names: &[&str],
    limits: &MediaLimits,
    n_threads: usize,
) -> Result<Opened, MediaError> {
    silence_ffmpeg();
    let failed = |problem: String| MediaError::Decoder { problem };
    let codec = names.iter().find_map(|name| decoder::find_by_name(name));
    let codec = codec.ok_or_else(|| failed(format!("this FFmpeg has none of the decoders {names:?}")))?;
    context.set_threading(threading::Config { count: n_threads, ..threading::Config::kind(threading::Type::Frame) });
    context.set_int("max_pixels", max_coded_pixels(limits)).map_err(|source| failed(source.to_string()))?;
    context.decoder().open_as(codec).map_err(|source| failed(source.to_string()))
}

/// A decoder with the state of one coded track.
pub(super) struct CodedDecoder {
    format: VideoFormat,
    opened: Opened,
    converter: FrameConverter,
    /// Whether pictures are refused until one that needs no earlier ones.
    awaits_keyframe: bool,
    /// Samples that were sent and whose picture has not come, oldest first.
    pending: VecDeque<PendingSample>,
    next_tag: i64,
}

/// What is needed of a sample once its picture comes.
struct PendingSample {
    /// Goes through the decoder as the presentation time, so that reordered pictures find their sample.
    tag: i64,
    sequence: u64,
    media_time: MediaTime,
    rotation: Rotation,
}

impl CodedDecoder {
    /// A decoder that waits for its first keyframe.
    pub(super) fn new(format: VideoFormat, limits: &MediaLimits) -> Result<Self, MediaError> {
        let names: &[&str] = match format {
            VideoFormat::H264 => &["h264"],
            VideoFormat::Vp8 => &["vp8", "libvpx"],
            VideoFormat::Vp9 => &["vp9", "libvpx-vp9"],
            VideoFormat::Av1 => &["libdav1d", "libaom-av1"],
            VideoFormat::Jpeg
            | VideoFormat::Png
            | VideoFormat::WebP
            | VideoFormat::Rgb24
            | VideoFormat::Bgr24
            | VideoFormat::Rgba32
            | VideoFormat::Bgra32
            | VideoFormat::I420
            | VideoFormat::Nv12 => {
                return Err(MediaError::InvalidField {
                    field: "format",
                    problem: format!("{format:?} is not coded video"),
                });
            }
        };
        let mut context = codec::Context::new();
        context.set_flags(codec::Flags::LOW_DELAY);
        Ok(Self {
            format,
            opened: open_decoder(context, names, limits, 1)?,
            converter: FrameConverter::default(),
            awaits_keyframe: true,
            pending: VecDeque::with_capacity(MAX_PENDING),
            next_tag: 0,
        })
    }

    pub(super) const fn format(&self) -> VideoFormat {
        self.format
    }

    /// Decodes one unit into the pictures that are ready.
    pub(super) fn decode(&mut self, sample: &VideoSample, limits: &MediaLimits) -> Result<Vec<VideoFrame>, MediaError> {
        let kind = inspect(self.format, &sample.data);
        if let UnitKind::Unreadable(problem) = kind {
            return Err(self.undecodable(problem.to_owned()));
        }
        // The sender's flag opens the door only for streams whose random access points are not marked as such.
        let may_start = kind == UnitKind::Key || sample.keyframe;
        if self.awaits_keyframe && kind == UnitKind::Delta && !may_start {
            return Err(MediaError::NeedsKeyframe { format: self.format });
        }
        let tag = self.remember(sample);
        let mut packet = Packet::copy(&sample.data);
        packet.set_pts(Some(tag));
        if may_start {
            packet.set_flags(packet::Flags::KEY);
        }
        let mut frames = Vec::with_capacity(1);
        match self.send(&packet, limits, &mut frames) {
            Ok(()) => self.awaits_keyframe &= !(may_start && kind != UnitKind::NoPicture),
            Err(_) if kind == UnitKind::NoPicture => self.forget(tag),
            Err(error) => {
                self.forget(tag);
                // Pictures after a lost keyframe would be drawn upon the scene before it.
                self.awaits_keyframe |= may_start;
                if frames.is_empty() {
                    return Err(error);
                }
            }
        }
        Ok(frames)
    }

    /// Takes out the pictures that the decoder held back for reordering; it needs a keyframe afterwards.
    pub(super) fn drain(&mut self, limits: &MediaLimits) -> Vec<VideoFrame> {
        let mut frames = Vec::new();
        if self.opened.send_eof().is_ok() {
            // Damage in the last pictures costs those pictures only.
            while frames.len() < MAX_PENDING {
                let before = frames.len();
                if self.receive(limits, &mut frames).is_ok() || frames.len() == before {
                    break;
                }
            }
        }
        self.opened.flush();
        self.pending.clear();
        self.awaits_keyframe = true;
        frames
    }

    fn send(&mut self, packet: &Packet, limits: &MediaLimits, frames: &mut Vec<VideoFrame>) -> Result<(), MediaError> {
        match self.opened.send_packet(packet) {
            Ok(()) => self.receive(limits, frames),
            Err(source) if native::is_again(source) => {
                // Full: cannot happen while every unit is followed by `receive`, unless a decoder breaks the contract.
                self.receive(limits, frames)?;
                self.opened.send_packet(packet).map_err(|source| self.refused(source, limits))?;
                self.receive(limits, frames)
            }
            Err(source) => Err(self.refused(source, limits)),
        }
    }

    fn receive(&mut self, limits: &MediaLimits, frames: &mut Vec<VideoFrame>) -> Result<(), MediaError> {
        for _ in 0..MAX_FRAMES_PER_UNIT {
            let mut decoded = frame::Video::empty();
            match self.opened.receive_frame(&mut decoded) {
                Ok(()) => self.accept(decoded, limits, frames)?,
                Err(Error::Eof) => return Ok(()),
                Err(source) if native::is_again(source) => return Ok(()),
                Err(source) => return Err(self.refused(source, limits)),
            }
        }
        Ok(())
    }

    /// Turns one decoded picture into a frame of the sample it belongs to.
    fn accept(
        &mut self,
        decoded: frame::Video,
        limits: &MediaLimits,
        frames: &mut Vec<VideoFrame>,
    ) -> Result<(), MediaError> {
        let tag = decoded.pts().or_else(|| decoded.timestamp());
        let position = self.pending.iter().position(|pending| Some(pending.tag) == tag);
        let sample = match position {
            Some(position) => self.pending.remove(position),
            None => self.pending.pop_back(),
        };
        let Some(sample) = sample else { return Ok(()) };
        if native::is_damaged(&decoded) {
            return Err(self.undecodable("damaged: part of the picture is missing".to_owned()));
        }
        let picture = self.converter.convert(decoded, sample.rotation, limits)?;
        frames.push(VideoFrame::new(sample.sequence, sample.media_time, picture));
        Ok(())
    }

    fn remember(&mut self, sample: &VideoSample) -> i64 {
        if self.pending.len() >= MAX_PENDING {
            self.pending.pop_front();
        }
        let tag = self.next_tag;
        self.next_tag += 1;
        let VideoSample { sequence, media_time, rotation, .. } = *sample;
        self.pending.push_back(PendingSample { tag, sequence, media_time, rotation });
        tag
    }

    fn forget(&mut self, tag: i64) {
        self.pending.retain(|pending| pending.tag != tag);
    }

    fn refused(&self, source: Error, limits: &MediaLimits) -> MediaError {
        self.undecodable(format!("{source} (damaged, or larger than {} px)", limits.max_pixels))
    }

    fn undecodable(&self, problem: String) -> MediaError {
        let expected = match self.format {
            VideoFormat::H264 => "H.264 access unit",
            VideoFormat::Vp8 => "VP8 frame",
            VideoFormat::Vp9 => "VP9 frame",
            VideoFormat::Av1 => "AV1 temporal unit",
            VideoFormat::Jpeg
            | VideoFormat::Png
            | VideoFormat::WebP
            | VideoFormat::Rgb24
            | VideoFormat::Bgr24
            | VideoFormat::Rgba32
            | VideoFormat::Bgra32
            | VideoFormat::I420
            | VideoFormat::Nv12 => "coded video",
        };
        MediaError::Undecodable { expected, problem }
    }
}

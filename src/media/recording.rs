//! Recorded interviews: containers to frames, coded samples and sound, all on the container's timeline.

mod audio;
mod codec;
mod info;
mod source;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ffmpeg_the_third::decoder::Opened;
use ffmpeg_the_third::{Error, Packet, Rational, codec as ffmpeg_codec, frame};

use super::coded::open_decoder;
use super::convert::FrameConverter;
use super::error::MediaError;
use super::limits::MediaLimits;
use super::native::{self, AnnexBFilter};
use super::sample::{VideoFrame, VideoSample};
use super::time::MediaTime;

pub use self::audio::{AudioChunk, AudioReader};
pub use self::codec::VideoCodec;
pub use self::info::{AudioInfo, RecordingInfo};

use self::info::{describe, find_video};
use self::source::{Source, check_secs, media_time, open_source, unusable};

/// Frames that are decoded at one time. They wait for parts of each other, so that it takes more of them than cores.
const N_DECODER_THREADS: usize = 4;
/// Read errors in a row after which the rest of a file is given up.
const MAX_READ_ERRORS: u32 = 16;
/// Seconds by which a whole file may end before its stated length: encoders round, and tracks differ.
const END_TOLERANCE_SECS: f64 = 1.0;
/// The same as a share of the length.
const END_TOLERANCE_RATIO: f64 = 0.02;

/// An open recording.
///
/// Frames come in presentation order, each at its exact time on the container's timeline: a start offset of the pictures
/// is kept, so that pictures and sound ([`Recording::audio`]) share a clock. A damaged picture is left out and counted.
pub struct Recording {
    path: PathBuf,
    source: Source,
    info: RecordingInfo,
    limits: MediaLimits,
    video_index: usize,
    time_base: Rational,
    decoder: Opened,
    converter: FrameConverter,
    annexb: Option<AnnexBFilter>,
    progress: Progress,
}

/// How far reading has come.
#[derive(Default)]
struct Progress {
    n_frames: u64,
    n_samples: u64,
    n_damaged: u64,
    first_time: Option<MediaTime>,
    last_time: Option<MediaTime>,
    /// End of the last packet of any stream, in seconds of the container's timeline.
    end_secs: f64,
    n_read_errors: u32,
    is_read: bool,
    is_over: bool,
}

/// What reading the next packet gave.
enum Read {
    Video(Packet),
    Other,
    End,
}

impl Recording {
    /// Opens a recording by its content; the file's name plays no part, and no other file or address is ever read.
    ///
    /// # Errors
    /// [`MediaError::Io`] when the file cannot be read or is no regular file, [`MediaError::OverLimit`] when bytes,
    /// length, streams or picture size are over a bound, [`MediaError::Undecodable`] when it is no MP4, MOV, Matroska,
    /// `WebM` or AVI file with a video stream in a known codec. An MP4 file whose index is cut off is of the last kind.
    pub fn open(path: &Path, limits: &MediaLimits) -> Result<Self, MediaError> {
        let source = open_source(path, limits)?;
        let (video_index, codec) = find_video(&source)?;
        let stream = source.input.stream(video_index).ok_or_else(|| unusable("it has no video stream"))?;
        let info = describe(&source, &stream, codec);
        if info.width > 0 && info.height > 0 {
            limits.check_picture(info.width, info.height)?;
        }
        let time_base = stream.time_base();
        let mut context = ffmpeg_codec::Context::from_parameters(stream.parameters()).map_err(source::unreadable)?;
        native::set_packet_time_base(&mut context, time_base);
        let decoder = open_decoder(context, codec.decoder_names(), limits, N_DECODER_THREADS)?;
        let is_h264 = codec == VideoCodec::H264;
        let annexb = is_h264.then(|| AnnexBFilter::new(&stream)).transpose().map_err(source::unreadable)?;
        Ok(Self {
            path: path.to_owned(),
            source,
            info,
            limits: *limits,
            video_index,
            time_base,
            decoder,
            converter: FrameConverter::default(),
            annexb,
            progress: Progress::default(),
        })
    }

    /// What the container states.
    pub const fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// Pictures that were left out so far because they were damaged.
    pub const fn n_damaged(&self) -> u64 {
        self.progress.n_damaged
    }

    /// Opens the recording's sound, independently of the pictures; `None` when there is none that can be read.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn audio(&self) -> Result<Option<AudioReader>, MediaError> {
        AudioReader::open(&self.path, &self.limits)
    }

    /// The next picture, upright; `None` at the end. `sequence` counts from zero.
    ///
    /// Use either this or [`Recording::next_coded_sample`] on one value: both read on in the same file.
    ///
    /// # Errors
    /// A file that was cut off gives the frames it has, then [`MediaError::Undecodable`] once, then `None`; so does a file
    /// of which no picture can be decoded. [`MediaError::OverLimit`] when a picture or the length is over its bound; that
    /// ends the recording, too.
    pub fn next_frame(&mut self) -> Result<Option<VideoFrame>, MediaError> {
        while !self.progress.is_over {
            let mut decoded = frame::Video::empty();
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) if native::is_damaged(&decoded) => self.progress.n_damaged += 1,
                Ok(()) => match self.accept(decoded) {
                    Ok(frame) => return Ok(Some(frame)),
                    Err(error) => {
                        self.progress.is_over = true;
                        return Err(error);
                    }
                },
                Err(source) if native::is_again(source) => self.feed(),
                Err(Error::Eof) => {
                    self.progress.is_over = true;
                    return self.ending().map(|()| None);
                }
                Err(_) => self.progress.n_damaged += 1,
            }
        }
        Ok(None)
    }

    /// The next coded unit as a plugin would send it live; `None` at the end. `sequence` counts from zero.
    ///
    /// H.264 comes as Annex B access units with the parameter sets at each keyframe, VP8, VP9 and AV1 as they are. Units
    /// come in coding order with their presentation time, so times are out of order where there are B-frames.
    ///
    /// # Errors
    /// [`MediaError::InvalidField`] for a codec that is not sent live; otherwise as [`Recording::next_frame`].
    pub fn next_coded_sample(&mut self) -> Result<Option<VideoSample>, MediaError> {
        let format = self.info.codec.live_format().ok_or_else(|| MediaError::InvalidField {
            field: "format",
            problem: format!(
                "{:?} is not sent as coded samples: decode the recording and send stills",
                self.info.codec
            ),
        })?;
        while !self.progress.is_over {
            let packet = match self.read() {
                Read::Video(packet) => packet,
                Read::Other => continue,
                Read::End => {
                    self.progress.is_over = true;
                    return self.ending().map(|()| None);
                }
            };
            let Some(packet) = self.live_unit(packet) else { continue };
            let Some(data) = packet.data().filter(|data| !data.is_empty()) else { continue };
            let time = packet.pts().or(packet.dts()).and_then(|stamp| media_time(stamp, self.time_base));
            let sequence = self.progress.n_samples;
            self.progress.n_samples += 1;
            return Ok(Some(VideoSample {
                sequence,
                media_time: self.check_time(time)?,
                format: Some(format),
                layout: None,
                rotation: self.info.rotation,
                keyframe: packet.is_key(),
                data: Bytes::copy_from_slice(data),
            }));
        }
        Ok(None)
    }

    /// Gives the decoder its next packet, or tells it that there are no more.
    fn feed(&mut self) {
        let refused = match self.read() {
            Read::Video(packet) => self.decoder.send_packet(&packet).is_err(),
            Read::Other => false,
            Read::End => {
                // A decoder that refuses to end gives no more pictures either.
                self.progress.is_over = self.decoder.send_eof().is_err();
                false
            }
        };
        self.progress.n_damaged += u64::from(refused);
    }

    fn read(&mut self) -> Read {
        if self.progress.is_read {
            return Read::End;
        }
        let mut packet = Packet::empty();
        match packet.read(&mut self.source.input) {
            Ok(()) => self.progress.n_read_errors = 0,
            Err(Error::Eof) => {
                self.progress.is_read = true;
                return Read::End;
            }
            Err(_) => {
                self.progress.n_read_errors += 1;
                self.progress.is_read = self.progress.n_read_errors >= MAX_READ_ERRORS;
                return Read::Other;
            }
        }
        self.note_end(&packet);
        if packet.stream() != self.video_index {
            return Read::Other;
        }
        if packet.is_corrupt() {
            self.progress.n_damaged += 1;
            return Read::Other;
        }
        Read::Video(packet)
    }

    fn note_end(&mut self, packet: &Packet) {
        let Some(stream) = self.source.input.stream(packet.stream()) else { return };
        let end = packet.pts().or(packet.dts()).map(|stamp| stamp.saturating_add(packet.duration().max(0)));
        if let Some(end) = end.and_then(|end| media_time(end, stream.time_base())) {
            self.progress.end_secs = self.progress.end_secs.max(end.as_secs_f64());
        }
    }

    fn accept(&mut self, decoded: frame::Video) -> Result<VideoFrame, MediaError> {
        let time = decoded.timestamp().and_then(|stamp| media_time(stamp, self.time_base));
        let media_time = self.check_time(time)?;
        let picture = self.converter.convert(decoded, self.info.rotation, &self.limits)?;
        let sequence = self.progress.n_frames;
        self.progress.n_frames += 1;
        Ok(VideoFrame::new(sequence, media_time, picture))
    }

    /// The time of a picture, checked against the longest recording; one without a time follows the one before it.
    fn check_time(&mut self, time: Option<MediaTime>) -> Result<MediaTime, MediaError> {
        let time = time.or(self.progress.last_time).unwrap_or(self.info.start_offset);
        let first = *self.progress.first_time.get_or_insert(time);
        check_secs(time.secs_since(first), &self.limits)?;
        self.progress.last_time = Some(time);
        Ok(time)
    }

    fn live_unit(&mut self, mut packet: Packet) -> Option<Packet> {
        let Some(annexb) = &mut self.annexb else { return Some(packet) };
        let unit = annexb.filter(&mut packet).ok().flatten();
        self.progress.n_damaged += u64::from(unit.is_none());
        unit
    }

    /// Whether the file ended where it said it would.
    fn ending(&self) -> Result<(), MediaError> {
        let Progress { n_frames, n_samples, n_damaged, end_secs, n_read_errors, .. } = self.progress;
        if n_frames + n_samples == 0 {
            return Err(unusable(&format!("none of its pictures can be decoded ({n_damaged} damaged)")));
        }
        let stated_secs = self.info.duration_secs.map_or(0.0, |secs| secs + self.start_secs());
        let tolerance_secs = END_TOLERANCE_SECS.max(stated_secs * END_TOLERANCE_RATIO);
        let is_early = end_secs + tolerance_secs < stated_secs;
        if is_early || self.source.is_short || n_read_errors >= MAX_READ_ERRORS {
            return Err(unusable(&format!("it is cut off at {end_secs:.3} s")));
        }
        Ok(())
    }

    /// Where the container's first stream starts; its stated length counts from there.
    fn start_secs(&self) -> f64 {
        let video = self.info.start_offset.as_secs_f64();
        self.info.audio.map_or(video, |audio| video.min(audio.start_offset.as_secs_f64()))
    }
}

impl std::fmt::Debug for Recording {
    /// Neither the path, which may hold a name, nor pictures reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("info", &self.info).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

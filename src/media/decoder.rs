//! Samples of one track to frames.

use super::coded::CodedDecoder;
use super::error::MediaError;
use super::format::VideoFormat;
use super::limits::MediaLimits;
use super::picture::Picture;
use super::raw::decode_raw;
use super::rotate::upright;
use super::sample::{VideoFrame, VideoSample};
use super::sniff::sniff;
use super::still::decode_still;
use super::unit::{UnitKind, inspect};

/// What a sample needs of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// Nothing: a still, raw pixels, a keyframe.
    Free,
    /// Earlier pictures: worth nothing when one of them was lost.
    OnEarlier,
    /// It holds no picture: parameters of pictures to come, or nothing readable.
    NoPicture,
}

/// Decodes the samples of one track, of any mixture of formats, in the order in which they come.
///
/// Stills and raw pixels give one frame each. Coded video gives none to several: the decoder holds state, starts at a
/// keyframe, and follows changes of resolution and coding. A unit that cannot be decoded costs that sample only, unless
/// it was a keyframe: then the next keyframe is waited for, because what follows would be drawn upon another scene.
/// Nothing grows without bound: at most 32 samples are remembered while their pictures are being reordered.
pub struct FrameDecoder {
    limits: MediaLimits,
    default_format: Option<VideoFormat>,
    coded: Option<CodedDecoder>,
}

impl FrameDecoder {
    /// A decoder for one track. `default_format` stands in where a sample names no format.
    #[must_use]
    pub const fn new(limits: MediaLimits, default_format: Option<VideoFormat>) -> Self {
        Self { limits, default_format, coded: None }
    }

    /// Changes what a sample without a format is taken for; `None` means that stills are sniffed.
    pub const fn set_default_format(&mut self, default_format: Option<VideoFormat>) {
        self.default_format = default_format;
    }

    /// What a sample needs of those before it, read from its bytes; the sender's keyframe flag counts too, for codings whose
    /// entry points are not marked.
    #[must_use]
    pub fn dependence(&self, sample: &VideoSample) -> Dependence {
        let coding = sample.format.or(self.default_format).filter(|format| format.is_coded_video());
        match coding.map(|format| inspect(format, &sample.data)) {
            None | Some(UnitKind::Key) => Dependence::Free,
            Some(UnitKind::Delta) if sample.keyframe => Dependence::Free,
            Some(UnitKind::Delta) => Dependence::OnEarlier,
            Some(UnitKind::NoPicture | UnitKind::Unreadable(_)) => Dependence::NoPicture,
        }
    }

    /// Decodes one sample into zero or more upright frames, each with the sequence and time of the sample it was sent in.
    ///
    /// With pictures in presentation order other than coding order (B-frames), a call may return the frame of an earlier
    /// sample. The claim that bytes are JPEG, PNG or WebP is only taken for "a still": which one is read from the bytes.
    ///
    /// # Errors
    /// [`MediaError::OverLimit`] before pixels are decoded or converted; [`MediaError::InvalidField`] and
    /// [`MediaError::Undecodable`] for what is wrong with this sample; [`MediaError::NeedsKeyframe`] for coded video
    /// joined in the middle. The decoder can be used after each of them.
    pub fn decode(&mut self, sample: &VideoSample) -> Result<Vec<VideoFrame>, MediaError> {
        self.limits.check_sample_bytes(sample.data.len())?;
        if sample.data.is_empty() {
            return Err(MediaError::InvalidField { field: "data", problem: "empty".to_owned() });
        }
        match sample.format.or(self.default_format).or_else(|| sniff(&sample.data)) {
            Some(format) if format.is_coded_video() => self.decode_coded(format, sample),
            Some(format) if format.is_raw() => {
                let picture = decode_raw(format, sample.layout.as_ref(), &sample.data, &self.limits)?;
                Ok(vec![frame_of(sample, picture)?])
            }
            Some(_) | None => Ok(vec![frame_of(sample, decode_still(&sample.data, &self.limits)?.into())?]),
        }
    }

    /// Ends the track: returns the frames that were held back for reordering. Coded video needs a keyframe afterwards.
    pub fn finish(&mut self) -> Vec<VideoFrame> {
        self.coded.as_mut().map(|coded| coded.drain(&self.limits)).unwrap_or_default()
    }

    fn decode_coded(&mut self, format: VideoFormat, sample: &VideoSample) -> Result<Vec<VideoFrame>, MediaError> {
        let mut frames = Vec::new();
        if self.coded.as_ref().is_some_and(|coded| coded.format() != format) {
            frames = self.finish();
            self.coded = None;
        }
        let coded = match &mut self.coded {
            Some(coded) => coded,
            None => self.coded.insert(CodedDecoder::new(format, &self.limits)?),
        };
        match coded.decode(sample, &self.limits) {
            Ok(decoded) => frames.extend(decoded),
            // Frames of earlier samples are worth more than the error of this one.
            Err(error) if frames.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(frames)
    }
}

impl std::fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let coded = self.coded.as_ref().map(CodedDecoder::format);
        f.debug_struct("FrameDecoder")
            .field("default_format", &self.default_format)
            .field("coded", &coded)
            .finish_non_exhaustive()
    }
}

fn frame_of(sample: &VideoSample, picture: Picture) -> Result<VideoFrame, MediaError> {
    let picture = upright(picture, sample.rotation)?;
    Ok(VideoFrame::new(sample.sequence, sample.media_time, picture))
}

#[cfg(test)]
mod tests;

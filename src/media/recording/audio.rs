//! A recording's sound as mono samples with their time.

use std::collections::VecDeque;
use std::path::Path;

use ffmpeg_the_third::decoder::Opened;
use ffmpeg_the_third::{Error, Packet, Rational, codec, frame};

use crate::media::coded::open_decoder;
use crate::media::error::MediaError;
use crate::media::limits::MediaLimits;
use crate::media::native::{self, MonoResampler};
use crate::media::time::MediaTime;

use super::MAX_READ_ERRORS;
use super::info::find_audio;
use super::source::{Source, check_secs, media_time, open_source, unreadable};

/// A stretch of sound without a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioChunk {
    /// Position of the first sample on the container's timeline, the clock of the recording's pictures.
    pub media_time: MediaTime,
    /// Mono samples at [`AudioReader::SAMPLE_RATE_HZ`], nominally -1..=1.
    pub samples: Vec<f32>,
}

/// Reads a recording's sound, mixed down to mono and resampled to 16 kHz.
pub struct AudioReader {
    source: Source,
    limits: MediaLimits,
    audio_index: usize,
    time_base: Rational,
    decoder: Opened,
    resampler: Option<MonoResampler>,
    /// Chunks that are ready: the last ones when the kind of sound changes, so two at most.
    ready: VecDeque<AudioChunk>,
    /// Where the next sample belongs when its packet does not say.
    next_time: MediaTime,
    first_time: Option<MediaTime>,
    n_read_errors: u32,
    is_over: bool,
}

impl AudioReader {
    /// Samples a second of every chunk.
    pub const SAMPLE_RATE_HZ: u32 = native::SAMPLE_RATE_HZ;

    /// Opens the sound of a recording; `None` when it has none in a codec that is known here.
    ///
    /// # Errors
    /// As [`Recording::open`](super::Recording::open), but a file without pictures is fine.
    pub fn open(path: &Path, limits: &MediaLimits) -> Result<Option<Self>, MediaError> {
        let source = open_source(path, limits)?;
        let Some((audio_index, decoder_names)) = find_audio(&source) else { return Ok(None) };
        let Some(stream) = source.input.stream(audio_index) else { return Ok(None) };
        let time_base = stream.time_base();
        let mut context = codec::Context::from_parameters(stream.parameters()).map_err(unreadable)?;
        native::set_packet_time_base(&mut context, time_base);
        let decoder = open_decoder(context, decoder_names, limits, 1)?;
        Ok(Some(Self {
            source,
            limits: *limits,
            audio_index,
            time_base,
            decoder,
            resampler: None,
            ready: VecDeque::new(),
            next_time: MediaTime::ZERO,
            first_time: None,
            n_read_errors: 0,
            is_over: false,
        }))
    }

    /// The next chunk, tens of milliseconds long; `None` at the end. Damaged packets are left out, which leaves a gap.
    ///
    /// # Errors
    /// [`MediaError::OverLimit`] when the sound is longer than a recording may be; that ends it.
    pub fn next_chunk(&mut self) -> Result<Option<AudioChunk>, MediaError> {
        let mut decoded = frame::Audio::empty();
        while self.ready.is_empty() && !self.is_over {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => self.accept(&decoded)?,
                Err(source) if native::is_again(source) => self.feed(),
                Err(Error::Eof) => {
                    self.flush();
                    self.is_over = true;
                }
                // Damage; the decoder has dropped what it could not read.
                Err(_) => {}
            }
        }
        Ok(self.ready.pop_front())
    }

    fn feed(&mut self) {
        let mut packet = Packet::empty();
        match packet.read(&mut self.source.input) {
            Ok(()) => {
                self.n_read_errors = 0;
                if packet.stream() == self.audio_index && !packet.is_corrupt() {
                    // A packet that the decoder refuses is a gap, which the next chunk's time shows.
                    let _refused = self.decoder.send_packet(&packet).is_err();
                }
                return;
            }
            Err(Error::Eof) => {}
            Err(_) => {
                self.n_read_errors += 1;
                if self.n_read_errors < MAX_READ_ERRORS {
                    return;
                }
            }
        }
        // A decoder that refuses to end gives nothing more.
        self.is_over = self.decoder.send_eof().is_err();
    }

    fn accept(&mut self, decoded: &frame::Audio) -> Result<(), MediaError> {
        let stated = decoded.timestamp().and_then(|stamp| media_time(stamp, self.time_base));
        if !self.resampler.as_ref().is_some_and(|resampler| resampler.fits(decoded)) {
            self.flush();
            self.resampler = MonoResampler::new(decoded).ok();
        }
        let Some(resampler) = &mut self.resampler else { return Ok(()) };
        let delay_nanos = resampler.delay_nanos();
        let Ok(samples) = resampler.push(decoded) else { return Ok(()) };
        let time = stated.map(|time| MediaTime::from_nanos(time.as_nanos().saturating_sub(delay_nanos)));
        self.emit(time, samples)
    }

    /// Gives out what the resampler holds back.
    fn flush(&mut self) {
        if let Some(samples) = self.resampler.take().and_then(|mut resampler| resampler.flush().ok()) {
            // The last few milliseconds: being over the limit by them is no error.
            let _over_limit = self.emit(None, samples).is_err();
        }
    }

    fn emit(&mut self, time: Option<MediaTime>, samples: Vec<f32>) -> Result<(), MediaError> {
        if samples.is_empty() {
            return Ok(());
        }
        let time = time.unwrap_or(self.next_time);
        let first = *self.first_time.get_or_insert(time);
        if let Err(error) = check_secs(time.secs_since(first), &self.limits) {
            self.is_over = true;
            return Err(error);
        }
        let length_nanos = samples.len() as u64 * 1_000_000_000 / u64::from(Self::SAMPLE_RATE_HZ);
        self.next_time = time.saturating_add(std::time::Duration::from_nanos(length_nanos));
        self.ready.push_back(AudioChunk { media_time: time, samples });
        Ok(())
    }
}

impl std::fmt::Debug for AudioReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioReader").field("container", &self.source.container).finish_non_exhaustive()
    }
}

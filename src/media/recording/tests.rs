use std::path::Path;

use crate::error::{ErrorKind, Kinded};
use crate::media::format::Rotation;
use crate::media::sniff::Container;
use crate::media::testing::{Clip, step_of, steps};

use super::{MediaError, MediaLimits, MediaTime, Recording, VideoCodec};

const X264: &str = "-c:v libx264 -pix_fmt yuv420p -g 10 -crf 12";

fn refuse(path: &Path, limits: &MediaLimits) -> MediaError {
    Recording::open(path, limits).map(|_| ()).expect_err("must be refused")
}

/// Frames until the first error or the end, and the error.
fn read_to_end(recording: &mut Recording) -> (usize, Option<MediaError>) {
    let mut n_frames = 0;
    loop {
        match recording.next_frame() {
            Ok(Some(_)) => n_frames += 1,
            Ok(None) => return (n_frames, None),
            Err(error) => {
                assert!(recording.next_frame().expect("the error comes once").is_none());
                return (n_frames, Some(error));
            }
        }
    }
}

#[test]
fn every_container_and_codec_is_read_with_exact_times() {
    for (name, encoder, container, codec) in [
        ("a.mp4", "-c:v libx264 -pix_fmt yuv420p -bf 2 -crf 12", Container::Mp4, VideoCodec::H264),
        ("a.mov", "-c:v libx264 -pix_fmt yuv420p -crf 12", Container::Mp4, VideoCodec::H264),
        ("a.mkv", "-c:v libx264 -pix_fmt yuv444p -crf 12", Container::Matroska, VideoCodec::H264),
        ("b.mkv", "-c:v libx264 -pix_fmt yuv420p10le -crf 12", Container::Matroska, VideoCodec::H264),
        (
            "c.mp4",
            "-movflags frag_keyframe+empty_moov -c:v libx264 -bf 0 -g 5 -pix_fmt yuv420p",
            Container::Mp4,
            VideoCodec::H264,
        ),
        ("a.webm", "-c:v libvpx -deadline realtime -b:v 1M", Container::Matroska, VideoCodec::Vp8),
        (
            "b.webm",
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 12 -b:v 0",
            Container::Matroska,
            VideoCodec::Vp9,
        ),
        ("b.mp4", "-c:v libaom-av1 -usage realtime -cpu-used 8 -crf 15 -b:v 0", Container::Mp4, VideoCodec::Av1),
        ("a.avi", "-c:v mpeg4 -q:v 2", Container::Avi, VideoCodec::Mpeg4),
        ("b.avi", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p", Container::Avi, VideoCodec::Mjpeg),
    ] {
        let Some(clip) = Clip::make(name, &format!("{} {encoder}", steps("64x48", 25, 20))) else { return };
        let info = clip.open().info().clone();
        assert_eq!((info.container, info.codec, info.width, info.height), (container, codec, 64, 48), "{name}");
        assert_eq!((info.n_streams, info.audio, info.rotation), (1, None, Rotation::None), "{name}");
        let frames = clip.frames();
        assert_eq!(frames.iter().map(step_of).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>(), "{name} {encoder}");
        for (index, frame) in (0_u32..).zip(&frames) {
            assert_eq!(frame.sequence, u64::from(index));
            assert_eq!(frame.media_time, MediaTime::from_millis(40 * i64::from(index)), "{name}");
        }
    }
}

#[test]
fn the_name_plays_no_part() {
    let Some(clip) = Clip::make("a.mp4", &format!("{} {X264}", steps("64x48", 10, 3))) else { return };
    for name in ["a.txt", "a.m3u8", "a.webm", "a", "http:example.org", "concat:a|b", "ü.mp4"] {
        let renamed = Clip::of_bytes(name, &std::fs::read(&clip.path).expect("reads"));
        assert_eq!(renamed.frames().len(), 3, "{name}");
    }
}

#[test]
fn variable_rates_keep_the_time_of_each_frame() {
    let kept = [0, 3, 4, 9, 10, 17, 29];
    let select = kept.map(|n| format!("eq(n,{n})")).join("+");
    for name in ["a.mp4", "a.mkv"] {
        let input = steps("64x48", 30, 30);
        let Some(clip) = Clip::make(name, &format!("{input} -vf select='{select}' -vsync vfr -bf 0 {X264}")) else {
            return;
        };
        let frames = clip.frames();
        assert_eq!(frames.iter().map(step_of).collect::<Vec<_>>(), kept, "{name}");
        for (frame, n) in frames.iter().zip(kept) {
            // Matroska counts in milliseconds, so that is how exact its times can be.
            let tolerance = if name == "a.mkv" { 0.000_5 } else { 1e-6 };
            let error = frame.media_time.as_secs_f64() - f64::from(n) / 30.0;
            assert!(error.abs() <= tolerance, "{name} frame {n}: {error} s");
        }
    }
}

#[test]
fn start_offsets_are_kept_on_the_clock_that_sound_shares() {
    for name in ["a.mp4", "a.mkv"] {
        let Some(video) = Clip::make("video.mp4", &format!("{} {X264} -bf 0", steps("64x48", 10, 10))) else { return };
        let arguments = format!(
            "-itsoffset 0.543 -i {} -f lavfi -i sine=frequency=440:sample_rate=48000:duration=2 -c:v copy -c:a aac",
            video.path.display()
        );
        let Some(clip) = Clip::make(name, &arguments) else { return };
        let recording = clip.open();
        let info = recording.info();
        let audio = info.audio.expect("has sound");
        // Matroska moves both by the sound's priming (21 ms), which would begin before zero.
        let moved = if name == "a.mkv" { 0.021 } else { 0.0 };
        let start = info.start_offset.as_secs_f64() - moved;
        // MP4 states the offset in whole milliseconds and FFmpeg rounds it to the stream's unit.
        assert!((start - 0.543).abs() < 0.002, "{name}: {start}");
        assert!(audio.start_offset.as_secs_f64().abs() < 0.03, "{name}: {:?}", audio.start_offset);
        assert_eq!((audio.sample_rate_hz, audio.n_channels, info.n_streams), (48_000, 1, 2), "{name}");
        for (index, frame) in clip.frames().iter().enumerate() {
            let error = frame.media_time.as_secs_f64() - moved - 0.543 - index as f64 / 10.0;
            assert!(error.abs() < 0.002, "{name} frame {index}: {error} s");
        }
    }
}

/// Overwrites the matrix in an MP4's track header with a clockwise turn.
fn set_display_turn(bytes: &mut [u8], degrees: u32) {
    const ONE: i32 = 1 << 16;
    let [a, b, c, d] = match degrees {
        90 => [0, ONE, -ONE, 0],
        180 => [-ONE, 0, 0, -ONE],
        270 => [0, -ONE, ONE, 0],
        _ => [ONE, 0, 0, ONE],
    };
    let header = bytes.windows(4).position(|name| name == b"tkhd").expect("has a track") + 4;
    for (index, number) in [a, b, 0, c, d, 0].into_iter().enumerate() {
        let at = header + 40 + index * 4;
        bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
}

#[test]
fn rotation_metadata_is_applied() {
    // Left half black, right half white.
    let half = "-f lavfi -i nullsrc=s=64x32:r=10,geq=lum='if(lt(X,32),16,235)':cb=128:cr=128,trim=end_frame=3";
    let Some(plain) = Clip::make("plain.mp4", &format!("{half} {X264}")) else { return };
    for (degrees, rotation, size, white_corner) in [
        (0, Rotation::None, (64, 32), "top right"),
        (90, Rotation::Clockwise90, (32, 64), "bottom left"),
        (180, Rotation::Clockwise180, (64, 32), "top left"),
        (270, Rotation::Clockwise270, (32, 64), "top left"),
    ] {
        let clip = plain.edited(|bytes| set_display_turn(bytes, degrees));
        assert_eq!(clip.open().info().rotation, rotation);
        let frames = clip.frames();
        let image = frames[0].picture.to_rgb();
        assert_eq!((image.width(), image.height()), size, "{degrees} degrees");
        let (width, height) = (image.width() as usize, image.height() as usize);
        let white = |x: usize, y: usize| image.pixels()[(y * width + x) * 3] > 128;
        let corners = [("top left", 0, 0), ("top right", width - 1, 0), ("bottom left", 0, height - 1)];
        let first_white = corners.iter().find(|(_, x, y)| white(*x, *y)).map(|(name, ..)| *name);
        assert_eq!(first_white, Some(white_corner), "{degrees} degrees");
        assert_eq!(clip.units()[0].rotation, rotation, "live samples say it, too");
        // FFmpeg's own command turns the picture the same way.
        let Some(reference) = clip.remade("reference.mp4", X264) else { return };
        let reference = reference.frames().remove(0).picture.into_rgb();
        assert_eq!((reference.width(), reference.height()), size, "{degrees} degrees");
        let n_differing = reference.pixels().iter().zip(image.pixels()).filter(|(a, b)| a.abs_diff(**b) > 40).count();
        assert_eq!(n_differing, 0, "{degrees} degrees");
    }
}

#[test]
fn a_resolution_switch_inside_a_recording_is_followed() {
    let Some(small) = Clip::make("s.h264", &format!("{} {X264} -bf 0", steps("64x48", 10, 5))) else { return };
    let Some(large) = Clip::make("l.h264", &format!("{} {X264} -bf 0", steps("128x96", 10, 5))) else { return };
    let both = small.edited(|bytes| bytes.extend(std::fs::read(&large.path).expect("reads")));
    let Some(clip) = both.remade("both.mkv", "-c copy -fflags +genpts") else { return };
    let sizes: Vec<u32> = clip.frames().iter().map(|frame| frame.picture.width()).collect();
    assert_eq!(sizes, [64, 64, 64, 64, 64, 128, 128, 128, 128, 128]);
}

#[test]
fn a_cut_off_file_gives_its_frames_and_then_says_so() {
    let noise = "-f lavfi -i testsrc2=s=160x120:r=10:d=8";
    for (name, options) in [("a.mkv", ""), ("a.mp4", "-movflags +faststart"), ("a.avi", "")] {
        let Some(whole) = Clip::make(name, &format!("{noise} {X264} -bf 0 {options}")) else { return };
        assert_eq!(whole.frames().len(), 80, "{name}");
        let cut = whole.edited(|bytes| bytes.truncate(bytes.len() / 2));
        let (n_frames, error) = read_to_end(&mut cut.open());
        assert!((20..70).contains(&n_frames), "{name}: {n_frames} frames");
        let message = error.unwrap_or_else(|| panic!("{name}: the end must not pass for a whole file")).to_string();
        assert!(message.contains("cut off at"), "{name}: {message}");
    }
}

#[test]
fn a_file_without_its_index_is_refused() {
    let Some(whole) = Clip::make("a.mp4", &format!("{} {X264}", steps("64x48", 10, 20))) else { return };
    let error = refuse(&whole.edited(|bytes| bytes.truncate(bytes.len() / 2)).path, &MediaLimits::default());
    assert!(matches!(error, MediaError::Undecodable { .. }), "{error}");
}

#[test]
fn damage_in_the_middle_costs_frames_but_not_the_recording() {
    let noise = "-f lavfi -i testsrc2=s=160x120:r=10:d=8";
    let Some(whole) = Clip::make("a.mp4", &format!("{noise} {X264} -bf 0 -movflags +faststart")) else { return };
    let damaged = whole.edited(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3_000].fill(0x55);
    });
    let mut recording = damaged.open();
    let (n_frames, error) = read_to_end(&mut recording);
    assert!(error.is_none(), "{error:?}");
    assert!((40..80).contains(&n_frames), "{n_frames} frames");
    assert_eq!(n_frames as u64 + recording.n_damaged(), 80);
}

#[test]
fn what_is_no_recording_is_refused() {
    let Some(real) = Clip::make("real.mp4", &format!("{} {X264}", steps("64x48", 10, 3))) else { return };
    let playlist = format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n", real.path.display());
    let concat = format!("ffconcat version 1.0\nfile '{}'\n", real.path.display());
    let mut fake_mp4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec();
    fake_mp4.extend((0..5_000_u32).map(|i| (i * 7 % 251) as u8));
    let mut fake_mkv = b"\x1a\x45\xdf\xa3".to_vec();
    fake_mkv.extend((0..5_000_u32).map(|i| (i * 7 % 251) as u8));
    for (name, bytes) in [
        ("empty.mp4", &b""[..]),
        ("text.mp4", b"not a video"),
        ("playlist.mp4", playlist.as_bytes()),
        ("concat.mp4", concat.as_bytes()),
        ("fake.mp4", &fake_mp4),
        ("fake.mkv", &fake_mkv),
        ("fake.avi", b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl"),
        ("sound.wav", b"RIFF\x24\0\0\0WAVEfmt "),
    ] {
        let error = refuse(&Clip::of_bytes(name, bytes).path, &MediaLimits::default());
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {error}");
        assert!(error.to_string().starts_with("data: not a readable recording"), "{name}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_and_a_folder_are_errors_of_their_own() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let missing = refuse(&folder.path().join("none.mp4"), &MediaLimits::default());
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    assert!(matches!(refuse(folder.path(), &MediaLimits::default()), MediaError::Io { .. }));
    assert!(matches!(refuse(Path::new("a\0b.mp4"), &MediaLimits::default()), MediaError::Io { .. }));
}

#[test]
fn every_limit_is_named() {
    let arguments = format!("{} -f lavfi -i sine=duration=2 {X264} -c:a aac", steps("96x48", 10, 20));
    let Some(clip) = Clip::make("a.mp4", &arguments) else { return };
    let limits = MediaLimits::default();
    for (limits, expected) in [
        (MediaLimits { max_recording_bytes: 100, ..limits }, "bytes of the recording"),
        (MediaLimits { max_recording_secs: 1.0, ..limits }, "seconds of the recording"),
        (MediaLimits { max_streams: 1, ..limits }, "streams of the recording"),
        (MediaLimits { max_side_px: 95, ..limits }, "longer side in px"),
        (MediaLimits { max_pixels: 4_000, ..limits }, "pixels a picture"),
        (MediaLimits { max_aspect_ratio: 1.9, ..limits }, "aspect ratio"),
    ] {
        let error = refuse(&clip.path, &limits);
        assert!(matches!(&error, MediaError::OverLimit { what, .. } if *what == expected), "{expected}: {error}");
    }
}

#[test]
fn a_length_that_is_not_stated_is_still_bounded() {
    // Written to a pipe, Matroska has no length in its header.
    let Some(clip) = Clip::make("a.mkv", &format!("{} {X264} -live 1", steps("64x48", 10, 30))) else { return };
    assert_eq!(clip.open().info().duration_secs, None);
    assert_eq!(clip.frames().len(), 30);
    let limits = MediaLimits { max_recording_secs: 1.0, ..MediaLimits::default() };
    let mut recording = Recording::open(&clip.path, &limits).expect("opens");
    let (n_frames, error) = read_to_end(&mut recording);
    assert_eq!(n_frames, 11);
    assert!(matches!(error, Some(MediaError::OverLimit { what: "seconds of the recording", .. })), "{error:?}");
}

#[test]
fn sound_comes_as_mono_at_16_khz_with_its_time() {
    for (name, codec) in
        [("a.mp4", "aac -ac 2"), ("a.webm", "libopus -ac 2"), ("a.mkv", "flac"), ("a.mov", "pcm_s16le -ac 2")]
    {
        let video = if name == "a.webm" { "-c:v libvpx -deadline realtime -b:v 1M" } else { X264 };
        let arguments = format!(
            "{} -f lavfi -i sine=frequency=440:sample_rate=48000:duration=2 {video} -c:a {codec}",
            steps("64x48", 10, 20)
        );
        let Some(clip) = Clip::make(name, &arguments) else { return };
        let mut audio = clip.open().audio().expect("opens").expect("has sound");
        let chunks: Vec<_> = std::iter::from_fn(|| audio.next_chunk().expect("reads")).collect();
        let samples: Vec<f32> = chunks.iter().flat_map(|chunk| chunk.samples.iter().copied()).collect();
        assert!((samples.len() as f64 / 16_000.0 - 2.0).abs() < 0.06, "{name}: {} samples", samples.len());
        // A sine crosses zero upwards once a period.
        let middle = &samples[8_000..24_000];
        let n_periods = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((439..=441).contains(&n_periods), "{name}: {n_periods} periods a second");
        assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0), "{name}");
        assert!(chunks[0].media_time.as_secs_f64().abs() < 0.03, "{name}: {:?}", chunks[0].media_time);
        for pair in chunks.windows(2) {
            let gap = pair[1].media_time.secs_since(pair[0].media_time) - pair[0].samples.len() as f64 / 16_000.0;
            // Matroska's millisecond clock is the coarsest.
            assert!(gap.abs() < 0.001_5, "{name}: a gap of {gap} s at {:?}", pair[1].media_time);
        }
    }
}

#[test]
fn a_click_is_heard_when_it_is_seen() {
    // White picture and loud sound both begin at 1 s.
    let arguments = format!(
        "-f lavfi -i nullsrc=s=64x48:r=50,geq=lum='if(lt(T,1),16,235)':cb=128:cr=128,trim=duration=2 \
         -f lavfi -i aevalsrc='if(lt(t,1),0,0.5*sin(2000*t))':s=48000:d=2 {X264} -bf 2 -c:a aac"
    );
    for name in ["a.mp4", "a.mkv"] {
        let Some(clip) = Clip::make(name, &arguments) else { return };
        let seen = clip
            .frames()
            .into_iter()
            .find(|frame| frame.picture.to_rgb().pixels()[0] > 128)
            .expect("turns white")
            .media_time;
        let mut audio = clip.open().audio().expect("opens").expect("has sound");
        let heard = std::iter::from_fn(|| audio.next_chunk().expect("reads"))
            .find_map(|chunk| {
                let loud = chunk.samples.iter().position(|sample| sample.abs() > 0.2)?;
                Some(chunk.media_time.as_secs_f64() + loud as f64 / 16_000.0)
            })
            .expect("turns loud");
        // Matroska moves both by the sound's priming, which would begin before zero.
        assert!((seen.as_secs_f64() - 1.0).abs() < 0.03, "{name}: seen at {seen:?}");
        assert!((heard - seen.as_secs_f64()).abs() < 0.01, "{name}: heard at {heard}, seen at {seen:?}");
    }
}

#[test]
fn sound_is_absent_without_error() {
    let Some(clip) = Clip::make("a.mp4", &format!("{} {X264}", steps("64x48", 10, 3))) else { return };
    assert!(clip.open().audio().expect("opens").is_none());
}

#[test]
fn codecs_that_are_not_sent_live_say_so() {
    let Some(clip) = Clip::make("a.avi", &format!("{} -c:v mpeg4", steps("64x48", 10, 3))) else { return };
    let error = clip.open().next_coded_sample().expect_err("not live");
    assert!(matches!(error, MediaError::InvalidField { field: "format", .. }), "{error}");
}

#[test]
fn h264_units_are_annex_b_with_parameter_sets_at_keyframes() {
    let Some(clip) = Clip::make("a.mp4", &format!("{} {X264} -bf 0", steps("64x48", 10, 25))) else { return };
    for unit in clip.units() {
        assert!(unit.data.starts_with(&[0, 0, 0, 1]) || unit.data.starts_with(&[0, 0, 1]), "{}", unit.sequence);
        let has_parameters = unit.data.windows(4).any(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 7);
        assert_eq!(unit.keyframe, unit.sequence % 10 == 0, "{}", unit.sequence);
        assert_eq!(has_parameters, unit.keyframe, "{}", unit.sequence);
    }
}

#[test]
fn real_clips_are_read_to_their_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/clips");
    let Ok(classes) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no recordings of people beside the package");
        return;
    };
    let clips = classes.flatten().filter_map(|class| std::fs::read_dir(class.path()).ok()).flatten().flatten();
    let mut n_clips = 0;
    for clip in clips {
        let mut recording = Recording::open(&clip.path(), &MediaLimits::default()).expect("opens");
        let mut last = None;
        // Half a second of each is enough to see that times rise and pictures come.
        for _ in 0..15 {
            let frame = recording.next_frame().expect("decodes").expect("has pictures");
            assert!(last < Some(frame.media_time), "{:?}: {last:?}", clip.path());
            last = Some(frame.media_time);
        }
        assert_eq!(recording.n_damaged(), 0, "{:?}", clip.path());
        n_clips += 1;
    }
    println!("read {n_clips} clips");
}

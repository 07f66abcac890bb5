//! What a coded unit is, read from its first bits: enough to know whether a decoder can start with it.

use super::format::VideoFormat;

/// What a unit offers a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    /// Decoding can start here.
    Key,
    /// A picture that needs earlier ones.
    Delta,
    /// Parameter sets, delimiters or metadata only.
    NoPicture,
    /// Not of this coding; says why.
    Unreadable(&'static str),
}

/// Looks at one unit; the sender's keyframe flag plays no part.
pub(super) fn inspect(format: VideoFormat, unit: &[u8]) -> UnitKind {
    match format {
        VideoFormat::H264 => inspect_h264(unit),
        VideoFormat::Vp8 => inspect_vp8(unit),
        VideoFormat::Vp9 => inspect_vp9(unit),
        VideoFormat::Av1 => inspect_av1(unit),
        VideoFormat::Jpeg
        | VideoFormat::Png
        | VideoFormat::WebP
        | VideoFormat::Rgb24
        | VideoFormat::Bgr24
        | VideoFormat::Rgba32
        | VideoFormat::Bgra32
        | VideoFormat::I420
        | VideoFormat::Nv12 => UnitKind::Unreadable("not coded video"),
    }
}

/// # Source
/// ITU-T H.264, 7.3.1 (NAL unit), table 7-1 (types), D.1.8 (recovery point), annex B (start codes).
fn inspect_h264(unit: &[u8]) -> UnitKind {
    const SLICE: u8 = 1;
    const PARTITIONS_LAST: u8 = 4;
    const IDR_SLICE: u8 = 5;
    const SEI: u8 = 6;
    const RECOVERY_POINT: u8 = 6;
    let mut n_units = 0;
    let (mut has_slice, mut is_random_access) = (false, false);
    for nal in annexb_units(unit) {
        n_units += 1;
        match nal.first().map(|header| header & 0x1f) {
            Some(IDR_SLICE) => return UnitKind::Key,
            Some(SLICE..=PARTITIONS_LAST) => has_slice = true,
            // Only the first message of an SEI unit is looked at: encoders put the recovery point there.
            Some(SEI) if nal.get(1) == Some(&RECOVERY_POINT) => is_random_access = true,
            _ => {}
        }
    }
    match (n_units, has_slice, is_random_access) {
        (0, _, _) => UnitKind::Unreadable("no Annex B start code (00 00 01); length-prefixed units must be converted"),
        (_, false, _) => UnitKind::NoPicture,
        (_, true, true) => UnitKind::Key,
        (_, true, false) => UnitKind::Delta,
    }
}

/// The NAL units between Annex B start codes; bytes before the first start code are left out.
fn annexb_units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(bytes);
    std::iter::from_fn(move || {
        let unit = rest?;
        rest = after_start_code(unit);
        Some(unit)
    })
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    let position = bytes.windows(3).position(|window| window == [0, 0, 1])?;
    bytes.get(position + 3..)
}

/// # Source
/// RFC 6386, 9.1 (frame tag).
fn inspect_vp8(unit: &[u8]) -> UnitKind {
    match unit {
        [tag, _, _, ..] if tag & 1 == 1 => UnitKind::Delta,
        [_, _, _, 0x9d, 0x01, 0x2a, _, _, _, _, ..] => UnitKind::Key,
        _ => UnitKind::Unreadable("no VP8 frame tag"),
    }
}

/// # Source
/// VP9 bitstream specification 0.7, 6.2 (uncompressed header).
fn inspect_vp9(unit: &[u8]) -> UnitKind {
    let mut bits = Bits::new(unit);
    let kind = || -> Option<UnitKind> {
        if bits.take(2)? != 2 {
            return Some(UnitKind::Unreadable("no VP9 frame marker"));
        }
        let profile = bits.take(1)? | bits.take(1)? << 1;
        if profile == 3 {
            bits.take(1)?;
        }
        let shows_existing = bits.take(1)? == 1;
        let is_inter = bits.take(1)? == 1;
        Some(if shows_existing || is_inter { UnitKind::Delta } else { UnitKind::Key })
    };
    let mut kind = kind;
    kind().unwrap_or(UnitKind::Unreadable("empty VP9 frame"))
}

/// # Source
/// AV1 bitstream specification, 5.3 (OBU syntax), 5.9.2 (uncompressed header).
fn inspect_av1(unit: &[u8]) -> UnitKind {
    const SEQUENCE_HEADER: u8 = 1;
    const FRAME_HEADER: u8 = 3;
    const FRAME: u8 = 6;
    let mut rest = unit;
    let mut is_still_sequence = false;
    while !rest.is_empty() {
        let Some((obu_type, payload, after)) = split_obu(rest) else {
            return UnitKind::Unreadable("no chain of AV1 OBUs");
        };
        rest = after;
        let mut bits = Bits::new(payload);
        match obu_type {
            // seq_profile (3), still_picture (1), reduced_still_picture_header (1).
            SEQUENCE_HEADER => is_still_sequence = bits.take(4).and_then(|_| bits.take(1)) == Some(1),
            // show_existing_frame (1), frame_type (2), of which 0 is a key frame.
            FRAME_HEADER | FRAME => {
                let is_key = is_still_sequence || bits.take(3).is_some_and(|begin| begin == 0);
                return if is_key { UnitKind::Key } else { UnitKind::Delta };
            }
            _ => {}
        }
    }
    if unit.is_empty() { UnitKind::Unreadable("empty AV1 temporal unit") } else { UnitKind::NoPicture }
}

/// Type and payload of the first OBU, and what follows it; `None` when it is not one.
fn split_obu(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&header, mut rest) = bytes.split_first()?;
    let (is_forbidden, has_extension, has_size) = (header & 0x81 != 0, header & 4 != 0, header & 2 != 0);
    if is_forbidden {
        return None;
    }
    if has_extension {
        rest = rest.get(1..)?;
    }
    let obu_type = (header >> 3) & 0x0f;
    if !has_size {
        return Some((obu_type, rest, &[]));
    }
    let mut n_bytes = 0_u64;
    for byte_idx in 0..8 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        n_bytes |= u64::from(byte & 0x7f) << (7 * byte_idx);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (payload, after) = rest.split_at_checked(usize::try_from(n_bytes).ok()?)?;
    Some((obu_type, payload, after))
}

/// Bits from the highest of the first byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn take(&mut self, n_bits: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n_bits {
            let byte = self.bytes.get(self.position / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{UnitKind, VideoFormat, inspect};

    const CODED: [VideoFormat; 4] = [VideoFormat::H264, VideoFormat::Vp8, VideoFormat::Vp9, VideoFormat::Av1];

    #[test]
    fn first_bits_tell_the_kind() {
        for (format, unit, expected) in [
            (VideoFormat::H264, &b"\0\0\0\x01\x67\x42\0\0\x01\x68\xce\0\0\x01\x65\x88"[..], UnitKind::Key),
            (VideoFormat::H264, b"\0\0\x01\x41\x9a", UnitKind::Delta),
            (VideoFormat::H264, b"\0\0\x01\x09\xf0\0\0\x01\x06\x06\x01\xc4\0\0\x01\x41\x9a", UnitKind::Key),
            (VideoFormat::H264, b"\0\0\x01\x67\x42\0\0\x01\x68\xce", UnitKind::NoPicture),
            (VideoFormat::Vp8, b"\x10\0\0\x9d\x01\x2a\x40\x01\xf0\0", UnitKind::Key),
            (VideoFormat::Vp8, b"\x11\0\0", UnitKind::Delta),
            (VideoFormat::Vp9, b"\x82\x49\x83\x42", UnitKind::Key),
            (VideoFormat::Vp9, b"\x86\0", UnitKind::Delta),
            (VideoFormat::Vp9, b"\x88\0", UnitKind::Delta),
            (VideoFormat::Av1, b"\x12\0\x0a\x01\0\x32\x01\x10", UnitKind::Key),
            (VideoFormat::Av1, b"\x12\0\x32\x01\x30", UnitKind::Delta),
            (VideoFormat::Av1, b"\x12\0", UnitKind::NoPicture),
        ] {
            assert_eq!(inspect(format, unit), expected, "{format:?} {unit:02x?}");
        }
    }

    #[test]
    fn what_is_no_unit_is_unreadable() {
        for (format, unit) in [
            (VideoFormat::H264, &b"\0\0\0\x05\x65\x88\x84\x21\xa0"[..]),
            (VideoFormat::H264, b""),
            (VideoFormat::Vp8, b"\x10\0\0\x9d\x01\x2b\x40\x01\xf0\0"),
            (VideoFormat::Vp8, b""),
            (VideoFormat::Vp9, b"\x42\x49"),
            (VideoFormat::Vp9, b""),
            (VideoFormat::Av1, b"\x80\0"),
            (VideoFormat::Av1, b"\x32\x09\0"),
            (VideoFormat::Av1, b""),
            (VideoFormat::Jpeg, b"\xff\xd8\xff"),
        ] {
            assert!(matches!(inspect(format, unit), UnitKind::Unreadable(_)), "{format:?} {unit:02x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_kind(unit in proptest::collection::vec(any::<u8>(), 0..64)) {
            for format in CODED {
                inspect(format, &unit);
            }
        }
    }
}

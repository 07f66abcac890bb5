//! What bytes are, read from the bytes themselves.

use super::format::VideoFormat;

/// Bytes of a file's beginning that [`sniff_container`] wants to see.
pub(super) const CONTAINER_HEAD_BYTES: usize = 64;

/// The still format whose magic number `bytes` begin with; `None` when it is none that is decoded here.
///
/// Coded video and raw pixels carry no magic number: for those the sender's word is needed.
///
/// # Examples
/// ```
/// use bonafide::media::{VideoFormat, sniff};
/// assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Some(VideoFormat::Png));
/// assert_eq!(sniff(b""), None);
/// ```
#[must_use]
pub fn sniff(bytes: &[u8]) -> Option<VideoFormat> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(VideoFormat::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(VideoFormat::Png);
    }
    (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")).then_some(VideoFormat::WebP)
}

/// A family of recording files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// MP4, MOV, 3GP: boxes of the ISO base media file format or `QuickTime`.
    Mp4,
    /// Matroska and `WebM`.
    Matroska,
    /// AVI.
    Avi,
}

impl Container {
    /// The names FFmpeg's demuxer of this family goes by.
    pub(super) const fn demuxer_names(self) -> &'static str {
        match self {
            Self::Mp4 => "mov,mp4,m4a,3gp,3g2,mj2",
            Self::Matroska => "matroska,webm",
            Self::Avi => "avi",
        }
    }
}

/// The container that a file beginning with `head` is; the file's name plays no part.
///
/// `head` should hold the first 64 bytes, or the whole file if it is shorter.
#[must_use]
pub fn sniff_container(head: &[u8]) -> Option<Container> {
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return Some(Container::Matroska);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ") {
        return Some(Container::Avi);
    }
    // A first box of QuickTime files may be any of these; ISO files begin with `ftyp` (fragments with `styp`).
    let is_box = matches!(
        head.get(4..8),
        Some(b"ftyp" | b"styp" | b"moov" | b"moof" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot")
    );
    is_box.then_some(Container::Mp4)
}

#[cfg(test)]
mod tests {
    use super::{Container, VideoFormat, sniff, sniff_container};

    #[test]
    fn stills_are_known_by_their_magic_numbers() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF"[..], Some(VideoFormat::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(VideoFormat::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(VideoFormat::WebP)),
            (b"RIFF\x10\0\0\0AVI LIST", None),
            (b"RIFF\x10\0\0\0WEB", None),
            (b"\x89PNG\n\x1a\n", None),
            (b"\xff\xd8", None),
            (b"GIF89a", None),
            (b"BM", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn containers_are_known_by_their_first_bytes() {
        for (bytes, expected) in [
            (&b"\0\0\0\x20ftypisom"[..], Some(Container::Mp4)),
            (b"\0\0\0\x08wide\0\0", Some(Container::Mp4)),
            (b"\x1a\x45\xdf\xa3\x9fB\x86", Some(Container::Matroska)),
            (b"RIFF\x10\0\0\0AVI LIST", Some(Container::Avi)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", None),
            (b"#EXTM3U\nhttp://example.org/a.ts", None),
            (b"ffconcat version 1.0\n", None),
            (b"<?xml version=\"1.0\"?><MPD", None),
            (b"", None),
        ] {
            assert_eq!(sniff_container(bytes), expected, "{bytes:?}");
        }
    }
}

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::{any, proptest};

use super::{MediaError, MediaLimits, RgbImage, decode_still, encode_jpeg, encode_jpeg_within, still_from_file};

/// JPEG of a smooth picture at quality 95 stays within this of the original.
const JPEG_TOLERANCE_LEVELS: u8 = 12;

fn gradient(width: u32, height: u32) -> RgbImage {
    let pixels = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| [x * 255 / width, y * 255 / height, 90].map(|level| level.to_le_bytes()[0]))
        .collect();
    RgbImage::new(width, height, pixels).expect("sizes agree")
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(image.pixels(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("encodes");
    bytes
}

fn webp(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .encode(image.pixels(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("encodes");
    bytes
}

/// Puts an EXIF segment with nothing but the orientation behind a JPEG's first marker.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

fn decode(bytes: &[u8]) -> RgbImage {
    decode_still(bytes, &MediaLimits::default()).expect("decodes")
}

fn refuse(bytes: &[u8]) -> MediaError {
    decode_still(bytes, &MediaLimits::default()).expect_err("must be refused")
}

#[test]
fn lossless_stills_come_back_exactly() {
    for (width, height) in [(1, 1), (17, 5), (64, 48)] {
        let image = gradient(width, height);
        assert_eq!(decode(&png(&image)), image);
        assert_eq!(decode(&webp(&image)), image);
    }
}

#[test]
fn jpeg_comes_back_nearly() {
    let image = gradient(97, 61);
    let decoded = decode(&encode_jpeg(image.view(), 95).expect("encodes"));
    assert_eq!((decoded.width(), decoded.height()), (97, 61));
    let worst = decoded.pixels().iter().zip(image.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(JPEG_TOLERANCE_LEVELS), "{worst:?}");
}

#[test]
fn any_quality_gives_a_picture() {
    let image = gradient(16, 16);
    let sizes = [0, 1, 50, 100, 255].map(|quality| encode_jpeg(image.view(), quality).expect("encodes").len());
    assert_eq!((sizes[0], sizes[3]), (sizes[1], sizes[4]), "out of range means the end of the range");
    assert!(sizes[1] < sizes[3]);
}

#[test]
fn exif_orientation_of_jpeg_is_applied() {
    // Left half black, right half white.
    let pixels = (0..32 * 16).flat_map(|i| [if i % 32 < 16 { 0_u8 } else { 255 }; 3]).collect();
    let jpeg = encode_jpeg(RgbImage::new(32, 16, pixels).expect("sizes agree").view(), 95).expect("encodes");
    let corner = |image: &RgbImage| image.pixels()[0] > 128;
    for (orientation, size, white_at_top_left) in [
        (1, (32, 16), false),
        (2, (32, 16), true),
        (3, (32, 16), true),
        (4, (32, 16), false),
        (5, (16, 32), false),
        (6, (16, 32), false),
        (7, (16, 32), true),
        (8, (16, 32), true),
    ] {
        let image = decode(&with_orientation(&jpeg, orientation));
        assert_eq!((image.width(), image.height()), size, "orientation {orientation}");
        assert_eq!(corner(&image), white_at_top_left, "orientation {orientation}");
    }
    // A number that EXIF does not know turns nothing.
    assert_eq!(decode(&with_orientation(&jpeg, 77)).width(), 32);
}

#[test]
fn grey_and_transparent_pictures_become_rgb() {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&[7, 200], 2, 1, ExtendedColorType::L8).expect("encodes");
    assert_eq!(decode(&bytes).pixels(), [7, 7, 7, 200, 200, 200]);
    bytes.clear();
    PngEncoder::new(&mut bytes).write_image(&[1, 2, 3, 0], 1, 1, ExtendedColorType::Rgba8).expect("encodes");
    assert_eq!(decode(&bytes).pixels(), [1, 2, 3]);
}

/// Overwrites the size in a PNG's header and repairs its checksum.
fn with_png_size(mut png: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    png
}

#[test]
fn bombs_are_refused_by_their_header() {
    let small = png(&gradient(8, 8));
    for (width, height) in [(100_000, 100_000), (4_096, 4_096), (5_000, 2)] {
        let error = refuse(&with_png_size(small.clone(), width, height));
        assert!(
            matches!(error, MediaError::OverLimit { .. } | MediaError::Undecodable { .. }),
            "{width}x{height}: {error}"
        );
    }
    let mut jpeg = encode_jpeg(gradient(8, 8).view(), 90).expect("encodes");
    let frame_header = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("baseline");
    jpeg[frame_header + 5..frame_header + 9].copy_from_slice(&[0xff; 4]);
    assert!(matches!(refuse(&jpeg), MediaError::OverLimit { .. }), "{}", refuse(&jpeg));
}

#[test]
fn a_size_of_zero_is_refused() {
    for (width, height) in [(0, 8), (8, 0)] {
        refuse(&with_png_size(png(&gradient(8, 8)), width, height));
    }
    let mut jpeg = encode_jpeg(gradient(8, 8).view(), 90).expect("encodes");
    let frame_header = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("baseline");
    jpeg[frame_header + 7..frame_header + 9].copy_from_slice(&[0; 2]);
    refuse(&jpeg);
}

#[test]
fn unknown_bytes_name_data_and_format() {
    for bytes in [&b""[..], b"GIF89a", b"hello", &[0; 100]] {
        let message = refuse(bytes).to_string();
        assert!(
            message.starts_with("data: not a readable JPEG, PNG or WebP") && message.contains("format"),
            "{message}"
        );
    }
}

#[test]
fn too_many_bytes_are_refused_unread() {
    let limits = MediaLimits { max_sample_bytes: 100, ..MediaLimits::default() };
    let error = decode_still(&png(&gradient(64, 64)), &limits).expect_err("too large");
    assert!(matches!(error, MediaError::OverLimit { what: "data bytes", .. }), "{error}");
}

#[test]
fn files_are_read_by_content() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("picture.jpg");
    std::fs::write(&path, png(&gradient(9, 4))).expect("writes");
    assert_eq!(still_from_file(&path, &MediaLimits::default()).expect("decodes"), gradient(9, 4));
    let missing = still_from_file(&folder.path().join("none.png"), &MediaLimits::default()).expect_err("no file");
    assert!(matches!(missing, MediaError::Io { .. }), "{missing}");
    let limits = MediaLimits { max_sample_bytes: 10, ..MediaLimits::default() };
    let error = still_from_file(&path, &limits).expect_err("too large");
    assert!(matches!(error, MediaError::OverLimit { .. }), "{error}");
}

proptest! {
    #[test]
    fn damage_is_an_error_or_a_picture_but_no_panic(
        kind in 0_usize..3, at in any::<proptest::sample::Index>(), value in any::<u8>(), keep in any::<proptest::sample::Index>(),
    ) {
        let image = gradient(24, 16);
        let mut bytes = match kind {
            0 => png(&image),
            1 => webp(&image),
            _ => encode_jpeg(image.view(), 80).expect("encodes"),
        };
        let at = at.index(bytes.len());
        bytes[at] = value;
        bytes.truncate(keep.index(bytes.len()) + 1);
        if let Ok(image) = decode_still(&bytes, &MediaLimits::default()) {
            assert_eq!(image.pixels().len() as u64, u64::from(image.width()) * u64::from(image.height()) * 3);
        }
    }
}

/// Noise, which no coder makes small.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    let pixels = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    RgbImage::new(width, height, pixels.collect()).expect("size fits")
}

#[test]
fn a_picture_is_brought_below_its_bound() {
    let limits = MediaLimits::default();
    let flat = RgbImage::new(640, 360, vec![90; 640 * 360 * 3]).expect("size fits");
    let fitted = encode_jpeg_within(flat.view(), 65_536, 85).expect("encodes");
    assert!(fitted.jpeg.len() < 65_536 && fitted.quality == 85, "nothing is given away");
    for (max_bytes, side) in [(65_536, 640), (20_000, 640), (2_000, 200)] {
        let fitted = encode_jpeg_within(noise(640, 640).view(), max_bytes, 85).expect("encodes");
        let picture = decode_still(&fitted.jpeg, &limits).expect("is a picture");
        assert!(fitted.jpeg.len() <= max_bytes && fitted.quality < 85, "{} at {}", fitted.jpeg.len(), fitted.quality);
        assert_eq!((picture.width(), picture.height()), (fitted.width, fitted.height));
        assert!(picture.width() <= side, "{}", picture.width());
    }
    let tiny = encode_jpeg_within(noise(16, 16).view(), 1, 85).expect("ends");
    assert!(!tiny.jpeg.is_empty());
}

//! Quarter turns.

use super::error::MediaError;
use super::format::Rotation;
use super::image::RgbImage;
use super::picture::Picture;

/// Rows of the source that are turned together, so that their cache lines are used up before they are evicted.
const BLOCK_ROWS: usize = 32;

type Pixel = [u8; 3];

/// Turns a picture clockwise by `rotation`; costs nothing when there is nothing to turn.
pub(super) fn upright(picture: Picture, rotation: Rotation) -> Result<Picture, MediaError> {
    match rotation {
        Rotation::None => Ok(picture),
        Rotation::Clockwise90 | Rotation::Clockwise180 | Rotation::Clockwise270 => {
            rotate(picture.into_rgb(), rotation).map(Picture::from)
        }
    }
}

/// [`upright`] of packed RGB.
fn rotate(image: RgbImage, rotation: Rotation) -> Result<RgbImage, MediaError> {
    let (width, height) = (image.width(), image.height());
    match rotation {
        Rotation::None => Ok(image),
        Rotation::Clockwise180 => {
            let mut bytes = image.into_pixels();
            bytes.as_chunks_mut::<3>().0.reverse();
            RgbImage::new(width, height, bytes)
        }
        Rotation::Clockwise90 => RgbImage::new(height, width, quarter_turn(&image, Rotation::Clockwise90)),
        Rotation::Clockwise270 => RgbImage::new(height, width, quarter_turn(&image, Rotation::Clockwise270)),
    }
}

/// Source row `y` becomes target column `height - 1 - y` (clockwise) or `y` (counter-clockwise, rows bottom up).
fn quarter_turn(image: &RgbImage, rotation: Rotation) -> Vec<u8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let source: &[Pixel] = image.pixels().as_chunks::<3>().0;
    let mut turned = vec![0; image.pixels().len()];
    let target: &mut [Pixel] = turned.as_chunks_mut::<3>().0;
    for (block_idx, block) in source.chunks(width * BLOCK_ROWS).enumerate() {
        let first_row = block_idx * BLOCK_ROWS;
        let n_rows = block.len() / width;
        for (target_row_idx, target_row) in target.chunks_exact_mut(height).enumerate() {
            let column_of_block = |source_column: usize| block.iter().skip(source_column).step_by(width);
            if rotation == Rotation::Clockwise90 {
                let part = target_row.iter_mut().rev().skip(first_row).take(n_rows);
                part.zip(column_of_block(target_row_idx)).for_each(|(to, from)| *to = *from);
            } else {
                let part = target_row.iter_mut().skip(first_row).take(n_rows);
                part.zip(column_of_block(width - 1 - target_row_idx)).for_each(|(to, from)| *to = *from);
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, proptest};

    use super::{RgbImage, Rotation, rotate};

    /// A picture whose pixels say where they were.
    fn numbered(width: u32, height: u32) -> RgbImage {
        let pixels = (0..width * height).flat_map(|i| i.to_le_bytes().into_iter().take(3)).collect();
        RgbImage::new(width, height, pixels).expect("sizes agree")
    }

    fn first_bytes(image: &RgbImage) -> Vec<u8> {
        image.pixels().iter().copied().step_by(3).collect()
    }

    #[test]
    fn a_two_by_three_picture_turns_as_on_paper() {
        // 0 1
        // 2 3
        // 4 5
        for (rotation, size, expected) in [
            (Rotation::None, (2, 3), [0, 1, 2, 3, 4, 5]),
            (Rotation::Clockwise90, (3, 2), [4, 2, 0, 5, 3, 1]),
            (Rotation::Clockwise180, (2, 3), [5, 4, 3, 2, 1, 0]),
            (Rotation::Clockwise270, (3, 2), [1, 3, 5, 0, 2, 4]),
        ] {
            let turned = rotate(numbered(2, 3), rotation).expect("valid");
            assert_eq!((turned.width(), turned.height()), size, "{rotation:?}");
            assert_eq!(first_bytes(&turned), expected, "{rotation:?}");
        }
    }

    proptest! {
        #[test]
        fn turns_compose(width in 1_u32..90, height in 1_u32..90, swap in any::<bool>().no_shrink()) {
            let (width, height) = if swap { (height, width) } else { (width, height) };
            let image = numbered(width, height);
            let turn = |image: RgbImage, rotation| rotate(image, rotation).expect("valid");
            let quarter = turn(image.clone(), Rotation::Clockwise90);
            let half = turn(quarter.clone(), Rotation::Clockwise90);
            assert_eq!(half, turn(image.clone(), Rotation::Clockwise180));
            assert_eq!(turn(half, Rotation::Clockwise90), turn(image.clone(), Rotation::Clockwise270));
            assert_eq!(turn(quarter, Rotation::Clockwise270), image);
        }
    }
}

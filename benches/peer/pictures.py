"""Samples to pictures, and the figures of a whole picture that need no face.

Pictures are `[height, width, 3]`, u8, BGR, as OpenCV keeps them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

JPEG, PNG, WEBP = 1, 2, 3
RGB24, BGR24, RGBA32, BGRA32 = 10, 11, 12, 13
I420, NV12 = 20, 21
# What can be decoded here; 0 asks for recognition by the first bytes.
STILLS = (0, JPEG, PNG, WEBP)
RAW = {
    RGB24: (3, cv2.COLOR_RGB2BGR),
    BGR24: (3, None),
    RGBA32: (4, cv2.COLOR_RGBA2BGR),
    BGRA32: (4, cv2.COLOR_BGRA2BGR),
}
PLANAR = {I420: cv2.COLOR_YUV2BGR_I420, NV12: cv2.COLOR_YUV2BGR_NV12}
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
MAX_SIDE_PX = 4096
# Size to which every picture is reduced once: the detector's input, and what the figures are taken from.
SMALL_SIZE = (320, 240)
THUMBNAIL_SIZE = (64, 36)
HASH_SIZE = (8, 8)


class Undecodable(ValueError):
    """A sample that is no picture."""


@dataclass
class PictureStats:
    """Figures of one picture beside the one before; luma 0..1, the change in 8-bit levels."""

    width: int
    height: int
    mean_luma: float
    luma_deviation: float
    change_levels: float | None
    average_hash: int


def decode(data: bytes, kind: int, width: int, height: int, rotation: int) -> np.ndarray:
    """The upright picture of a sample; raw pictures must be packed without padding."""
    if kind in STILLS:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if picture is None:
            raise Undecodable("not a readable JPEG, PNG or WebP picture")
    elif kind in RAW or kind in PLANAR:
        picture = _raw(data, kind, width, height)
    else:
        raise Undecodable("coded units are not decoded here: send JPEG, PNG, WebP or raw pictures")
    if max(picture.shape) > MAX_SIDE_PX:
        raise Undecodable(f"longer side is over {MAX_SIDE_PX} px")
    if rotation == 0:
        return picture
    if rotation not in TURNS:
        raise Undecodable("rotation_degrees must be 0, 90, 180 or 270")
    return cv2.rotate(picture, TURNS[rotation])


def _raw(data: bytes, kind: int, width: int, height: int) -> np.ndarray:
    channels, conversion = RAW.get(kind, (0, None))
    shape = (height, width, channels) if channels else (height * 3 // 2, width)
    pixels = np.frombuffer(data, np.uint8)
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX) or pixels.size != np.prod(shape):
        raise Undecodable("data does not have the length that layout says; rows must not be padded")
    if kind in PLANAR:
        if width % 2 or height % 2:
            raise Undecodable("sides of 4:2:0 pictures must be even here")
        return cv2.cvtColor(pixels.reshape(shape), PLANAR[kind])
    return pixels.reshape(shape) if conversion is None else cv2.cvtColor(pixels.reshape(shape), conversion)


def reduced(picture: np.ndarray) -> np.ndarray:
    """The picture squeezed to 320x240, every pixel counted."""
    return cv2.resize(picture, SMALL_SIZE, interpolation=cv2.INTER_AREA)


def thumbnail_of(small: np.ndarray) -> np.ndarray:
    """Luma `[36, 64]` in 8-bit levels with fractions."""
    return cv2.resize(cv2.cvtColor(small.astype(np.float32), cv2.COLOR_BGR2GRAY), THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)


def stats_of(thumbnail: np.ndarray, previous: np.ndarray | None, width: int, height: int) -> PictureStats:
    """The figures of a picture of which this is the thumbnail."""
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(thumbnail))
    grid = cv2.resize(thumbnail, HASH_SIZE, interpolation=cv2.INTER_AREA)
    bits = np.packbits(grid > grid.mean())
    change = None if previous is None else float(cv2.norm(thumbnail, previous, cv2.NORM_L1)) / thumbnail.size
    return PictureStats(width, height, mean / 255.0, deviation / 255.0, change, int.from_bytes(bits.tobytes(), "big"))

"""What a call does to a picture: H.264 at a given quantiser, decoded again."""

from fractions import Fraction

import av
import cv2
import numpy as np

# x264 as a call uses it: no look-ahead, every second picture predicted from the one before.
OPTIONS = {"preset": "superfast", "tune": "zerolatency", "g": "2", "keyint_min": "2", "sc_threshold": "0", "threads": "1"}


def h264(pictures: list[np.ndarray], quantiser: int, shift: tuple[int, int] = (1, 0)) -> list[np.ndarray]:
    """RGB pictures of one even size, each as the second of two frames, the first of which is moved by a few pixels.

    The first frame of each is coded alone and the second predicted from it, which is what most pictures of a call are.
    """
    height, width = pictures[0].shape[:2]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = OPTIONS | {"qp": str(quantiser)}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoded = []
    for index, picture in enumerate(pictures):
        for step, content in enumerate((np.roll(picture, shift, (0, 1)), picture)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(content), format="rgb24").reformat(format="yuv420p")
            frame.pts = 2 * index + step
            for packet in encoder.encode(frame):
                decoded += decoder.decode(packet)
    for packet in encoder.encode(None):
        decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    if len(decoded) != 2 * len(pictures):
        raise RuntimeError(f"{2 * len(pictures)} frames went in and {len(decoded)} came out")
    return [frame.to_ndarray(format="rgb24") for frame in decoded[1::2]]


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """An RGB picture after JPEG."""
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1]

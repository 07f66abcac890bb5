"""Faces in pictures, found with the networks that the service runs: a box from UltraFace, 468 points from the face mesh.

Both run in ONNX Runtime from the folder that `bonafide models fetch` filled. Nothing here is trained.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

# Points of the face mesh that lie on the outline of the face, in order, and on the outlines of its parts.
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
# The same without the forehead: from temple to temple over the brows.
LOWER_OVAL = [356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234,
              127, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300]
RIGHT_EYE = [70, 63, 105, 66, 107, 55, 189, 244, 233, 232, 231, 230, 229, 228, 31, 226, 35, 156]
LEFT_EYE = [300, 293, 334, 296, 336, 285, 413, 464, 453, 452, 451, 450, 449, 448, 261, 446, 265, 383]
NOSE = [168, 193, 245, 188, 174, 217, 209, 129, 98, 97, 2, 326, 327, 358, 429, 437, 399, 412, 465, 417]
MOUTH = [164, 167, 165, 92, 186, 57, 43, 106, 182, 83, 18, 313, 406, 335, 273, 287, 410, 322, 391, 393]
# Points that hardly move with speech, for aligning one face to another.
RIGID = [33, 133, 362, 263, 1, 168, 61, 291, 234, 454, 10, 152]

MESH_SIDE = 192
# The mesh wants a square of this many times the longer side of the face.
MESH_SCALE = 1.5
DETECTION_SIZE = (320, 240)
DETECTION_CONFIDENCE = 0.65
# Boxes that overlap more are one face.
MAX_OVERLAP = 0.4


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session of a file, or of a file's content, on one thread, so that several processes can run side by side."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


class FaceFinder:
    """Finds the most prominent face of a picture and its mesh."""

    def __init__(self, models: Path) -> None:
        self.detector = session(models / "ultraface.onnx")
        self.mesh = session(models / "facemesh.onnx")

    def box(self, picture: np.ndarray) -> np.ndarray | None:
        """The box `x0 y0 x1 y1` in pixels of the largest face of an RGB picture, or nothing."""
        height, width = picture.shape[:2]
        small = cv2.resize(picture, DETECTION_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        tensor = ((small - 127.0) / 128.0).transpose(2, 0, 1)[None]
        scores, boxes = self.detector.run(None, {"input": tensor})
        sure = scores[0, :, 1]
        kept = np.flatnonzero(sure > DETECTION_CONFIDENCE)
        if len(kept) == 0:
            return None
        corners = boxes[0] * [width, height, width, height]
        rects = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in corners[kept].tolist()]
        unique = kept[cv2.dnn.NMSBoxes(rects, sure[kept].tolist(), DETECTION_CONFIDENCE, MAX_OVERLAP)]
        areas = np.prod(corners[unique][:, 2:] - corners[unique][:, :2], axis=1)
        return corners[unique[areas.argmax()]].astype(np.float32)

    def points(self, picture: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        """The 468 points `[468, 2]` in pixels of the picture, and how sure the mesh is that there is a face (0..1)."""
        points, presence = self._points_at(picture, _roi(box, 0.0))
        turn = points[263] - points[33]
        extent = np.concatenate([points.min(0), points.max(0)])
        return self._points_at(picture, _roi(extent, float(np.arctan2(turn[1], turn[0]))))

    def _points_at(self, picture: np.ndarray, roi: np.ndarray) -> tuple[np.ndarray, float]:
        chip = cv2.warpAffine(picture, roi, (MESH_SIDE, MESH_SIDE), flags=cv2.INTER_LINEAR)
        outputs = self.mesh.run(["output_mesh", "output_faceflag"], {"input_1": chip[None].astype(np.float32) / 255.0})
        mesh = outputs[0].reshape(468, 3)[:, :2]
        back = cv2.invertAffineTransform(roi)
        return (mesh @ back[:, :2].T + back[:, 2]).astype(np.float32), float(outputs[1].item())


def _roi(box: np.ndarray, angle: float) -> np.ndarray:
    """The transform from the picture to the mesh's square around a box, turned by an angle in radians."""
    centre = (box[:2] + box[2:]) / 2
    side = MESH_SCALE * float((box[2:] - box[:2]).max())
    scale = MESH_SIDE / side
    cos, sin = np.cos(-angle) * scale, np.sin(-angle) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.concatenate([linear, (MESH_SIDE / 2 - linear @ centre)[:, None]], axis=1)

"""Writes tests/data/golden.json: what the models say of seven photographs, computed without any of Bonafide's code.

Usage: reference.py MODELS_DIR MEDIA_DIR > tests/data/golden.json   (packages: requirements.txt beside this file)

MODELS_DIR and MEDIA_DIR are the folders that scripts/setup fills. The photographs are scikit-image's astronaut.png (NASA, public
domain) and sample1.jpg to sample6.jpg of @vladmandic/face-api. Of each photograph: every box of the detector, and of the largest
face some points of its mesh (second pass), the five alignment points and the presentation-attack score. The identity vector is kept
for the public-domain portrait alone.
"""

import json
import pathlib
import sys

import cv2
import numpy as np
import onnxruntime

# Spread over the whole face: oval, brows, eyes, nose, lips.
MESH_POINTS = [1, 4, 10, 13, 14, 33, 61, 105, 127, 133, 152, 159, 234, 263, 291, 334, 356, 362, 386, 454]
LEFT_EYE = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
RIGHT_EYE = [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]
# ArcFace's five points in a 112x112 chip, read as edge coordinates.
TEMPLATE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]


class Models:
    def __init__(self, folder):
        onnxruntime.set_default_logger_severity(3)
        names = ["ultraface", "facemesh", "embedding", "presentation"]
        self.sessions = {name: onnxruntime.InferenceSession(str(folder / f"{name}.onnx")) for name in names}

    def run(self, name, tensor):
        session = self.sessions[name]
        return session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(tensor, dtype=np.float32)})


def detect(models, rgb):
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (320, 240), interpolation=cv2.INTER_AREA).astype(np.float32)
    scores, boxes = models.run("ultraface", ((small - 127) / 128).transpose(2, 0, 1)[None])
    confident = scores[0, :, 1] > 0.65
    scores, boxes = scores[0, confident, 1], boxes[0, confident] * [width, height, width, height]
    kept = []
    for index in np.argsort(-scores):
        if all(overlap(boxes[index], boxes[other]) <= 0.4 for other in kept):
            kept.append(index)
    return sorted((boxes[index] for index in kept), key=lambda box: -(box[2] - box[0]) * (box[3] - box[1]))


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def warp(rgb, matrix, side):
    """Warps with a 2x3 matrix between edge coordinates (the first pixel's centre is at .5)."""
    to_edges = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(to_edges) @ np.vstack([matrix, [0, 0, 1]]) @ to_edges
    reduction = 1 / np.hypot(matrix[0, 0], matrix[1, 0])
    if reduction > 2:
        # Blur before a strong reduction; the product averages blocks instead, so some tolerance is needed here.
        rgb = cv2.blur(rgb, (int(round(reduction)),) * 2)
    return cv2.warpAffine(rgb, centred[:2], (side, side), flags=cv2.INTER_LINEAR)


def mesh(models, rgb, center, side, angle):
    cos, sin, scale = np.cos(angle), np.sin(angle), 192 / side
    linear = scale * np.array([[cos, sin], [-sin, cos]])
    matrix = np.column_stack([linear, np.array([96, 96]) - linear @ center])
    points, presence = models.run("facemesh", warp(rgb, matrix, 192)[None].astype(np.float32) / 255)[:2]
    points = points.reshape(468, 3)
    in_frame = (points[:, :2] - matrix[:, 2]) @ np.linalg.inv(linear).T
    return np.column_stack([in_frame, points[:, 2] / scale]), float(presence.reshape(-1)[0])


def two_pass_mesh(models, rgb, box):
    center = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    first, _ = mesh(models, rgb, center, 1.5 * max(box[2] - box[0], box[3] - box[1]), 0.0)
    eyes = first[263, :2] - first[33, :2]
    angle = np.arctan2(eyes[1], eyes[0])
    upright = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = first[:, :2] @ upright.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return mesh(models, rgb, upright.T @ ((low + high) / 2), 1.5 * (high - low).max(), angle)


def five_points(points):
    flat = points[:, :2]
    return np.array([flat[LEFT_EYE].mean(axis=0), flat[RIGHT_EYE].mean(axis=0), flat[1], flat[61], flat[291]])


def similarity(source, target):
    """Umeyama's least-squares similarity, by singular value decomposition."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred_source, centred_target = source - source_mean, target - target_mean
    u, values, vt = np.linalg.svd(centred_target.T @ centred_source / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    linear = (values * signs).sum() / centred_source.var(axis=0).sum() * u @ np.diag(signs) @ vt
    return np.column_stack([linear, target_mean - linear @ source_mean])


def embedding(models, rgb, points):
    chip = warp(rgb, similarity(points, np.array(TEMPLATE)), 112).astype(np.float32)
    vector = models.run("embedding", ((chip[..., ::-1] - 127) / 128).transpose(2, 0, 1)[None])[0][0]
    return vector / np.linalg.norm(vector)


def attack_score(models, rgb, box):
    views = np.stack([view(rgb, box, wanted) for wanted in (1.0, 2.7)])
    return float(1 / (1 + np.exp(-models.run("presentation", views)[0].item())))


def view(rgb, box, wanted):
    height, width = rgb.shape[:2]
    box_width, box_height = box[2] - box[0], box[3] - box[1]
    scale = min(wanted, (width - 1) / box_width, (height - 1) / box_height)
    crop_width, crop_height = box_width * scale, box_height * scale
    left = np.clip((box[0] + box[2] - crop_width) / 2, 0, width - 1 - crop_width)
    top = np.clip((box[1] + box[3] - crop_height) / 2, 0, height - 1 - crop_height)
    crop = rgb[int(top) : int(top) + int(crop_height), int(left) : int(left) + int(crop_width)]
    small = cv2.resize(crop, (128, 128), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return small[..., ::-1].transpose(2, 0, 1)


def rounded(values, digits):
    return np.asarray(values, dtype=np.float64).round(digits).tolist()


def describe(models, path):
    rgb = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
    boxes = detect(models, rgb)
    points, presence = two_pass_mesh(models, rgb, boxes[0])
    picture = {
        "file": path.name,
        "boxes": [rounded(box, 2) for box in boxes],
        "presence": round(presence, 4),
        "mesh": {str(index): rounded(points[index], 2) for index in MESH_POINTS},
        "five_points": rounded(five_points(points), 2),
        "attack_score": round(attack_score(models, rgb, boxes[0]), 5),
    }
    if path.name == "astronaut.png":
        picture["embedding"] = rounded(embedding(models, rgb, five_points(points)), 4)
    return picture


def main():
    models_dir, media_dir = (pathlib.Path(argument) for argument in sys.argv[1:])
    models = Models(models_dir)
    names = ["astronaut.png", *(f"sample{number}.jpg" for number in range(1, 7))]
    pictures = [json.dumps(describe(models, media_dir / name)) for name in names]
    print('{"pictures": [\n' + ",\n".join(pictures) + "\n]}")


if __name__ == "__main__":
    main()

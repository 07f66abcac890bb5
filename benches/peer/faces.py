"""Faces in one picture: boxes, meshes, chips, and what each model is given and answers.

The numbers of pre- and post-processing are those of `src/vision`, which says where they come from.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from models import Models

MESH_POINTS = 468
MESH_SIDE = 192
CHIP_SIDE = 112
PRESENTATION_SIDE = 128
DEEPFAKE_SIDE = 224
QUALITY_SIDE = 96

MIN_CONFIDENCE = 0.65
MAX_OVERLAP = 0.4
MAX_CANDIDATES = 512
MAX_FACES = 16
# Wider pictures without a face are searched again in overlapping tiles.
MAX_WHOLE_SIDE = 640
MAX_TILES_A_SIDE = 3
TILE_MARGIN = 1.125

MESH_MARGIN = 1.5
MIN_ROI_SIDE = 4.0
DEEPFAKE_SCALE = 1.03
SURROUNDINGS_SCALE = 2.7
# A stronger reduction averages pixels before it interpolates.
MAX_BILINEAR_REDUCTION = 2.0
MIN_EYE_DISTANCE = 2.0

LEFT_EYE = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
RIGHT_EYE = [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]
LEFT_EYE_OUTER, LEFT_EYE_INNER, RIGHT_EYE_INNER, RIGHT_EYE_OUTER = 33, 133, 362, 263
NOSE_TIP, MOUTH_LEFT, MOUTH_RIGHT, CHIN = 1, 61, 291, 152
# Where the detector's box ends beside the mesh, as shares of the mesh's width and height.
BESIDE, ABOVE, BELOW = 0.007, 0.114, -0.025
# Where ArcFace's training put eyes, nose and mouth corners in the chip.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])

ELLIPSE = 0.85
BLACK_LUMA, WHITE_LUMA = 8.0, 247.0
SKIN_POINTS = [151, 50, 280, 5, 164, 199]
PATCH_RADIUS = 2
MAX_SKIN_DISTANCE = 20.0
MIN_PATCHES = 3

# Points that expression hardly moves, and where they lie on MediaPipe's canonical face: x right, y down, z away, in centimetres.
RIGID = {
    4: (0.0, 0.463170, -7.586580), 6: (0.0, -2.473255, -5.788627), 10: (0.0, -8.261778, -4.481535),
    33: (-4.445859, -2.663991, -3.173422), 54: (-6.279331, -6.615427, -1.425850), 67: (-3.523964, -8.005976, -3.729163),
    117: (-5.258659, -0.945811, -2.974312), 119: (-3.300681, -0.861641, -3.872784), 121: (-1.820731, -1.467954, -4.224124),
    127: (-7.743095, -2.364999, 2.005167), 129: (-1.785794, 0.978284, -4.850470), 133: (-1.856432, -2.585245, -3.757904),
    143: (-6.407571, -2.236021, -1.560843), 198: (-1.246815, -0.230297, -5.681036), 263: (4.445859, -2.663991, -3.173422),
    284: (6.279331, -6.615427, -1.425850), 297: (3.523964, -8.005976, -3.729163), 346: (5.258659, -0.945811, -2.974312),
    348: (3.300681, -0.861641, -3.872784), 350: (1.820731, -1.467954, -4.224124), 356: (7.743095, -2.364999, 2.005167),
    358: (1.785794, 0.978284, -4.850470), 362: (1.856432, -2.585245, -3.757904), 372: (6.407571, -2.236021, -1.560843),
    420: (1.246815, -0.230297, -5.681036),
}  # fmt: skip
RIGID_INDICES = list(RIGID)
RIGID_PLACES = np.array(list(RIGID.values()))


class NoChip(ValueError):
    """Landmarks or a box from which nothing can be cut."""


@dataclass(frozen=True)
class Detection:
    """A box `x0 y0 x1 y1` in pixels and how sure the detector is of it."""

    box: np.ndarray
    confidence: float


@dataclass(frozen=True)
class Roi:
    """A square of the picture, turned so that the eyes are level, in which the mesh is looked for."""

    x: float
    y: float
    side: float
    angle: float
    is_refined: bool


@dataclass(frozen=True)
class Mesh:
    """Points `[468, 3]` in pixels of the picture, and how sure the model is that there is a face."""

    points: np.ndarray
    presence: float


@dataclass(frozen=True)
class Quality:
    """How much a face's picture can carry."""

    face_height: float
    sharpness: float
    exposure: float
    clipped_ratio: float
    outside_ratio: float
    occlusion_ratio: float


def area(box: np.ndarray) -> float:
    """Square pixels; never negative."""
    return max(float(box[2] - box[0]), 0.0) * max(float(box[3] - box[1]), 0.0)


def intersection(a: np.ndarray, b: np.ndarray) -> float:
    """Square pixels that two boxes share."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union, 0..1."""
    common = intersection(a, b)
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


# --- cutting ---


def similarity(x: float, y: float, target: float, scale: float, angle: float) -> np.ndarray:
    """The transform `[2, 3]` that turns and scales so that a point comes to `(target, target)`, in edge coordinates."""
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, target - (a * x - b * y)], [b, a, target - (b * x + a * y)]])


def warp(picture: np.ndarray, chip_from_picture: np.ndarray, side: int) -> np.ndarray:
    """Cuts a square chip; what lies outside the picture is black."""
    reduction = 1.0 / np.hypot(chip_from_picture[0, 0], chip_from_picture[1, 0])
    if not np.isfinite(reduction):
        raise NoChip("the region has no size")
    left, top, factor = 0, 0, 1
    if reduction > MAX_BILINEAR_REDUCTION:
        factor = int(reduction)
        corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) - chip_from_picture[:, 2]
        # The inverse of a similarity's linear part is its transpose over the squared scale.
        corners = corners @ chip_from_picture[:, :2] * reduction**2
        height, width = picture.shape[:2]
        left, top = np.clip(np.floor(corners.min(0)) - factor, 0, (width, height)).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(0)) + factor, (left, top), (width, height)).astype(int)
        small = ((right - left) // factor, (bottom - top) // factor)
        if min(small) <= 0:
            return np.zeros((side, side, 3), np.uint8)
        region = picture[top : top + small[1] * factor, left : left + small[0] * factor]
        picture = cv2.resize(region, small, interpolation=cv2.INTER_AREA)
    linear = chip_from_picture[:, :2]
    shift = chip_from_picture[:, 2] + linear @ (left, top)
    # OpenCV counts from the centre of the first pixel.
    linear = linear * factor
    rows = np.column_stack([linear, shift + linear @ (0.5, 0.5) - 0.5])
    return cv2.warpAffine(picture, rows, (side, side), flags=cv2.INTER_LINEAR)


def nchw(pictures: list[np.ndarray], factor: float, offset: float, *, rgb: bool) -> np.ndarray:
    """Lays BGR pictures out as `[n, 3, height, width]`, f32, `(value - offset) * factor`."""
    return cv2.dnn.blobFromImages(pictures, factor, mean=(offset, offset, offset), swapRB=rgb)


# --- detection ---


class Detector:
    """UltraFace on a whole picture, and on its tiles when a large one shows nobody."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def find(self, picture: np.ndarray, small: np.ndarray) -> list[Detection]:
        """Faces, largest first; `small` is the picture at 320x240."""
        height, width = picture.shape[:2]
        boxes, scores = self._run(small, 0.0, 0.0, float(width), float(height))
        if len(scores) == 0 and max(width, height) > MAX_WHOLE_SIDE:
            found = [self._run_tile(picture, *tile) for tile in tiles(width, height)]
            boxes, scores = np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])
        return merge(boxes, scores)

    def _run_tile(self, picture: np.ndarray, x: float, y: float, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
        left, top, right, bottom = (round(edge) for edge in (x, y, x + width, y + height))
        small = cv2.resize(picture[top:bottom, left:right], (320, 240), interpolation=cv2.INTER_AREA)
        return self._run(small, x, y, width, height)

    def _run(self, small: np.ndarray, x: float, y: float, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
        scores, boxes = self._models.run("ultraface", nchw([small], 1 / 128, 127.0, rgb=True))
        sure = scores[0, :, 1]
        kept = np.flatnonzero(sure > MIN_CONFIDENCE)
        kept = kept[np.argsort(-sure[kept])][:MAX_CANDIDATES]
        return boxes[0, kept] * np.float32([width, height, width, height]) + np.float32([x, y, x, y]), sure[kept]


def tiles(width: int, height: int) -> list[tuple[float, float, float, float]]:
    """Overlapping parts `x y width height` of a large picture."""
    a_side = min(-(-max(width, height) // MAX_WHOLE_SIDE), MAX_TILES_A_SIDE)
    tile_width, tile_height = width * TILE_MARGIN / a_side, height * TILE_MARGIN / a_side
    places = [share / (a_side - 1) for share in range(a_side)]
    return [
        (float(np.floor((width - tile_width) * across)), float(np.floor((height - tile_height) * down)), tile_width, tile_height)
        for down in places
        for across in places
    ]


def merge(boxes: np.ndarray, scores: np.ndarray) -> list[Detection]:
    """Of boxes that overlap the surest stays; largest first."""
    order = np.argsort(-scores)
    boxes, scores = boxes[order], scores[order]
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    areas = sides[:, 0] * sides[:, 1]
    left = np.flatnonzero(areas > 0)
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:], boxes[left, 2:])
        common = np.prod(np.maximum(high - low, 0.0), axis=1)
        left = left[common / (areas[best] + areas[left] - common) <= MAX_OVERLAP]
    kept.sort(key=lambda index: -areas[index])
    return [Detection(boxes[index], float(scores[index])) for index in kept[:MAX_FACES]]


# --- mesh ---


class Mesher:
    """The face mesh; keeps the buffer of its input."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._input = np.empty((1, MESH_SIDE, MESH_SIDE, 3), np.float32)

    def find(self, picture: np.ndarray, roi: Roi) -> Mesh | None:
        """The mesh in a region; one that was not found from a mesh is looked at twice."""
        mesh = self._at(picture, roi)
        refined = None if roi.is_refined or mesh is None else roi_of_mesh(mesh)
        return mesh if refined is None else self._at(picture, refined)

    def _at(self, picture: np.ndarray, roi: Roi) -> Mesh | None:
        transform = similarity(roi.x, roi.y, MESH_SIDE / 2, MESH_SIDE / roi.side, -roi.angle)
        chip = cv2.cvtColor(warp(picture, transform, MESH_SIDE), cv2.COLOR_BGR2RGB)
        np.multiply(chip, np.float32(1 / 255), out=self._input[0])
        points, presence = self._models.run("facemesh", self._input)
        points = points.reshape(MESH_POINTS, 3).astype(np.float64)
        scale = roi.side / MESH_SIDE
        points[:, :2] = (points[:, :2] - transform[:, 2]) @ transform[:, :2] * scale**2
        points[:, 2] *= scale
        if not np.isfinite(points).all():
            return None
        return Mesh(points.astype(np.float32), float(np.clip(presence.item(), 0.0, 1.0)))


def roi_of_box(box: np.ndarray) -> Roi | None:
    """The upright region around a detection."""
    return _usable(Roi((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, MESH_MARGIN * max(box[2] - box[0], box[3] - box[1]), 0.0, False))


def roi_of_mesh(mesh: Mesh) -> Roi | None:
    """The region around a mesh, turned with its eye line."""
    across = mesh.points[RIGHT_EYE_OUTER, :2] - mesh.points[LEFT_EYE_OUTER, :2]
    angle = float(np.arctan2(across[1], across[0]))
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    level = mesh.points[:, :2] @ axes
    low, high = level.min(0), level.max(0)
    centre = axes @ ((low + high) / 2)
    return _usable(Roi(float(centre[0]), float(centre[1]), MESH_MARGIN * float((high - low).max()), angle, True))


def _usable(roi: Roi) -> Roi | None:
    return roi if np.isfinite((roi.x, roi.y, roi.side, roi.angle)).all() and roi.side >= MIN_ROI_SIDE else None


def box_of_mesh(mesh: Mesh) -> np.ndarray:
    """The box as the detector would draw it, forehead to chin."""
    low, high = mesh.points[:, :2].min(0), mesh.points[:, :2].max(0)
    width, height = high - low
    return np.array([low[0] - BESIDE * width, low[1] - ABOVE * height, high[0] + BESIDE * width, high[1] + BELOW * height])


# --- what is measured on a face ---


def five_points(mesh: Mesh) -> np.ndarray:
    """Eyes, nose tip and mouth corners `[5, 2]`, from the viewer's left."""
    points = mesh.points[:, :2]
    return np.stack([points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0), points[NOSE_TIP], points[MOUTH_LEFT], points[MOUTH_RIGHT]])


def aligned(picture: np.ndarray, mesh: Mesh) -> np.ndarray:
    """The upright chip of 112x112: least-squares similarity of the five points to the template."""
    points = five_points(mesh).astype(np.float64)
    if not np.hypot(*(points[0] - points[1])) >= MIN_EYE_DISTANCE:
        raise NoChip("the eyes lie on top of each other")
    source, target = points - points.mean(0), TEMPLATE - TEMPLATE.mean(0)
    spread = (source**2).sum()
    a, b = (source * target).sum() / spread, (source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum() / spread
    linear = np.array([[a, -b], [b, a]])
    return warp(picture, np.column_stack([linear, TEMPLATE.mean(0) - linear @ points.mean(0)]), CHIP_SIDE)


def embed(models: Models, picture: np.ndarray, mesh: Mesh) -> np.ndarray | None:
    """The identity vector `[512]` of unit length."""
    vector = models.run("embedding", nchw([aligned(picture, mesh)], 1 / 128, 127.0, rgb=False))[0][0]
    length = float(np.linalg.norm(vector))
    return vector / length if np.isfinite(length) and length > 1e-6 else None


def check_presentation(models: Models, picture: np.ndarray, box: np.ndarray) -> tuple[float, float]:
    """The logit of a presentation attack, and the share of the wanted surroundings that the picture holds."""
    height, width = picture.shape[:2]
    whole = np.array([0.0, 0.0, width, height])
    if not np.isfinite(box).all() or box[2] - box[0] < 1 or box[3] - box[1] < 1 or intersection(box, whole) <= 0:
        raise NoChip("the face box is empty or outside the picture")
    wanted = _grown(box, SURROUNDINGS_SCALE)
    context = float(np.clip(intersection(wanted, whole) / area(wanted), 0.0, 1.0))
    views = [_view(picture, box, 1.0), _view(picture, box, SURROUNDINGS_SCALE)]
    logit = models.run("presentation", nchw(views, 1.0, 0.0, rgb=False))[0]
    return float(logit.item()), context


def _grown(box: np.ndarray, scale: float) -> np.ndarray:
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * (scale / 2)
    return np.concatenate([centre - half, centre + half])


def _view(picture: np.ndarray, box: np.ndarray, scale: float) -> np.ndarray:
    height, width = picture.shape[:2]
    fitting = min(scale, (width - 1) / (box[2] - box[0]), (height - 1) / (box[3] - box[1]))
    crop = _grown(box, fitting)
    left, across = _shifted_inside(crop[0], crop[2], width)
    top, down = _shifted_inside(crop[1], crop[3], height)
    region = picture[top : top + down, left : left + across]
    return cv2.resize(region, (PRESENTATION_SIDE, PRESENTATION_SIDE), interpolation=cv2.INTER_LINEAR)


def _shifted_inside(start: float, end: float, size: int) -> tuple[int, int]:
    """A stretch of one axis moved back inside: first pixel and length."""
    if start < 0:
        start, end = 0.0, end - start
    if end > size - 1:
        start, end = start - (end - (size - 1)), float(size - 1)
    first = min(max(int(max(start, 0.0)), 0), size - 1)
    return first, min(max(int(end - start), 1), size - first)


def check_deepfake(models: Models, picture: np.ndarray, mesh: Mesh) -> float:
    """The logit of a deepfake."""
    low, high = mesh.points[:, :2].min(0), mesh.points[:, :2].max(0)
    width, height = (high - low).tolist()
    if width < 1 or height < 1:
        raise NoChip("the mesh has no extent")
    side = DEEPFAKE_SCALE * (width * height) ** 0.5
    middle = ((low + high) / 2).tolist()
    chip = warp(picture, similarity(*middle, DEEPFAKE_SIDE / 2, DEEPFAKE_SIDE / side, 0.0), DEEPFAKE_SIDE)
    return float(models.run("deepfake", nchw([chip], 1 / 128, 127.0, rgb=True))[0].item())


_GRID = np.arange(QUALITY_SIDE) + 0.5


def quality_of(picture: np.ndarray, box: np.ndarray, mesh: Mesh) -> Quality:
    """Judges the picture of a face on a chip of fixed size, within an ellipse."""
    height, width = picture.shape[:2]
    whole = np.array([0.0, 0.0, width, height])
    face_width, face_height = float(box[2] - box[0]), float(box[3] - box[1])
    if not area(box) > 0:
        raise NoChip("the face box is empty")
    half = QUALITY_SIDE / 2
    scale = QUALITY_SIDE / max(face_width, face_height)
    transform = similarity((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, half, scale, 0.0)
    chip = warp(picture, transform, QUALITY_SIDE).astype(np.float32)
    luma = cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)
    low, high = transform[:, 2], scale * np.array([width, height]) + transform[:, 2]
    across, down = (_GRID - half) / (ELLIPSE * scale * face_width / 2), (_GRID - half) / (ELLIPSE * scale * face_height / 2)
    inside = (across**2)[None, :] + (down**2)[:, None] <= 1.0
    inside &= ((_GRID - 2 >= low[0]) & (_GRID + 2 <= high[0]))[None, :] & ((_GRID - 2 >= low[1]) & (_GRID + 2 <= high[1]))[:, None]
    inside[[0, -1]] = inside[:, [0, -1]] = False
    levels = luma[inside]
    if len(levels) == 0:
        mean, clipped, sharpness = 0.0, 0.0, 0.0
    else:
        mean, clipped = float(levels.mean()), float(((levels <= BLACK_LUMA) | (levels >= WHITE_LUMA)).mean())
        sharpness = float(cv2.Laplacian(luma, cv2.CV_32F, ksize=1)[inside].var())
    outside = float(np.clip(1.0 - intersection(box, whole) / area(box), 0.0, 1.0))
    occlusion = _odd_patches(chip, mesh.points[SKIN_POINTS, :2] * scale + transform[:, 2], low, high)
    return Quality(face_height, sharpness, mean / 255.0, clipped, outside, occlusion)


def _odd_patches(chip: np.ndarray, points: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Share of skin patches whose colour does not belong with the majority's."""
    places = np.floor(points).astype(int)
    kept = ((points >= low) & (points <= high) & (places >= PATCH_RADIUS) & (places < QUALITY_SIDE - PATCH_RADIUS)).all(1)
    if kept.sum() < MIN_PATCHES:
        return 0.0
    side = 2 * PATCH_RADIUS + 1
    blue, green, red = cv2.blur(chip, (side, side))[places[kept, 1], places[kept, 0]].T
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    colours = np.stack([0.713 * (red - luma), 0.564 * (blue - luma)], axis=1)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    return 1.0 - float((apart <= MAX_SKIN_DISTANCE).sum(1).max()) / len(colours)


def pose_of(mesh: Mesh, width: int, height: int) -> tuple[float, float] | None:
    """Yaw and pitch in degrees, positive to the viewer's right and up."""
    focal = float(max(width, height))
    camera = np.array([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
    seen = mesh.points[RIGID_INDICES, :2].astype(np.float64)
    if np.ptp(seen, axis=0).max() < 4.0:
        return None
    is_found, rotation, _ = cv2.solvePnP(RIGID_PLACES, seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not is_found:
        return None
    nose = -cv2.Rodrigues(rotation)[0][:, 2]
    yaw, pitch = np.degrees([np.arctan2(nose[0], -nose[2]), np.arcsin(np.clip(-nose[1], -1.0, 1.0))]).tolist()
    return (yaw, pitch) if np.isfinite((yaw, pitch)).all() else None


# Pairs of points whose distances make the shape: two lids and the corners of each eye, lips, mouth, nose to chin, unit.
_SHAPE_FROM = [160, 158, LEFT_EYE_OUTER, 387, 385, RIGHT_EYE_OUTER, 13, MOUTH_LEFT, NOSE_TIP, LEFT_EYE_OUTER]
_SHAPE_TO = [144, 153, LEFT_EYE_INNER, 373, 380, RIGHT_EYE_INNER, 14, MOUTH_RIGHT, CHIN, RIGHT_EYE_OUTER]


def shape_of(mesh: Mesh) -> np.ndarray | None:
    """How open both eyes and the mouth are, how wide the mouth and how long the jaw, as ratios `[5]`."""
    lengths = np.linalg.norm(mesh.points[_SHAPE_FROM] - mesh.points[_SHAPE_TO], axis=1)
    left_1, left_2, left_width, right_1, right_2, right_width, lips, mouth, jaw, unit = lengths.tolist()
    if not min(left_width, right_width, mouth, unit) > 1e-3:
        return None
    return np.array([(left_1 + left_2) / 2 / left_width, (right_1 + right_2) / 2 / right_width, lips / mouth, mouth / unit, jaw / unit])

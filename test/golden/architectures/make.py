"""Writes <family>.json: names, shapes and scores of torchvision's models with weights by formula.

Run: python test/golden/architectures/make.py [family ...]
Then format: npx biome format --write test/golden/architectures
Needs torch and torchvision; the versions used are in the files. Scores are computed in float64.
"""
import datetime
import json
import pathlib
import platform
import sys

import torch
import torchvision

from formula import record

FOLDER = pathlib.Path(__file__).parent

# By family: the sizes [h, w] that a model is run at.
FAMILIES = {
    "alexnet": {"alexnet": [[224, 224], [63, 63], [200, 330]]},
    "vgg": {
        "vgg11": [[224, 224], [32, 32], [300, 70]],
        "vgg13": [[32, 32]],
        "vgg16": [[64, 32]],
        "vgg19": [[32, 64]],
        "vgg11_bn": [[96, 32]],
        "vgg13_bn": [[32, 32]],
        "vgg16_bn": [[64, 64]],
        "vgg19_bn": [[32, 32]],
    },
    "squeezenet": {
        "squeezenet1_0": [[224, 224], [64, 90], [21, 21]],
        "squeezenet1_1": [[224, 224], [64, 90], [17, 17]],
    },
    "resnet": {
        "resnet18": [[224, 224], [64, 64], [97, 45]],
        "resnet34": [[64, 64]],
        "resnet50": [[224, 224], [64, 96]],
        "resnet101": [[64, 64]],
        "resnet152": [[64, 64]],
        "resnext50_32x4d": [[64, 64]],
        "wide_resnet50_2": [[64, 64]],
    },
    "cifar-resnet": {
        "resnet20_cifar10": [[32, 32], [64, 64], [33, 33]],
        "resnet32_cifar10": [[32, 32]],
        "resnet44_cifar10": [[32, 32]],
        "resnet56_cifar10": [[32, 32]],
        "resnet110_cifar10": [[32, 32]],
    },
    "densenet": {"densenet121": [[224, 224], [64, 64], [29, 75]]},
    "mobilenet-v2": {"mobilenet_v2": [[224, 224], [64, 64], [97, 33]]},
    "mobilenet-v3": {
        "mobilenet_v3_small": [[224, 224], [64, 64], [97, 33]],
        "mobilenet_v3_large": [[224, 224], [64, 64]],
    },
}

# Factors of the scales of normalizations, see value_of.
GAINS = {
    "resnet50": 0.7,
    "resnet101": 0.7,
    "resnet152": 0.7,
    **{f"resnet{6 * n + 2}_cifar10": 0.6 for n in (3, 5, 7, 9)},
    "resnet110_cifar10": 0.4,
    "mobilenet_v3_small": 1.2,
    "mobilenet_v3_large": 1.2,
}


class Block(torch.nn.Module):
    """A block of the networks of section 4.2, shortcuts by option A, with the names of akamaster's checkpoints."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.stride = 1 if inputs == outputs else 2
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)
        self.side = (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        if self.side:
            x = torch.nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.side, self.side))
        return (x + y).relu()


class CifarResNet(torch.nn.Module):
    """He et al. 2015, section 4.2: three stages of `depth` blocks with 16, 32 and 64 channels."""

    def __init__(self, depth):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(16)
        for i, channels in enumerate([16, 32, 64]):
            first = max(16, channels // 2)
            blocks = [Block(first if j == 0 else channels, channels) for j in range(depth)]
            setattr(self, f"layer{i + 1}", torch.nn.Sequential(*blocks))
        self.linear = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(x.mean((2, 3)))


CIFAR = {f"resnet{6 * n + 2}_cifar10": lambda n=n: CifarResNet(n) for n in (3, 5, 7, 9, 18)}


def write(family, models):
    golden = {
        "madeBy": "test/golden/architectures/make.py",
        "date": datetime.date.today().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
        "models": models,
    }
    (FOLDER / f"{family}.json").write_text(json.dumps(golden, indent=1) + "\n")


for family in sys.argv[1:] or FAMILIES:
    models = {}
    for name, sizes in FAMILIES[family].items():
        model = CIFAR[name]() if name in CIFAR else torchvision.models.get_model(name, weights=None)
        models[name] = record(model, sizes, gain=GAINS.get(name, 1))
        print(name, [output["norm"] for output in models[name]["outputs"]])
    write(family, models)

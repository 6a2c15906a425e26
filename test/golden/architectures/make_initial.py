"""Writes initial.json: mean and deviation of every tensor of freshly initialized torchvision models.

Run: python test/golden/architectures/make_initial.py
Then format: npx biome format --write test/golden/architectures
Needs torch and torchvision; the versions used are in the file.
"""
import datetime
import json
import pathlib
import platform

import torch
import torchvision

from formula import named_tensors

NAMES = ["alexnet", "vgg11_bn", "squeezenet1_1", "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_small"]


def record(name):
    torch.manual_seed(1)
    tensors = named_tensors(torchvision.models.get_model(name, weights=None))
    return " ".join(f"{t.mean():.2g},{t.std(correction=0):.3g}" for _, t in tensors)


golden = {
    "madeBy": "test/golden/architectures/make_initial.py",
    "date": datetime.date.today().isoformat(),
    "versions": {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    },
    "models": {name: record(name) for name in NAMES},
}
(pathlib.Path(__file__).parent / "initial.json").write_text(json.dumps(golden, indent=1) + "\n")

"""Writes losses.json: losses of a linear head and their gradients by PyTorch, in float64.

Run: /usr/bin/python3 test/golden/losses/make.py
Then format: npx biome check --write test/golden/losses
Features, weights and biases are exact in float32.
"""
import datetime
import json
import pathlib
import platform

import numpy
import torch
import torch.nn.functional as F

N, WIDTH, CLASSES = 6, 4, 3
random = numpy.random.default_rng(11)


def exact(*shape, scale=1.0):
    return (random.normal(size=shape) * scale).astype("float32").astype("float64")


def run(loss, options, scale):
    x = torch.tensor(exact(N, WIDTH, scale=scale))
    weight = torch.tensor(exact(CLASSES, WIDTH), requires_grad=True)
    bias = torch.tensor(exact(CLASSES), requires_grad=True)
    labels = torch.tensor(random.integers(0, CLASSES, N))
    logits = F.linear(x, weight, bias)
    if loss == "cross-entropy":
        value = F.cross_entropy(logits, labels, label_smoothing=options.get("labelSmoothing", 0.0))
        targets = labels
    else:
        targets = torch.tensor(random.integers(0, 2, (N, CLASSES)).astype("float64"))
        targets[0] = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
        value = F.binary_cross_entropy_with_logits(logits, targets)
    value.backward()
    return {
        "loss": loss,
        "options": options,
        "features": x.flatten().tolist(),
        "weight": weight.detach().flatten().tolist(),
        "bias": bias.detach().tolist(),
        "targets": targets.flatten().tolist(),
        "value": value.item(),
        "weightGradient": weight.grad.flatten().tolist(),
        "biasGradient": bias.grad.tolist(),
    }


golden = {
    "madeBy": "test/golden/losses/make.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
    "n": N,
    "width": WIDTH,
    "numClasses": CLASSES,
    "cases": [
        run("cross-entropy", {}, 1.0),
        run("cross-entropy", {"labelSmoothing": 0.1}, 1.0),
        run("cross-entropy", {"labelSmoothing": 0.4}, 1.0),
        run("cross-entropy", {}, 40.0),
        run("cross-entropy", {"labelSmoothing": 0.1}, 40.0),
        run("binary-cross-entropy", {}, 1.0),
        run("binary-cross-entropy", {}, 40.0),
    ],
}
path = pathlib.Path(__file__).with_name("losses.json")
path.write_text(json.dumps(golden) + "\n")

"""Writes regression.json: regression losses of a linear head and their gradients by PyTorch, in float64.

Run: python test/golden/losses/make_regression.py
Then format: npx biome check --write test/golden/losses
Features, weights, biases and targets are exact in float32. Some errors are below and some above huber's delta.
"""
import datetime
import json
import pathlib
import platform

import numpy
import torch
import torch.nn.functional as F

N, WIDTH, TARGETS = 6, 4, 3
random = numpy.random.default_rng(12)


def exact(*shape, scale=1.0):
    return (random.normal(size=shape) * scale).astype("float32").astype("float64")


def run(loss, options, scale):
    x = torch.tensor(exact(N, WIDTH, scale=scale))
    weight = torch.tensor(exact(TARGETS, WIDTH), requires_grad=True)
    bias = torch.tensor(exact(TARGETS), requires_grad=True)
    targets = torch.tensor(exact(N, TARGETS))
    outputs = F.linear(x, weight, bias)
    value = {
        "mean-squared-error": lambda: F.mse_loss(outputs, targets),
        "mean-absolute-error": lambda: F.l1_loss(outputs, targets),
        "huber": lambda: F.huber_loss(outputs, targets, delta=options.get("delta", 1.0)),
    }[loss]()
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
    "madeBy": "test/golden/losses/make_regression.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
    "n": N,
    "width": WIDTH,
    "numClasses": TARGETS,
    "cases": [
        run("mean-squared-error", {}, 1.0),
        run("mean-squared-error", {}, 40.0),
        run("mean-absolute-error", {}, 1.0),
        run("mean-absolute-error", {}, 40.0),
        run("huber", {}, 1.0),
        run("huber", {"delta": 2.5}, 1.0),
        run("huber", {}, 40.0),
    ],
}
path = pathlib.Path(__file__).with_name("regression.json")
path.write_text(json.dumps(golden) + "\n")

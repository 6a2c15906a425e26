"""Writes focal.json: focal losses with their gradients by Keras, in float64: one value for each row.

Run: KERAS_BACKEND=torch python test/golden/losses/make_focal.py
Then format: npx biome check --write test/golden/losses
Keras's alpha stands for classWeights where it is a list. Logits are exact in float32.
"""
import datetime
import json
import pathlib
import platform

import keras
import numpy
import torch

ROWS, CLASSES = 6, 4
keras.config.set_floatx("float64")
random = numpy.random.default_rng(22)
LOGITS = numpy.round(random.normal(size=(ROWS, CLASSES)) * 128) / 64
LABELS = random.integers(0, CLASSES, ROWS)
ONE_HOT = numpy.eye(CLASSES)[LABELS]
WEIGHTS = [0.25, 1.0, 3.0, 0.5]


def short(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def case(loss, options, make):
    logits = torch.tensor(LOGITS, requires_grad=True)
    values = make(from_logits=True, reduction="none")(torch.tensor(ONE_HOT), logits)
    values.sum().backward()
    return {"loss": loss, "options": options, "values": short(values), "gradient": short(logits.grad)}


def categorical(**own):
    return lambda **options: keras.losses.CategoricalFocalCrossentropy(**own, **options)


def binary(**own):
    return lambda **options: keras.losses.BinaryFocalCrossentropy(**own, **options)


golden = {
    "madeBy": "test/golden/losses/make_focal.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), "keras": keras.__version__, "torch": torch.__version__},
    "n": ROWS,
    "numClasses": CLASSES,
    "logits": LOGITS.flatten().tolist(),
    "labels": LABELS.tolist(),
    "cases": [
        case("focal", {}, categorical(alpha=1)),
        case("focal", {"gamma": 0.5}, categorical(alpha=1, gamma=0.5)),
        case("focal", {"soft": True, "classWeights": WEIGHTS}, categorical(alpha=WEIGHTS)),
        case("focal", {"soft": True, "labelSmoothing": 0.1}, categorical(alpha=1, label_smoothing=0.1)),
        case("binary-focal", {}, binary(apply_class_balancing=True)),
        case("binary-focal", {"gamma": 3, "alpha": -1}, binary(gamma=3)),
    ],
}
pathlib.Path(__file__).with_name("focal.json").write_text(json.dumps(golden) + "\n")

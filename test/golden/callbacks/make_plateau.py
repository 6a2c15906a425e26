"""Writes plateau.json: learning rates after each of 50 epochs by PyTorch's and Keras's ReduceLROnPlateau.

Run: KERAS_BACKEND=torch python3 test/golden/callbacks/make_plateau.py
Then format: npx biome check --write test/golden/callbacks
`patience` is stated as Rootstock and Keras count it; PyTorch's is one less. Keras counts a cooldown differently, so it
takes part where there is none, and where no rate falls below 1e-5: PyTorch ignores falls of less than 1e-8. Keras keeps
learning rates in float32.
"""
import json
import pathlib
import platform

import keras
import numpy
import torch

EPOCHS = 50
CASES = [
    {"mode": "min", "factor": 0.5, "patience": 1, "minDelta": 0, "cooldown": 0, "minimum": 1e-5},
    {"mode": "min", "factor": 0.5, "patience": 3, "minDelta": 1e-4, "cooldown": 0, "minimum": 0},
    {"mode": "min", "factor": 0.1, "patience": 2, "minDelta": 0.01, "cooldown": 0, "minimum": 2e-4},
    {"mode": "min", "factor": 0.3, "patience": 2, "minDelta": 0, "cooldown": 4, "minimum": 0},
    {"mode": "max", "factor": 0.7, "patience": 2, "minDelta": 0.005, "cooldown": 0, "minimum": 0.01},
    {"mode": "max", "factor": 0.5, "patience": 4, "minDelta": 0, "cooldown": 1, "minimum": 0},
    {"mode": "min", "factor": 0.1, "patience": 1, "minDelta": 0, "cooldown": 0, "minimum": 0, "constant": True},
]
RATE = 0.1


def by_torch(case, values):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=case["mode"],
        factor=case["factor"],
        patience=case["patience"] - 1,
        threshold=case["minDelta"],
        threshold_mode="abs",
        cooldown=case["cooldown"],
        min_lr=case["minimum"],
    )
    rates = []
    for value in values:
        optimizer.step()
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def by_keras(case, values):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="value",
        mode=case["mode"],
        factor=case["factor"],
        patience=case["patience"],
        min_delta=case["minDelta"],
        min_lr=case["minimum"],
    )
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"value": value})
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
    return rates


random = numpy.random.default_rng(6)
falling = 1 / (1 + 0.2 * numpy.arange(EPOCHS)) + 0.03 * random.normal(size=EPOCHS)
falling[11] = numpy.nan
falling = [None if numpy.isnan(value) else round(float(value), 4) for value in falling]


def run(case):
    if case.get("constant"):
        values = [0.5] * EPOCHS
    else:
        values = falling if case["mode"] == "min" else [None if v is None else round(1 - v, 4) for v in falling]
    numbers = [float("nan") if value is None else value for value in values]
    keras_rates = by_keras(case, numbers) if case["cooldown"] == 0 and not case.get("constant") else None
    return {**case, "values": values, "torch": by_torch(case, numbers), "keras": keras_rates}


golden = {
    "madeBy": "test/golden/callbacks/make_plateau.py",
    "versions": {"torch": torch.__version__, "keras": keras.__version__, "python": platform.python_version()},
    "learningRate": RATE,
    "cases": [run(case) for case in CASES],
}
pathlib.Path(__file__).with_name("plateau.json").write_text(json.dumps(golden))

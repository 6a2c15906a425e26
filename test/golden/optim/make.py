"""Writes updates.json: the parameters after each of 5 updates by PyTorch's optimizers, in float64.

Run: python3 test/golden/optim/make.py
Then format: npx biome check --write test/golden/optim
The initial parameters and gradients are exact in float32; the learning rate changes after two updates.
"""
import datetime
import json
import pathlib
import platform

import numpy
import torch

STEPS = 5
CASES = [
    ("sgd", {}, 0.1),
    ("sgd", {"momentum": 0}, 0.1),
    ("sgd", {"momentum": 0, "weightDecay": 0.05}, 0.1),
    ("sgd", {"momentum": 0.8, "weightDecay": 0.05}, 0.1),
    ("sgd", {"momentum": 0.9, "nesterov": True}, 0.1),
    ("sgd", {"momentum": 0.7, "nesterov": True, "weightDecay": 0.01}, 0.1),
    ("adam", {}, 0.01),
    ("adam", {"weightDecay": 0.1}, 0.01),
    ("adam", {"betas": [0.8, 0.95], "epsilon": 0.001}, 0.01),
    ("adam", {"betas": [0, 0.99], "weightDecay": 0.2}, 0.01),
    ("adamw", {}, 0.01),
    ("adamw", {"weightDecay": 0}, 0.01),
    ("adamw", {"weightDecay": 0.3, "betas": [0.85, 0.9], "epsilon": 1e-6}, 0.01),
]
# PyTorch's own defaults apply where an option is left out, except momentum: ours is 0.9, PyTorch's 0.
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
DEFAULTS = {"sgd": {"momentum": 0.9}, "adam": {}, "adamw": {}}
NAMES = {"weightDecay": "weight_decay", "epsilon": "eps"}

random = numpy.random.default_rng(7)
initial = random.normal(size=8).astype("float32")
gradients = random.normal(size=(STEPS, 8)).astype("float32")
gradients[:, 0] = 0  # never a gradient
gradients[:, 1] *= 1000
gradients[:, 2] *= 1e-6
gradients[2] = 0  # one update without any gradient


def run(name, options, rate):
    parameter = torch.nn.Parameter(torch.tensor(initial.astype("float64")))
    settings = {NAMES.get(key, key): value for key, value in {**DEFAULTS[name], **options}.items()}
    optimizer = CLASSES[name]([parameter], lr=rate, **settings)
    rates, after = [], []
    for step in range(STEPS):
        rates.append(rate if step < 2 else rate / 4)
        optimizer.param_groups[0]["lr"] = rates[-1]
        parameter.grad = torch.tensor(gradients[step].astype("float64"))
        optimizer.step()
        after.append(parameter.detach().tolist())
    return {"optimizer": name, "options": options, "learningRates": rates, "parameters": after}


golden = {
    "madeBy": "test/golden/optim/make.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
    "initial": initial.astype("float64").tolist(),
    "gradients": gradients.astype("float64").tolist(),
    "cases": [run(*case) for case in CASES],
}
path = pathlib.Path(__file__).with_name("updates.json")
path.write_text(json.dumps(golden) + "\n")

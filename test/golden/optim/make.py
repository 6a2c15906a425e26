"""Writes what PyTorch's optimizers, schedules and helpers of training do over 50 updates, in float64.

- updates.json: parameters after some of 50 updates by each optimizer; Lion is timm's, since PyTorch has none.
- schedules.json: the learning rate of each of 50 updates by each schedule.
- training.json: clipped gradients, parameters under an L2-SP penalty, and a moving average.

Run: python3 test/golden/optim/make.py
Then format: npx biome check --write test/golden/optim
The initial parameters and gradients are float32, written as their shortest decimals; parameters are rounded to 10
digits. The learning rate changes after 2 and 20 updates.
"""
import datetime
import json
import pathlib
import platform

import numpy
import timm
import timm.optim
import torch
from torch.optim import lr_scheduler as schedulers

STEPS = 50
RECORDED = [1, 2, 3, 4, 5, 10, 20, 30, 40, 50]
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
    ("adam", {"betas": [0.0, 0.99], "weightDecay": 0.2}, 0.01),
    ("adamw", {}, 0.01),
    ("adamw", {"weightDecay": 0}, 0.01),
    ("adamw", {"weightDecay": 0.3, "betas": [0.85, 0.9], "epsilon": 1e-6}, 0.01),
    ("rmsprop", {}, 0.01),
    ("rmsprop", {"momentum": 0.9}, 0.01),
    ("rmsprop", {"centered": True}, 0.01),
    ("rmsprop", {"smoothing": 0.9, "epsilon": 1e-3, "weightDecay": 0.1}, 0.01),
    ("rmsprop", {"smoothing": 0.95, "momentum": 0.5, "centered": True, "weightDecay": 0.05}, 0.01),
    ("adagrad", {}, 0.1),
    ("adagrad", {"learningRateDecay": 0.05, "weightDecay": 0.1}, 0.1),
    ("adagrad", {"initialAccumulator": 0.3, "epsilon": 1e-4}, 0.1),
    ("lion", {}, 0.003),
    ("lion", {"weightDecay": 0.5}, 0.003),
    ("lion", {"betas": [0.95, 0.98], "weightDecay": 1}, 0.003),
]
# PyTorch's own defaults apply where an option is left out, except momentum of SGD: ours is 0.9, PyTorch's 0.
CLASSES = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "lion": timm.optim.Lion,
}
DEFAULTS = {"sgd": {"momentum": 0.9}}
NAMES = {
    "weightDecay": "weight_decay",
    "epsilon": "eps",
    "smoothing": "alpha",
    "learningRateDecay": "lr_decay",
    "initialAccumulator": "initial_accumulator_value",
}

random = numpy.random.default_rng(7)
initial = random.normal(size=8).astype("float32")
gradients = random.normal(size=(STEPS, 8)).astype("float32")
gradients[:, 0] = 0  # never a gradient
gradients[:, 1] *= 1000
gradients[:, 2] *= 1e-6
gradients[2] = 0  # one update without any gradient


def parameters(values=initial):
    return torch.nn.Parameter(torch.tensor(values.astype("float64")))


def digits(values):
    """Results, with more digits than float32 has."""
    return [digits(value) if isinstance(value, list) else float(f"{value:.10g}") for value in values]


def shortest(values):
    """The shortest decimals of float32 numbers."""
    return [shortest(value) if value.ndim else float(str(value)) for value in values]


FACTORS = [1 if step < 2 else 0.25 if step < 20 else 0.5 for step in range(STEPS)]


def run(name, options, rate):
    parameter = parameters()
    settings = {NAMES.get(key, key): value for key, value in {**DEFAULTS.get(name, {}), **options}.items()}
    optimizer = CLASSES[name]([parameter], lr=rate, **settings)
    after = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate * FACTORS[step]
        parameter.grad = torch.tensor(gradients[step].astype("float64"))
        optimizer.step()
        if step + 1 in RECORDED:
            after.append(digits(parameter.detach().tolist()))
    return {"optimizer": name, "options": options, "learningRate": rate, "parameters": after}


def rates_of(make, peak, count, every=1):
    """The rates of `count` updates with a scheduler that is stepped after each `every` updates."""
    optimizer = torch.optim.SGD([parameters()], lr=peak)
    scheduler = make(optimizer)
    rates = []
    for step in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (step + 1) % every == 0:
            scheduler.step()
    return rates


PEAK = 0.4
PER_EPOCH = 5  # updates
WARMUP = 8  # updates


def warm_up(rates):
    """The rates with those of LinearLR chained, as factors, as ChainedScheduler does."""
    factors = rates_of(lambda o: schedulers.LinearLR(o, 1 / WARMUP, total_iters=WARMUP - 1), 1, STEPS)
    return [rate * factor for rate, factor in zip(rates, factors)]


def in_epochs(make):
    return {0: rates_of(make, PEAK, STEPS, PER_EPOCH)}


def falling(make, final):
    """make(optimizer, n) falls from the peak to `final` in n updates: its rates from the second on, n = STEPS + 1.
    Behind a warm-up, which ends at the peak, it falls in the updates that are left."""
    peak = PEAK - (0 if final is None else final)
    rise = warm_up([PEAK] * STEPS)[:WARMUP]
    fall = {w: rates_of(lambda o: make(o, STEPS - w + 1), peak, STEPS - w + 1)[1:] for w in (0, WARMUP)}
    return {w: (rise if w else []) + [rate + (PEAK - peak) for rate in fall[w]] for w in fall}


def schedule(name, options, rates):
    """Rates by updates of warm-up; those of a schedule that a warm-up only scales are given without one."""
    rows = rates if WARMUP in rates else {**rates, WARMUP: warm_up(rates[0])}
    span = {"peak": PEAK, "totalSteps": STEPS, "stepsPerEpoch": PER_EPOCH}
    settings = [{**span, "warmupSteps": w, **options} for w in rows]
    return [{"schedule": name, "options": s, "rates": rows[s["warmupSteps"]]} for s in settings]


def cosine(o, n, final=0.0):
    return schedulers.CosineAnnealingLR(o, n, eta_min=final)


def restarts(epochs, factor, final=0.0):
    return {0: rates_of(
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, epochs * PER_EPOCH, factor, final), PEAK, STEPS)}


def one_cycle(**options):
    return {0: rates_of(
        lambda o: schedulers.OneCycleLR(o, PEAK, STEPS, cycle_momentum=False, **options), PEAK, STEPS)}


SCHEDULES = [
    schedule("constant", {}, in_epochs(lambda o: schedulers.ConstantLR(o, 1.0))),
    schedule("step", {"stepSize": 3}, in_epochs(lambda o: schedulers.StepLR(o, 3))),
    schedule("step", {"stepSize": 1, "gamma": 0.7}, in_epochs(lambda o: schedulers.StepLR(o, 1, 0.7))),
    schedule("multi-step", {"milestones": [4, 6, 7], "gamma": 0.5},
             in_epochs(lambda o: schedulers.MultiStepLR(o, [4, 6, 7], 0.5))),
    schedule("exponential", {"gamma": 0.8}, in_epochs(lambda o: schedulers.ExponentialLR(o, 0.8))),
    schedule("polynomial", {}, falling(lambda o, n: schedulers.PolynomialLR(o, n), None)),
    # PyTorch falls to 0: what is above `final` does so.
    schedule("polynomial", {"power": 2.5, "final": 0.1}, falling(lambda o, n: schedulers.PolynomialLR(o, n, 2.5), 0.1)),
    schedule("cosine", {}, falling(cosine, None)),
    schedule("cosine", {"final": 0.05}, falling(lambda o, n: cosine(o, n, 0.05), None)),
    schedule("cosine-restarts", {"firstCycle": 2, "factor": 1}, restarts(2, 1)),
    schedule("cosine-restarts", {"firstCycle": 1, "factor": 3, "final": 0.02}, restarts(1, 3, 0.02)),
    schedule("cosine-restarts", {"firstCycle": 3}, restarts(3, 2)),
    schedule("one-cycle", {}, one_cycle()),
    schedule("one-cycle", {"warmupShare": 0.45, "divFactor": 10, "finalDivFactor": 100},
             one_cycle(pct_start=0.45, div_factor=10.0, final_div_factor=100.0)),
]


def clipped(limit):
    """Two parameters, clipped together."""
    pair = [parameters(gradients[0, 2:]), parameters(gradients[1, 3:6])]
    for parameter in pair:
        parameter.grad = parameter.detach().clone()
    norm = torch.nn.utils.clip_grad_norm_(pair, limit)
    return {"maxNorm": limit, "norm": float(norm), "gradients": digits([p.grad.tolist() for p in pair])}


def pulled(strength, rate=0.05):
    """Descent with the gradients of `updates` and a penalty of strength / 2 times the squared distance to the start."""
    parameter, start = parameters(), parameters().detach()
    optimizer = torch.optim.SGD([parameter], lr=rate, momentum=0.9)
    after = []
    for step in range(STEPS):
        optimizer.zero_grad()
        slope = torch.tensor(gradients[step].astype("float64"))
        (slope @ parameter + strength / 2 * ((parameter - start) ** 2).sum()).backward()
        optimizer.step()
        if step + 1 in RECORDED:
            after.append(digits(parameter.detach().tolist()))
    return {"strength": strength, "learningRate": rate, "parameters": after}


def averaged(decay):
    """The average of the gradients of `updates`, taken for parameters, that starts at the initial parameters."""
    average = [parameters().detach()]
    after = []
    for step in range(1, STEPS + 1):
        update = torch.optim.swa_utils.get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))
        update(average, [torch.tensor(gradients[step - 1].astype("float64"))], step)
        if step in RECORDED:
            after.append(digits(average[0].tolist()))
    return {"decay": decay, "averages": after}


versions = {"torch": torch.__version__, "timm": timm.__version__, "numpy": numpy.__version__}
header = {
    "madeBy": "test/golden/optim/make.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), **versions},
}
inputs = {"recorded": RECORDED, "learningRateFactors": FACTORS}
inputs |= {"initial": shortest(initial), "gradients": shortest(gradients)}
files = {
    "updates": {**inputs, "cases": [run(*case) for case in CASES]},
    "schedules": {"cases": [row for rows in SCHEDULES for row in rows]},
    "training": {
        "clip": {"inputs": [shortest(gradients[0, 2:]), shortest(gradients[1, 3:6])],
                 "cases": [clipped(limit) for limit in (0.5, 1.0, 100.0)]},
        "startPenalty": [pulled(strength) for strength in (0.1, 2.0)],
        "average": [averaged(decay) for decay in (0.5, 0.998)],
    },
}
for name, content in files.items():
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps({**header, **content}) + "\n")

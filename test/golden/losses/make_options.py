"""Writes options.json and trajectories.json: losses with every option by PyTorch and torchvision, in float64.

options.json: value and gradient with respect to the logits, with logits of size 1, 10 and 1000.
trajectories.json: 50 steps of plain gradient descent of a linear model, the loss before each step and the final weights.
Run: python test/golden/losses/make_options.py
Then format: npx biome check --write test/golden/losses
Inputs and start weights are exact in float32; classWeights and positiveWeights too. The softmax form of
focal loss has no PyTorch function: it is the formula of Lin et al., and make_focal.py has Keras's numbers.
"""
import datetime
import json
import pathlib
import platform

import numpy
import torch
import torch.nn.functional as F
import torchvision

ROWS, CLASSES, WIDTH, SAMPLES, BATCH, STEPS, RATE = 6, 4, 5, 24, 8, 50, 0.25
CLASS_WEIGHTS = [0.25, 1.0, 3.0, 0.5]
POSITIVE_WEIGHTS = [4.0, 0.5, 1.0, 10.0]
random = numpy.random.default_rng(21)


def exact(*shape, scale=1.0):
    """Normal numbers in steps of 1/64, which float32 and few digits can write."""
    return torch.tensor(numpy.round(random.normal(size=shape) * scale * 64) / 64)


def target_of(kind, rows):
    """Class indices [n], probabilities [n, k], several labels [n, k] (the first row soft) or values [n, k]."""
    if kind == "index":
        return torch.tensor(random.integers(0, CLASSES, rows))
    if kind == "soft":
        soft = numpy.round(random.dirichlet([0.5] * CLASSES, rows) * 64) / 64
        soft[numpy.arange(rows), soft.argmax(1)] += 1 - soft.sum(1)
        soft[0] = [0, 1, 0, 0]
        return torch.tensor(soft)
    if kind == "labels":
        labels = random.integers(0, 2, (rows, CLASSES)).astype("float64")
        labels[0] = [0.25, 0.5, 0.75, 1]
        return torch.tensor(labels)
    return exact(rows, CLASSES)


def class_weights(options):
    return torch.tensor(options["classWeights"], dtype=torch.float64) if "classWeights" in options else None


def softmax_focal(logits, target, options):
    """-(1 - p)^gamma log p of the target, weighted as cross_entropy weighs: by index, or as probabilities."""
    log_p = F.log_softmax(logits, 1)
    scores = -((1 - log_p.exp()) ** options.get("gamma", 2.0)) * log_p
    weights = class_weights(options)
    weights = torch.ones(CLASSES, dtype=torch.float64) if weights is None else weights
    smoothing = options.get("labelSmoothing", 0.0)
    if target.dim() == 1:
        own = (1 - smoothing) * weights[target] * scores.gather(1, target[:, None])[:, 0]
        return (own + smoothing / CLASSES * (weights * scores).sum(1)).sum() / weights[target].sum()
    smooth = target * (1 - smoothing) + smoothing / CLASSES
    return (weights * smooth * scores).sum(1).mean()


def loss_of(loss, logits, target, options):
    if loss == "cross-entropy":
        smoothing = options.get("labelSmoothing", 0.0)
        return F.cross_entropy(logits, target, weight=class_weights(options), label_smoothing=smoothing)
    if loss == "binary-cross-entropy":
        positive = torch.tensor(options["positiveWeights"], dtype=torch.float64) if options else None
        return F.binary_cross_entropy_with_logits(logits, target, pos_weight=positive)
    if loss == "focal":
        return softmax_focal(logits, target, options)
    if loss == "binary-focal":
        gamma, alpha = options.get("gamma", 2), options.get("alpha", 0.25)
        return torchvision.ops.sigmoid_focal_loss(logits, target, alpha=alpha, gamma=gamma, reduction="mean")
    if loss == "distillation":
        t = options.get("temperature", 2.0)
        teacher = F.softmax(target.log() / t, 1)  # the logarithm of softmax(z) is z and a constant
        return F.kl_div(F.log_softmax(logits / t, 1), teacher, reduction="batchmean") * t * t
    return {
        "mean-squared-error": lambda: F.mse_loss(logits, target),
        "mean-absolute-error": lambda: F.l1_loss(logits, target),
        "huber": lambda: F.huber_loss(logits, target, delta=options.get("delta", 1.0)),
    }[loss]()


WEIGHTED = {"classWeights": CLASS_WEIGHTS}
CASES = [
    ("cross-entropy", "index", {}),
    ("cross-entropy", "index", {"labelSmoothing": 0.1}),
    ("cross-entropy", "index", WEIGHTED),
    ("cross-entropy", "index", {"labelSmoothing": 0.1, **WEIGHTED}),
    ("cross-entropy", "soft", {"soft": True}),
    ("cross-entropy", "soft", {"soft": True, "labelSmoothing": 0.1}),
    ("cross-entropy", "soft", {"soft": True, **WEIGHTED}),
    ("cross-entropy", "soft", {"soft": True, "labelSmoothing": 0.1, **WEIGHTED}),
    ("binary-cross-entropy", "labels", {}),
    ("binary-cross-entropy", "labels", {"positiveWeights": POSITIVE_WEIGHTS}),
    ("focal", "index", {}),
    ("focal", "index", {"gamma": 0.5}),
    ("focal", "index", {"gamma": 1.0, **WEIGHTED}),
    ("focal", "index", {"gamma": 3.5, "labelSmoothing": 0.1, **WEIGHTED}),
    ("focal", "soft", {"soft": True, "labelSmoothing": 0.1, **WEIGHTED}),
    ("binary-focal", "labels", {}),
    ("binary-focal", "labels", {"gamma": 1.5, "alpha": -1}),
    ("binary-focal", "labels", {"gamma": 0.5, "alpha": 0.6}),
    ("binary-focal", "labels", {"gamma": 0, "alpha": 0.75}),
    ("distillation", "soft", {}),
    ("distillation", "soft", {"temperature": 1.0}),
    ("distillation", "soft", {"temperature": 5.0}),
    ("mean-squared-error", "values", {}),
    ("mean-absolute-error", "values", {}),
    ("huber", "values", {}),
    ("huber", "values", {"delta": 0.5}),
]


def short(tensor):
    """Numbers to nine digits: more than float32 has."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def whole(tensor):
    return tensor.flatten().tolist()


SIGNS = [[1, -1, 1, -1], [-1, 1, -1, 1], [1, -1, -1, 0], [0, 1, -1, -1], [-1, -1, 0, 1], [-1, 0, 1, -1]]
LOGITS = {"1": exact(ROWS, CLASSES), "10": exact(ROWS, CLASSES, scale=10), "1000": torch.tensor(SIGNS) * 1000.0}
KINDS = ["index", "soft", "labels", "values"]
TARGETS = {kind: target_of(kind, ROWS) for kind in KINDS}


def case(loss, kind, options, scale):
    logits = LOGITS[scale].double().clone().requires_grad_()
    value = loss_of(loss, logits, TARGETS[kind], options)
    value.backward()
    known = bool(torch.isfinite(value) and torch.isfinite(logits.grad).all())
    return {
        "loss": loss,
        "targets": kind,
        "options": options,
        "logits": scale,
        # Where a power below 1 meets a 0, PyTorch has no number.
        "value": float(f"{value.item():.9g}") if known else None,
        "gradient": short(logits.grad) if known else None,
    }


START = {"weight": exact(CLASSES, WIDTH, scale=0.5), "bias": exact(CLASSES, scale=0.5)}
FEATURES = exact(SAMPLES, WIDTH)
TRAINING_TARGETS = {kind: target_of(kind, SAMPLES) for kind in KINDS}


def trajectory(loss, kind, options):
    weight, bias = START["weight"].clone().requires_grad_(), START["bias"].clone().requires_grad_()
    target = TRAINING_TARGETS[kind]
    losses = []
    optimizer = torch.optim.SGD([weight, bias], lr=RATE)
    for step in range(STEPS):
        rows = [(step * BATCH + i) % SAMPLES for i in range(BATCH)]
        value = loss_of(loss, F.linear(FEATURES[rows], weight, bias), target[rows], options)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return {
        "loss": loss,
        "targets": kind,
        "options": options,
        "losses": short(torch.tensor(losses, dtype=torch.float64)),
        "weight": short(weight),
        "bias": short(bias),
    }


def write(name, content):
    about = {
        "madeBy": "test/golden/losses/make_options.py",
        "date": datetime.date.today().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "numpy": numpy.__version__,
        },
    }
    pathlib.Path(__file__).with_name(name).write_text(json.dumps({**about, **content}) + "\n")


def all_whole(tensors):
    return {name: whole(tensor) for name, tensor in tensors.items()}


cases = [case(*row, scale) for row in CASES for scale in LOGITS]
given = {"logits": all_whole(LOGITS), "targets": all_whole(TARGETS)}
write("options.json", {"n": ROWS, "numClasses": CLASSES, **given, "cases": cases})
sizes = {"n": SAMPLES, "width": WIDTH, "numClasses": CLASSES, "batch": BATCH, "rate": RATE}
given = {"features": whole(FEATURES), "start": all_whole(START), "targets": all_whole(TRAINING_TARGETS)}
write("trajectories.json", {**sizes, **given, "runs": [trajectory(*row) for row in CASES]})

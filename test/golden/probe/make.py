"""Writes probe.json: converged linear models by scikit-learn, for fixed penalties.

Run: python test/golden/probe/make.py
Then format: npx biome check --write test/golden/probe
Features, weights and targets are exact in float32. With a penalty l on the mean loss, LogisticRegression's C is 1 / (l total)
and Ridge's alpha is l total, where total is the sum of the rows' weights.
"""
import json
import pathlib
import platform

import numpy
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge

random = numpy.random.default_rng(21)


def exact(*shape, decimals=3):
    return numpy.round(random.normal(size=shape), decimals).astype("float32").astype("float64")


def logistic(x, y, weights, penalty):
    model = LogisticRegression(C=1 / (penalty * weights.sum()), tol=1e-10, max_iter=100000)
    model.fit(x, y, sample_weight=weights)
    return model.coef_, model.intercept_


def softmax_of_two(x, labels, weights, penalty):
    """As the logistic regression of the difference, whose square is twice the sum of both squares."""
    coefficients, bias = logistic(x, labels, weights, penalty / 2)
    return numpy.concatenate([-coefficients, coefficients]) / 2, numpy.concatenate([-bias, bias]) / 2


def centred(coefficients, bias):
    """The bias of a softmax is determined up to a constant."""
    return coefficients, bias - bias.mean()


def softmax(n, width, k, penalty, weighted=False, soft=False):
    x = exact(n, width)
    labels = random.integers(0, k, n)
    labels[:k] = numpy.arange(k)
    weights = random.integers(1, 9, n) / 4 if weighted else numpy.ones(n)
    if not soft:
        coefficients, bias = (softmax_of_two if k == 2 else logistic)(x, labels, weights, penalty)
        targets = labels[:, None].astype("float64")
    else:  # a row of probabilities is a row for each class, weighted by its probability
        targets = random.multinomial(8, numpy.ones(k) / k, n) / 8
        rows, classes = numpy.nonzero(targets)
        coefficients, bias = logistic(x[rows], classes, weights[rows] * targets[rows, classes], penalty)
    return x, targets, weights, *centred(coefficients, bias)


def sigmoid(n, width, k, penalty, weighted=False):
    x = exact(n, width)
    targets = (random.random((n, k)) < 0.4).astype("float64")
    targets[0], targets[1] = 0, 1
    weights = random.integers(1, 9, n) / 4 if weighted else numpy.ones(n)
    coefficients, bias = zip(*(logistic(x, targets[:, c], weights, penalty) for c in range(k)))
    return x, targets, weights, numpy.concatenate(coefficients), numpy.concatenate(bias)


def identity(n, width, k, penalty, weighted=False):
    x = exact(n, width)
    targets = exact(n, k)
    weights = random.integers(1, 9, n) / 4 if weighted else numpy.ones(n)
    model = Ridge(alpha=penalty * weights.sum(), solver="svd" if not weighted else "cholesky")
    model.fit(x, targets, sample_weight=weights)
    return x, targets, weights, model.coef_, model.intercept_


CASES = [
    ("softmax", "single-label", softmax, dict(n=30, width=5, k=3, penalty=0.1)),
    ("softmax", "single-label", softmax, dict(n=30, width=5, k=3, penalty=0.001)),
    ("softmax", "single-label", softmax, dict(n=24, width=4, k=2, penalty=0.03, weighted=True)),
    ("softmax", "single-label", softmax, dict(n=24, width=4, k=3, penalty=0.03, weighted=True, soft=True)),
    ("softmax", "single-label", softmax, dict(n=10, width=16, k=4, penalty=0.01)),
    ("sigmoid", "multi-label", sigmoid, dict(n=30, width=4, k=3, penalty=0.02)),
    ("sigmoid", "multi-label", sigmoid, dict(n=10, width=16, k=2, penalty=0.02, weighted=True)),
    ("identity", "regression", identity, dict(n=30, width=4, k=2, penalty=0.02)),
    ("identity", "regression", identity, dict(n=10, width=16, k=2, penalty=0.1, weighted=True)),
]


def flat(array, digits):
    return [round(float(value), digits) for value in numpy.asarray(array).reshape(-1)]


def case(activation, task, make, options):
    x, targets, weights, coefficients, bias = make(**options)
    return {
        "activation": activation,
        "task": task,
        "penalty": options["penalty"],
        "numClasses": options["k"],
        "width": options["width"],
        "features": flat(x, 3),
        "targets": flat(targets, 3),
        "targetWidth": targets.shape[1],
        "weights": flat(weights, 2),
        "weight": flat(coefficients, 8),
        "bias": flat(bias, 8),
    }


versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": numpy.__version__}
out = {"versions": versions, "cases": [case(*row) for row in CASES]}
pathlib.Path(__file__).with_name("probe.json").write_text(json.dumps(out))

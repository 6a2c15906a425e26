"""Writes classification.json and wilson.json: what scikit-learn, SciPy and statsmodels say.

Run in an environment with scikit-learn, scipy and statsmodels: python test/golden/metrics/make.py
Then format: npx biome check --write test/golden/metrics
"""
import datetime
import json
import pathlib
import platform
import warnings

import numpy
import scipy
import scipy.special
import scipy.stats
import sklearn
import sklearn.metrics
import statsmodels
from statsmodels.stats.proportion import proportion_confint

warnings.filterwarnings("ignore")
random = numpy.random.default_rng(11)
HEADER = {
    "madeBy": "test/golden/metrics/make.py",
    "date": datetime.date.today().isoformat(),
    "versions": {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
}


def write(name, **content):
    pathlib.Path(__file__).with_name(name).write_text(json.dumps({**HEADER, **content}) + "\n")


def case(name, logits, labels, activation):
    logits = numpy.asarray(logits, dtype="float32").astype("float64")
    labels = numpy.asarray(labels)
    k = logits.shape[1]
    every = list(range(k))
    predicted = logits.argmax(axis=1)  # a tie goes to the lowest index
    if activation == "softmax":
        losses = -scipy.special.log_softmax(logits, axis=1)[numpy.arange(len(labels)), labels]
        probabilities = scipy.special.softmax(logits, axis=1)
    else:
        targets = numpy.eye(k)[labels]
        losses = -(targets * scipy.special.log_expit(logits) + (1 - targets) * scipy.special.log_expit(-logits))
        probabilities = scipy.special.expit(logits)
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0
    )
    interval = scipy.stats.binomtest(int((predicted == labels).sum()), len(labels)).proportion_ci(method="wilson")
    return {
        "name": name,
        "activation": activation,
        "logits": logits.tolist(),
        "labels": labels.tolist(),
        "probabilities": numpy.round(probabilities[:6], 12).tolist(),  # of the first samples
        "metrics": {
            "loss": float(losses.mean()),
            "accuracy": sklearn.metrics.accuracy_score(labels, predicted),
            "accuracyInterval": [interval.low, interval.high],
            "balancedAccuracy": sklearn.metrics.balanced_accuracy_score(labels, predicted),
            "macroF1": sklearn.metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        },
        "perClass": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
        },
        "confusion": sklearn.metrics.confusion_matrix(labels, predicted, labels=every).tolist(),
    }


def shifted(n, k, labels, by=1.5):
    """Random logits that favor the labels."""
    return numpy.round(32 * (random.normal(size=(n, k)) + by * numpy.eye(k)[labels])) / 32  # exact in float32


five = random.integers(0, 5, 60)
missing = random.choice([0, 2, 3], 30)
never = random.integers(0, 4, 30)
binary = random.choice([0, 1], 40, p=[0.9, 0.1])
tied = random.integers(0, 3, 24)
unseen = shifted(30, 5, missing)
unseen[:, 4] = -20  # class 4: neither among labels nor among predictions
unpredicted = shifted(30, 4, never)
unpredicted[:, 1] = -9
CASES = [
    case("five classes", shifted(60, 5, five), five, "softmax"),
    case("five classes, sigmoid", shifted(60, 5, five), five, "sigmoid"),
    case("labels without classes 1 and 4, class 4 never predicted", unseen, missing, "softmax"),
    case("class 1 never predicted", unpredicted, never, "softmax"),
    case("ties in most rows", random.integers(0, 2, size=(24, 3)), tied, "softmax"),
    case("ties in most rows, sigmoid", random.integers(0, 2, size=(24, 3)), tied, "sigmoid"),
    case("binary, one in ten", shifted(40, 2, binary, 0.5), binary, "softmax"),
    case("binary, always the majority", numpy.tile([1.0, -1.0], (40, 1)), binary, "softmax"),
    case("all right", 8 * numpy.eye(3)[tied], tied, "softmax"),
    case("all wrong", 8 * numpy.eye(3)[(tied + 1) % 3], tied, "softmax"),
    case("one sample", [[0.25, -0.5, 0.125]], [2], "softmax"),
    case("logits far from zero", 300 * shifted(20, 4, never[:20]) + 1000, never[:20], "softmax"),
    case("logits far from zero, sigmoid", 300 * shifted(20, 4, never[:20]), never[:20], "sigmoid"),
]
write("classification.json", cases=CASES)

COUNTS = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (9, 10), (10, 10), (0, 153), (147, 153), (153, 153)]
COUNTS += [(1, 1000), (333, 1000), (999, 1000), (12345, 54321), (999_999, 1_000_000)]
ROWS = []
for successes, trials in COUNTS:
    for confidence in (0.9, 0.95, 0.99):
        low, high = proportion_confint(successes, trials, alpha=1 - confidence, method="wilson")
        check = scipy.stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        assert abs(low - check.low) < 1e-9 and abs(high - check.high) < 1e-9
        row = {"successes": successes, "trials": trials, "confidence": confidence}
        ROWS.append({**row, "low": float(low), "high": float(high)})
write("wilson.json", rows=ROWS)

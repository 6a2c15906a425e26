"""Writes measures.json: what scikit-learn, SciPy and statsmodels say of the measures beyond accuracy.

The classifiers are those of classification.json, which make.py writes; the rest is made here. Scores that rank are
probabilities as float32 holds them. The calibration error is Guo et al. 2017 (arXiv:1706.04599), equation 3: 15 bins
((m - 1)/15, m/15], the sum over bins of count/n * |share right - mean confidence|; no library has it.

Run in an environment with scikit-learn, scipy and statsmodels: python test/golden/metrics/make-measures.py
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
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

warnings.filterwarnings("ignore")
random = numpy.random.default_rng(23)
HERE = pathlib.Path(__file__)
HEADER = {
    "madeBy": "test/golden/metrics/make-measures.py",
    "date": datetime.date.today().isoformat(),
    "versions": {
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
}
BINS = 15


def calibration_error(confidence, right):
    """Both [n]; see above."""
    bins = numpy.clip(numpy.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = [abs((right[bins == m] - confidence[bins == m]).sum()) for m in range(BINS)]
    return float(sum(gaps) / len(confidence))


def ranks(scores, targets):
    """Mean area under ROC and mean average precision over the columns where they are defined; None where nowhere."""
    curves = [j for j in range(targets.shape[1]) if 0 < targets[:, j].sum() < len(targets)]
    found = [j for j in range(targets.shape[1]) if targets[:, j].sum() > 0]
    area = [sklearn.metrics.roc_auc_score(targets[:, j], scores[:, j]) for j in curves]
    precision = [sklearn.metrics.average_precision_score(targets[:, j], scores[:, j]) for j in found]
    return (float(numpy.mean(area)) if area else None, float(numpy.mean(precision)) if precision else 0.0)


def classifier(logits, labels, activation):
    k = logits.shape[1]
    wanted = scipy.special.softmax(logits, axis=1) if activation == "softmax" else scipy.special.expit(logits)
    probabilities = wanted.astype("float32").astype("float64")
    predicted = logits.argmax(axis=1)
    one_hot = numpy.eye(k)[labels]
    seen = sorted(set(labels) | set(predicted))
    top = max(1, min(5, k - 1))
    # Before the label: larger scores, and equal ones of lower classes.
    before = [(row > row[y]).sum() + (row[:y] == row[y]).sum() for row, y in zip(logits, labels)]
    area, precision = ranks(probabilities, one_hot)
    squares = ((probabilities - one_hot) ** 2).sum(axis=1).mean() / (2 if k == 2 else 1)
    if activation == "softmax":
        kept = probabilities[:, 1] if k == 2 else probabilities / probabilities.sum(axis=1, keepdims=True)
        assert abs(sklearn.metrics.brier_score_loss(labels, kept, labels=range(k)) - squares) < 1e-6
        if area is not None and k > 2 and len(set(labels)) == k:
            ours = sklearn.metrics.roc_auc_score(labels, kept, multi_class="ovr", labels=range(k))
            assert abs(ours - area) < 1e-6
    kappa = sklearn.metrics.cohen_kappa_score(labels, predicted, labels=range(k)) if len(seen) > 1 else 0.0
    return {
        "topKAccuracy": float((numpy.asarray(before) < top).mean()),
        "microF1": float((labels == predicted).mean()),
        "weightedF1": float(sklearn.metrics.f1_score(labels, predicted, average="weighted", zero_division=0)),
        "kappa": float(kappa),
        "matthews": float(sklearn.metrics.matthews_corrcoef(labels, predicted)),
        "rocAuc": area,
        "meanAveragePrecision": precision,
        "brier": float(squares),
        "calibrationError": calibration_error(
            probabilities[numpy.arange(len(labels)), predicted], (labels == predicted).astype(float)
        ),
    }


def classifiers():
    for case in json.loads(HERE.with_name("classification.json").read_text())["cases"]:
        logits, labels = numpy.asarray(case["logits"]), numpy.asarray(case["labels"])
        drawn = random.integers(0, len(labels), len(labels))
        yield {
            "name": case["name"],
            "metrics": classifier(logits, labels, case["activation"]),
            # The same of images drawn with replacement.
            "drawn": {
                "counts": numpy.bincount(drawn, minlength=len(labels)).tolist(),
                "metrics": classifier(logits[drawn], labels[drawn], case["activation"]),
            },
        }


def labelled(name, logits, targets, thresholds):
    logits = numpy.asarray(logits, dtype="float32").astype("float64")
    probabilities = scipy.special.expit(logits).astype("float32").astype("float64")
    positive = (targets >= 0.5).astype(int)
    predicted = (logits > scipy.special.logit(numpy.asarray(thresholds))).astype(int)
    seen = [j for j in range(targets.shape[1]) if positive[:, j].any() or predicted[:, j].any()]
    f1 = lambda average: float(
        sklearn.metrics.f1_score(positive, predicted, average=average, labels=seen, zero_division=0)
    )
    area, precision = ranks(logits, positive)
    losses = -(targets * scipy.special.log_expit(logits) + (1 - targets) * scipy.special.log_expit(-logits))
    return {
        "name": name,
        "logits": logits.tolist(),
        "targets": targets.tolist(),
        "thresholds": list(thresholds),
        "metrics": {
            "loss": float(losses.mean()),
            "exactMatch": float(sklearn.metrics.accuracy_score(positive, predicted)),
            "macroF1": f1("macro"),
            "microF1": f1("micro"),
            "weightedF1": f1("weighted"),
            "rocAuc": area,
            "meanAveragePrecision": precision,
            "brier": float(((probabilities - targets) ** 2).mean()),
            "calibrationError": calibration_error(probabilities.ravel(), positive.ravel().astype(float)),
        },
    }


def regression(name, predicted, wanted):
    predicted, wanted = (numpy.asarray(x, dtype="float32").astype("float64") for x in (predicted, wanted))
    return {
        "name": name,
        "predictions": predicted.tolist(),
        "values": wanted.tolist(),
        "metrics": {
            "mae": sklearn.metrics.mean_absolute_error(wanted, predicted),
            "rmse": sklearn.metrics.root_mean_squared_error(wanted, predicted),
            "r2": sklearn.metrics.r2_score(wanted, predicted),
            "medianError": sklearn.metrics.median_absolute_error(wanted, predicted),
            "spearman": float(scipy.stats.spearmanr(predicted, wanted).statistic),
        },
    }


def percentile(statistic, *columns):
    """Many more draws than ours, so that its own chance is small."""
    result = scipy.stats.bootstrap(
        columns, statistic, paired=True, vectorized=False, method="percentile", n_resamples=4000, rng=random
    )
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]


def grid(x, by=32):
    return numpy.round(by * x) / by  # exact in float32


there = (random.random((40, 4)) < [0.5, 0.2, 0.05, 0.0]).astype(float)
soft = grid(random.random((12, 2)))
value = grid(random.normal(size=30))
noisy = grid(value + random.normal(size=30))
coarse = numpy.round(value)
LABELLED = [
    labelled("four classes, the last never", grid(random.normal(size=(40, 4)) + 2 * there - 1), there, [0.5] * 4),
    labelled("own thresholds", grid(random.normal(size=(40, 4)) + 2 * there - 2), there, [0.5, 0.3, 0.15, 0.1]),
    labelled("many equal scores", grid(numpy.round(random.normal(size=(40, 4)) + there)), there, [0.5] * 4),
    labelled("soft targets", grid(random.normal(size=(12, 2))), soft, [0.5] * 2),
]
REGRESSION = [
    regression("values", noisy, value),
    regression("many equal values", numpy.round(noisy), coarse),
    regression("an odd number", noisy[:7], value[:7]),
]

n = 200
score = grid(random.normal(size=n))
label = (score + random.normal(size=n) > 0.5).astype(int)
answer = grid(2 * score + random.normal(size=n))
INTERVALS = {
    "scores": score.tolist(),
    "labels": label.tolist(),
    "answers": answer.tolist(),
    "loss": percentile(lambda x, y: numpy.mean(numpy.log1p(numpy.exp(-x * (2 * y - 1)))), score, label),
    "rocAuc": percentile(lambda x, y: sklearn.metrics.roc_auc_score(y, x), score, label),
    "kappa": percentile(lambda x, y: sklearn.metrics.cohen_kappa_score(y, x > 0), score, label),
    "rmse": percentile(lambda x, y: sklearn.metrics.root_mean_squared_error(y, x), score, answer),
    "spearman": percentile(lambda x, y: scipy.stats.spearmanr(x, y).statistic, score, answer),
}


def pairs():
    for (a, n1), (b, n2) in [((90, 100), (95, 100)), ((140, 150), (149, 150)), ((10, 20), (0, 20)), ((7, 7), (7, 7))]:
        # statsmodels has the first minus the second.
        low, high = confint_proportions_2indep(b, n2, a, n1, method="newcomb", compare="diff")
        yield {"a": a, "of": n1, "b": b, "and": n2, "low": float(low), "high": float(high)}


MCNEMAR = [
    {"onlyA": a, "onlyB": b, "pValue": float(mcnemar([[0, a], [b, 0]], exact=True).pvalue)}
    for a, b in [(0, 1), (1, 6), (3, 12), (10, 10), (40, 70), (500, 600)]
]
HERE.with_name("measures.json").write_text(
    json.dumps(
        {
            **HEADER,
            "classifiers": list(classifiers()),
            "labelled": LABELLED,
            "regression": REGRESSION,
            "intervals": INTERVALS,
            "proportions": list(pairs()),
            "mcnemar": MCNEMAR,
        }
    )
    + "\n"
)

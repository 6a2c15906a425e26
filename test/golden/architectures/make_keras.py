"""Writes keras.json: variables and scores of Keras's own networks with weights by formula.

Run: KERAS_BACKEND=torch python test/golden/architectures/make_keras.py
Then format: npx biome format --write test/golden/architectures
Needs keras and torch; the versions used are in the file. Scores are computed in float64, before softmax.
"""
import datetime
import json
import math
import pathlib
import platform

import keras
import torch

from formula import fill, image_of, summarize

keras.config.set_floatx("float64")

# Architecture of ours: Keras's factory, its options, and the sizes [h, w] that it is run at.
MODELS = {
    "vgg16": (keras.applications.VGG16, {}, [[224, 224]]),
    "vgg19": (keras.applications.VGG19, {}, [[224, 224]]),
    "resnet50_keras": (keras.applications.ResNet50, {}, [[224, 224], [64, 75]]),
    "mobilenet_v2_keras": (keras.applications.MobileNetV2, {}, [[224, 224], [96, 65]]),
    **{
        f"mobilenet_v2_{round(100 * alpha):03}_keras": (keras.applications.MobileNetV2, {"alpha": alpha}, [[96, 96]])
        for alpha in (0.35, 0.5, 0.75, 1.3, 1.4)
    },
}


def value_of(path, shape, gain):
    """As in formula.py, with Keras's variables and layouts: the last axis of a kernel is that of the outputs."""
    leaf = path.rsplit("/", 1)[-1]
    if leaf == "moving_variance":
        return fill(path, shape, 1, 0.3)
    if leaf == "moving_mean":
        return fill(path, shape, 0, 0.2)
    if leaf == "gamma":
        return fill(path, shape, gain * 0.8, gain * 0.3)
    if leaf == "kernel":
        fan = math.prod(shape[:2] if "depthwise" in path else shape[:-1])
        return fill(path, shape, 0, math.sqrt((6 if len(shape) == 4 else 3) / fan))
    return fill(path, shape, 0, 0.1)


def record(name):
    factory, options, sizes = MODELS[name]
    gain = 0.7 if "resnet" in name else 1
    outputs = []
    for height, width in sizes:
        square = height == width == 224
        model = factory(
            weights=None, classifier_activation=None, input_shape=None if square else (height, width, 3), **options
        )
        variables = [(variable.path, list(variable.shape)) for variable in model.weights]
        for variable, (path, shape) in zip(model.weights, variables):
            variable.assign(value_of(path, shape, gain).numpy())
        images = image_of(height, width, 2).double().permute(0, 2, 3, 1)
        with torch.no_grad():
            scores, others = model(images, training=False)
        change = ((scores - others).norm() / scores.norm()).item()
        assert scores.isfinite().all() and change > 0.01, (name, change)
        outputs.append({"size": [height, width], **summarize(scores)})
        print(name, height, width, outputs[-1]["norm"], change, flush=True)
    return {"gain": gain, "variables": variables, "outputs": outputs}


def shortened(models):
    """Variables as "path shape"; networks with the paths of one before have its name and their shapes instead."""
    for name, model in models.items():
        paths, shapes = zip(*[(path, ",".join(map(str, shape))) for path, shape in model.pop("variables")])
        first = next(other for other in models if models[other].get("paths", paths) == paths)
        model["paths"] = paths
        model["pathsOf"], model["shapes"] = first, " ".join(shapes)
    for name, model in models.items():
        if model["pathsOf"] != name:
            del model["paths"]
    return models


golden = {
    "madeBy": "test/golden/architectures/make_keras.py",
    "date": datetime.date.today().isoformat(),
    "versions": {"python": platform.python_version(), "keras": keras.__version__, "torch": torch.__version__},
    "models": shortened({name: record(name) for name in MODELS}),
}
(pathlib.Path(__file__).parent / "keras.json").write_text(json.dumps(golden, indent=1) + "\n")

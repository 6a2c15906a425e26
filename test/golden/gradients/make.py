"""Writes <model>.json and <model>.<exporter>.onnx.gz: whole models, and their gradients by PyTorch's autograd in float64.

Run: python test/golden/gradients/make.py [model ...]
Then format: npx biome format --write test/golden/gradients
Needs torch, torchvision, timm, onnx and onnxscript; the versions used are in the files.

The ONNX files have no weights: parameters and buffers are graph inputs under their PyTorch names. Weights, images and
projections are formulas of (seed, name, index) that test/autodiff/golden-models.ts computes too, bit for bit. Of each
gradient g a file has its norm and projections r_k . g on random signs r_k: the mean over k of (r_k . (g - g'))^2
estimates |g - g'|^2 without bias, so a few numbers per parameter measure the error of every element.
"""
import datetime
import gzip
import io
import json
import logging
import math
import pathlib
import platform
import sys
import warnings

import numpy
import onnx
import onnxscript
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch.utils._python_dispatch import TorchDispatchMode

SIZE, CLASSES, BATCH = 64, 10, 2
TRAINING_BATCH, TRAINING_CASES = 16, 3
SEEDS = {False: range(1, 65), True: range(1, 13)}  # candidates, for frozen batch norms and in training mode
FOLDER = pathlib.Path(__file__).parent


def smaller(model, hidden, first):
    """AlexNet and VGG with 2x2 features and a narrow classifier: their own fits 224 pixels and has 10^8 weights."""
    model.avgpool = torch.nn.AdaptiveAvgPool2d(first)
    linears = [module for module in model.classifier if isinstance(module, torch.nn.Linear)]
    sizes = [linears[0].in_features // (36 if first == 1 else 49) * first * first, hidden, hidden, CLASSES]
    for layer, inputs, outputs in zip(linears, sizes, sizes[1:]):
        layer.__init__(inputs, outputs)
    return model


def of_torchvision(name):
    return lambda: torchvision.models.get_model(name, weights=None, num_classes=CLASSES)


# How to build a model, its exporters, how many projections it has, and whether its batch norms are trained as well.
MODELS = {
    "resnet18": (of_torchvision("resnet18"), ["torchscript", "dynamo"], 6, True),
    "resnet50": (of_torchvision("resnet50"), ["torchscript"], 6, True),
    "vgg11": (lambda: smaller(of_torchvision("vgg11")(), 256, 2), ["torchscript"], 6, False),
    "alexnet": (lambda: smaller(of_torchvision("alexnet")(), 256, 1), ["torchscript"], 6, False),
    "squeezenet1_1": (of_torchvision("squeezenet1_1"), ["torchscript"], 6, False),
    "mobilenet_v2": (of_torchvision("mobilenet_v2"), ["torchscript"], 6, True),
    "mobilenet_v3_small": (of_torchvision("mobilenet_v3_small"), ["torchscript", "dynamo"], 6, False),
    "efficientnet_b0": (of_torchvision("efficientnet_b0"), ["torchscript"], 4, True),
    "convnext_tiny": (of_torchvision("convnext_tiny"), ["torchscript", "dynamo"], 6, False),
    "densenet121": (of_torchvision("densenet121"), ["torchscript"], 3, False),
    "vit_tiny": (
        lambda: timm.create_model("vit_tiny_patch16_224", img_size=SIZE, num_classes=CLASSES),
        ["torchscript", "dynamo"],
        6,
        False,
    ),
}


# Formulas that golden-models.ts repeats.


def mix(x):
    """MurmurHash3's finalizer."""
    x = x ^ (x >> numpy.uint32(16))
    x = x * numpy.uint32(0x85EBCA6B)
    x = x ^ (x >> numpy.uint32(13))
    x = x * numpy.uint32(0xC2B2AE35)
    return x ^ (x >> numpy.uint32(16))


def hashes(key, count):
    """One uint32 per index: FNV-1a of the key's bytes, xor index times the golden ratio, mixed."""
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return mix(numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B1) ^ numpy.uint32(seed))


def fill(key, shape, center, radius):
    """float32, uniform in center ± radius. 2 k + 1 - 2^23 with k < 2^23: symmetric, never 0, exact."""
    k = (hashes(key, math.prod(shape)) >> numpy.uint32(9)).astype(numpy.float64)
    return torch.from_numpy((center + radius * ((2 * k + 1 - 2**23) / 2**23)).astype(numpy.float32)).reshape(shape)


def project(name, gradient, count):
    """Dot products with signs: bit k of hash i is the sign of element i in direction k."""
    bits = hashes(f"signs:{name}", gradient.numel())
    values = gradient.detach().double().flatten().numpy()
    total = values.sum()
    return [float(2 * values[(bits >> numpy.uint32(k) & numpy.uint32(1)) == 1].sum() - total) for k in range(count)]


def batch_of(seed, size):
    images = fill(f"{seed}:image", [size, 3, SIZE, SIZE], 0, 1.732)
    return images, torch.tensor([(7 * i + 3) % CLASSES for i in range(size)])


# Weights: (center, radius) of every parameter and buffer, so that activations have a moderate size throughout.


def short(number, digits=4):
    return float(f"{number:.{digits}g}")


def fills_of(model):
    """He's bound for weights (arXiv:1502.01852), 1 ± 0.3 for scales; running statistics are measured in `calibrate`."""
    fills = {}
    for prefix, module in model.named_modules():
        for key, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            name = f"{prefix}.{key}".lstrip(".")
            if tensor.is_floating_point():
                fills[name] = fill_of(module, prefix, key, tensor)
    return fills


def fill_of(module, prefix, key, tensor):
    if prefix.endswith("bn3") and key == "weight":
        return 0.3, 0.1  # the end of a bottleneck's branch: at 1, rounding errors in training mode grow tenfold
    normalizes = isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm))
    if normalizes and key in ("weight", "running_var"):
        return 1, 0.3
    if key == "layer_scale":
        return 0.5, 0.3
    if key in ("cls_token", "pos_embed"):
        return 0, 0.5
    if key == "weight":
        gain = 2 if isinstance(module, torch.nn.Conv2d) else 1
        return 0, short(math.sqrt(3 * gain / tensor[0].numel()))
    return 0, 0.2 if normalizes else 0.1  # biases and running means


def set_weights(model, fills, seed):
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(fill(f"{seed}:{name}", tuple(tensor.shape), *fills[name]))


def prepare(model, fills, seed, training):
    """Makes the model that of a case: dropout off, batch norms as asked."""
    model.eval()
    set_weights(model, fills, seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train(training)


def calibrate(model, fills):
    """Sets the centers of running variances to what the first seed's batch has, layer by layer, and rounds them."""
    set_weights(model, fills, 1)

    def measure(prefix):
        def hook(module, inputs):
            variance = short(inputs[0].var(dim=(0, 2, 3), unbiased=False).mean().item(), 2)
            fills[f"{prefix}.running_var"] = (variance, short(0.3 * variance, 2))
            fills[f"{prefix}.running_mean"] = (0, short(0.3 * math.sqrt(variance), 2))
            for key in ("running_var", "running_mean"):
                buffer = getattr(module, key)
                name = f"{prefix}.{key}"
                buffer.copy_(fill(f"1:{name}", tuple(buffer.shape), *fills[name]))

        return hook

    norms = [(name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)]
    handles = [module.register_forward_pre_hook(measure(name)) for name, module in norms]
    with torch.no_grad():
        model(batch_of(1, TRAINING_BATCH)[0].double())
    for handle in handles:
        handle.remove()


# Kinks: where a derivative jumps, rounding alone can change a gradient.


class Kinks(TorchDispatchMode):
    """The smallest distance of an input to a kink, relative to the root mean square of the operator's inputs."""

    KINKS = {"relu": [0], "hardtanh": [0, 6], "hardswish": [-3, 3], "hardsigmoid": [-3, 3]}
    margin = math.inf

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.__name__.split(".")[0].rstrip("_")
        if name in self.KINKS:
            x = args[0]
            distance = min((x - kink).abs().min().item() for kink in self.KINKS[name])
            self.margin = min(self.margin, distance / x.square().mean().sqrt().item())
        if name == "max_pool2d_with_indices":
            x, window, stride = args[:3]
            padding = args[3][0] if len(args) > 3 else 0
            padded = F.pad(x, [padding] * 4, value=-math.inf)
            if len(args) > 5 and args[5]:  # ceil mode: one window more, where it fits
                padded = F.pad(padded, [0, stride[0] - 1] * 2, value=-math.inf)
            columns = padded.unfold(2, window[0], stride[0]).unfold(3, window[1], stride[1]).flatten(4)
            best = columns.topk(2).values
            distance = best[..., 0] - best[..., 1]
            distance = distance[distance > 0]  # equal values are zeros behind a ReLU, which stops the gradient
            self.margin = min(self.margin, distance.min().item() / x.square().mean().sqrt().item())
        return function(*args, **(kwargs or {}))


def seeds_far_from_kinks(model, fills, training):
    """The seeds by their margin, largest first, and the margins."""
    margins = {}
    for seed in SEEDS[training]:
        prepare(model, fills, seed, training)
        with torch.no_grad(), Kinks() as kinks:
            model(batch_of(seed, TRAINING_BATCH if training else BATCH)[0].double())
        margins[seed] = kinks.margin
        if kinks.margin == math.inf and len(margins) == TRAINING_CASES:
            break
    return sorted(margins, key=lambda seed: -margins[seed]), margins


# Gradients.


def gradients(model, images, labels):
    model.zero_grad()
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    return loss.item(), {name: p.grad.detach().double() for name, p in model.named_parameters()}, logits


def check_by_differences(model, images, labels, slopes, every):
    """Central differences along the first sign direction of a few parameters."""
    parameters = dict(model.named_parameters())
    for name in [*parameters][::every]:
        parameter = parameters[name]
        bits = hashes(f"signs:{name}", parameter.numel()) & numpy.uint32(1)
        signs = torch.from_numpy(2.0 * bits - 1).reshape(parameter.shape)
        original, losses, step = parameter.detach().clone(), [], 1e-9
        with torch.no_grad():
            for side in (step, -step):
                parameter.copy_(original + side * signs)
                losses.append(F.cross_entropy(model(images), labels).item())
            parameter.copy_(original)
        difference, wanted = (losses[0] - losses[1]) / (2 * step), project(name, slopes[name], 1)[0]
        scale = slopes[name].norm().item()
        assert abs(difference - wanted) < 1e-3 * scale + 1e-6, (name, difference, wanted, scale)


def norm_of(tensors):
    return math.sqrt(sum(tensor.square().sum().item() for tensor in tensors))


def case_of(build, fills, seed, margin, *, training, count):
    size = TRAINING_BATCH if training else BATCH
    images, labels = batch_of(seed, size)
    results = {}
    for dtype in (torch.float32, torch.float64):
        model = build().to(dtype)
        prepare(model, fills, seed, training)
        results[dtype] = gradients(model, images.to(dtype), labels)
    loss, slopes, logits = results[torch.float64]
    if not training:
        check_by_differences(model, images.double(), labels, slopes, math.ceil(len(slopes) / 5))
    total = norm_of(slopes.values())
    error = norm_of([slopes[name] - g for name, g in results[torch.float32][1].items()]) / total
    print(f"  seed {seed} training {training} margin {margin:.2g} loss {loss:.4f} logits {logits.std():.2g} |g| {total:.3g}", end=" ")
    norms = sorted(g.norm().item() for g in slopes.values())
    print(f"|g_p| {norms[0]:.2g}..{norms[-1]:.2g} float32 error {error:.2g}")
    projections = [project(name, g, count) for name, g in slopes.items()]
    return {
        "batchNorm": "training" if training else "frozen",
        "seed": seed,
        "batchSize": size,
        "loss": short(loss, 9),
        "kinkMargin": short(margin, 2) if math.isfinite(margin) else None,
        "float32Error": short(error, 2),  # of PyTorch's own float32 gradient: relative, over all parameters together
        "norms": [short(g.norm().item()) for g in slopes.values()],  # by parameter
        "projections": [[short(p, 6) for p in row] for row in zip(*projections)],  # by direction, by parameter
    }


# Topologies.


def export(model, exporter):
    images = torch.zeros(2, 3, SIZE, SIZE)
    names = {"input_names": ["image"], "output_names": ["logits"]}
    if exporter == "dynamo":
        dynamic = ({0: torch.export.Dim("batch", min=1, max=1024)},)
        settings = {"dynamo": True, "opset_version": 18, "dynamic_shapes": dynamic, "optimize": False, "verbose": False}
        return torch.onnx.export(model, (images,), **settings, **names).model_proto
    buffer = io.BytesIO()
    torch.onnx.export(
        model,
        (images,),
        buffer,
        dynamo=False,
        opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE,  # of a model in eval mode: batch norms stay nodes of their own
        do_constant_folding=False,
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        **names,
    )
    return onnx.load_from_string(buffer.getvalue())


def without_weights(proto, state, exporter):
    """Parameters and buffers become inputs; what only people read goes."""
    graph = proto.graph
    for initializer in [*graph.initializer]:
        if initializer.name not in state:
            continue
        assert tuple(initializer.dims) == tuple(state[initializer.name].shape), initializer.name
        values = torch.from_numpy(onnx.numpy_helper.to_array(initializer).copy())
        assert torch.equal(values, state[initializer.name]), initializer.name
        graph.input.append(onnx.helper.make_tensor_value_info(initializer.name, initializer.data_type, initializer.dims))
        graph.initializer.remove(initializer)
    if exporter == "dynamo":  # the exporter's own optimizer, which would fold batch norms into constant weights
        graph.CopyFrom(onnxscript.optimizer.optimize(proto).graph)
    missing = {name for name in state if state[name].is_floating_point()} - {value.name for value in graph.input}
    assert not missing, missing
    left = sum(math.prod(initializer.dims) for initializer in graph.initializer)
    assert left < 1000, left
    for node in graph.node:
        node.doc_string = ""
        node.name = ""
        del node.metadata_props[:]
    for message in (proto, graph):
        message.doc_string = ""
        del message.metadata_props[:]
    for value in [*graph.input, *graph.output, *graph.initializer]:
        del value.metadata_props[:]
    del graph.value_info[:]
    onnx.checker.check_model(proto)
    return proto


def write(name):
    build, exporters, count, trains = MODELS[name]
    torch.manual_seed(0)
    print(name)
    model = build().double().eval()
    fills = fills_of(model)
    calibrate(model, fills)
    cases = []
    for training in [False, True] if trains else [False]:
        seeds, margins = seeds_far_from_kinks(model, fills, training)
        for seed in seeds[: TRAINING_CASES if training else 1]:
            directions = 2 if training else count
            cases.append(case_of(build, fills, seed, margins[seed], training=training, count=directions))
    exported = build().float().eval()
    set_weights(exported, fills, 1)
    files = []
    for exporter in exporters:
        files.append(f"{name}.{exporter}.onnx.gz")
        proto = without_weights(export(exported, exporter), exported.state_dict(), exporter)
        data = gzip.compress(proto.SerializeToString(deterministic=True), 9, mtime=0)
        (FOLDER / files[-1]).write_bytes(data)
        operators = sorted({node.op_type for node in proto.graph.node})
        print(f"  {files[-1]}: {len(data)} bytes, {len(proto.graph.node)} nodes, {' '.join(operators)}")
    modules = {"torch": torch, "torchvision": torchvision, "timm": timm, "onnx": onnx, "onnxscript": onnxscript}
    golden = {
        "madeBy": "test/golden/gradients/make.py",
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {key: m.__version__ for key, m in modules.items()},
        "topologies": files,
        "size": SIZE,
        "numClasses": CLASSES,
        "parameters": {key: fills[key] for key, _ in exported.named_parameters()},  # center and radius
        "statistics": {
            name: [fills[f"{name}.running_mean"][1], *fills[f"{name}.running_var"]]
            for name, module in exported.named_modules()
            if isinstance(module, torch.nn.BatchNorm2d)
        },  # radius of the running mean, whose center is 0; center and radius of the running variance
        "cases": cases,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(2)
    for name in sys.argv[1:] or MODELS:
        write(name)

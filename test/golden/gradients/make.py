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
TRAINING_BATCH, TRAINING_SEEDS = 32, (1, 2, 3)
CANDIDATE_SEEDS = range(1, 25)
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


# How to build a model, which exporters write it, how many projections it has, and whether it is trained with batch norm too.
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
    "densenet121": (of_torchvision("densenet121"), ["torchscript"], 4, False),
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
                fills[name] = fill_of(module, key, tensor)
    return fills


def fill_of(module, key, tensor):
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


def margin_of(model, fills, seed):
    set_weights(model, fills, seed)
    with torch.no_grad(), Kinks() as kinks:
        model(batch_of(seed, BATCH)[0].double())
    return kinks.margin


# Gradients.


def gradients(model, images, labels):
    model.zero_grad()
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    return loss.item(), {name: p.grad.detach().double() for name, p in model.named_parameters()}, logits


def check_by_differences(model, images, labels, slopes):
    """Central differences along the first sign direction of three parameters."""
    parameters = dict(model.named_parameters())
    names = [*parameters]
    for name in {names[0], names[len(names) // 2], names[-1]}:
        parameter = parameters[name]
        bits = hashes(f"signs:{name}", parameter.numel()) & numpy.uint32(1)
        signs = torch.from_numpy(2.0 * bits - 1).reshape(parameter.shape)
        original, losses, step = parameter.detach().clone(), [], 1e-7
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


def case_of(build, fills, seed, *, size, training, count):
    images, labels = batch_of(seed, size)
    results = {}
    for dtype in (torch.float32, torch.float64):
        model = build().to(dtype).eval()
        set_weights(model, fills, seed)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.train(training)
        results[dtype] = gradients(model, images.to(dtype), labels)
    loss, slopes, logits = results[torch.float64]
    check_by_differences(model, images.double(), labels, slopes)
    total = norm_of(slopes.values())
    error = norm_of([slopes[name] - g for name, g in results[torch.float32][1].items()]) / total
    print(f"  seed {seed} training {training} loss {loss:.4f} logits {logits.std():.2g} |g| {total:.3g}", end=" ")
    norms = sorted(g.norm().item() for g in slopes.values())
    print(f"|g_p| {norms[0]:.2g}..{norms[-1]:.2g} float32 error {error:.2g}")
    digits = 6 if training else 8
    rows = {
        name: [short(g.norm().item(), digits), *(short(p, digits) for p in project(name, g, count))]
        for name, g in slopes.items()
    }
    return {
        "batchNorm": "training" if training else "frozen",
        "seed": seed,
        "batchSize": size,
        "loss": short(loss, 9),
        "float32Error": short(error, 2),  # of PyTorch's own float32 gradient: relative, over all parameters together
        "normAndProjections": rows,
    }


# Topologies.


def export(model, exporter):
    images = torch.zeros(2, 3, SIZE, SIZE)
    names = {"input_names": ["image"], "output_names": ["logits"]}
    if exporter == "dynamo":
        dynamic = ({0: torch.export.Dim("batch", min=1, max=1024)},)
        program = torch.onnx.export(
            model, (images,), dynamo=True, opset_version=18, dynamic_shapes=dynamic, verbose=False, **names
        )
        return program.model_proto
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


def without_weights(proto, state):
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
    margins = {seed: margin_of(model, fills, seed) for seed in CANDIDATE_SEEDS}
    seed = max(margins, key=margins.get)
    print(f"  margin of seed {seed}: {margins[seed]:.2g}")
    cases = [case_of(build, fills, seed, size=BATCH, training=False, count=count)]
    if trains:
        cases += [
            case_of(build, fills, seed, size=TRAINING_BATCH, training=True, count=3) for seed in TRAINING_SEEDS
        ]
    exported = build().float().eval()
    set_weights(exported, fills, 1)
    files = []
    for exporter in exporters:
        files.append(f"{name}.{exporter}.onnx.gz")
        proto = without_weights(export(exported, exporter), exported.state_dict())
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
        "kinkMargin": short(margins[seed], 2) if math.isfinite(margins[seed]) else None,
        "fills": {key: list(value) for key, value in fills.items()},
        "parameters": [key for key, _ in exported.named_parameters()],
        "cases": cases,
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(2)
    for name in sys.argv[1:] or MODELS:
        write(name)

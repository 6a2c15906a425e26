"""Weights and images that are formulas of their name and shape; test/models/architectures/golden.ts repeats them."""
import hashlib
import math

import numpy
import torch

PERIOD = 65521  # a prime


def mix(x):
    """MurmurHash3's finalizer."""
    x = x ^ (x >> numpy.uint32(16))
    x = x * numpy.uint32(0x85EBCA6B)
    x = x ^ (x >> numpy.uint32(13))
    x = x * numpy.uint32(0xC2B2AE35)
    return x ^ (x >> numpy.uint32(16))


def key_hash(key):
    """FNV-1a, 32 bits."""
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    return seed


_k = mix(numpy.arange(PERIOD, dtype=numpy.uint32) * numpy.uint32(0x9E3779B1)) >> numpy.uint32(9)
UNIFORM = (2 * _k.astype(numpy.float64) + 1 - 2**23) / 2**23  # in (-1, 1), symmetric, never 0


def fill(key, shape, center, radius):
    """float32, uniform in center ± radius: UNIFORM in steps and from a start that the key's hash gives, repeated."""
    seed = key_hash(key)
    steps = (numpy.arange(PERIOD, dtype=numpy.int64) * (1 + seed % (PERIOD - 1)) + (seed >> 16)) % PERIOD
    table = (center + radius * UNIFORM[steps]).astype(numpy.float32)
    return torch.from_numpy(numpy.resize(table, math.prod(shape))).reshape(tuple(shape))


def value_of(name, shape, gain=1):
    """The value of a parameter or buffer: variances and scales are positive, weights keep activations at one size.

    `gain` multiplies the scales of normalizations: below 1 for deep residual networks, which add up, above for networks
    that gates make smaller.
    """
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return fill(name, shape, 1, 0.3)
    if leaf == "running_mean":
        return fill(name, shape, 0, 0.2)
    if len(shape) == 1 and leaf in ("weight", "gamma", "scale"):
        return fill(name, shape, gain * 0.8, gain * 0.3)
    if len(shape) == 4 or len(shape) == 2:
        fan = math.prod(shape[1:])
        return fill(name, shape, 0, math.sqrt((6 if len(shape) == 4 else 3) / fan))
    return fill(name, shape, 0, 0.1)


def image_of(height, width, batch=1):
    return fill("image", [batch, 3, height, width], 0, 1.732)


def named_tensors(model):
    """Parameters and buffers by name in state-dict order, without integer counters."""
    return [(name, t) for name, t in model.state_dict().items() if t.is_floating_point()]


def describe(tensors):
    """Number of tensors and elements, and a hash over lines of name and shape: "conv1.weight 64,3,7,7"."""
    lines = "".join(f"{name} {','.join(map(str, t.shape))}\n" for name, t in tensors)
    return {
        "tensors": len(tensors),
        "elements": sum(t.numel() for _, t in tensors),
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
    }


def summarize(logits):
    """The norm of the scores of one image and 16 of them, evenly spaced."""
    values = logits.detach().double().flatten()
    count = min(16, len(values))
    picked = [float(f"{values[i * len(values) // count]:.7g}") for i in range(count)]
    return {"norm": float(f"{values.norm():.8g}"), "logits": picked}


def record(model, sizes, run=None, gain=1):
    """What a golden file has of a model: its tensors, and its scores at some sizes [h, w], computed in float64.

    Another image has to change the scores by a percent: else they would say little of the layers before the last.
    """
    model.eval()
    tensors = named_tensors(model)
    with torch.no_grad():
        for name, t in tensors:
            t.copy_(value_of(name, list(t.shape), gain))
        model.double()
        outputs = []
        for height, width in sizes:
            scores, others = (run or model)(image_of(height, width, 2).double())
            assert scores.isfinite().all() and scores.std() > 1e-3, (height, width, scores.std())
            change = ((scores - others).norm() / scores.norm()).item()
            assert change > 0.01, f"gain {gain}: another image changes the scores by {change} at {height}x{width}"
            outputs.append({"size": [height, width], **summarize(scores)})
    return {**describe(tensors), "gain": gain, "outputs": outputs}

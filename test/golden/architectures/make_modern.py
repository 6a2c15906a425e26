"""Writes <family>.json of the families that torchvision and timm share, positions.json: position embeddings resampled,
and timm-catalog.json: timm's names of the models that the catalog has weights of.

Run: python test/golden/architectures/make_modern.py [family ...]
Then format: npx biome format --write test/golden/architectures
Needs torch, torchvision and timm; the versions used are in the files. Scores are computed in float64.
"""
import datetime
import hashlib
import json
import pathlib
import platform
import sys

import timm
import torch
import torchvision
from timm.layers import resample_abs_pos_embed
from torchvision.models.vision_transformer import interpolate_embeddings

from formula import describe, fill, image_of, named_tensors, record, summarize, value_of

FOLDER = pathlib.Path(__file__).parent

# By family: the sizes [h, w] that a model is run at.
TORCHVISION = {
    "efficientnet": {
        "efficientnet_b0": [[224, 224], [64, 96], [75, 45]],
        "efficientnet_b1": [[64, 64]],
        "efficientnet_b2": [[64, 64]],
        "efficientnet_b3": [[64, 64]],
        "efficientnet_b4": [[64, 64]],
        "efficientnet_v2_s": [[64, 64], [97, 65]],
    },
    "convnext": {
        "convnext_tiny": [[224, 224], [64, 96], [75, 45]],
        "convnext_small": [[64, 64]],
        "convnext_base": [[64, 64]],
    },
    "regnet": {
        "regnet_y_400mf": [[224, 224], [64, 96], [75, 45]],
        "regnet_y_800mf": [[64, 64]],
    },
    # 224: maps of whole windows; 96 x 64: padding, one window in the last stages; 91 x 45: odd maps
    "swin": {"swin_t": [[224, 224], [96, 64], [91, 45]]},
}
TIMM = {
    "mobilenet-v4": {"mobilenetv4_conv_small": [[224, 224], [64, 96], [75, 45]]},
    "mobilenet-v3-timm": {
        "mobilenetv3_small_100": [[224, 224], [64, 64], [97, 33]],
        "mobilenetv3_large_100": [[224, 224], [64, 64]],
    },
    "timm-names": {
        "efficientnet_b0": [[64, 64]],
        "efficientnet_b1": [[64, 64]],
        "convnext_tiny": [[64, 64]],
        "mobilenetv2_100": [[64, 96], [75, 45]],
        "swin_tiny_patch4_window7_224": [[224, 224]],  # smaller maps would have smaller windows in timm
    },
}
# Factors of the scales of normalizations, see value_of.
GAINS = {
    **{f"efficientnet_b{i}": 1.3 if i == 0 else 1.25 for i in range(5)},
    "mobilenetv3_small_100": 1.2,
    "mobilenetv3_large_100": 1.1,
}
# Models of src/models/catalog/timm.ts.
CATALOG = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "mobilenetv2_100",
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "mobilenetv4_conv_small",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "convnext_tiny",
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "swin_tiny_patch4_window7_224",
]
VIT = {
    "vit_b_16": [[224, 224], [96, 96]],
    "vit_tiny_patch16_224": [[224, 224], [96, 128], [288, 288]],
    "vit_small_patch16_224": [[96, 96]],
    "vit_base_patch16_224": [[96, 96]],
    "vit_small_patch14_dinov2": [[518, 518], [98, 126]],
    "vit_base_patch14_dinov2": [[98, 98]],
}


def epsilons(model):
    """What normalizations add to variances, smallest first: scores would hardly tell 1e-6 from 1e-5."""
    return {"epsilons": sorted({module.eps for module in model.modules() if hasattr(module, "eps")})}


def recorded(model, name, sizes):
    return {**epsilons(model), **record(model, sizes, gain=GAINS.get(name, 1))}


def torchvision_vit(sizes):
    """As `record`, for torchvision's model, which is built for one square size."""
    get = torchvision.models.get_model
    model = get("vit_b_16", weights=None)
    tensors = named_tensors(model)
    state = {name: value_of(name, list(t.shape)) for name, t in tensors}
    outputs = []
    for height, width in sizes:
        assert height == width
        resized = get("vit_b_16", weights=None, image_size=height).eval()
        resized.load_state_dict(interpolate_embeddings(height, 16, dict(state)))
        outputs.append(scores(resized, [height, width]))
    return {**epsilons(model), **describe(tensors), "gain": 1, "outputs": outputs}


def timm_vit(name, sizes):
    """As `record`, with position embeddings resampled to each size."""
    model = timm.create_model(name, num_classes=1000)
    tensors = named_tensors(model)
    grid = model.patch_embed.grid_size
    state = {name: value_of(name, list(t.shape)) for name, t in tensors}
    outputs = []
    for size in sizes:
        resized = timm.create_model(name, num_classes=1000, img_size=tuple(size)).eval()
        positions = resample_abs_pos_embed(state["pos_embed"], resized.patch_embed.grid_size, grid)
        resized.load_state_dict({**state, "pos_embed": positions})
        outputs.append(scores(resized, size))
    return {**epsilons(model), **describe(tensors), "gain": 1, "outputs": outputs}


def scores(model, size):
    with torch.no_grad():
        logits, others = model.double()(image_of(*size, 2).double())
    assert logits.isfinite().all() and logits.std() > 1e-3, (size, logits.std())
    assert (logits - others).norm() > 0.01 * logits.norm(), size
    return {"size": size, **summarize(logits)}


def dinov2(positions, side, rows, columns):
    """The resampling of facebookresearch/dinov2, models/vision_transformer.py, interpolate_pos_encoding: offset 0.1."""
    patches = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    factors = ((rows + 0.1) / side, (columns + 0.1) / side)
    grid = torch.nn.functional.interpolate(patches, scale_factor=factors, mode="bicubic", antialias=False)
    assert grid.shape[2:] == (rows, columns)
    return torch.cat([positions[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def positions():
    """Embeddings of 3 channels on a square grid, by formula, resampled to grids [rows, columns] as each library does."""
    cases = []
    for side, rows, columns in [(14, 6, 8), (14, 18, 18), (5, 7, 3), (4, 1, 1), (37, 16, 16)]:
        source = fill("positions", [1, 1 + side * side, 3], 0, 1)
        results = {
            "timm": resample_abs_pos_embed(source, [rows, columns], [side, side]),
            "dinov2": dinov2(source, side, rows, columns),
        }
        if rows == columns:
            state = interpolate_embeddings(rows, 1, {"encoder.pos_embedding": source})
            results["torchvision"] = state["encoder.pos_embedding"]
        for method, result in results.items():
            cases.append({"resampling": method, "from": side, "to": [rows, columns], **sample(result)})
    return cases


def sample(t):
    values = t.double().flatten()
    count = 24
    picked = [float(f"{values[i * len(values) // count]:.6g}") for i in range(count)]
    return {"norm": float(f"{values.norm():.7g}"), "values": picked}


def names(model):
    """Epsilons, numbers of tensors and elements, and a hash over lines of shape and name, sorted by shape alone.

    Axes of length 1 are left out. Within a shape the order is the state dict's, so that it tells equal shapes apart.
    """
    tensors = named_tensors(model)
    lines = [(",".join(str(size) for size in t.shape if size != 1), name) for name, t in tensors]
    text = "".join(f"{shape} {name}\n" for shape, name in sorted(lines, key=lambda line: line[0]))
    return {**epsilons(model), **describe(tensors), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def write(family, content):
    golden = {
        "madeBy": "test/golden/architectures/make_modern.py",
        "date": datetime.date.today().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "timm": timm.__version__,
        },
        **content,
    }
    (FOLDER / f"{family}.json").write_text(json.dumps(golden, indent=1) + "\n")


def models(family):
    if family == "vit":
        for name, sizes in VIT.items():
            yield name, torchvision_vit(sizes) if name == "vit_b_16" else timm_vit(name, sizes)
    for name, sizes in TORCHVISION.get(family, {}).items():
        yield name, recorded(torchvision.models.get_model(name, weights=None), name, sizes)
    for name, sizes in TIMM.get(family, {}).items():
        yield name, recorded(timm.create_model(name), name, sizes)


for family in sys.argv[1:] or [*TORCHVISION, *TIMM, "vit", "positions", "timm-catalog"]:
    if family == "positions":
        write(family, {"cases": positions()})
        continue
    if family == "timm-catalog":
        write(family, {"models": {name: names(timm.create_model(name, num_classes=1000)) for name in CATALOG}})
        continue
    done = {}
    for name, golden in models(family):
        done[name] = golden
        print(name, [output["norm"] for output in golden["outputs"]], flush=True)
    write(family, {"models": done})

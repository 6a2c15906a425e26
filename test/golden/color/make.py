"""Writes cases.json, policies.json and spaces.json: what torchvision's functions for PIL images, its policies and its mixing make of computed input.

Made with torchvision 0.29.2, torch 2.15, Pillow 13.0 (x86-64 Linux), 2026-11:
python test/golden/color/make.py && npx biome format --write test/golden/color
The picture is computed by test/transforms/scene.ts in the same way. Each case has the sha256 of the expected pixels and,
where the test allows a difference, the pixels themselves, deflated, in base64.
"""
import base64
import hashlib
import json
import zlib
from pathlib import Path
from unittest import mock

import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import AugMix, InterpolationMode, RandAugment, TrivialAugmentWide, autoaugment, v2
from torchvision.transforms import functional as F

WIDTH, HEIGHT = 48, 40


def scene(width=WIDTH, height=HEIGHT):
    """Two gradients, a disc, a dark stripe, and noise: smooth areas, edges, and levels from 0 to 255."""
    pixels = bytearray()
    state = 12345
    for y in range(height):
        for x in range(width):
            inside = (x - 17) ** 2 + (y - 15) ** 2 < 121
            stripe = 30 < x < 35
            base = (215, 90, 40) if inside else (8, 12, 30) if stripe else (60 + x * 3, 200 - y * 4, 90 + (x + y) * 2)
            for level in base:
                state = (state * 1103515245 + 12345) % 2**31
                pixels.append(max(0, min(255, level + (state >> 16) % 9 - 4)))
    return Image.frombytes("RGB", (width, height), bytes(pixels))


def expected(image, with_pixels=False):
    data = image.tobytes()
    record = {"sha256": hashlib.sha256(data).hexdigest()}
    if with_pixels:
        record["pixels"] = base64.b64encode(zlib.compress(data, 9)).decode()
    return record


def color(image):
    for kind, function, factors in [
        ("brightness", F.adjust_brightness, (0.0, 0.35, 1.0, 1.7)),
        ("contrast", F.adjust_contrast, (0.0, 0.35, 1.0, 1.7)),
        ("saturation", F.adjust_saturation, (0.0, 0.35, 1.0, 1.7)),
        ("hue", F.adjust_hue, (-0.5, -0.1, 0.02, 0.3, 0.5)),
    ]:
        for factor in factors:
            yield {"kind": kind, "factor": factor, **expected(function(image, factor))}


def jitter(image):
    """Adjustments in several orders, as ColorJitter makes them."""
    functions = {
        "brightness": F.adjust_brightness, "contrast": F.adjust_contrast, "saturation": F.adjust_saturation, "hue": F.adjust_hue,
    }
    for steps in [
        [("brightness", 1.3), ("contrast", 0.7), ("saturation", 1.4), ("hue", 0.05)],
        [("hue", -0.2), ("saturation", 0.5), ("contrast", 1.6), ("brightness", 0.8)],
        [("contrast", 1.2), ("hue", 0.1), ("brightness", 1.1), ("saturation", 1.9)],
        [("saturation", 1.2), ("brightness", 0.6), ("hue", 0.4), ("contrast", 1.5)],
    ]:
        result = image
        for kind, factor in steps:
            result = functions[kind](result, factor)
        yield {"steps": steps, **expected(result)}


def plain(image):
    for name, options, function in [
        ("posterize", [1, 3, 4, 8], F.posterize),
        ("solarize", [0, 100, 127.5, 256], F.solarize),
        ("sharpness", [0.0, 0.4, 1.0, 1.9, 3.0], F.adjust_sharpness),
    ]:
        for option in options:
            yield {"name": name, "option": option, **expected(function(image, option))}
    dull = F.adjust_contrast(image, 0.3)  # the levels of no channel reach 0 or 255
    yield {"name": "grayscale", "option": 0, **expected(F.to_grayscale(image, 3))}
    yield {"name": "invert", "option": 0, **expected(F.invert(image))}
    for name, function in [("auto-contrast", F.autocontrast), ("equalize", F.equalize)]:
        yield {"name": name, "option": 0, **expected(function(image))}
        yield {"name": name, "option": 1, **expected(function(dull))}


def blur(image):
    for size, sigma in [(3, 0.5), (5, 1.1), (9, 2.0), (23, 5.0)]:
        yield {"kernelSize": size, "sigma": sigma, **expected(F.gaussian_blur(image, size, [sigma, sigma]))}


# The names in src/transforms/policy-operations.ts.
NAMES = {
    "Identity": "identity", "ShearX": "shear-x", "ShearY": "shear-y", "TranslateX": "translate-x", "TranslateY": "translate-y",
    "Rotate": "rotate", "Brightness": "brightness", "Color": "color", "Contrast": "contrast", "Sharpness": "sharpness",
    "Posterize": "posterize", "Solarize": "solarize", "AutoContrast": "auto-contrast", "Equalize": "equalize",
}


def spaces():
    """The tables of magnitudes, for the picture and for a network's input."""
    for width, height in [(WIDTH, HEIGHT), (224, 192)]:
        for policy, space in [
            ("rand-augment", RandAugment()._augmentation_space(31, (height, width))),
            ("trivial-augment", TrivialAugmentWide()._augmentation_space(31)),
            ("aug-mix", AugMix()._augmentation_space(10, (height, width))),
        ]:
            rows = [
                {"name": NAMES[name], "magnitudes": magnitudes.reshape(-1).tolist(), "signed": signed}
                for name, (magnitudes, signed) in space.items()
            ]
            yield {"policy": policy, "width": width, "height": height, "space": rows}


def operations(image):
    """RandAugment's operations at three strengths and TrivialAugment's strongest, in both signs."""
    spaces_and_strengths = [(RandAugment()._augmentation_space(31, (HEIGHT, WIDTH)), (4, 9, 30)), (TrivialAugmentWide()._augmentation_space(31), (14, 30))]
    seen = set()
    for space, strengths in spaces_and_strengths:
        for name, (magnitudes, signed) in space.items():
            for strength in strengths:
                magnitude = float(magnitudes[strength]) if magnitudes.ndim else 0.0
                for value in (magnitude, -magnitude) if signed else (magnitude,):
                    if (name, value) in seen or (name, strength) == ("Rotate", 4):
                        continue
                    seen.add((name, value))
                    result = autoaugment._apply_op(image, name, value, InterpolationMode.NEAREST, None)
                    # Pillow has positions in fixed point: some that lie on the border between two pixels fall to the other side.
                    rounded = (name, strength) in (("ShearX", 4), ("ShearY", 4)) or (name, abs(value)) == ("Rotate", 135)
                    if rounded and value > 0:
                        continue
                    yield {"name": NAMES[name], "magnitude": value, **expected(result, rounded)}


def aug_mix(image):
    """AugMix with weights and draws that are given: operations on tensors, mixed in float32."""
    plans = [
        (0.4, [(0.5, ["solarize", "brightness"], [204.0, 0.4]), (0.3, ["posterize"], [3.0]), (0.2, ["contrast", "color"], [0.1, 0.3])]),
        (0.0, [(1.0, ["brightness"], [0.3])]),
        (0.25, [(0.25, ["posterize", "solarize"], [4.0, 170.0]), (0.75, ["color"], [0.2])]),
    ]
    original = {ours: theirs for theirs, ours in NAMES.items()}
    for kept, chains in plans:
        mixed = 1 - kept
        shares = [weight for weight, _, _ in chains]
        samples = [torch.tensor([[kept, mixed]]), torch.tensor([shares])]
        names = [original[name] for _, steps, _ in chains for name in steps]
        values = [value for _, _, magnitudes in chains for value in magnitudes]
        queue = list(zip(names, values))
        lengths = [len(steps) for _, steps, _ in chains]

        class Given(AugMix):
            def _sample_dirichlet(self, params):
                return samples.pop(0)

        def randint(*args, low=None, size=None, **more):  # the length of a chain, or the first of whatever is drawn
            return torch.tensor([lengths.pop(0)] if low is not None else [0])

        apply = autoaugment._apply_op

        def given_operation(aug, _name, _magnitude, interpolation, fill):
            name, value = queue.pop(0)
            return apply(aug, name, value, interpolation=interpolation, fill=fill)

        with mock.patch.object(autoaugment.torch, "randint", randint), mock.patch.object(autoaugment, "_apply_op", given_operation):
            result = Given(mixture_width=len(chains))(image)
        yield {
            "original": kept,
            "chains": [
                {"weight": weight * mixed, "steps": [{"name": n, "magnitude": m} for n, m in zip(steps, magnitudes)]}
                for weight, steps, magnitudes in chains
            ],
            **expected(result, len(chains) > 1),
        }


def mixing():
    """MixUp and CutMix of three inputs [2, 4, 5] whose values count up."""
    inputs = torch.arange(3 * 2 * 4 * 5, dtype=torch.float32).reshape(3, 2, 4, 5)
    targets = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]])
    mixup, cutmix = v2.MixUp(num_classes=4), v2.CutMix(num_classes=4)
    for lam in (0.0, 0.3, 1.0):
        given = {"labels": targets, "lam": lam, "batch_size": 3}
        yield {
            "lambda": lam, "box": None,
            "inputs": mixup.transform(inputs, given).reshape(-1).tolist(),
            "targets": mixup.transform(targets, given).reshape(-1).tolist(),
        }
    for left, top, right, bottom in [(1, 0, 4, 3), (0, 0, 5, 4), (2, 2, 2, 4)]:
        lam = float(1 - (right - left) * (bottom - top) / 20)
        given = {"labels": targets, "box": (left, top, right, bottom), "lam_adjusted": lam, "batch_size": 3}
        yield {
            "lambda": lam, "box": [left, top, right, bottom],
            "inputs": cutmix.transform(inputs, given).reshape(-1).tolist(),
            "targets": cutmix._mixup_label(targets, lam=lam).reshape(-1).tolist(),
        }


def main():
    image = scene()
    cases = {
        "versions": {"torchvision": torchvision.__version__, "torch": torch.__version__, "pillow": PIL.__version__},
        "scene": expected(image),
        "color": list(color(image)),
        "jitter": list(jitter(image)),
        "plain": list(plain(image)),
        "blur": list(blur(image)),
        "mixing": list(mixing()),
    }
    folder = Path(__file__).parent
    (folder / "cases.json").write_text(json.dumps(cases))
    (folder / "policies.json").write_text(json.dumps({"operations": list(operations(image)), "augMix": list(aug_mix(image))}))
    (folder / "spaces.json").write_text(json.dumps(list(spaces())))


main()

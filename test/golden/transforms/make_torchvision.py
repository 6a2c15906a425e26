"""Writes torchvision.json: what torchvision makes of a computed PIL image with explicit parameters.

Made with torchvision 0.29.2, torch 2.15, Pillow 13.0.0, Python 3.11:
python test/golden/transforms/make_torchvision.py && npx biome format --write test/golden/transforms
Pixels that are compared within a tolerance are stored in base64, compressed with zlib; of others their sha256.
"""
import base64
import hashlib
import json
import zlib
from pathlib import Path

import PIL
import torch
import torchvision
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode

MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def picture(width, height):
    """Noise in red, a ramp in green, hard edges in blue, as test/transforms/picture.ts."""
    pixels = bytearray()
    state = 12345
    for y in range(height):
        for x in range(width):
            state = (state * 1103515245 + 12345) % 2**31
            pixels += bytes([(state >> 16) & 255, (x * 255 // width + y * 3) & 255, 255 if (x // 3 + y // 2) % 2 else 0])
    return Image.frombytes("RGB", (width, height), bytes(pixels))


def row(name, size, options, result):
    pixels = result.tobytes()
    if name in ["rotate", "affine", "perspective", "random-resized-crop"]:
        stored = {"pixels": base64.b64encode(zlib.compress(pixels, 9)).decode()}
    else:
        stored = {"sha256": hashlib.sha256(pixels).hexdigest()}
    return {"name": name, "from": size, "options": options, "width": result.width, "height": result.height, **stored}


def cases():
    for mode in ["nearest", "bilinear"]:
        for size in [(20, 20), (21, 16)]:
            image = picture(*size)
            for degrees, value in [(17.0, 0), (-64.5, [200, 30, 90]), (123.0, 90)]:
                options = {"degrees": degrees, "interpolation": mode, "value": value}
                fill = [value] * 3 if isinstance(value, int) else value
                yield row("rotate", size, options, F.rotate(image, degrees, MODES[mode], fill=fill))
            for degrees, shift, zoom, shear in [(0, (5, -3), 1, (0, 0)), (0, (0, 0), 1.4, (0, 0)), (0, (0, 0), 0.73, (0, 0)), (0, (0, 0), 1, (20, -10)), (25, (3, 2), 0.9, (8, 5))]:
                options = {"degrees": degrees, "shift": shift, "zoom": zoom, "shear": shear, "interpolation": mode}
                # torchvision's affine turns clockwise, its rotate counter-clockwise.
                yield row("affine", size, options, F.affine(image, -degrees, list(shift), zoom, list(shear), MODES[mode], fill=0))
            w, h = size
            corners = [[3, 2], [w - 6, 1], [w - 2, h - 5], [1, h - 3]]
            start = [[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]]
            options = {"from": start, "to": corners, "interpolation": mode}
            yield row("perspective", size, options, F.perspective(image, start, corners, MODES[mode], fill=0))
    for mode in MODES:
        image = picture(70, 53)
        for top, left, height, width in [(5, 7, 40, 31), (0, 0, 53, 70), (20, 30, 9, 11)]:
            options = {"region": [left, top, width, height], "size": [12, 10], "interpolation": mode}
            yield row("random-resized-crop", (70, 53), options, F.resized_crop(image, top, left, height, width, [10, 12], MODES[mode]))
        yield row("resize", (70, 53), {"width": 31, "height": 44, "interpolation": mode}, F.resize(image, [44, 31], MODES[mode]))
        yield row("resize", (70, 53), {"shorterSide": 29, "interpolation": mode}, F.resize(image, 29, MODES[mode]))
        yield row("resize", (53, 70), {"shorterSide": 61, "interpolation": mode}, F.resize(picture(53, 70), 61, MODES[mode]))
    for size, crop in [((31, 24), (20, 15)), ((31, 24), (16, 19)), ((20, 20), (27, 25)), ((20, 33), (26, 8))]:
        yield row("center-crop", size, {"width": crop[0], "height": crop[1]}, F.center_crop(picture(*size), [crop[1], crop[0]]))
    for fill, theirs in [("constant", "constant"), ("nearest", "edge"), ("reflect", "symmetric")]:
        padded = F.pad(picture(14, 11), [4, 3], 50 if fill == "constant" else 0, theirs)
        yield row("random-crop", (14, 11), {"padding": [4, 3], "fill": fill, "value": 50, "width": padded.width, "height": padded.height}, padded)
    image = picture(23, 15)
    yield row("horizontal-flip", (23, 15), {}, F.hflip(image))
    yield row("vertical-flip", (23, 15), {}, F.vflip(image))


def regions():
    """RandomResizedCrop.get_params: the fallback, which nothing random decides, and the distribution of 20,000 draws."""
    for size in [(1000, 10), (10, 1000), (7, 400), (400, 7)]:
        i, j, h, w = T.RandomResizedCrop.get_params(Image.new("RGB", size), [1.0, 1.0], [3 / 4, 4 / 3])
        yield {"size": size, "scale": [1, 1], "fallback": [j, i, w, h]}
    for size, scale in [((320, 240), [0.08, 1.0]), ((100, 300), [0.3, 1.0])]:
        torch.manual_seed(1)
        image = Image.new("RGB", size)
        draws = torch.tensor([T.RandomResizedCrop.get_params(image, scale, [3 / 4, 4 / 3]) for _ in range(20000)], dtype=torch.float64)
        i, j, h, w = draws.T
        means = {"left": j.mean().item(), "top": i.mean().item(), "width": w.mean().item(), "height": h.mean().item(), "area": (w * h).mean().item()}
        deviations = {"left": j.std().item(), "top": i.std().item(), "width": w.std().item(), "height": h.std().item(), "area": (w * h).std().item()}
        yield {"size": size, "scale": scale, "means": means, "deviations": deviations}


versions = {"torchvision": torchvision.__version__, "torch": torch.__version__, "pillow": PIL.__version__}
Path(__file__).with_name("torchvision.json").write_text(json.dumps({"versions": versions, "cases": list(cases()), "regions": list(regions())}))

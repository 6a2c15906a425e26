"""Writes cases.json: what Pillow makes of pictures that test and script both compute.

Made with Pillow 9.4.0, Python 3.11.2 (Debian 12): /usr/bin/python3 test/golden/resize/make.py && npx biome format --write test/golden/resize
Each case has the pixels in base64 where they are few, and their sha256 always.
"""
import base64
import hashlib
import json
from pathlib import Path

import PIL
from PIL import Image

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4}


def picture(width, height):
    """Noise in red, a ramp in green, hard edges in blue: overshoot, rounding and clipping all occur."""
    pixels = bytearray()
    state = 12345
    for y in range(height):
        for x in range(width):
            state = (state * 1103515245 + 12345) % 2**31
            pixels += bytes([(state >> 16) & 255, (x * 255 // width + y * 3) & 255, 255 if (x // 3 + y // 2) % 2 else 0])
    return Image.frombytes("RGB", (width, height), bytes(pixels))


def record(image):
    pixels = image.tobytes()
    result = {"width": image.width, "height": image.height, "sha256": hashlib.sha256(pixels).hexdigest()}
    if len(pixels) <= 300:
        result["pixels"] = base64.b64encode(pixels).decode()
    return result


def resizing():
    sizes = [
        ((17, 13), (9, 7)), ((9, 7), (17, 13)), ((16, 16), (16, 8)), ((16, 16), (8, 16)), ((16, 16), (16, 16)),
        ((1, 1), (5, 4)), ((5, 4), (1, 1)), ((1, 40), (6, 3)), ((40, 1), (3, 6)), ((31, 29), (7, 30)), ((3, 200), (12, 10)),
        ((320, 213), (384, 256)), ((500, 333), (224, 224)), ((97, 251), (13, 12)), ((50, 40), (333, 217)),
    ]
    for source, target in sizes:
        for name, code in FILTERS.items():
            yield {"from": source, "to": target, "interpolation": name, **record(picture(*source).resize(target, code))}
    for name, code in FILTERS.items():  # a source box is a crop before the resize
        box = (5, 3, 5 + 23, 3 + 19)
        yield {"from": (40, 30), "to": (11, 12), "interpolation": name, "crop": box, **record(picture(40, 30).crop(box).resize((11, 12), code))}


def torchvision_resize_and_crop(image, size, crop_height, crop_width, code):
    """What torchvision does to PIL images in resize(int) and center_crop, restated here; torchvision itself was not run."""
    width, height = image.size
    short, long = (width, height) if width <= height else (height, width)
    new_short, new_long = size, int(size * long / short)
    new_width, new_height = (new_short, new_long) if width <= height else (new_long, new_short)
    if (width, height) != (new_width, new_height):
        image = image.resize((new_width, new_height), code)
    width, height = image.size
    if crop_width > width or crop_height > height:
        left = (crop_width - width) // 2 if crop_width > width else 0
        top = (crop_height - height) // 2 if crop_height > height else 0
        right = (crop_width - width + 1) // 2 if crop_width > width else 0
        bottom = (crop_height - height + 1) // 2 if crop_height > height else 0
        padded = Image.new("RGB", (width + left + right, height + top + bottom))
        padded.paste(image, (left, top))
        image = padded
        width, height = image.size
    top = int(round((height - crop_height) / 2.0))
    left = int(round((width - crop_width) / 2.0))
    return image.crop((left, top, left + crop_width, top + crop_height))


def cropping():
    for source in [(320, 213), (213, 320), (100, 100), (97, 251), (333, 224), (40, 300)]:
        for size, height, width in [(32, 28, 28), (37, 28, 31), (20, 28, 24), (33, 33, 33), (256, 224, 224)]:
            for name in ["bilinear", "bicubic", "nearest"]:
                result = torchvision_resize_and_crop(picture(*source), size, height, width, FILTERS[name])
                yield {"from": source, "size": size, "inputSize": (height, width), "interpolation": name, **record(result)}


cases = {"pillow": PIL.__version__, "resize": list(resizing()), "crop": list(cropping())}
Path(__file__).with_name("cases.json").write_text(json.dumps(cases))

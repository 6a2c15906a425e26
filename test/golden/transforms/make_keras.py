"""Writes keras.json: what Keras's ImageDataGenerator makes of a computed picture with explicit parameters.

Made with Keras 3.15.1 (torch backend), scipy 1.17.1, Pillow 13.0.0, NumPy as recorded, Python 3.11:
python test/golden/transforms/make_keras.py && npx biome format --write test/golden/transforms
Pixels are stored in base64, compressed with zlib: 128ths of a grey level in 16 bits, bytes where all values are whole, or float32.
"""
import base64
import json
import os
import warnings
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")

import keras
import numpy as np
import PIL
import scipy
from keras.src.legacy.preprocessing.image import ImageDataGenerator


def picture(width, height):
    """Noise in red, a ramp in green, hard edges in blue, as test/transforms/picture.ts."""
    pixels = np.zeros((height, width, 3), np.float32)
    state = 12345
    for y in range(height):
        for x in range(width):
            state = (state * 1103515245 + 12345) % 2**31
            pixels[y, x] = [(state >> 16) & 255, (x * 255 // width + y * 3) & 255, 255 if (x // 3 + y // 2) % 2 else 0]
    return pixels


def packed(array, exact=False):
    array = np.ascontiguousarray(array, np.float32)
    whole = array.min() >= 0 and array.max() <= 255 and (array == array.astype(np.uint8)).all()
    kind = "float32" if exact else "uint8" if whole else "uint16"
    values = array if exact else array.astype(np.uint8) if whole else np.round(array * 128).astype(np.uint16)
    return {"type": kind, "data": base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()}


def row(size, generator, parameters):
    image = picture(*size)
    g = ImageDataGenerator(**generator)
    if generator.get("data_format") == "channels_first":
        image = image.transpose(2, 0, 1)
    result = g.apply_transform(image, parameters)
    return {"size": size, "generator": generator, "parameters": parameters, **packed(result)}


def transforms():
    affine = [
        {"theta": 33.0}, {"theta": -170.0}, {"tx": 3.0}, {"ty": -2.5}, {"tx": 30.0, "ty": -23.0}, {"shear": 25.0}, {"zx": 0.6, "zy": 0.8},
        {"zx": 1.7, "zy": 2.2}, {"theta": 20.0, "tx": 2.2, "ty": -1.4, "shear": 12.0, "zx": 0.9, "zy": 1.15},
    ]
    for parameters in affine:
        for mode in ["constant", "nearest", "reflect", "wrap"]:
            yield row((12, 12), {"fill_mode": mode, "cval": 77.0}, parameters)
    for mode in ["constant", "nearest", "reflect", "wrap"]:
        yield row((17, 11), {"fill_mode": mode, "cval": 20.0}, affine[-1])
        yield row((12, 12), {"fill_mode": mode, "interpolation_order": 0}, affine[-1])
    yield row((11, 17), {"data_format": "channels_first"}, {"theta": 20.0, "flip_horizontal": True, "channel_shift_intensity": 30.0})
    for parameters in [
        {"flip_horizontal": True}, {"flip_vertical": True}, {"channel_shift_intensity": -40.5}, {"brightness": 0.45}, {"brightness": 1.9},
        {"brightness": 0.0}, {"channel_shift_intensity": 12.25, "flip_horizontal": True, "flip_vertical": True, "brightness": 1.1, "theta": 10.0},
    ]:
        yield row((13, 9), {}, parameters)


def outside_bytes():
    """Brightness of values outside 0 to 255, which Keras stretches to 8 bits and back."""
    image = picture(9, 7) * 2 - 100
    for factor in [0.5, 1.4]:
        result = ImageDataGenerator().apply_transform(image.copy(), {"brightness": factor})
        yield {"factor": factor, **packed(result, exact=True)}


def standardizing():
    images = np.stack([np.roll(picture(5, 4), k, axis=0) + np.float32(k * k % 17) + np.roll(picture(5, 4), k, axis=1)[::-1] * np.float32(k % 5) for k in range(90)])
    for arguments in [
        {"rescale": 1 / 255}, {"samplewise_center": True}, {"samplewise_std_normalization": True, "rescale": 0.5},
        {"featurewise_center": True}, {"featurewise_std_normalization": True, "rescale": 1 / 255}, {"zca_whitening": True, "zca_epsilon": 0.01, "rescale": 1 / 255},
        {"zca_whitening": True, "featurewise_std_normalization": True, "zca_epsilon": 0.1, "rescale": 1 / 255},
    ]:
        g = ImageDataGenerator(**arguments)
        g.fit(images)
        yield {"arguments": arguments, "images": 90, **packed(g.standardize(images[7].copy()), exact=True)}


versions = {"keras": keras.__version__, "scipy": scipy.__version__, "pillow": PIL.__version__, "numpy": np.__version__}
cases = {"versions": versions, "transforms": list(transforms()), "outsideBytes": list(outside_bytes()), "standardize": list(standardizing())}
Path(__file__).with_name("keras.json").write_text(json.dumps(cases))

"""Writes the HDF5 files of this folder, and hdf5.json with what is in them.

Made with Python 3.11, h5py 3.16.0 (HDF5 2.0.0) and NumPy 2: python make-hdf5.py
"""
import json
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
expected = {}


def ramp(*shape, dtype="f4"):
    return (np.arange(int(np.prod(shape)), dtype="f8").reshape(shape) / 7).astype(dtype)


def record(name, tensors):
    kinds = {"f": "float", "i": "int", "u": "uint", "b": "bool"}
    expected[name] = {
        key: {
            "dtype": "bool" if a.dtype.kind == "b" else f"{kinds[a.dtype.kind]}{a.dtype.itemsize * 8}",
            "shape": list(a.shape),
            "values": [float(x) for x in a.reshape(-1)],
        }
        for key, a in tensors.items()
    }


def keras2(group, layers, split=False):
    """As `save_weights_to_hdf5_group` of Keras 2 lays weights out."""
    group.attrs["layer_names"] = [name.encode() for name, _ in layers]
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = b"2.15.0"
    for name, weights in layers:
        g = group.create_group(name)
        names = [key.encode() for key in weights]
        if split:
            for i, part in enumerate(np.array_split(np.asarray(names), 2)):
                g.attrs[f"weight_names{i}"] = part
        else:
            g.attrs["weight_names"] = names
        for key, a in weights.items():
            g.create_dataset(key, data=a)


LAYERS = [
    ("input_1", {}),
    ("conv2d", {"conv2d/kernel:0": ramp(3, 3, 2, 4), "conv2d/bias:0": ramp(4)}),
    ("block1_conv1", {"block1_conv1_W_1:0": ramp(1, 1, 2, 2), "block1_conv1_b_1:0": ramp(2)}),
    ("inner_model", {"Conv1/kernel:0": ramp(2, 2), "bn/gamma:0": ramp(2), "bn/moving_mean:0": ramp(2)}),
]
NAMED = {
    "conv2d/kernel": ramp(3, 3, 2, 4),
    "conv2d/bias": ramp(4),
    "block1_conv1/block1_conv1_W_1": ramp(1, 1, 2, 2),
    "block1_conv1/block1_conv1_b_1": ramp(2),
    "inner_model/Conv1/kernel": ramp(2, 2),
    "inner_model/bn/gamma": ramp(2),
    "inner_model/bn/moving_mean": ramp(2),
}

with h5py.File(HERE / "keras2-weights.h5", "w") as f:
    keras2(f, LAYERS)
record("keras2-weights.h5", NAMED)

with h5py.File(HERE / "keras2-model.h5", "w") as f:
    f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "ü"}})
    f.attrs["keras_version"] = "2.15.0"
    keras2(f.create_group("model_weights"), LAYERS, split=True)
    f.create_group("optimizer_weights").create_dataset("iteration:0", data=np.int64(3))
record("keras2-model.h5", NAMED)


def keras3(f):
    for i, shapes in enumerate([[(3, 3, 2, 4), (4,)], [(4,)] * 4]):
        g = f.create_group(f"layers/layer_{i}/vars")
        for j, shape in enumerate(shapes):
            g.create_dataset(str(j), data=ramp(*shape))
    f.create_group("layers/dropout/vars")
    f.create_group("optimizer/vars").create_dataset("0", data=ramp(2))


TREE = {f"layers/layer_{i}/vars/{j}": ramp(*shape) for i, j, shape in [(0, 0, (3, 3, 2, 4)), (0, 1, (4,)), (1, 0, (4,)), (1, 1, (4,)), (1, 2, (4,)), (1, 3, (4,))]}
for name, libver in [("keras3.weights.h5", "earliest"), ("keras3-latest.weights.h5", "latest")]:
    with h5py.File(HERE / name, "w", libver=libver) as f:
        keras3(f)
    record(name, TREE)

# Groups and attributes beyond what fits into an object header: fractal heaps with B-trees of depth 0 and 1.
with h5py.File(HERE / "many.h5", "w", libver=("v108", "v108")) as f:
    for i in range(60):
        f.create_dataset(f"t{i:03}", data=np.float32(i))
    for i in range(20):
        f.attrs[f"a{i}"] = f"value {i}"
record("many.h5", {f"t{i:03}": np.float32(i) for i in range(60)})
with h5py.File(HERE / "tracked.h5", "w", track_order=True) as f:
    for i in (2, 0, 1):
        f.create_dataset(f"t{i}", data=np.float32(i))
record("tracked.h5", {f"t{i}": np.float32(i) for i in (2, 0, 1)})

# Element types, storage layouts, filters, a user block.
kinds = {
    "float16": ramp(3, dtype="f2"),
    "float64": ramp(3, dtype="f8"),
    "big_endian": ramp(3, dtype=">f4"),
    "int8": np.array([-128, 127], "i1"),
    "int64": np.array([-5, 2**40], "i8"),
    "uint16": np.array([65535], "u2"),
    "bool": np.array([True, False]),
    "scalar": np.float32(2.5),
    "empty": np.zeros((0, 3), "f4"),
}
with h5py.File(HERE / "kinds.h5", "w", userblock_size=512) as f:
    for key, a in kinds.items():
        f.create_dataset(key, data=a)
    f.create_dataset("chunked", data=ramp(10, 7, 3), chunks=(4, 3, 2))
    f.create_dataset("deflated", data=ramp(50, 20), chunks=(7, 6), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("text", data="not a number")
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    compact = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_FLOAT, space, plist)
    compact.write(h5py.h5s.ALL, h5py.h5s.ALL, ramp(4))
record("kinds.h5", {**kinds, "chunked": ramp(10, 7, 3), "deflated": ramp(50, 20), "compact": ramp(4)})

# What is refused: elements in another file, another packing, nothing written.
with h5py.File(HERE / "refused.h5", "w") as f:
    f.create_dataset("external", shape=(8,), dtype="u1", external=[("make-hdf5.py", 0, 8)])
    f["linked"] = h5py.ExternalLink("kinds.h5", "/float64")
    f["soft"] = h5py.SoftLink("/external")
    f.create_dataset("lzf", data=ramp(8, 8), chunks=(4, 4), compression="lzf")
    f.create_dataset("unwritten", shape=(2**28, 8), dtype="f4")
    f.create_dataset("sparse", shape=(2**28, 8), dtype="f4", chunks=(1024, 8), compression="gzip")[0] = 1
    f["loop"] = f["/"]

(HERE / "hdf5.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")

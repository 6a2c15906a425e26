"""Writes the PyTorch and safetensors files of this folder, and torch.json with what is in them.

Made with Python 3.11, PyTorch 2.15.0, NumPy 2 and safetensors 0.8.0: python make-torch.py
"""
import argparse
import collections
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
expected = {}


def values(t):
    t = t.detach()
    name = str(t.dtype).replace("torch.", "")
    flat = t.reshape(-1)
    if t.dtype in (torch.bfloat16, torch.float16):
        flat = flat.float()
    return {"dtype": name, "shape": list(t.shape), "values": [float(x) for x in flat.tolist()]}


def record(name, tensors):
    expected[name] = {key: values(t) for key, t in tensors.items()}


def save(name, value, tensors, **options):
    torch.save(value, HERE / name, **options)
    record(name, tensors)


base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7
kinds = collections.OrderedDict(
    float32=base,
    float64=torch.tensor([1 / 3, -2e300], dtype=torch.float64),
    float16=torch.tensor([0.1, -65504.0, 6e-8], dtype=torch.float16),
    bfloat16=torch.tensor([0.1, -3e38, 1.5], dtype=torch.bfloat16),
    int8=torch.tensor([-128, 127], dtype=torch.int8),
    int16=torch.tensor([-32768, 5], dtype=torch.int16),
    int32=torch.tensor([-(2**31), 5], dtype=torch.int32),
    int64=torch.tensor([-(2**52), 5], dtype=torch.int64),
    uint8=torch.tensor([0, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    transposed=base.permute(2, 0, 1),
    sliced=base[:, 1:, ::2],
    expanded=torch.tensor([[1.0], [2.0]]).expand(2, 3),
    tail=base.reshape(-1)[20:],
    parameter=torch.nn.Parameter(torch.tensor([1.0, 2.0])),
)
save("kinds.pth", kinds, kinds)
save("kinds-legacy.pth", kinds, kinds, _use_new_zipfile_serialization=False)
save("kinds-protocol5.pth", kinds, kinds, pickle_protocol=5)
more = {"uint16": torch.tensor([65535, 1], dtype=torch.uint16), "uint32": torch.tensor([2**32 - 1], dtype=torch.uint32)}
save("unsigned.pth", more, more)

# The same zip archive compressed, and with every element's bytes reversed as a big-endian machine writes them.
def rezip(name, source, method, change=lambda path, data: data):
    with zipfile.ZipFile(HERE / source) as old, zipfile.ZipFile(HERE / name, "w", method) as new:
        for path in old.namelist():
            new.writestr(path.replace("kinds/", "any name/"), change(path, old.read(path)))
    expected[name] = expected[source]


rezip("kinds-compressed.pth", "kinds.pth", zipfile.ZIP_DEFLATED)
save("floats.pth", {"a": base, "b": base[:, 1]}, {"a": base, "b": base[:, 1]})


def big(path, data):
    if path.endswith("/byteorder"):
        return b"big"
    return np.frombuffer(data, "<f4").astype(">f4").tobytes() if "/data/" in path else data


rezip("floats-big-endian.pth", "floats.pth", zipfile.ZIP_STORED, big)

# A training checkpoint: weights of a wrapped model beside optimizer, scheduler, settings, and an averaged copy.
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
model(torch.ones(2, 3, 5, 5)).sum().backward()
optimizer.step()
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
wrapped = collections.OrderedDict((f"module.{key}", t) for key, t in model.state_dict().items())
averaged = {key: t.float() / 2 for key, t in wrapped.items()}
checkpoint = {
    "epoch": 3,
    "arch": "tiny",
    "args": argparse.Namespace(lr=0.1, data=Path("/data")),
    "best_acc1": torch.tensor(91.5),
    "best": np.float64(0.915),
    "history": [np.float32(0.5), np.int64(7)],
    "when": __import__("datetime").datetime(2024, 1, 2),
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
    "ema": averaged,
    "state_dict": wrapped,
}
save("checkpoint.pth", checkpoint, wrapped)
expected["checkpoint.pth#ema"] = {key: values(t) for key, t in averaged.items()}
save("module.pth", model, model.state_dict())


def no_source(*_):
    raise OSError("the source code of PyTorch's own classes stays out of the file")


torch.serialization.get_source_lines_and_file = no_source
save("module-legacy.pth", {"model": model, "epoch": 1}, model.state_dict(), _use_new_zipfile_serialization=False)

# NumPy arrays in a plain pickle, as Caffe2 and Detectron publish them.
arrays = {"w": np.arange(6, dtype="f4").reshape(2, 3), "f": np.asfortranarray(np.arange(6, dtype="f8").reshape(2, 3)), "b": np.arange(3, dtype=">f4")}
for protocol in (2, 4):
    name = f"arrays-protocol{protocol}.pkl"
    (HERE / name).write_bytes(pickle.dumps({"model": arrays, "__author__": "nobody"}, protocol))
    record(name, {key: torch.from_numpy(np.ascontiguousarray(a).astype(a.dtype.newbyteorder("="))) for key, a in arrays.items()})

# What cannot be read: quantized tensors, types without an equal, an attack.
quantized = {"q": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "f": torch.ones(2)}
torch.save(quantized, HERE / "quantized.pth")
torch.save({"c": torch.ones(2, dtype=torch.complex64), "e": torch.ones(2).to(torch.float8_e4m3fn)}, HERE / "complex.pth")


class Attack:
    def __reduce__(self):
        return (__import__("os").system, ("echo attacked",))


torch.save({"a": torch.ones(1), "b": Attack()}, HERE / "attack.pth")
(HERE / "attack.pkl").write_bytes(pickle.dumps({"a": Attack()}, 2))

tensors = {key: kinds[key].contiguous().clone() for key in kinds if key not in ("expanded", "tail")}
save_file(tensors, HERE / "kinds.safetensors", {"format": "pt", "note": "Ω"})
record("kinds.safetensors", tensors)

(HERE / "torch.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")

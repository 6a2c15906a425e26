"""The network phase of fine-tuning in PyTorch, from what Rootstock wrote. bench/fine-tune-parity.mjs calls this.

Same start weights, head, standardization, order of the batches and learning rates; see bench/README.md.
"""
import argparse
import json
import math
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def learning_rate(step, peak, warmup, total):
    """As src/optim/schedule.ts: steps count from 1, and the curve ends one step beyond the last."""
    if step <= warmup:
        return peak * step / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * min(1, (step - warmup) / (total - warmup + 1))))


def best_temperature(scores, labels):
    """As src/metrics/temperature.ts: golden-section search over the logarithm, a little of each target spread."""
    scores = scores.double()
    smoothing = 1 / (len(labels) + 2)
    loss = lambda x: F.cross_entropy(scores * math.exp(-x), labels, label_smoothing=smoothing).item()
    golden = (math.sqrt(5) - 1) / 2
    low, high = -math.log(20), math.log(20)
    while high - low > 1e-4:
        x1, x2 = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, x2) if loss(x1) < loss(x2) else (x1, high)
    return math.exp((low + high) / 2)


def fine_tune(options):
    plan = json.loads((options.work / "run.json").read_text())
    floats = lambda name: torch.from_numpy(np.fromfile(options.work / f"{name}.f32", np.float32))
    integers = lambda name: torch.from_numpy(np.fromfile(options.work / f"{name}.i32", np.int32)).long()
    labels = integers("labels")
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    pixels = floats("pixels").view(len(labels), 3, *plan["inputSize"]).contiguous(memory_format=layout)
    count, batch_size, epochs = plan["train"], plan["batchSize"], plan["epochs"]
    orders = integers("order").view(epochs, count)

    network = torchvision.models.squeezenet1_1(weights=None)
    network.load_state_dict(read_safetensors(options.weights))
    network = network.eval().to(memory_format=layout)
    trained = {name: p for name, p in network.named_parameters() if name in set(plan["parameters"])}
    if len(trained) != len(plan["parameters"]):
        raise SystemExit(f"unknown parameters: {set(plan['parameters']) - set(trained)}")
    network.requires_grad_(False)
    for parameter in trained.values():
        parameter.requires_grad_(True)
    start = min(int(name.split(".")[1]) for name in trained)
    prefix, suffix = network.features[:start], network.features[start:]
    with torch.no_grad():  # what is frozen is computed once
        rows = torch.cat([prefix(part) for part in pixels.split(32)])

    mean, deviation = floats("mean"), floats("deviation")
    head = nn.Linear(len(mean), plan["classes"])
    with torch.no_grad():
        head.weight.copy_(floats("head.weight").view_as(head.weight))
        head.bias.copy_(floats("head.bias"))
    logits = lambda x: head((suffix(x).mean((2, 3)) - mean) / deviation)

    parameters = [*trained.values(), *head.parameters()]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": plan["weightDecay"]},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan["learningRate"])
    total = epochs * math.ceil(count / batch_size)

    def validate(calibrated=True):
        with torch.no_grad():
            scores = torch.cat([logits(part) for part in rows[count:].split(32)])
        temperature = best_temperature(scores, labels[count:]) if calibrated else 1
        loss = F.cross_entropy(scores / temperature, labels[count:]).item()
        return {"loss": loss, "accuracy": (scores.argmax(1) == labels[count:]).float().mean().item()}

    began = time.perf_counter()
    step, history = 0, [validate(calibrated=False)]
    for order in orders:
        mean_loss = 0.0
        for chosen in order.split(batch_size):
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, plan["learningRate"], total // 10, total)
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(logits(rows[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            mean_loss += loss.item() * len(chosen) / count
        history.append({"trainLoss": mean_loss, **validate()})
    return {"history": history, "seconds": time.perf_counter() - began}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder that bench/fine-tune-parity.mjs has written to")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file with torchvision's names")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    json.dump(fine_tune(options), sys.stdout)


if __name__ == "__main__":
    main()

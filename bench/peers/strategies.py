"""The strategies of fine-tuning in PyTorch, as a PyTorch user would write them. bench/strategies.mjs calls this.

versions  what is installed
check     features of a synthetic input and of every photograph, written to files for comparison
run       one recipe from image files to a measured network, in one of the ways of its users:
          every  the frozen part runs in every epoch, on images that DataLoader workers decode in every epoch
          kept   what the frozen part makes of each image, or the image where nothing is frozen, is kept in memory
          lbfgs  of the probe: torch.optim.LBFGS in float64
          scikit of the probe: scikit-learn's LogisticRegression, which solves with L-BFGS too
"""
import argparse
import json
import math
import platform
import time
import warnings
from pathlib import Path

import PIL
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision import transforms as T

from features import waves
from fine_tune import best_temperature, learning_rate
from linear_probe import Lbfgs, Scikit, solve_probe
from mobilenet_v2 import load_network, split_network


class Photos(Dataset):
    def __init__(self, files, labels, transform):
        self.files, self.labels, self.transform = files, labels, transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.transform(Image.open(self.files[index]).convert("RGB")), self.labels[index]


class GivenOrder(Sampler):
    """A new given order of the images in every epoch, where a user would say shuffle=True."""

    def __init__(self, orders):
        self.orders, self.epoch = orders, 0

    def __len__(self):
        return len(self.orders[0])

    def __iter__(self):
        self.epoch += 1
        return iter(self.orders[self.epoch - 1])


class Data:
    """The photographs of a dataset, as batches of tensors in the layout of the network."""

    def __init__(self, network, about, options):
        normalize = [T.ToTensor(), T.Normalize(network.mean, network.std)]
        self.clean = T.Compose([T.Resize(256), T.CenterCrop(224), *normalize])
        self.random = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), *normalize])
        self.about, self.options = about, options
        self.labels = {split: torch.tensor(about[split]["labels"]) for split in ("train", "validation")}

    def loader(self, split, batch_size, orders=None, augmented=False, repeated=False):
        given = self.about[split]
        return DataLoader(
            Photos(given["files"], given["labels"], self.random if augmented else self.clean),
            batch_size=batch_size,
            sampler=GivenOrder(orders) if orders else None,
            num_workers=self.options.workers,
            persistent_workers=(repeated or orders is not None) and self.options.workers > 0,
        )

    def batches(self, loader):
        for images, labels in loader:
            yield images.contiguous(memory_format=self.options.layout), labels

    def collect(self, split, network):
        """What a network makes of all clean images of a split."""
        with torch.no_grad():
            return torch.cat([network(images) for images, _ in self.batches(self.loader(split, 32))])


class Every:
    """The frozen part runs in every epoch, on images that are decoded in every epoch."""

    def __init__(self, data, prefix, plan):
        self.data, self.prefix, self.plan = data, prefix, plan

    def features(self, split, suffix):
        return self.data.collect(split, nn.Sequential(self.prefix, suffix))

    def begin(self):
        self.training = self.data.loader("train", self.plan["batchSize"], self.plan["orders"], self.plan["augmented"])
        self.held = self.data.loader("validation", 32, repeated=True)

    def through(self, loader):
        for images, labels in self.data.batches(loader):
            with torch.no_grad():
                rows = self.prefix(images)
            yield rows, labels

    def batches(self, _):
        return self.through(self.training)

    def validation(self):
        return self.through(self.held)


class Kept:
    """What the frozen part makes of each image is computed once; where nothing is frozen, that is the image."""

    def __init__(self, data, prefix, plan):
        self.labels, self.plan, self.layout = data.labels, plan, data.options.layout
        self.rows = {split: self.laid_out(data.collect(split, prefix)) for split in self.labels}

    def laid_out(self, rows):
        return rows.contiguous(memory_format=self.layout) if rows.dim() == 4 else rows

    def features(self, split, suffix):
        return torch.cat([suffix(part) for part in self.rows[split].split(32)])

    def begin(self):
        pass

    def batches(self, epoch):
        for chosen in torch.tensor(self.plan["orders"][epoch - 1]).split(self.plan["batchSize"]):
            yield self.laid_out(self.rows["train"][chosen]), self.labels["train"][chosen]

    def validation(self):
        return zip(self.rows["validation"].split(32), self.labels["validation"].split(32))


def standardization(features):
    """As src/features/standardize.ts: a feature that is constant but for rounding gets the deviation 1."""
    values = features.double()
    mean, variance = values.mean(0), values.var(0, unbiased=False)
    least = 1e-12 * (mean.square() + variance).mean()
    moves = (variance > 1e-8 * mean.square()) & (variance > least)
    return mean.float(), torch.where(moves, variance.sqrt(), 1.0).float()


def column_scale(x, deviation):
    """As src/train/probe/column-scale.ts: features that vary little are penalized more."""
    square = x.double().square().sum(0)
    varying = deviation[square > 0].sort().values
    scale = (deviation / varying[len(varying) // 2]).sqrt().clamp(1 / 4, 4).double()
    return (scale * (square.sum() / (square * scale.square()).sum()).sqrt()).float()


def run(options):
    if options.way == "scikit":
        import sklearn.linear_model  # noqa: F401, part of start-up
    startup = time.time() - options.spawned / 1000
    began = time.perf_counter()
    plan = json.loads((options.work / options.plan).read_text())
    torch.manual_seed(plan["seed"])
    network = load_network(options.work / "network.safetensors", options.layout)
    data = Data(network, plan["data"], options)
    labels, classes = data.labels, len(plan["classes"])
    prefix, suffix, parameters = split_network(network, set(plan["parameters"]))
    with torch.no_grad():
        source = (Every if options.way == "every" else Kept)(data, prefix, plan)
        features = {split: source.features(split, suffix) for split in labels}
    mean, deviation = standardization(features["train"])
    x = {split: (features[split] - mean) / deviation for split in labels}

    def probe():
        scale = column_scale(x["train"], deviation)
        solver = (Scikit if options.way == "scikit" else Lbfgs)(x["train"] * scale, labels["train"], classes)
        weight, bias, penalty = solve_probe(solver, x["validation"] * scale, labels["validation"])
        return weight * scale, bias, penalty

    if plan["recipe"] == "probe":
        ready = time.perf_counter()
        weight, bias, penalty = probe()
        result = {"history": [], "bestEpoch": 0, "penalty": penalty}
        scores = F.linear(x["validation"], weight, bias)
    else:
        head = nn.Linear(len(mean), classes)
        start = probe() if plan["fromProbe"] else (torch.zeros_like(head.weight), torch.zeros_like(head.bias))
        with torch.no_grad():
            head.weight.copy_(start[0])
            head.bias.copy_(start[1])
        ready = time.perf_counter()
        logits = lambda rows: head((suffix(rows) - mean) / deviation)
        result, scores = train(plan, logits, [*parameters, *head.parameters()], source, labels["validation"])
    trained = time.perf_counter()
    temperature = best_temperature(scores, labels["validation"])
    losses = F.cross_entropy(scores / temperature, labels["validation"], reduction="none")
    total = time.perf_counter() - began
    return {
        **result,
        "losses": losses.tolist(),
        "correct": (scores.argmax(1) == labels["validation"]).int().tolist(),
        "seconds": {"startup": startup, "prepare": ready - began, "training": trained - ready, "total": total},
    }


def train(plan, logits, parameters, source, held):
    """AdamW with Rootstock's schedule. The weights of the best epoch are restored, and its scores returned."""
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": plan["weightDecay"]},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan["learningRate"])
    source.begin()
    best = {"loss": math.inf}

    def validate(epoch):
        with torch.no_grad():
            scores = torch.cat([logits(rows) for rows, _ in source.validation()])
        temperature = best_temperature(scores, held) if plan["fromProbe"] else 1
        loss = F.cross_entropy(scores / temperature, held).item()
        if loss < best["loss"]:
            best.update(loss=loss, epoch=epoch, scores=scores, weights=[p.detach().clone() for p in parameters])
        return {"loss": loss, "accuracy": (scores.argmax(1) == held).float().mean().item()}

    if plan["fromProbe"]:
        validate(0)
    history, step = [], 0
    for epoch in range(1, len(plan["orders"]) + 1):
        total = count = 0
        for rows, labels in source.batches(epoch):
            step += 1
            rate = learning_rate(step, plan["learningRate"], plan["warmupSteps"], plan["totalSteps"])
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(logits(rows), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            count += len(labels)
        history.append({"trainLoss": total / count, "learningRate": rate, "steps": step, **validate(epoch)})
    with torch.no_grad():
        for parameter, kept in zip(parameters, best["weights"]):
            parameter.copy_(kept)
    return {"history": history, "bestEpoch": best["epoch"]}, best["scores"]


def check(options):
    about = json.loads((options.work / options.plan).read_text())
    network = load_network(options.work / "network.safetensors", options.layout)
    prefix, _, _ = split_network(network, set())
    with torch.no_grad():
        images = waves(2).contiguous(memory_format=options.layout)
        prefix(images).numpy().tofile(options.work / "waves.peer.f32")
        data = Data(network, about["data"], options)
        parts = [data.collect(split, prefix) for split in ("train", "validation")]
    torch.cat(parts).numpy().tofile(options.work / "photos.peer.f32")
    return {}


def versions(_):
    found = {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__}
    found["pillow"] = PIL.__version__
    try:
        import sklearn

        found["scikit-learn"] = sklearn.__version__
    except ImportError:
        pass
    return found


def main():
    commands = {"versions": versions, "check": check, "run": run}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--work", type=Path, help="folder that bench/strategies.mjs has written to")
    parser.add_argument("--plan", help="name of the file there that says what to do")
    parser.add_argument("--way", choices=["every", "kept", "lbfgs", "scikit"])
    parser.add_argument("--spawned", type=float, default=0, help="when this process was started, in ms since 1970")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="processes of each DataLoader")
    parser.add_argument("--nchw", action="store_true", help="contiguous tensors instead of channels_last")
    options = parser.parse_args()
    options.layout = torch.contiguous_format if options.nchw else torch.channels_last
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    print(json.dumps(commands[options.command](options)))


if __name__ == "__main__":
    main()

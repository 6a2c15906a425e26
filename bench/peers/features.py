"""The same measurements in PyTorch, as a PyTorch user would write them. bench/run.mjs calls this; see bench/README.md.

check    outputs for the shared input and for every photograph, written to files for comparison
extract  folder of JPEG files -> features: DataLoader workers decode and resize, the network runs in eager mode
forward  the network alone, batch by batch, on pixels that are in memory
head     a linear layer on features that are in memory: epochs of AdamW with a look at the validation set after each
"""
import argparse
import json
import math
import platform
import struct
import sys
import time
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, expanded):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x), inplace=True)
        return torch.cat([F.relu(self.expand1x1(x), inplace=True), F.relu(self.expand3x3(x), inplace=True)], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1 up to its classifier, with torchvision's parameter names; output: features averaged over the map."""

    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

    def __init__(self):
        super().__init__()
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(inplace=True), pool(),
            Fire(64, 16, 64), Fire(128, 16, 64), pool(),
            Fire(128, 32, 128), Fire(256, 32, 128), pool(),
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip

    def forward(self, x):
        return self.features(x).mean((2, 3))

    def load(self, tensors):
        self.load_state_dict({name: value for name, value in tensors.items() if name.startswith("features.")})


class InvertedResidual(nn.Module):
    def __init__(self, inputs, hidden, outputs, stride):
        super().__init__()
        self.expand = nn.Conv2d(inputs, hidden, 1) if hidden != inputs else None
        self.depthwise = nn.Conv2d(hidden, hidden, 3, stride, padding=1 if stride == 1 else 0, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        if self.depthwise.stride[0] == 2:
            y = F.pad(y, (0, 1, 0, 1))  # the weights come from TensorFlow, which pads the far side only
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """MobileNetV2 1.0 up to its classifier, batch normalization folded into the convolutions as in the weights."""

    mean, std = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, outputs, count, stride in [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ]:  # fmt: skip
            for i in range(count):
                blocks.append(InvertedResidual(channels, channels * expansion, outputs, stride if i == 0 else 1))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(320, 1280, 1)

    def forward(self, x):
        x = F.relu6(self.stem(F.pad(x, (0, 1, 0, 1))), inplace=True)
        return F.relu6(self.last(self.blocks(x)), inplace=True).mean((2, 3))

    def load(self, tensors):
        """The file's convolutions are numbered in the order in which they run, which is the order of the modules."""
        convolutions = [module for module in self.modules() if isinstance(module, nn.Conv2d)]
        for i, convolution in enumerate(sorted_by_use(self, convolutions)):
            prefix = f"features.conv{i:02d}"
            convolution.load_state_dict(
                {"weight": tensors[f"{prefix}.weight"], "bias": tensors[f"{prefix}.bias"]}
            )


def sorted_by_use(network, convolutions):
    order = []
    hooks = [c.register_forward_hook(lambda module, *_: order.append(module)) for c in convolutions]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 224, 224))
    for hook in hooks:
        hook.remove()
    return order


NETWORKS = {"squeezenet": SqueezeNet, "mobilenet": MobileNetV2}


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def load_network(options):
    network = NETWORKS[options.name]()
    network.load(read_safetensors(options.work / f"{options.name}.safetensors"))
    network.eval()
    return network.to(memory_format=torch.channels_last) if options.channels_last else network


class Photos(Dataset):
    """Images as torchvision prepares them for evaluation: shorter side to 256, center crop 224, normalized."""

    def __init__(self, files, mean, std):
        self.files = files
        self.mean = torch.tensor(mean).view(3, 1, 1)
        self.std = torch.tensor(std).view(3, 1, 1)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(self.files[index]).convert("RGB")
        width, height = image.size
        short = min(width, height)
        width, height = int(256 * width / short), int(256 * height / short)
        image = image.resize((width, height), Image.BILINEAR)
        left, top = int(round((width - 224) / 2)), int(round((height - 224) / 2))
        image = image.crop((left, top, left + 224, top + 224))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        return pixels.sub_(self.mean).div_(self.std)


def features_of(network, files, options):
    loader = DataLoader(Photos(files, network.mean, network.std), batch_size=16, num_workers=options.threads)
    rows = []
    with torch.inference_mode():
        for batch in loader:
            if options.channels_last:
                batch = batch.contiguous(memory_format=torch.channels_last)
            rows.append(network(batch))
    return torch.cat(rows)


def waves(batch):
    size = batch * 3 * 224 * 224
    values = np.sin(0.001 * np.arange(size, dtype=np.float64)).astype(np.float32)
    return torch.from_numpy(values.reshape(batch, 3, 224, 224))


def check(options):
    network = load_network(options)
    with torch.inference_mode():
        network(waves(2)).numpy().tofile(options.work / f"{options.name}.waves.peer.f32")
    files = json.loads((options.work / f"{options.name}.photos.json").read_text())
    features_of(network, files, options).numpy().tofile(options.work / f"{options.name}.photos.peer.f32")
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
    }


def extract(options):
    start = time.perf_counter()
    files = sorted(path for path in Path(options.images).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    count = len(features_of(load_network(options), files, options))
    return {"seconds": time.perf_counter() - start, "images": count}


def forward(options):
    network = load_network(options)
    batch = waves(options.batch)
    if options.channels_last:
        batch = batch.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for _ in range(3):
            network(batch)
        start = time.perf_counter()
        for _ in range(options.runs):
            network(batch)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "images": options.batch * options.runs}


def head(options):
    about = json.loads((options.work / f"{options.name}.json").read_text())
    count, width, classes = about["train"], about["width"], len(about["classes"])
    features = torch.from_numpy(np.fromfile(options.work / f"{options.name}.f32", np.float32).reshape(-1, width))
    labels = torch.from_numpy(np.fromfile(options.work / f"{options.name}.i32", np.int32)).long()
    start = time.perf_counter()
    mean, std = features[:count].mean(0), features[:count].std(0, unbiased=False).clamp_min(1e-6)
    features = (features - mean) / std
    train_x, train_y, valid_x, valid_y = features[:count], labels[:count], features[count:], labels[count:]
    layer = nn.Linear(width, classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    groups = [{"params": [layer.weight], "weight_decay": 1.0}, {"params": [layer.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=2e-3)
    steps_per_epoch = math.ceil(count / 32)
    total = about["epochs"] * steps_per_epoch
    warmup = min(20, total // 10)

    def factor(done):
        step = done + 1
        if step <= warmup:
            return step / warmup
        return 0.5 * (1 + math.cos(math.pi * min(1, (step - warmup) / max(1, total - warmup))))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(train_x, train_y), batch_size=32, shuffle=True)

    def batches():
        if options.loader:
            yield from loader
        else:
            for chosen in torch.randperm(count).split(32):
                yield train_x[chosen], train_y[chosen]

    loss = accuracy = steps = 0
    for _ in range(about["epochs"]):
        for x, y in batches():
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(layer(x), y).backward()
            optimizer.step()
            schedule.step()
            steps += 1
        with torch.inference_mode():
            logits = layer(valid_x)
            loss = F.cross_entropy(logits, valid_y).item()
            accuracy = (logits.argmax(1) == valid_y).float().mean().item()
    return {"seconds": time.perf_counter() - start, "steps": steps, "loss": loss, "accuracy": accuracy}


def main():
    commands = {"check": check, "extract": extract, "forward": forward, "head": head}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--name", required=True, help="network, or dataset of the head")
    parser.add_argument("--work", type=Path, required=True, help="folder that features.mjs prepare has written to")
    parser.add_argument("--images", help="folder of JPEG files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--loader", action="store_true", help="batches from a DataLoader instead of by index")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    json.dump(commands[options.command](options), sys.stdout)


if __name__ == "__main__":
    main()

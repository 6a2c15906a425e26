"""Training steps in PyTorch, as a PyTorch user would write them. bench/training.mjs calls this; see bench/README.md.

prepare  makes the networks with random weights, exports them to ONNX, and writes the batch and what both sides share
measure  one row: seconds of every step, losses, and peak memory of this process
"""
import argparse
import json
import platform
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

CLASSES = 10


def make(name):
    if name == "vit-tiny":
        import timm

        return timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES)
    return {"resnet50": torchvision.models.resnet50, "mobilenetv2": torchvision.models.mobilenet_v2}[name](
        num_classes=CLASSES
    )


def parts(name, network):
    """Up to the last stage, the last stage with its pooling, and the classifier."""
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if name == "resnet50":
        stages = [network.conv1, network.bn1, network.relu, network.maxpool]
        stages += [network.layer1, network.layer2, network.layer3]
        return nn.Sequential(*stages), nn.Sequential(network.layer4, *pool), network.fc
    return nn.Sequential(*network.features[:14]), nn.Sequential(*network.features[14:], *pool), network.classifier


def calibrate(network):
    """Statistics that fit the random weights: without them activations grow or vanish, which changes the speed."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1)
        nn.init.normal_(norm.bias, 0, 0.1)
        norm.train()
        norm.momentum = None
    with torch.no_grad():
        network(torch.randn(8, 3, 224, 224))
    return network.eval()


def last_linear(network):
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]


def prepare(options):
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    pixels = torch.randn(options.batch, 3, 224, 224)
    pixels.numpy().tofile(options.work / "pixels.f32")
    kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    axes = {"pixels": {0: "batch"}, "logits": {0: "batch"}}
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    versions["torchvision"] = torchvision.__version__
    for name in options.networks.split(","):
        network = calibrate(make(name).eval())
        torch.save(network.state_dict(), options.work / f"{name}.pt")
        head = last_linear(network)
        values = [head.weight.detach().flatten(), head.bias.detach()]
        torch.cat(values).numpy().tofile(options.work / f"{name}.head.f32")
        if name == "vit-tiny":
            import timm

            versions["timm"] = timm.__version__
            for module in network.modules():  # written out: the exporter's own form of it has other operators
                if hasattr(module, "fused_attn"):
                    module.fused_attn = False
        else:
            with torch.no_grad():
                parts(name, network)[0](pixels).numpy().tofile(options.work / f"{name}.last.f32")
        torch.onnx.export(
            network,
            (pixels[:2],),
            str(options.work / f"{name}.onnx"),
            opset_version=18,
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_axes=axes,
            dynamo=False,
            **(kept if options.batch_norm == "kept" else {}),
        )
    return versions


def measure(options):
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    network = make(options.network)
    network.load_state_dict(torch.load(options.work / f"{options.network}.pt"))
    network = network.eval().to(memory_format=layout)  # evaluation: normalization keeps its statistics, no dropout
    x = np.fromfile(options.work / "pixels.f32", np.float32).reshape(options.batch, 3, 224, 224)
    prefix, trained = None, network
    if options.row != "full":
        before, last, head = parts(options.network, network)
        trained = head if options.row == "head" else nn.Sequential(last, head)
        if options.row == "head":
            prefix = nn.Sequential(before, last)
        elif options.row == "last":
            prefix = before
        else:
            with torch.no_grad():
                shape = before(torch.zeros(1, 3, 224, 224).contiguous(memory_format=layout)).shape[1:]
            x = np.fromfile(options.work / f"{options.network}.last.f32", np.float32).reshape(options.batch, *shape)
    x = torch.from_numpy(x).contiguous(memory_format=layout)
    labels = torch.arange(options.batch) % CLASSES
    parameters = list(trained.parameters())
    optimizer = torch.optim.SGD(parameters, lr=options.learning_rate, momentum=0.9)

    def step():
        inputs = x
        if prefix is not None:
            with torch.no_grad():
                inputs = prefix(x)
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(trained(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    seconds, losses = [], []
    for _ in range(options.steps):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    return {
        "seconds": seconds,
        "losses": losses,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "peak": peak(),
    }


def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main():
    commands = {"prepare": prepare, "measure": measure}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--work", type=Path, required=True, help="folder for the networks and the batch")
    parser.add_argument("--networks", help="prepare: names, with commas between them")
    parser.add_argument("--batch-norm", choices=["folded", "kept"], default="folded", help="prepare: in the ONNX files")
    parser.add_argument("--network", help="measure: name")
    parser.add_argument("--row", choices=["head", "last", "cached", "full"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    json.dump(commands[options.command](options), sys.stdout)


if __name__ == "__main__":
    main()

"""The PyTorch side of bench/load.mjs. `make FOLDER` writes ResNet-50's weights; `measure FILE` builds it and loads them."""
import json, resource, sys, time

import torch, torchvision

command, path = sys.argv[1:3]
if command == "make":
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = torchvision.models.resnet50().state_dict()
    torch.save(state, f"{path}/resnet50.pth")
    torch.save(state, f"{path}/resnet50-legacy.pth", _use_new_zipfile_serialization=False)
    save_file(state, f"{path}/resnet50.safetensors")
    print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__, "python": sys.version.split()[0]}))
else:
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    network = torchvision.models.resnet50()
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        network.load_state_dict(load_file(path))
    else:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "idle": idle}))

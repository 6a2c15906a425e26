"""The torchvision side of bench/augment.mjs: files named on standard input -> a training transform of PIL images, in one thread."""
import json, resource, sys, time

import PIL, torch, torchvision
from PIL import Image
from torchvision import transforms as T

torch.set_num_threads(1)
files = json.load(sys.stdin)
pipeline = T.Compose([
    T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4, 0.4, 0.1), T.ToTensor(),
    T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


torch.manual_seed(0)
for file in files[:min(100, len(files) // 4)]:  # not counted
    pipeline(Image.open(file).convert("RGB"))
busy, start, total = cpu(), time.perf_counter(), 0.0
for file in files:
    total += float(pipeline(Image.open(file).convert("RGB"))[0, 0, 0])
print(json.dumps({
    "cpu": cpu() - busy, "wall": time.perf_counter() - start, "images": len(files), "finite": total == total,
    "versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}",
}))

/** The weights of torchvision: its weights enumerations (torchvision 0.29), one row each. */
import { NAMED_PREPROCESSING } from "../preprocessing.ts";
import { billions, centerCrop, percent, type WeightsSource } from "./weights-source.ts";

type Sizing = readonly [interpolation: "bilinear" | "bicubic", size: number, shorterSide: number];

type Row = readonly [
  name: string,
  /** Without .pth; the last eight digits are the first of the file's SHA-256. */
  file: string,
  mebibytes: number,
  parameters: number,
  /** Billions for one image, which torchvision calls GFLOPS. */
  multiplyAdds: number,
  /** In percent. */
  top1: number,
  top5: number,
  sizing: Sizing,
];

/** The usual sizing of the first recipes (V1), and of the newer ones (V2). */
const V1: Sizing = ["bilinear", 224, 256];
const V2: Sizing = ["bilinear", 224, 232];

// biome-ignore format: one line for each file
const ROWS: readonly Row[] = [
  ["alexnet.imagenet1k_v1", "alexnet-owt-7be5be79", 233.087, 61_100_840, 0.714, 56.522, 79.066, V1],
  ["vgg11.imagenet1k_v1", "vgg11-8a719046", 506.84, 132_863_336, 7.609, 69.02, 88.628, V1],
  ["vgg13.imagenet1k_v1", "vgg13-19584684", 507.545, 133_047_848, 11.308, 69.928, 89.246, V1],
  ["vgg16.imagenet1k_v1", "vgg16-397923af", 527.796, 138_357_544, 15.47, 71.592, 90.382, V1],
  ["vgg19.imagenet1k_v1", "vgg19-dcbb9e9d", 548.051, 143_667_240, 19.632, 72.376, 90.876, V1],
  ["vgg11_bn.imagenet1k_v1", "vgg11_bn-6002323d", 506.881, 132_868_840, 7.609, 70.37, 89.81, V1],
  ["vgg13_bn.imagenet1k_v1", "vgg13_bn-abd245e5", 507.59, 133_053_736, 11.308, 71.586, 90.374, V1],
  ["vgg16_bn.imagenet1k_v1", "vgg16_bn-6c64b313", 527.866, 138_365_992, 15.47, 73.36, 91.516, V1],
  ["vgg19_bn.imagenet1k_v1", "vgg19_bn-c79401a0", 548.143, 143_678_248, 19.632, 74.218, 91.842, V1],
  ["squeezenet1_0.imagenet1k_v1", "squeezenet1_0-b66bff10", 4.778, 1_248_424, 0.819, 58.092, 80.42, V1],
  ["squeezenet1_1.imagenet1k_v1", "squeezenet1_1-b8a52dc0", 4.729, 1_235_496, 0.349, 58.178, 80.624, V1],
  ["resnet18.imagenet1k_v1", "resnet18-f37072fd", 44.661, 11_689_512, 1.814, 69.758, 89.078, V1],
  ["resnet34.imagenet1k_v1", "resnet34-b627a593", 83.275, 21_797_672, 3.664, 73.314, 91.42, V1],
  ["resnet50.imagenet1k_v1", "resnet50-0676ba61", 97.781, 25_557_032, 4.089, 76.13, 92.862, V1],
  ["resnet50.imagenet1k_v2", "resnet50-11ad3fa6", 97.79, 25_557_032, 4.089, 80.858, 95.434, V2],
  ["resnet101.imagenet1k_v1", "resnet101-63fe2227", 170.511, 44_549_160, 7.801, 77.374, 93.546, V1],
  ["resnet101.imagenet1k_v2", "resnet101-cd907fc2", 170.53, 44_549_160, 7.801, 81.886, 95.78, V2],
  ["resnet152.imagenet1k_v1", "resnet152-394f9c45", 230.434, 60_192_808, 11.514, 78.312, 94.046, V1],
  ["resnet152.imagenet1k_v2", "resnet152-f82ba261", 230.474, 60_192_808, 11.514, 82.284, 96.002, V2],
  ["resnext50_32x4d.imagenet1k_v1", "resnext50_32x4d-7cdf4587", 95.789, 25_028_904, 4.23, 77.618, 93.698, V1],
  ["resnext50_32x4d.imagenet1k_v2", "resnext50_32x4d-1a0047aa", 95.833, 25_028_904, 4.23, 81.198, 95.34, V2],
  ["wide_resnet50_2.imagenet1k_v1", "wide_resnet50_2-95faca4d", 131.82, 68_883_240, 11.398, 78.468, 94.086, V1],
  ["wide_resnet50_2.imagenet1k_v2", "wide_resnet50_2-9ba9bcbe", 263.124, 68_883_240, 11.398, 81.602, 95.758, V2],
  ["densenet121.imagenet1k_v1", "densenet121-a639ec97", 30.845, 7_978_856, 2.834, 74.434, 91.972, V1],
  ["mobilenet_v2.imagenet1k_v1", "mobilenet_v2-b0353104", 13.555, 3_504_872, 0.301, 71.878, 90.286, V1],
  ["mobilenet_v2.imagenet1k_v2", "mobilenet_v2-7ebf99e0", 13.598, 3_504_872, 0.301, 72.154, 90.822, V2],
  ["mobilenet_v3_small.imagenet1k_v1", "mobilenet_v3_small-047dcff4", 9.829, 2_542_856, 0.057, 67.668, 87.402, V1],
  ["mobilenet_v3_large.imagenet1k_v1", "mobilenet_v3_large-8738ca79", 21.114, 5_483_032, 0.217, 74.042, 91.34, V1],
  ["mobilenet_v3_large.imagenet1k_v2", "mobilenet_v3_large-5c1a4163", 21.107, 5_483_032, 0.217, 75.274, 92.566, V2],
  ["efficientnet_b0.imagenet1k_v1", "efficientnet_b0_rwightman-7f5810bc", 20.451, 5_288_548, 0.386, 77.692, 93.532, ["bicubic", 224, 256]],
  ["efficientnet_b1.imagenet1k_v1", "efficientnet_b1_rwightman-bac287d4", 30.134, 7_794_184, 0.687, 78.642, 94.186, ["bicubic", 240, 256]],
  ["efficientnet_b1.imagenet1k_v2", "efficientnet_b1-c27df63c", 30.136, 7_794_184, 0.687, 79.838, 94.934, ["bilinear", 240, 255]],
  ["efficientnet_b2.imagenet1k_v1", "efficientnet_b2_rwightman-c35c1473", 35.174, 9_109_994, 1.088, 80.608, 95.31, ["bicubic", 288, 288]],
  ["efficientnet_b3.imagenet1k_v1", "efficientnet_b3_rwightman-b3899882", 47.184, 12_233_232, 1.827, 82.008, 96.054, ["bicubic", 300, 320]],
  ["efficientnet_b4.imagenet1k_v1", "efficientnet_b4_rwightman-23ab8bcd", 74.489, 19_341_616, 4.394, 83.384, 96.594, ["bicubic", 380, 384]],
  ["efficientnet_v2_s.imagenet1k_v1", "efficientnet_v2_s-dd5fe13b", 82.704, 21_458_488, 8.366, 84.228, 96.878, ["bilinear", 384, 384]],
  ["convnext_tiny.imagenet1k_v1", "convnext_tiny-983f1562", 109.119, 28_589_128, 4.456, 82.52, 96.146, ["bilinear", 224, 236]],
  ["convnext_small.imagenet1k_v1", "convnext_small-0c510722", 191.703, 50_223_688, 8.684, 83.616, 96.65, ["bilinear", 224, 230]],
  ["convnext_base.imagenet1k_v1", "convnext_base-6075fbad", 338.064, 88_591_464, 15.355, 84.062, 96.87, V2],
  ["regnet_y_400mf.imagenet1k_v1", "regnet_y_400mf-c65dace8", 16.806, 4_344_144, 0.402, 74.046, 91.716, V1],
  ["regnet_y_400mf.imagenet1k_v2", "regnet_y_400mf-e6988f5f", 16.806, 4_344_144, 0.402, 75.804, 92.742, V2],
  ["regnet_y_800mf.imagenet1k_v1", "regnet_y_800mf-1b27b58c", 24.774, 6_432_512, 0.834, 76.42, 93.136, V1],
  ["regnet_y_800mf.imagenet1k_v2", "regnet_y_800mf-58fc7688", 24.774, 6_432_512, 0.834, 78.828, 94.502, V2],
  ["vit_b_16.imagenet1k_v1", "vit_b_16-c867db91", 330.285, 86_567_656, 17.564, 81.072, 95.318, V1],
  ["vit_b_16.imagenet1k_swag_e2e_v1", "vit_b_16_swag-9ac1b537", 331.398, 86_859_496, 55.484, 85.304, 97.65, ["bicubic", 384, 384]],
  ["vit_b_16.imagenet1k_swag_linear_v1", "vit_b_16_lc_swag-4e70ced5", 330.285, 86_567_656, 17.564, 81.886, 96.18, ["bicubic", 224, 224]],
  ["swin_t.imagenet1k_v1", "swin_t-704ceda3", 108.19, 28_288_354, 4.491, 81.474, 95.776, ["bicubic", 224, 232]],
];

/** What people call the same networks elsewhere. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  efficientnet_v2_s: ["efficientnetv2_s"],
  mobilenet_v2: ["mobilenetv2"],
  mobilenet_v3_large: ["mobilenetv3_large", "mobilenetv3large"],
  mobilenet_v3_small: ["mobilenetv3_small", "mobilenetv3small"],
  regnet_y_400mf: ["regnety_400mf", "regnety_004"],
  regnet_y_800mf: ["regnety_800mf", "regnety_008_tv"],
  squeezenet1_1: ["squeezenet"],
  swin_t: ["swin_tiny"],
  vit_b_16: ["vit_base_16", "vitb16"],
};

/** Networks of SWAG are trained on other pictures, and have a license of their own. */
const SWAG: Readonly<Record<string, string>> = {
  imagenet1k_swag_e2e_v1: "Instagram hashtags (SWAG), fine-tuned on ImageNet-1K",
  imagenet1k_swag_linear_v1: "Instagram hashtags (SWAG), linear classifier on ImageNet-1K",
};

/** The name that each model's enumeration calls DEFAULT: the newest recipe on ImageNet alone. */
const DEFAULTS = new Map(
  ROWS.map(([name]) => name.split(".") as [model: string, tag: string]).filter(([, tag]) => !SWAG[tag]),
);

export const TORCHVISION: readonly WeightsSource[] = ROWS.map((row) => {
  const [name, file, mebibytes, parameters, multiplyAdds, top1, top5, [interpolation, size, shorterSide]] = row;
  const [model, tag] = name.split(".") as [model: string, tag: string];
  return {
    name,
    model,
    publisher: "torchvision",
    aliases: ALIASES[model] ?? [],
    isDefault: tag === DEFAULTS.get(model),
    architecture: model,
    task: "classification",
    numClasses: 1000,
    url: `https://download.pytorch.org/models/${file}.pth`,
    file: `${file}.pth`,
    hash: { kind: "sha256-prefix", value: file.slice(-8) },
    approximateBytes: Math.round(mebibytes * 2 ** 20),
    license: SWAG[tag] ? "CC-BY-NC-4.0" : "not stated",
    trainedOn: SWAG[tag] ?? "ImageNet-1K",
    preprocessing: centerCrop(NAMED_PREPROCESSING.imagenet.values, size, shorterSide, interpolation),
    parameters,
    multiplyAdds: billions(multiplyAdds),
    accuracy: { imageSize: size, top1: percent(top1), top5: percent(top5), of: "network" },
    references: [
      `https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.${model}.html`,
      "https://github.com/pytorch/vision#pre-trained-model-license",
    ],
  };
});

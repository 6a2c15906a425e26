/**
 * Weights of timm (1.0.31): the small networks that people start from. Files on the Hugging Face hub are named by
 * revision, and their SHA-256 is the one that the hub shows and several users pin; files of timm's releases on GitHub
 * carry the first digits in their names, as torchvision's do.
 */
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import { NAMED_PREPROCESSING } from "../preprocessing.ts";
import { billions, centerCrop, percent, type WeightsSource } from "./weights-source.ts";

const RELEASES = "https://github.com/rwightman/pytorch-image-models/releases/download";
const RESULTS = "https://github.com/huggingface/pytorch-image-models/blob/main/results";
const REFERENCES = [`${RESULTS}/results-imagenet.csv`, `${RESULTS}/benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv`];

/** Side of the input, and the fraction of the resized picture that it is; `half` is mean and std 0.5. */
type Sizing = readonly [size: number, cropFraction: number, normalization?: "half"];

interface Row extends Pick<WeightsSource, "bytes" | "hash"> {
  readonly name: string;
  readonly architecture: string;
  readonly url: string;
  readonly parameters: number;
  /** Billions for one image. */
  readonly multiplyAdds?: number;
  /** In percent, at this size. */
  readonly accuracy: readonly [top1: number, top5: number];
  readonly sizing: Sizing;
  /** ImageNet-1K where nothing is said. */
  readonly trainedOn?: string;
  /** Apache-2.0 where nothing is said. */
  readonly license?: string;
  /** Whether timm itself loads other weights for the model's bare name. */
  readonly second?: true;
}

const IN21K = "ImageNet-21k, fine-tuned on ImageNet-1K";

const ROWS: readonly Row[] = [
  {
    ...hub("resnet18.a1_in1k", "491b427b45c94c7fb0e78b5474cc919aff584bbf", 46_807_446),
    ...sha256("80c49dee3da4822c009c5a7fe591e9223c5a2cfcf95a4067ca4dfb5a7b89c612"),
    ...{ architecture: "resnet18", parameters: 11_689_512, multiplyAdds: 1.82 },
    ...{ accuracy: [71.488, 90.076], sizing: [224, 0.95] },
  },
  {
    ...release("resnet34.a1_in1k", "v0.1-rsb-weights/resnet34_a1_0-46f8f793"),
    ...{ architecture: "resnet34", parameters: 21_797_672, multiplyAdds: 3.67 },
    ...{ accuracy: [76.414, 92.886], sizing: [224, 0.95] },
  },
  {
    ...hub("resnet50.a1_in1k", "767268603ca0cb0bfe326fa87277f19c419566ef", 102_469_840),
    ...sha256("773525d5821de224f8f30c33377b7a795d7863e08522698200d3217d3f2a41bb"),
    ...{ architecture: "resnet50", parameters: 25_557_032, multiplyAdds: 4.11 },
    ...{ accuracy: [80.382, 94.598], sizing: [224, 0.95] },
  },
  {
    ...release("resnet101.a1h_in1k", "v0.1-rsb-weights/resnet101_a1h-36d3f2aa"),
    ...{ architecture: "resnet101", parameters: 44_549_160, multiplyAdds: 7.83 },
    ...{ accuracy: [81.95, 95.76], sizing: [224, 0.95] },
  },
  {
    ...release("resnet152.a1h_in1k", "v0.1-rsb-weights/resnet152_a1h-dc400468"),
    ...{ architecture: "resnet152", parameters: 60_192_808, multiplyAdds: 11.56 },
    ...{ accuracy: [82.818, 96.124], sizing: [224, 0.95] },
  },
  {
    ...release("resnext50_32x4d.a1h_in1k", "v0.1-rsb-weights/resnext50_32x4d_a1h-0146ab0a"),
    ...{ architecture: "resnext50_32x4d", parameters: 25_028_904, multiplyAdds: 4.26 },
    ...{ accuracy: [81.14, 95.32], sizing: [224, 0.95] },
  },
  {
    ...hub("wide_resnet50_2.racm_in1k", "30f73aceaaa1911830a9795b83ab1908dba18719", 275_835_296),
    ...sha256("03b71d65fb2c73bb0de079a1781009f27a782ec481d2f64ab3bde9b1cdec3000"),
    ...{ architecture: "wide_resnet50_2", parameters: 68_883_240, multiplyAdds: 11.43 },
    ...{ accuracy: [81.488, 95.544], sizing: [224, 0.875] },
  },
  {
    ...release("mobilenetv2_100.ra_in1k", "v0.1-weights/mobilenetv2_100_ra-b33bc2c4"),
    ...{ architecture: "mobilenet_v2", parameters: 3_504_872, multiplyAdds: 0.31 },
    ...{ accuracy: [72.936, 91.002], sizing: [224, 0.875] },
  },
  {
    ...hub("mobilenetv3_small_100.lamb_in1k", "1824797e7887cbec1990e4adbd6675960a36c589", 10_241_912),
    ...sha256("46d2c063b18125884c48937afa4c49e18128869e52e8db96df48bf0a4d7ff697"),
    ...{ architecture: "mobilenetv3_small_100", parameters: 2_542_856, multiplyAdds: 0.06 },
    ...{ accuracy: [67.638, 87.65], sizing: [224, 0.875] },
  },
  {
    ...hub("mobilenetv3_large_100.ra_in1k", "96f46a1c52932f27492dff66c72378eb99b443a7", 22_058_321),
    ...sha256("f425af34cc1cead2b5d6211f789a1f30b94835dc32f9c0fcc5a916e4fd2dde85"),
    ...{ architecture: "mobilenetv3_large_100", parameters: 5_483_032, multiplyAdds: 0.23 },
    ...{ accuracy: [75.786, 92.528], sizing: [224, 0.875] },
  },
  {
    ...hub("mobilenetv4_conv_small.e2400_r224_in1k", "331fb803779522b685cf942e15f914fb6741c1eb", 15_223_016),
    ...sha256("7a7102ec18f62bbfb555b6fe829bbb5af749516b84174926c29ffdfdfc03aec4"),
    ...{ architecture: "mobilenetv4_conv_small", parameters: 3_774_024, multiplyAdds: 0.19 },
    ...{ accuracy: [73.73, 91.426], sizing: [224, 0.875] },
  },
  {
    ...hub("efficientnet_b0.ra_in1k", "1b5383e5f79cc0f7fc067e372f8f26a5fa73f26a", 21_355_344),
    ...sha256("d569899762ea9b1384ee07f4af64805cf8caa1c55f9253ebb1080dc40e87a2cd"),
    ...{ architecture: "efficientnet_b0", parameters: 5_288_548, multiplyAdds: 0.4 },
    ...{ accuracy: [77.696, 93.54], sizing: [224, 0.875] },
  },
  {
    ...release("efficientnet_b1.ft_in1k", "v0.1-weights/efficientnet_b1-533bc792"),
    ...{ architecture: "efficientnet_b1", parameters: 7_794_184, multiplyAdds: 0.59 },
    ...{ accuracy: [77.594, 93.63], sizing: [224, 0.875] },
  },
  {
    ...release("efficientnet_b2.ra_in1k", "v0.1-weights/efficientnet_b2_ra-bcdf34b7"),
    ...{ architecture: "efficientnet_b2", parameters: 9_109_994, multiplyAdds: 0.89 },
    ...{ accuracy: [79.34, 94.576], sizing: [256, 0.875] },
  },
  {
    ...release("efficientnet_b3.ra2_in1k", "v0.1-weights/efficientnet_b3_ra2-cf984f9c"),
    ...{ architecture: "efficientnet_b3", parameters: 12_233_232, multiplyAdds: 1.63 },
    ...{ accuracy: [81.474, 95.712], sizing: [288, 0.875] },
  },
  {
    ...release("efficientnet_b4.ra2_in1k", "v0.1-weights/efficientnet_b4_ra2_320-7eb33cd5"),
    ...{ architecture: "efficientnet_b4", parameters: 19_341_616 },
    ...{ accuracy: [82.654, 96.136], sizing: [320, 0.875] },
  },
  {
    ...hub("convnext_tiny.in12k_ft_in1k", "aa096f03029c7f0ec052013f64c819b34f8ad790", 114_374_272),
    ...sha256("a1aefa409b513cf209b085424eb3efffe4e4a9f511491bc2c12ea35209e6bb95"),
    ...{ architecture: "convnext_tiny", parameters: 28_589_128, multiplyAdds: 4.47 },
    ...{ accuracy: [84.192, 97.132], sizing: [224, 0.95] },
    trainedOn: "ImageNet-12k, fine-tuned on ImageNet-1K",
  },
  {
    ...hub("convnext_tiny.fb_in1k", "b43a6303c9fcf176d2d707478a128c2c91e93528", 114_374_272),
    ...sha256("08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276"),
    ...{ architecture: "convnext_tiny", parameters: 28_589_128, multiplyAdds: 4.47 },
    ...{ accuracy: [82.066, 95.854], sizing: [224, 0.875], second: true },
  },
  {
    ...hub("vit_tiny_patch16_224.augreg_in21k_ft_in1k", "7d3afdd0cf93ad84d986eb2d6bcc5812ebd0b106"),
    ...sha256("fecf81b492bd13ee7a5297cb74d1d417aac8bf7e1b7d96aed89c4691984587ed"),
    ...{ architecture: "vit_tiny_patch16_224", parameters: 5_717_416, multiplyAdds: 1.26 },
    ...{ accuracy: [75.452, 92.854], sizing: [224, 0.9, "half"], trainedOn: IN21K },
  },
  {
    ...hub("vit_small_patch16_224.augreg_in21k_ft_in1k", "7e2c55630205e1266030f18370f4c6ed1a514b52", 88_216_496),
    ...sha256("79c03c635cdfd798a364a9d8c4e5c0b7255b975ea2c9616046d4f77ab01435aa"),
    ...{ architecture: "vit_small_patch16_224", parameters: 22_050_664, multiplyAdds: 4.61 },
    ...{ accuracy: [81.414, 96.15], sizing: [224, 0.9, "half"], trainedOn: IN21K },
  },
  {
    ...hub("vit_base_patch16_224.augreg2_in21k_ft_in1k", "063c6c38a5d8510b2e57df480445e94b231dad2c", 346_284_714),
    ...sha256("32aa17d6e17b43500f531d5f6dc9bc93e56ed8841b8a75682e1bb295d722405b"),
    ...{ architecture: "vit_base_patch16_224", parameters: 86_567_656, multiplyAdds: 17.58 },
    ...{ accuracy: [85.11, 97.538], sizing: [224, 0.9, "half"], trainedOn: IN21K },
  },
  {
    ...hub("swin_tiny_patch4_window7_224.ms_in1k", "4cc3a7275b50b53a7bec45f32c236ebe64227cff", 114_286_722),
    ...sha256("fb01861f793143135fa0d6cd97b1631e4b33eaa3ee162bbea9e62de1c76ebac1"),
    ...{ architecture: "swin_t", parameters: 28_288_354, multiplyAdds: 4.51 },
    ...{ accuracy: [81.388, 95.54], sizing: [224, 0.9], license: "MIT" },
  },
];

export const TIMM: readonly WeightsSource[] = ROWS.map((row) => {
  const { name, url, architecture, bytes, hash, parameters, trainedOn = "ImageNet-1K", license = "Apache-2.0" } = row;
  const [top1, top5] = row.accuracy;
  return {
    ...{ name, url, architecture, bytes, hash, parameters, trainedOn, license },
    model: name.split(".")[0]!,
    publisher: "timm",
    aliases: [],
    isDefault: !row.second,
    task: "classification",
    numClasses: 1000,
    file: url.startsWith("hf:") ? `${name}.safetensors` : url.slice(url.lastIndexOf("/") + 1),
    preprocessing: preprocessingOf(row.sizing),
    multiplyAdds: row.multiplyAdds === undefined ? undefined : billions(row.multiplyAdds),
    accuracy: { imageSize: row.sizing[0], top1: percent(top1), top5: percent(top5), of: "network" },
    references: [`https://huggingface.co/timm/${name}`, ...REFERENCES],
  };
});

/** A file of timm's repository on the hub. */
function hub(name: string, revision: string, bytes?: number): Pick<Row, "name" | "url" | "bytes"> {
  return { name, url: `hf://timm/${name}/model.safetensors@${revision}`, bytes };
}

/** A file of timm's releases, whose name ends with the first digits of its SHA-256. */
function release(name: string, path: string): Pick<Row, "name" | "url" | "hash"> {
  return { name, url: `${RELEASES}/${path}.pth`, hash: { kind: "sha256-prefix", value: path.slice(-8) } };
}

function sha256(value: string): Pick<Row, "hash"> {
  return { hash: { kind: "sha256", value } };
}

/** timm resizes the shorter side to the input's divided by the crop fraction, rounded down, with bicubic interpolation. */
function preprocessingOf([size, cropFraction, normalization]: Sizing): Preprocessing {
  const { values } = NAMED_PREPROCESSING.imagenet;
  const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
  const normalized = normalization === "half" ? { ...values, ...half } : values;
  return centerCrop(normalized, size, Math.floor(size / cropFraction), "bicubic");
}

/** The backbones of DINOv2 (Oquab et al. 2023, arXiv:2304.07193): trained without labels, published without classifiers. */
import { NAMED_PREPROCESSING } from "../preprocessing.ts";
import { centerCrop, type WeightsSource } from "./weights-source.ts";

/** What all of them have in common; the sizing is that of the project's evaluation. */
const DINOV2_FACTS = {
  publisher: "dinov2",
  isDefault: true,
  task: "features",
  numClasses: 0,
  license: "Apache-2.0",
  trainedOn: "LVD-142M, without labels",
  preprocessing: centerCrop(NAMED_PREPROCESSING.imagenet.values, 224, 256, "bicubic"),
  references: [
    "https://github.com/facebookresearch/dinov2#pretrained-models",
    "https://github.com/facebookresearch/dinov2/blob/main/dinov2/data/transforms.py",
  ],
} as const;

/**
 * Hashes and sizes are pinned by many users of the files: the project publishes none.
 * Parameters are those of timm's `vit_*_patch14_dinov2`; the files also hold the mask token of the training.
 */
export const DINOV2: readonly WeightsSource[] = [
  {
    ...DINOV2_FACTS,
    name: "dinov2_vits14.lvd142m",
    model: "dinov2_vits14",
    aliases: ["vit_small_patch14_dinov2", "dinov2_small", "dinov2-small"],
    architecture: "vit_small_patch14_dinov2",
    url: "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
    file: "dinov2_vits14_pretrain.pth",
    hash: { kind: "sha256", value: "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9" },
    bytes: 88_283_115,
    parameters: 22_056_192,
    accuracy: { imageSize: 224, top1: 0.811, of: "linear classifier" },
  },
  {
    ...DINOV2_FACTS,
    name: "dinov2_vitb14.lvd142m",
    model: "dinov2_vitb14",
    aliases: ["vit_base_patch14_dinov2", "dinov2_base", "dinov2-base"],
    architecture: "vit_base_patch14_dinov2",
    url: "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth",
    file: "dinov2_vitb14_pretrain.pth",
    hash: { kind: "sha256", value: "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73" },
    bytes: 346_378_731,
    parameters: 86_579_712,
    accuracy: { imageSize: 224, top1: 0.845, of: "linear classifier" },
  },
];

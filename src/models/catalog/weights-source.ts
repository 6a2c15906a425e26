/** What the catalog says of one published file of weights, and how a row of a catalog file becomes such a record. */
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import type { Checksum } from "../../weights/checksum.ts";
import type { WeightsFile } from "../../weights/weights-file.ts";

/** Who publishes weights. A bare model name means the first of these that has it. */
export const PUBLISHERS = ["torchvision", "timm", "dinov2", "keras"] as const;

export type Publisher = (typeof PUBLISHERS)[number];

/** One published file of weights. Every fact is the publisher's own or from the pages in `references`; unknown ones are absent. */
export interface WeightsSource extends WeightsFile {
  /** Model and tag as the publisher writes them, in lower case, such as "resnet50.imagenet1k_v2". Unique. */
  readonly name: string;
  /** The part of `name` before the tag: "resnet50". */
  readonly model: string;
  readonly publisher: Publisher;
  /** Other names of the model, such as its name in another library. */
  readonly aliases: readonly string[];
  /** Whether `model` alone means this record among those of the publisher. One of them does. */
  readonly isDefault: boolean;
  /** Name in the table of architectures. The parameter names in the file are the publisher's. */
  readonly architecture: string;
  /** What the network gives: scores of classes, or features only (no classifier in the file). */
  readonly task: "classification" | "features";
  /** Classes of the classifier in the file; 0 for features. */
  readonly numClasses: number;
  /** What the downloaded bytes are checked against. */
  readonly hash: Checksum;
  /** SPDX identifier of the license of the weights, or "not stated" where only the code has one. */
  readonly license: string;
  readonly trainedOn: string;
  /** How the published accuracy was measured, and what the network expects. */
  readonly preprocessing: Preprocessing;
  /** Learned numbers, as the publisher counts them (Keras counts the statistics of batch normalization too). */
  readonly parameters: number;
  /** Multiply-adds for one image of the size in `preprocessing`. */
  readonly multiplyAdds?: number | undefined;
  readonly accuracy?: PublishedAccuracy | undefined;
  /** Public pages with these facts. */
  readonly references: readonly string[];
}

/** Accuracy on the 50,000 validation images of ImageNet-1K, as published. */
export interface PublishedAccuracy {
  /** Height and width of the input in pixels. */
  readonly imageSize: number;
  /** In [0, 1]. */
  readonly top1: number;
  /** In [0, 1]. */
  readonly top5?: number | undefined;
  /** What was measured: the network as it is, or a linear classifier that somebody trained on its features. */
  readonly of: "network" | "linear classifier";
}

/** The sizing that most publishers use: shorter side to `shorterSide`, then the center of `size` by `size` pixels. */
export function centerCrop(
  values: Omit<Preprocessing, "inputSize" | "resize" | "interpolation">,
  size: number,
  shorterSide: number,
  interpolation: Preprocessing["interpolation"],
): Preprocessing {
  return { ...values, inputSize: [size, size], resize: { kind: "shortest-edge", size: shorterSide }, interpolation };
}

/** The fraction of a published percentage: 80.858 is 0.80858. */
export function percent(value: number): number {
  return Number((value / 100).toFixed(5));
}

/** Multiply-adds of a published number of billions. */
export function billions(value: number): number {
  return Math.round(value * 1e9);
}

/** A network's design as a record: what it is, which sizes it takes, and how to build it. */
import { RootstockError } from "../../errors.ts";
import type { Value } from "../../graph/graph.ts";
import { type LayerDefaults, Layers } from "./layers.ts";
import { LOGITS, type Network, type NetworkClassifier } from "./network.ts";

/** A network that can be built at any of its input sizes. */
export interface Architecture {
  /** As its source calls it: "resnet50", "vit_small_patch16_224". */
  readonly name: string;
  /** Networks of one paper: "resnet". */
  readonly family: string;
  /** Where the design and the parameter names come from: paper and implementation. */
  readonly source: string;
  /** [height, width] in pixels that the published weights were trained or are evaluated at. */
  readonly inputSize: readonly [number, number];
  readonly sizes: LegalSizes;
  /** Classes of the published weights. */
  readonly numClasses: number;
  /** Builds the network. @throws RootstockError BAD_CONFIG for a size or number of classes that it cannot have. */
  readonly build: (options?: BuildOptions) => Network;
}

/** Input sizes that a network takes. */
export interface LegalSizes {
  /** Smallest height and width in pixels. */
  readonly minimum: number;
  /** Height and width are multiples of this many pixels. */
  readonly multipleOf: number;
}

export interface BuildOptions {
  /** [height, width] in pixels. @default the architecture's `inputSize` */
  readonly inputSize?: readonly [number, number] | undefined;
  /** From 1 to 1,000,000. @default the architecture's `numClasses` */
  readonly numClasses?: number | undefined;
}

/** What one family writes down of a network. */
export interface Design {
  readonly name: string;
  readonly family: string;
  readonly source: string;
  /** @default [224, 224] */
  readonly inputSize?: readonly [number, number] | undefined;
  /** Any size by default. */
  readonly sizes?: Partial<LegalSizes> | undefined;
  /** @default 1000 */
  readonly numClasses?: number | undefined;
  readonly defaults?: LayerDefaults | undefined;
  /** Adds the network to `l` from `l.image` on, ends its stages, and says what it ends with. */
  readonly forward: (l: Layers, numClasses: number) => Ends;
}

/** Where a design ends. */
export interface Ends {
  /** Scores [classes]. */
  readonly logits: Value;
  /** What the classifier reads. */
  readonly features: Value;
  /** Prefix of the classifier's parameters: "fc". */
  readonly classifier: string;
}

/** Larger inputs than this are mistakes: one map of them would fill the memory. */
const MAX_SIZE = 4096;
const MAX_CLASSES = 1_000_000;

/** Makes an architecture of a design. */
export function architecture(design: Design): Architecture {
  const { name, family, source, inputSize = [224, 224], numClasses = 1000 } = design;
  const sizes: LegalSizes = { minimum: 1, multipleOf: 1, ...design.sizes };
  return {
    ...{ name, family, source, inputSize, sizes, numClasses },
    build: (options = {}) => {
      const chosen = { inputSize: options.inputSize ?? inputSize, numClasses: options.numClasses ?? numClasses };
      checkSize(name, sizes, chosen.inputSize);
      checkClasses(name, chosen.numClasses);
      return build(design, chosen.inputSize, chosen.numClasses);
    },
  };
}

function build(design: Design, inputSize: readonly [number, number], numClasses: number): Network {
  const l = new Layers(design.name, inputSize, design.defaults);
  const { logits, features, classifier } = design.forward(l, numClasses);
  const names = new Set(l.parameters.map(({ name }) => name));
  const bias = `${classifier}.bias`;
  const ends: NetworkClassifier = { weight: `${classifier}.weight`, bias: names.has(bias) ? bias : undefined };
  l.b.named("Identity", [logits], LOGITS);
  return {
    architecture: design.name,
    inputSize,
    numClasses,
    topology: l.b.build([{ name: LOGITS, dtype: "float32", shape: ["batch", numClasses] }]),
    parameters: [...l.parameters],
    stages: [...l.stages],
    stem: l.parameters.find(({ kind, shape }) => kind === "weight" && shape.length === 4)!.name,
    features,
    featureWidth: l.channels(features),
    classifier: ends,
  };
}

function checkSize(name: string, { minimum, multipleOf }: LegalSizes, size: readonly number[]): void {
  const legal = (pixels: number): boolean =>
    Number.isInteger(pixels) && pixels >= minimum && pixels <= MAX_SIZE && pixels % multipleOf === 0;
  if (size.length === 2 && size.every(legal)) return;
  const multiple = multipleOf > 1 ? ` that are multiples of ${multipleOf}` : "";
  throw new RootstockError(
    "BAD_CONFIG",
    `${name} requires a height and width from ${minimum} to ${MAX_SIZE} pixels${multiple}, got ${size.join(" x ")}.`,
  );
}

function checkClasses(name: string, numClasses: number): void {
  if (Number.isInteger(numClasses) && numClasses >= 1 && numClasses <= MAX_CLASSES) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${name} requires a number of classes from 1 to ${MAX_CLASSES}, got ${numClasses}.`,
  );
}

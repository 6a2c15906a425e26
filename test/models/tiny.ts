/** A small vision model and small datasets that tests make for themselves. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { float, int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { saveGraph } from "../../src/graph/save.ts";
import { rng } from "../../src/random.ts";
import { float32, sizeOf } from "../../src/tensor/tensor.ts";
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";

/** Side of the tiny model's input in pixels. */
export const TINY_SIZE = 16;
/** Length of its feature vector. */
export const TINY_WIDTH = 8;

/** What its metadata says about pixels. */
export const TINY_PREPROCESSING = { layout: "NCHW", channels: "RGB", resize: TINY_SIZE, scale: "1/127.5", offset: -1 };

/** The same as a full record. */
export const TINY_INPUT: Preprocessing = {
  version: 1,
  inputSize: [TINY_SIZE, TINY_SIZE],
  resize: { kind: "stretch" },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1 / 127.5,
  offset: -1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

export interface TinyOptions {
  readonly batch?: number | string;
  /** Number of classes of the old classifier; 0 ends the graph with its features. */
  readonly classes?: number;
  readonly seed?: number;
  /** Whether a BatchNormalization follows the second convolution: "norm.scale", "norm.shift", "norm.mean", "norm.var". */
  readonly norm?: boolean;
}

/** Convolution, clip, convolution, global average, classifier: random weights, but real features of color and edges. */
export function tinyGraph({ batch = "batch", classes = 10, seed = 0, norm = false }: TinyOptions = {}): Graph {
  const random = rng(seed);
  const b = new GraphBuilder("tiny");
  const weight = (...shape: number[]): string =>
    b.constant(
      float32(
        shape,
        Array.from(
          { length: sizeOf(shape) },
          () => random.normal() / Math.sqrt(shape.slice(1).reduce((x, y) => x * y, 1)),
        ),
      ),
      "weight",
    );
  const pixels = b.input({ name: "input", dtype: "float32", shape: [batch, 3, TINY_SIZE, TINY_SIZE] });
  const same = { pads: ints([1, 1, 1, 1]), strides: ints([2, 2]) };
  const first = b.op("Relu", [b.op("Conv", [pixels, weight(6, 3, 3, 3), weight(6)], same)]);
  const vector = (name: string, value: number): string =>
    b.initializer(name, float32([TINY_WIDTH], new Float32Array(TINY_WIDTH).fill(value)));
  const convolved = b.op("Conv", [first, weight(TINY_WIDTH, 6, 3, 3)], same);
  const statistics = norm
    ? [vector("norm.scale", 1), vector("norm.shift", 0), vector("norm.mean", 0.2), vector("norm.var", 2)]
    : [];
  const normed = norm ? b.op("BatchNormalization", [convolved, ...statistics]) : convolved;
  const second = b.op("LeakyRelu", [normed], { alpha: float(0.1) });
  const features = b.named("Flatten", [b.op("GlobalAveragePool", [second])], "embedding", { axis: int(1) });
  if (classes === 0) return b.build([{ name: features, dtype: "float32", shape: [batch, TINY_WIDTH] }]);
  const logits = b.named("Gemm", [features, weight(classes, TINY_WIDTH), weight(classes)], "scores", {
    transB: int(1),
  });
  return b.build([{ name: logits, dtype: "float32", shape: [batch, classes] }]);
}

/** Writes the tiny model to `path`. */
export async function writeTinyModel(
  path: string,
  options: TinyOptions = {},
  metadata: Readonly<Record<string, string>> = {
    preprocessing: JSON.stringify(TINY_PREPROCESSING),
    license: "CC0-1.0",
  },
): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, saveGraph(tinyGraph(options), new Map(Object.entries(metadata))));
  return path;
}

/** Colors of the classes, far enough apart for any features. */
const COLORS = { blue: [40, 60, 200], green: [50, 180, 60], red: [200, 50, 50] } as const;

/** Writes `count` noisy PNG pictures of each color below `root`, in a folder per color; returns the root. */
export async function writeColorImages(
  root: string,
  count: number,
  { seed = 0, classes = ["blue", "green", "red"] as (keyof typeof COLORS)[] } = {},
): Promise<string> {
  for (const name of classes) {
    await mkdir(join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const random = rng(`${seed}/${name}/${i}`);
      const data = Uint8Array.from({ length: 20 * 24 * 3 }, (_, j) => COLORS[name][j % 3]! + 50 * random.next() - 25);
      await sharp(data, { raw: { width: 24, height: 20, channels: 3 } })
        .png()
        .toFile(join(root, name, `${i}.png`));
    }
  }
  return root;
}

import { expect, test } from "vitest";
import { MOMENTS, momentsGraph } from "../../../src/features/shift/activation-moments.ts";
import { normalizationShift } from "../../../src/features/shift/pretraining-shift.ts";
import { rng } from "../../../src/random.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { TINY_SIZE, TINY_WIDTH, tinyGraph } from "../../models/tiny.ts";

const IMAGES = 12;
const random = rng(2);
const images = tensor(
  "float32",
  [IMAGES, 3, TINY_SIZE, TINY_SIZE],
  Float32Array.from({ length: IMAGES * 3 * TINY_SIZE ** 2 }, () => random.normal()),
);

test("gives mean and mean square of what reaches a normalization, in its units", async () => {
  const graph = tinyGraph({ norm: true });
  const { graph: moments, layers } = momentsGraph(graph)!;
  expect(layers).toHaveLength(1);
  await using session = await Session.create(moments);
  const { [MOMENTS]: rows } = await session.run({ input: images });
  expect(rows!.shape).toEqual([IMAGES, 2 * TINY_WIDTH]);
  // The normalization's input by itself, with its statistics mean 0.2 and variance 2.
  const norm = graph.nodes.find(({ op }) => op === "BatchNormalization")!;
  const input = norm.inputs[0]!;
  const shape = ["batch", TINY_WIDTH, 4, 4];
  await using before = await Session.create({ ...graph, outputs: [{ name: input, dtype: "float32", shape }] });
  const { [input]: x } = await before.run({ input: images });
  const values = x!.data as Float32Array;
  const positions = values.length / IMAGES / TINY_WIDTH;
  for (const [image, channel] of [
    [0, 0],
    [7, 3],
    [11, TINY_WIDTH - 1],
  ] as const) {
    const start = (image * TINY_WIDTH + channel) * positions;
    const z = Array.from(values.slice(start, start + positions), (value) => (value - 0.2) / Math.sqrt(2 + 1e-5));
    const [mean, square] = [z, z.map((value) => value ** 2)].map((v) => v.reduce((a, b) => a + b) / positions);
    expect(Number(rows!.data[image * 2 * TINY_WIDTH + channel])).toBeCloseTo(mean!, 4);
    expect(Number(rows!.data[image * 2 * TINY_WIDTH + TINY_WIDTH + channel])).toBeCloseTo(square!, 4);
  }
});

test("images with the stored statistics are at the distance 0, others are not", async () => {
  const run = async (mean: readonly number[], variance: readonly number[]) => {
    const graph = tinyGraph({ norm: true });
    const initializers = new Map(graph.initializers)
      .set("norm.mean", float32([TINY_WIDTH], mean))
      .set("norm.var", float32([TINY_WIDTH], variance));
    const { graph: moments, layers } = momentsGraph({ ...graph, initializers })!;
    await using session = await Session.create(moments);
    const { [MOMENTS]: rows } = await session.run({ input: images });
    return { rows: rows!.data as Float32Array, layers };
  };
  // With mean 0 and variance 1 the moments are those of the data themselves.
  const plain = await run(new Array(TINY_WIDTH).fill(0), new Array(TINY_WIDTH).fill(1));
  const average = (column: number): number => {
    let sum = 0;
    for (let i = 0; i < IMAGES; i++) sum += plain.rows[i * 2 * TINY_WIDTH + column]! / IMAGES;
    return sum;
  };
  const mean = Array.from({ length: TINY_WIDTH }, (_, c) => average(c));
  const variance = mean.map((value, c) => average(TINY_WIDTH + c) - value ** 2);
  const own = await run(mean, variance);
  expect(normalizationShift(own.rows, own.layers)!.distance).toBeLessThan(0.05);
  const moved = await run(
    mean.map((value, c) => value + 2 * Math.sqrt(variance[c]!)),
    variance,
  );
  expect(normalizationShift(moved.rows, moved.layers)!.distance).toBeCloseTo(2, 1);
});

test("a network without normalization has no moments", () => {
  expect(momentsGraph(tinyGraph())).toBeUndefined();
});

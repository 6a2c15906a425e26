import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { stagesOf } from "../../src/models/stages.ts";
import { invertedNetwork, Layers, random, residualNetwork, transformer } from "./networks.ts";

const summary = (graph: Graph): unknown[] => stagesOf(graph).map(({ start, shape }) => [start, ...shape.slice(1)]);

describe("stagesOf", () => {
  test("cuts a residual network behind pooling and before strides", () => {
    expect(summary(residualNetwork())).toEqual([
      ["image", 3, 16, 16],
      ["pool", 8, 8, 8],
      ["layer1.1.out", 8, 8, 8],
    ]);
  });

  test("cuts inverted residuals at their narrow outputs", () => {
    expect(summary(invertedNetwork())).toEqual([
      ["image", 3, 16, 16],
      ["block0.out", 6, 8, 8],
      ["block2.out", 8, 4, 4],
    ]);
  });

  test("gives every parameter to one stage, in order, and says what a stage is", () => {
    const stages = stagesOf(residualNetwork());
    expect(stages.flatMap(({ parameters }) => parameters)).toHaveLength(30);
    expect(stages[2]!.parameters[0]).toBe("layer2.0.conv1.weight");
    expect(stages[2]!.parameters).toContain("layer2.0.skip.weight");
    expect(stages.map(({ description }) => description)).toEqual([
      "stage 1 of 3: 16x16x3 -> 8x8x8, 232 parameters",
      "stage 2 of 3: 8x8x8 -> 8x8x8, 2 k parameters",
      "stage 3 of 3: 8x8x8 -> 4x4x16, 8 k parameters",
    ]);
    expect(stages[0]!.size).toBe(8 * 27 + 16);
  });

  test("names the batch as every training graph does", () => {
    expect(stagesOf(residualNetwork())[1]!.shape).toEqual(["batch", 8, 8, 8]);
  });

  test.each([
    [8, ["image", "add", "blocks.1.out", "blocks.3.out", "blocks.5.out"]],
    [12, ["image", "add", "blocks.2.out", "blocks.5.out", "blocks.8.out"]],
    [5, ["image", "add", "blocks.0.out", "blocks.2.out", "blocks.3.out"]],
    [3, ["image"]],
  ])("groups %i transformer blocks", (blocks, starts) => {
    expect(stagesOf(transformer(blocks)).map(({ start }) => start)).toEqual(starts);
  });

  test("describes tokens", () => {
    expect(stagesOf(transformer(8)).at(-1)!.description).toMatch(/^stage 5 of 5: 17x6 -> 17x6, \d+ parameters$/);
  });

  test("cuts a plain network behind its pools", () => {
    const l = new Layers();
    const first = l.pool(l.relu(l.conv("image", "a", [3, 8])), "pool1");
    const second = l.pool(l.relu(l.conv(l.relu(l.conv(first, "b", [8, 8])), "c", [8, 16])), "pool2");
    const flat = l.b.op("Flatten", [second], { axis: int(1) });
    expect(summary(l.endWith(l.linear(flat, "fc", [256, 10]), 10))).toEqual([
      ["image", 3, 16, 16],
      ["pool1", 8, 8, 8],
      ["pool2", 16, 4, 4],
    ]);
  });

  test("does not go back over several layers for a smaller map", () => {
    const l = new Layers();
    let x = l.relu(l.conv("image", "a", [3, 4]));
    for (const name of ["b", "c"])
      x = l.relu(l.conv(x, name, [name === "b" ? 4 : 16, 16]), name === "c" ? "wide" : "relu");
    expect(summary(l.end(l.relu(l.conv(x, "d", [16, 16], { stride: 2 })), 16))).toEqual([
      ["image", 3, 16, 16],
      ["wide", 16, 16, 16],
    ]);
  });

  test("keeps a normalization of the image and a layer behind the average in the stages beside them", () => {
    const l = new Layers();
    const first = l.pool(l.relu(l.conv(l.norm("image", "bn_data", 3), "a", [3, 8])), "pool");
    const pooled = l.b.op("GlobalAveragePool", [l.relu(l.conv(first, "b", [8, 8]))]);
    const wide = l.relu(l.conv(pooled, "wide", [8, 32], { kernel: 1 }));
    const stages = stagesOf(l.endWith(l.b.op("Flatten", [wide], { axis: int(1) }), 32));
    expect(stages.map(({ parameters }) => parameters)).toEqual([
      ["bn_data.weight", "bn_data.bias", "a.weight"],
      ["b.weight", "wide.weight"],
    ]);
  });

  test("reads maps with channels last, where one space-to-depth lowers the resolution", () => {
    const l = new Layers();
    const { b } = l;
    const patch = b.op("Conv", ["image", b.initializer("patch.weight", random("patch", 4, 3, 2, 2))], {
      strides: ints([2, 2]),
    });
    const block = (x: Value, name: string, width: number): Value =>
      b.op(
        "Add",
        [x, l.linear(l.layerNorm(x, `${name}.norm`, width), `${name}.fc`, [width, width])],
        {},
        `${name}.out`,
      );
    const one = block(b.transpose(patch, [0, 2, 3, 1]), "one", 4);
    const part = (row: number, column: number): Value =>
      b.op("Slice", [one, b.ints([row, column]), b.ints([8, 8]), b.ints([1, 2]), b.ints([2, 2])]);
    const merged = b.op("Concat", [part(0, 0), part(1, 0), part(0, 1), part(1, 1)], { axis: int(-1) }, "merged");
    const two = block(l.linear(l.layerNorm(merged, "merge.norm", 16), "merge", [16, 8]), "two", 8);
    const stages = stagesOf(l.endWith(b.reduceMean(two, { axes: [1, 2], keepdims: false }), 8));
    expect(stages.map(({ start }) => start)).toEqual(["image", "merged"]);
    expect(stages.map(({ description }) => description.split(",")[0])).toEqual([
      "stage 1 of 2: 16x16x3 -> 4x4x16",
      "stage 2 of 2: 4x4x16 -> 4x4x8",
    ]);
  });

  test("has one stage where nothing is known of the resolution", () => {
    const l = new Layers(["n", 3, "h", "w"]);
    expect(summary(l.end(l.relu(l.conv("image", "a", [3, 8], { stride: 2 })), 8))).toHaveLength(1);
  });
});

/** Models whose outputs are not what a classifier's are: converted where that is exact, refused by name otherwise. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { Model } from "../../src/models/model.ts";
import { dtypeCode } from "../../src/onnx/tensor-proto.ts";
import type { DType } from "../../src/tensor/dtype.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_INPUT, tinyGraph, writeColorImages } from "./tiny.ts";

function model(graph: Graph): Model {
  return new Model({
    name: "m.onnx",
    graph,
    metadata: new Map(),
    preprocessing: TINY_INPUT,
    preprocessingSource: "the test",
    labels: undefined,
  });
}

/** The tiny model with its scores in another type. */
function cast(dtype: DType): Graph {
  const b = new GraphBuilder("cast", tinyGraph());
  return b.build([
    { name: b.named("Cast", ["scores"], "converted", { to: int(dtypeCode(dtype)) }), dtype, shape: ["batch", 10] },
  ]);
}

async function files(): Promise<string[]> {
  const root = await writeColorImages(await temporaryFolder(), 2, { classes: ["red"] });
  return [join(root, "red", "0.png"), join(root, "red", "1.png")];
}

test.each(["float16", "float64"] as const)("%s scores give the probabilities of float32 ones", async (dtype) => {
  const [file] = await files();
  await using wanted = model(tinyGraph());
  await using converted = model(cast(dtype));
  const [a, b] = [await wanted.predict(file!, { top: 10 }), await converted.predict(file!, { top: 10 })];
  for (const { label, probability } of a) {
    expect(Math.abs(b.find((other) => other.label === label)!.probability - probability)).toBeLessThan(1e-3);
  }
});

test("whole-number scores are refused by name", async () => {
  const [file] = await files();
  await using broken = model(cast("int64"));
  await expect(broken.predict(file!)).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringMatching(/"converted".*int64/),
  });
});

test("scores that are no numbers are an error of the file, not of the run", async () => {
  const b = new GraphBuilder("nan", tinyGraph());
  const root = b.op("Sqrt", [b.sub("scores", b.constant(float32([], [1e6])))]);
  await using broken = model(b.build([{ name: root, dtype: "float32", shape: ["batch", 10] }]));
  for await (const prediction of broken.predictFiles(await files())) {
    expect(prediction).toMatchObject({ error: expect.stringContaining("no numbers") });
  }
});

test("a model that mixes the images of a batch is refused", async () => {
  const b = new GraphBuilder("mix", tinyGraph());
  const mixed = b.op("Reshape", ["scores", b.constant(int64([-1, 20]))]);
  await using broken = model(b.build([{ name: mixed, dtype: "float32", shape: ["half", 20] }]));
  const run = async () => {
    for await (const _ of broken.predictFiles(await files()));
  };
  await expect(run()).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringContaining("mixes the images"),
  });
});

test("an input that takes gigabytes is refused before memory is", async () => {
  await using huge = model(tinyGraph({ batch: 1_000_000 }));
  await expect(huge.predict((await files())[0]!)).rejects.toMatchObject({
    code: "BAD_MODEL",
    message: expect.stringContaining("GB"),
  });
});

import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { BATCH, trainingForm } from "../../src/models/training-form.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";
import { Layers, random, residualNetwork, transformer } from "./networks.ts";

/** A network for exactly `batch` images, as exporters write it: targets of Reshape are written out. */
function fixed(batch: number, reshape: readonly number[] = [batch, 8, 256]) {
  const l = new Layers([batch, 3, 16, 16]);
  const { b } = l;
  const rows = b.reshape(l.relu(l.conv("image", "a", [3, 8])), b.ints(reshape));
  const mean = b.reduceMean(rows, { axes: [2], keepdims: false });
  return l.endWith(b.reshape(mean, b.ints([batch, -1])), 8, batch);
}

describe("trainingForm", () => {
  test("names the number of images, at the input and at the features", () => {
    const form = trainingForm(residualNetwork());
    expect(form.inputs[0]!.shape).toEqual([BATCH, 3, 16, 16]);
    expect(form.outputs[0]!.shape).toEqual([BATCH, 16]);
    expect(inferTypes(form).get(FEATURES)!.shape).toEqual([BATCH, 16]);
  });

  test("does nothing to a graph that has the form", () => {
    const form = trainingForm(residualNetwork());
    expect(trainingForm(form)).toBe(form);
  });

  test("gives the name to no other axis", () => {
    const l = new Layers(["n", 3, BATCH, 16]);
    expect(trainingForm(l.end("image", 3)).inputs[0]!.shape).toEqual([BATCH, 3, `other ${BATCH}`, 16]);
  });

  test("fixes open sizes on request", () => {
    const l = new Layers(["n", 3, "h", "w"]);
    const graph = l.end(l.relu(l.conv("image", "a", [3, 4], { stride: 2 })), 4);
    const form = trainingForm(graph, [24, 32]);
    expect(form.inputs[0]!.shape).toEqual([BATCH, 3, 24, 32]);
    expect(inferTypes(form).get("relu")!.shape).toEqual([BATCH, 4, 12, 16]);
    expect(trainingForm(residualNetwork(), [24, 32]).inputs[0]!.shape).toEqual([BATCH, 3, 16, 16]);
  });

  test.each([1, 2])("frees a graph for %i images of that number, and computes the same", async (batch) => {
    const graph = fixed(batch);
    const form = trainingForm(graph);
    expect(form.inputs[0]!.shape![0]).toBe(BATCH);
    const image = random("image", batch, 3, 16, 16);
    const wanted = await runBytes(bytesOfGraph(graph), { image });
    const got = await runBytes(bytesOfGraph(form), { image });
    expect(got[FEATURES]!.data).toEqual(wanted[FEATURES]!.data);
    const more = await runBytes(bytesOfGraph(form), { image: random("more", 5, 3, 16, 16) });
    expect(more[FEATURES]!.dims).toEqual([5, 8]);
  });

  test("frees windows that count with the images", () => {
    const l = new Layers([2, 3, 16, 16]);
    const windows = l.b.reshape(l.relu(l.conv("image", "a", [3, 8])), l.b.ints([2 * 4, 8, 64]));
    const back = l.b.reshape(windows, l.b.ints([2, 8, 16, 16]));
    expect(inferTypes(trainingForm(l.end(back, 8, 2))).get(FEATURES)!.shape).toEqual([BATCH, 8]);
  });

  test("keeps the number where more than a Reshape is made for it", () => {
    const l = new Layers([2, 3, 16, 16]);
    const x = l.b.op("Concat", [l.conv("image", "a", [3, 8]), l.b.constant(random("c", 2, 1, 16, 16))], {
      axis: int(1),
    });
    expect(trainingForm(l.end(x, 9, 2)).inputs[0]!.shape![0]).toBe(2);
    const across = new Layers([2, 3, 16, 16]);
    const mixed = across.b.reshape(across.conv("image", "a", [3, 8]), across.b.ints([4, 4, 16, 16]));
    expect(trainingForm(across.end(mixed, 4, 4)).inputs[0]!.shape![0]).toBe(2);
  });

  test("keeps the number where a Reshape mixes what is not outermost, as attention with tokens first does", () => {
    const l = new Layers([1, 3, 16, 16]);
    const tokens = l.b.transpose(l.b.reshape(l.conv("image", "a", [3, 8]), l.b.ints([1, 8, 256])), [2, 0, 1]);
    const heads = l.b.transpose(l.b.reshape(tokens, l.b.ints([256, 2, 4])), [1, 2, 0]);
    const graph = l.endWith(l.b.reshape(l.b.reduceMean(heads, { axes: [2] }), l.b.ints([1, 8])), 8, 1);
    expect(trainingForm(graph).inputs[0]!.shape![0]).toBe(1);
  });

  test("repeats a class token for every image", async () => {
    const l = new Layers([1, 3, 16, 16]);
    const tokens = l.b.reshape(l.conv("image", "a", [3, 8]), l.b.ints([1, 8, 256]));
    const token = l.b.initializer("cls", random("cls", 1, 8, 1));
    const x = l.b.op("Concat", [token, tokens], { axis: int(2) });
    const graph = l.endWith(l.b.reduceMean(x, { axes: [2], keepdims: false }), 8, 1);
    const form = trainingForm(graph);
    expect(form.outputs[0]!.shape).toEqual([BATCH, 8]);
    expect(parametersOf(form).map(({ name, kind }) => `${name} ${kind}`)).toEqual(["a.weight weight", "cls embedding"]);
    const two = random("image", 2, 3, 16, 16);
    const got = await runBytes(bytesOfGraph(form), { image: two });
    const second = float32([1, 3, 16, 16], two.data.slice(768));
    const wanted = await runBytes(bytesOfGraph(graph), { image: second });
    for (const [i, value] of (wanted[FEATURES]!.data as Float32Array).entries()) // features are float32
      expect(Number(got[FEATURES]!.data[8 + i])).toBeCloseTo(value, 6);
  });

  test("frees a transformer that reads the number of images from its input", () => {
    expect(trainingForm(transformer(2, 3)).outputs[0]!.shape).toEqual([BATCH, 6]);
  });
});

import { describe, expect, test } from "vitest";
import { inferTypes } from "../../../src/graph/infer-types.ts";
import type { Architecture } from "../../../src/models/architectures/architecture.ts";
import { ARCHITECTURES } from "../../../src/models/architectures/table.ts";

const ROWS = Object.entries<Architecture>(ARCHITECTURES);

describe.each(ROWS)("%s", (key, design) => {
  const { minimum, multipleOf } = design.sizes;
  const smallest = Math.ceil(minimum / multipleOf) * multipleOf;

  test("is listed by its name, with a legal size", () => {
    expect(design.name).toBe(key);
    expect(design.source).toMatch(/arXiv:\d{4}\.\d{4,5}/);
    expect(design.build().inputSize).toEqual(design.inputSize);
  });

  test.each([
    ["its own size", design.inputSize],
    ["the smallest size", [smallest, smallest]],
    ["another size", [smallest + 3 * multipleOf, smallest + 8 * multipleOf]],
  ] as const)("has the shapes that it notes, at %s", (_what, inputSize) => {
    const network = design.build({ inputSize, numClasses: 7 });
    const types = inferTypes(network.topology);
    expect(types.get("input")).toEqual({ dtype: "float32", shape: ["batch", 3, ...inputSize] });
    expect(types.get("logits")).toEqual({ dtype: "float32", shape: ["batch", 7] });
    const { features, featureWidth, stages } = network;
    expect(types.get(features)!.shape).toContain(featureWidth);
    for (const { output, shape } of stages) expect(types.get(output)!.shape).toEqual(["batch", ...shape]);
  });

  test("declares parameters, stages and ends that go together", () => {
    const { parameters, stages, classifier, stem, featureWidth, numClasses, topology } = design.build();
    const names = parameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(topology.inputs.map(({ name }) => name)).toEqual(["input", ...names]);
    const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
    expect(shapes.get(classifier.weight)!.slice(0, 2)).toEqual([numClasses, featureWidth]);
    if (classifier.bias) expect(shapes.get(classifier.bias)).toEqual([numClasses]);
    expect(shapes.get(stem)![1]).toBe(3);
    const staged = stages.flatMap((stage) => stage.parameters);
    const ends = [classifier.weight, classifier.bias].filter((name) => name !== undefined);
    expect([...staged, ...ends].toSorted()).toEqual(names.toSorted());
    expect(new Set(stages.map(({ name }) => name)).size).toBe(stages.length);
    expect(stages.length).toBeGreaterThan(2);
  });

  test("refuses sizes and numbers of classes that it cannot have", () => {
    const wrong = minimum > 1 ? smallest - multipleOf : 0;
    expect(() => design.build({ inputSize: [wrong, smallest] })).toThrow(`${key} requires a height and width from`);
    expect(() => design.build({ inputSize: [smallest, 5000] })).toThrow(`got ${smallest} x 5000`);
    expect(() => design.build({ inputSize: [smallest, smallest + 0.5] })).toThrow("requires a height and width");
    expect(() => design.build({ numClasses: 0 })).toThrow("a number of classes from 1 to 1000000, got 0");
    expect(() => design.build({ numClasses: Number.NaN })).toThrow("got NaN");
  });
});

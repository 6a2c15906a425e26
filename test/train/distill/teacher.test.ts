import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { Model } from "../../../src/models/model.ts";
import { teacherGraph } from "../../../src/train/distill/teacher.ts";
import { TINY_WIDTH, tinyGraph } from "../../models/tiny.ts";

function modelOf(graph: Graph): Model {
  const none = { metadata: new Map<string, string>(), labels: undefined };
  return new Model({ ...none, name: "teacher", graph, preprocessing: undefined, preprocessingSource: "" });
}

/** The tiny classifier with more behind its scores. */
function followedBy(...ops: readonly string[]): Model {
  const graph = tinyGraph();
  const b = new GraphBuilder("followed", graph);
  const last = ops.reduce((value, op) => b.op(op, [value]), "scores");
  return modelOf(b.build([{ name: last, dtype: "float32", shape: ["batch", 10] }]));
}

const widthOf = ({ outputs }: Graph): unknown => outputs[0]!.shape!.at(-1);

describe("a teacher gives", () => {
  test("the features before its classifier", () => {
    expect(widthOf(teacherGraph(modelOf(tinyGraph()), "features"))).toBe(TINY_WIDTH);
    expect(widthOf(teacherGraph(modelOf(tinyGraph({ classes: 0 })), "features"))).toBe(TINY_WIDTH);
  });

  test.each([[], ["Softmax"], ["LogSoftmax"], ["Softmax", "Identity"]])("its scores, before %j", (...ops) => {
    const { outputs } = teacherGraph(followedBy(...ops), "logits");
    expect(outputs).toEqual([{ name: "scores", dtype: "float32", shape: ["batch", 10] }]);
  });

  test("no scores where it has no classes that exclude each other", () => {
    for (const model of [modelOf(tinyGraph({ classes: 0 })), followedBy("Sigmoid")])
      expect(() => teacherGraph(model, "logits")).toThrow(
        "matching logits requires a teacher that ends with the scores",
      );
  });
});

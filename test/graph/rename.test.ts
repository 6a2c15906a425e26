import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { withoutNames } from "../../src/graph/rename.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { float32 } from "../../src/tensor/tensor.ts";

/** y = (x + w) + w of values with these names. */
function sums(x: string, w: string, sum: string, captures: readonly string[] = []): Graph {
  const b = new GraphBuilder("sums");
  b.input({ name: x, dtype: "float32", shape: [2] });
  b.initializer(w, float32([2], [1, 2]));
  b.named("Add", [b.named("Add", [x, w], sum), w], "y", {
    ...(captures.length > 0 && { body: { kind: "opaque", value: create(AttributeProtoSchema), captures } }),
  });
  return b.build([{ name: "y", dtype: "float32", shape: [2] }]);
}

test("inputs, initializers, computed values and outputs make way, wherever they are read", () => {
  const { graph, renamed } = withoutNames(sums("a", "b", "c"), ["a", "b", "c", "y", "z"], "old.");
  expect(graph.inputs[0]!.name).toBe("old.a");
  expect([...graph.initializers.keys()]).toEqual(["old.b"]);
  expect(graph.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs])).toEqual([
    ["old.a", "old.b", "old.c"],
    ["old.c", "old.b", "old.y"],
  ]);
  expect(graph.outputs[0]!.name).toBe("old.y");
  expect(["a", "z"].map(renamed)).toEqual(["old.a", "z"]);
});

test("a new name is free too", () => {
  const { graph } = withoutNames(sums("a", "old.a", "old.old.a"), ["a", "old.a"], "old.");
  const names = [graph.inputs[0]!.name, ...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)];
  expect(new Set(names).size).toBe(4);
  expect(names).not.toContain("a");
  expect(names).not.toContain("old.a");
});

test("a graph without such names is returned as it is", () => {
  const graph = sums("a", "b", "c");
  expect(withoutNames(graph, ["z"], "old.").graph).toBe(graph);
});

test("a name that a subgraph reads is refused", () => {
  expect(() => withoutNames(sums("a", "b", "c", ["a"]), ["a"], "old.")).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining('of Add "y" reads "a"') }),
  );
});

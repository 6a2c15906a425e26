import { expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { memoryUse } from "../../src/graph/liveness.ts";

/** x [batch, 100] → a → b → c, each of 400 bytes an image; `keep` also gives a. */
function chain({ keep = false } = {}): Graph {
  const b = new GraphBuilder("chain");
  const x = b.input({ name: "x", dtype: "float32", shape: ["batch", 100] });
  const first = b.named("Relu", [x], "a");
  const second = b.named("Relu", [first], "b");
  b.named("Relu", [second], "c");
  const type = { dtype: "float32", shape: ["batch", 100] } as const;
  return b.build([{ ...type, name: "c" }, ...(keep ? [{ ...type, name: "a" }] : [])]);
}

test("a value takes memory until its last reader has run; inputs are not counted", () => {
  expect(memoryUse(chain(), new Map([["batch", 2]]))).toEqual({ peak: 2 * 2 * 400, at: "b", unknown: 0 });
});

test("an output keeps its memory", () => {
  expect(memoryUse(chain({ keep: true }), new Map([["batch", 2]]))).toMatchObject({ peak: 3 * 2 * 400, at: "c" });
});

test("a view shares memory with what it shows, for as long as either is read", () => {
  const b = new GraphBuilder("views");
  const x = b.input({ name: "x", dtype: "float32", shape: [10] });
  const a = b.named("Relu", [x], "a");
  const view = b.named("Reshape", [a, b.ints([5, 2])], "view");
  const other = b.named("Relu", [x], "other");
  b.named("Add", [b.reshape(view, b.ints([10])), other], "sum");
  expect(memoryUse(b.build([{ name: "sum", dtype: "float32", shape: [10] }]))).toEqual({
    peak: 120,
    at: "sum",
    unknown: 0,
  });
});

test("a value that nobody reads is freed at once, and one of unknown size is counted as such", () => {
  const b = new GraphBuilder("unread");
  const x = b.input({ name: "x", dtype: "float64", shape: [8] });
  b.named("Relu", [x], "unread");
  b.named("Neg", [x], "y");
  expect(memoryUse(b.build([{ name: "y", dtype: "float64", shape: [8] }]))).toEqual({
    peak: 64,
    at: "unread",
    unknown: 0,
  });
  expect(memoryUse(chain())).toEqual({ peak: 0, at: "", unknown: 3 });
});

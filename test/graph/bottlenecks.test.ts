import { describe, expect, test } from "vitest";
import { bottlenecks } from "../../src/graph/bottlenecks.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { usedBy } from "../../src/graph/traverse.ts";
import { rng } from "../../src/random.ts";

function graphOf(body: (b: GraphBuilder) => Value): Graph {
  const b = new GraphBuilder("hand-made");
  b.input({ name: "x", dtype: "float32", shape: ["n", 4] });
  return b.build([{ name: body(b), dtype: "float32" }]);
}

const op = (b: GraphBuilder, name: Value, inputs: readonly Value[]): Value => b.op("Sum", inputs, {}, name);

/** A residual network: stem, block, block, end, with a side branch that computes a weight. */
const residual = graphOf((b) => {
  const stem = op(b, "stem", ["x"]);
  const left = op(b, "left", [stem]);
  const sum = op(b, "sum", [op(b, "left2", [left]), stem]);
  const weight = op(b, "weight", [b.scalar(1)]);
  return op(b, "end", [op(b, "sum2", [op(b, "right", [sum, weight]), sum])]);
});

describe("bottlenecks", () => {
  test("are what remains between branches, with both ends", () => {
    expect(bottlenecks(residual, "x", "end").values).toEqual(["x", "stem", "sum", "sum2", "end"]);
  });

  test("give every node the segment behind the last bottleneck before it, and side nodes that of their reader", () => {
    const { segments } = bottlenecks(residual, "x", "end");
    const byName = Object.fromEntries([...segments].map(([{ name }, segment]) => [name, segment]));
    expect(byName).toEqual({ stem: 0, left: 1, left2: 1, sum: 1, weight: 2, right: 2, sum2: 2, end: 3 });
  });

  test("name the nodes that join branches", () => {
    const { joins } = bottlenecks(residual, "x", "end");
    expect([...joins].map(({ name }) => name)).toEqual(["sum", "sum2"]);
  });

  test("leave out values that are not accepted, and start and end all the same", () => {
    const { values } = bottlenecks(residual, "x", "end", { accept: (value) => value === "sum" });
    expect(values).toEqual(["x", "sum", "end"]);
  });

  test("are not hidden by a value that is no way for data", () => {
    const graph = graphOf((b) => {
      const size = op(b, "size", ["x"]);
      return op(b, "end", [op(b, "middle", [op(b, "stem", ["x"])]), size]);
    });
    expect(bottlenecks(graph, "x", "end").values).toEqual(["x", "end"]);
    const { values } = bottlenecks(graph, "x", "end", { without: new Set(["size"]) });
    expect(values).toEqual(["x", "stem", "middle", "end"]);
  });

  test("count a value that one node reads twice once", () => {
    const graph = graphOf((b) => op(b, "end", [op(b, "square", ["x", "x"])]));
    expect(bottlenecks(graph, "x", "end").values).toEqual(["x", "square", "end"]);
  });

  test("do not see what the end does not depend on", () => {
    const graph = graphOf((b) => {
      const stem = op(b, "stem", ["x"]);
      op(b, "other", [stem]);
      return op(b, "end", [op(b, "middle", [stem])]);
    });
    expect(bottlenecks(graph, "x", "end").values).toEqual(["x", "stem", "middle", "end"]);
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "are those without which nothing arrives, in graph %i",
    (seed) => {
      const random = rng(seed);
      const graph = graphOf((b) => {
        const values = ["x"];
        for (let i = 0; i < 14; i++) {
          const pick = (): Value => values[Math.max(0, values.length - 1 - Math.floor(random.next() * 3))]!;
          values.push(op(b, `v${i}`, random.next() < 0.6 ? [pick()] : [pick(), pick()]));
        }
        return values.at(-1)!;
      });
      const end = graph.outputs[0]!.name;
      const arrives = (without: Value | undefined): boolean => {
        const reached = new Set(["x"]);
        for (const node of graph.nodes)
          if (node.name !== without && usedBy(node).some((value) => reached.has(value))) reached.add(node.name);
        return reached.has(end);
      };
      const wanted = graph.nodes.map(({ name }) => name).filter((name) => name !== end && !arrives(name));
      expect(bottlenecks(graph, "x", end).values).toEqual(["x", ...wanted, end]);
    },
  );
});

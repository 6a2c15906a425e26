/** The package's second entry: what it offers, and what can be done with it alone. */
import { expect, test } from "vitest";
import * as entry from "../src/autodiff.ts";
import {
  BUILT_IN_RULES,
  broadcasting,
  float32,
  GraphBuilder,
  gradient,
  inferTypes,
  int,
  joinChunks,
  loadGraph,
  printGraph,
  RootstockError,
  type RuleTable,
  rule,
  Session,
  type ShapeRules,
  saveGraph,
  type Tensor,
  toNumbers,
  type Value,
} from "../src/autodiff.ts";

/** A graph with the input p [3] and the sum of what `body` makes of it as loss. */
function lossGraph(body: (b: GraphBuilder) => Value) {
  const b = new GraphBuilder("test");
  b.input({ name: "p", dtype: "float32", shape: [3] });
  b.named("ReduceSum", [body(b)], "loss", { keepdims: int(0) });
  return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
}

async function run(graph: entry.Graph, p: readonly number[]): Promise<Record<Value, Tensor>> {
  await using session = await Session.create(graph, { threads: 1 });
  return await session.run({ p: float32([3], p) });
}

test("these names are public", () => {
  expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
    [
      "BUILT_IN_RULES",
      "GraphBuilder",
      "RootstockError",
      "Session",
      "broadcasting",
      "float",
      "float32",
      "gradient",
      "gradientName",
      "inferTypes",
      "int",
      "int64",
      "ints",
      "joinChunks",
      "loadGraph",
      "printGraph",
      "rule",
      "saveGraph",
      "scalar",
      "string",
      "tensor",
      "toNumbers",
      "zeros",
    ]
  `);
});

test("a rule takes formal names that no operator of the package has, and one operator may get another rule", async () => {
  const straightThrough = rule({ rounded: ({ dy }) => dy });
  const rules: RuleTable = { ...BUILT_IN_RULES, Round: straightThrough };
  const graph = lossGraph((b) => b.mul("p", b.op("Round", ["p"])));
  const out = await run(gradient(graph, { of: "loss", with: ["p"], rules }), [0.75, -1.25, 2]);
  expect(toNumbers(out["p.gradient"]!)).toEqual([1 + 0.75, -1 - 1.25, 2 + 2]); // d p round(p) = round(p) + p
});

test("products of a broadcasting rule are summed to the shape of their input", async () => {
  const add = broadcasting({ left: ({ dy }) => dy, right: ({ b, dy }) => b.mul(dy, b.scalar(2)) });
  const graph = lossGraph((b) => b.op("Add", [b.constant(float32([4, 3], new Float32Array(12))), "p"]));
  const out = await run(
    gradient(graph, { of: "loss", with: ["p"], rules: { ...BUILT_IN_RULES, Add: add } }),
    [1, 2, 3],
  );
  expect(toNumbers(out["p.gradient"]!)).toEqual([8, 8, 8]);
});

test("a gradient graph is saved, loaded and run", async () => {
  const training = gradient(
    lossGraph((b) => b.mul("p", "p")),
    { of: "loss", with: ["p"] },
  );
  const { graph } = loadGraph(joinChunks(saveGraph(training)));
  expect(toNumbers((await run(graph, [1, -2, 3]))["p.gradient"]!)).toEqual([2, -4, 6]);
});

test("operators of another domain are printed, and typed by rules of the caller", () => {
  const graph = lossGraph((b) => b.custom("com.example", "SlowGelu", ["p"]));
  expect(printGraph(graph)).toContain("%slowgelu: ? = com.example.SlowGelu(%p)");
  const shapes: ShapeRules = { "com.example.SlowGelu": ({ inputs }) => [inputs[0]] };
  expect(inferTypes(graph, shapes).get("slowgelu")).toEqual({ dtype: "float32", shape: [3] });
  expect(() => gradient(graph, { of: "loss", with: ["p"] })).toThrow(RootstockError);
});

test("an operator of another domain, with a rule and a shape of the caller, is differentiated and run", async () => {
  // y = x s with s = sigmoid(1.702 x): dx = dy (s + 1.702 y (1 - s))
  const quickGelu = rule({
    X: ({ b, x, y, dy }) => {
      const s = b.sigmoid(b.mul(b.scalar(1.702), x.X));
      return b.mul(dy, b.add(s, b.mul(b.mul(b.scalar(1.702), y), b.sub(b.scalar(1), s))));
    },
  });
  const rules: RuleTable = { ...BUILT_IN_RULES, "com.microsoft.QuickGelu": quickGelu };
  const shapes: ShapeRules = { "com.microsoft.QuickGelu": ({ inputs }) => [inputs[0]] };
  const graph = lossGraph((b) => b.custom("com.microsoft", "QuickGelu", ["p"]));
  const out = await run(gradient(graph, { of: "loss", with: ["p"], rules, shapes }), [1, -2, 0.5]);
  for (const [i, x] of [1, -2, 0.5].entries()) {
    const s = 1 / (1 + Math.exp(-1.702 * x));
    expect(toNumbers(out["p.gradient"]!)[i]).toBeCloseTo(s + 1.702 * x * s * (1 - s), 5);
  }
});

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { BUILT_IN_RULES, gradientPath, type RuleTable, ruleOf } from "../../src/autodiff/check.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import { broadcasting, type VjpRule } from "../../src/autodiff/rule.ts";
import { VJP_RULES } from "../../src/autodiff/rules/table.ts";
import { type Attributes, int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";

/** A graph over `p` [2, 2] whose loss is the sum of what `body` returns. */
function graphOf(body: (b: GraphBuilder) => Value): Graph {
  const b = new GraphBuilder("test");
  b.input({ name: "p", dtype: "float32", shape: [2, 2] });
  b.named("ReduceSum", [body(b)], "loss", { keepdims: int(0) });
  return b.build([{ name: "loss", dtype: "float32", shape: [] }]);
}

/** Three operators that stand for those without a rule. */
const FEWER_RULES: RuleTable = { ...BUILT_IN_RULES, Ceil: undefined, Erf: undefined, Sin: undefined };

function messageOf(graph: Graph, rules = FEWER_RULES): string {
  try {
    gradient(graph, { of: "loss", with: ["p"], rules });
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError", code: "NOT_DIFFERENTIABLE" });
    return (error as Error).message;
  }
  throw new Error("did not throw");
}

const node = (op: string, domain = ""): Node => ({ op, domain, name: op, inputs: [], outputs: [], attributes: {} });

describe("NOT_DIFFERENTIABLE", () => {
  test("lists every node without a rule at once, from the loss backwards, and says what to freeze", () => {
    const graph = graphOf((b) => {
      const first = b.op("Erf", ["p"], {}, "early");
      const second = b.op("Sin", [b.exp(first)], {}, "middle");
      return b.op("Ceil", [second], {}, "late");
    });
    expect(messageOf(graph)).toBe(
      'cannot differentiate 3 of 5 nodes between the parameters and "loss": Ceil "late" (no gradient rule), ' +
        'Sin "middle" (no gradient rule), Erf "early" (no gradient rule). ' +
        'Freeze everything up to and including "late", or pass a rule for the operator.',
    );
  });

  test("names forms of operators that their rules do not cover beside operators without a rule", () => {
    const graph = graphOf((b) => b.op("Erf", [b.cast(b.cast("p", "int32"), "float32")]));
    expect(messageOf(graph)).toContain('Erf "erf" (no gradient rule), ');
    expect(messageOf(graph)).toContain('Cast "cast" (Cast to a whole-number type)');
  });

  test("tells rules what is constant: Slice along axes that are computed", () => {
    const sliced = (axes: (b: GraphBuilder) => Value): Graph =>
      graphOf((b) => b.op("Slice", ["p", b.ints([0]), b.ints([1]), axes(b)]));
    const constant: Attributes = { value_ints: ints([1]) };
    expect(() =>
      gradient(
        sliced((b) => b.ints([1])),
        { of: "loss", with: ["p"] },
      ),
    ).not.toThrow();
    expect(() =>
      gradient(
        sliced((b) => b.op("Constant", [], constant)),
        { of: "loss", with: ["p"] },
      ),
    ).not.toThrow();
    const computed = sliced((b) => b.input({ name: "axes", dtype: "int64", shape: [1] }));
    expect(messageOf(computed)).toContain('Slice "slice" (axes that are computed)');
  });

  test("shows ten nodes and counts the others", () => {
    const graph = graphOf((b) => {
      let value: Value = "p";
      for (let i = 0; i < 13; i++) value = b.op("Erf", [value]);
      return value;
    });
    const message = messageOf(graph);
    expect(message).toContain("cannot differentiate 13 of 14 nodes");
    expect(message.match(/no gradient rule/g)).toHaveLength(10);
    expect(message).toContain(" and 3 more.");
  });

  test("names a value whose rank is not known", () => {
    const b = new GraphBuilder("test");
    b.input({ name: "p", dtype: "float32" });
    b.named("ReduceSum", [b.exp("p")], "loss", { keepdims: int(0) });
    const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
    expect(messageOf(graph)).toContain('Exp "exp" (the rank of ');
  });

  test("names the domain of operators that are not ONNX's", () => {
    const graph = graphOf((b) => b.op("Gelu", ["p"]));
    const nodes = graph.nodes.map((n) => (n.op === "Gelu" ? { ...n, domain: "com.example" } : n));
    expect(messageOf({ ...graph, nodes })).toContain('com.example.Gelu "gelu" (no gradient rule)');
  });

  test("covers gradients that would come through a further output of a node", () => {
    const graph = graphOf((b) => {
      const [first, second] = b.ops("Split", ["p"], 2, { axis: int(0), num_outputs: int(2) });
      return b.add(first!, second!);
    });
    const rules = { ...BUILT_IN_RULES, Split: BUILT_IN_RULES["Identity"] };
    expect(messageOf(graph, rules)).toContain('(the loss depends on its further output "split_1")');
  });

  test("covers gradients of inputs that a rule has no entry for", () => {
    const sum: VjpRule = broadcasting<"Add">({ A: ({ dy }) => dy, B: ({ dy }) => dy }) as VjpRule; // two inputs only
    const graph = graphOf((b) => {
      const squared = b.named("Mul", ["p", "p"], "squared");
      return b.op("Sum", [b.exp("p"), b.neg("p"), squared]);
    });
    expect(messageOf(graph, { ...BUILT_IN_RULES, Sum: sum })).toContain(
      'Sum "sum" (its rule has no entry for "squared")',
    );
  });

  test("covers parameters that are used inside a subgraph", () => {
    const branch = { kind: "opaque" as const, value: create(AttributeProtoSchema, {}), captures: ["p"] };
    const graph = graphOf((b) => {
      b.input({ name: "condition", dtype: "bool", shape: [] });
      const chosen = b.op("If", ["condition"], { then_branch: branch, else_branch: branch }, "choice");
      return b.add(b.exp("p"), chosen);
    });
    expect(messageOf(graph)).toContain('If "choice" (no gradient rule)');
  });
});

describe("ruleOf", () => {
  test("finds built-in rules by operator and others by domain", () => {
    const mine = VJP_RULES.Relu as VjpRule; // any rule will do
    const rules = { ...BUILT_IN_RULES, "com.acme.Relu": mine };
    expect(ruleOf(node("Tanh"), rules)).toBe(VJP_RULES.Tanh);
    expect(ruleOf(node("Relu", "com.acme"), rules)).toBe(mine);
    expect(ruleOf(node("Tanh", "com.acme"), rules)).toBeUndefined();
  });

  test("does not take names from the prototype of objects", () => {
    expect(ruleOf(node("constructor"), BUILT_IN_RULES)).toBeUndefined();
    expect(ruleOf(node("toString"), BUILT_IN_RULES)).toBeUndefined();
  });
});

describe("gradientPath", () => {
  test("holds the nodes between the parameters and the loss, last first, and the values between them", () => {
    const graph = graphOf((b) => {
      const frozen = b.op("Erf", [b.input({ name: "x", dtype: "float32", shape: [2, 2] })], {}, "frozen");
      b.op("Sin", ["p"], {}, "aside");
      return b.mul(b.op("Exp", ["p"], {}, "grown"), frozen);
    });
    const { nodes, values } = gradientPath(graph, "loss", ["p"], BUILT_IN_RULES);
    expect(nodes.map(({ name }) => name)).toEqual(["loss", "mul", "grown"]);
    expect([...values].sort()).toEqual(["grown", "loss", "mul", "p"]);
  });

  test("is empty where the parameters do not reach the loss", () => {
    const graph = graphOf((b) => b.exp(b.input({ name: "x", dtype: "float32", shape: [2] })));
    const { nodes, values } = gradientPath(graph, "loss", ["p"], BUILT_IN_RULES);
    expect(nodes).toEqual([]);
    expect(values.has("p")).toBe(false);
  });
});

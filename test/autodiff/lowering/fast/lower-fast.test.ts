import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { differentiate, gradient } from "../../../../src/autodiff/gradient.ts";
import { GRADIENT_DOMAIN } from "../../../../src/autodiff/gradient-operators.ts";
import { BLOCKED_DOMAIN } from "../../../../src/autodiff/lowering/fast/blocked-conv.ts";
import { type FastOptions, lowerFast } from "../../../../src/autodiff/lowering/fast/lower-fast.ts";
import { type Attribute, int } from "../../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../../src/graph/builder.ts";
import type { Graph } from "../../../../src/graph/graph.ts";
import { saveGraph } from "../../../../src/graph/save.ts";
import { decodeModel } from "../../../../src/onnx/decode.ts";
import { joinChunks } from "../../../../src/onnx/encode.ts";
import { AttributeProtoSchema } from "../../../../src/onnx/onnx-pb.ts";
import type { Tensors } from "../../../../src/runtime/session.ts";
import { toNumbers } from "../../../../src/tensor/tensor.ts";
import { randomTensor, worstError } from "../reference.ts";
import { BLOCK, describeBlocked, operatorsOf, run } from "./blocked.ts";
import { NETS, type Net, net } from "./nets.ts";

function fast({ graph, parameters }: Net, options: Partial<FastOptions> = {}): Graph {
  return lowerFast(differentiate(graph, { of: "loss", with: parameters }), { block: BLOCK, ...options });
}

function feedsOf({ graph }: Net): Tensors {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const tensor = randomTensor(`${graph.name} ${name}`, shape as number[]); // the nets have numbers alone
      if (name === "image") return [name, tensor];
      const fan = Math.max(1, tensor.data.length / tensor.shape[0]!);
      return [name, { ...tensor, data: tensor.data.map((value) => value / Math.sqrt(fan)) }];
    }),
  );
}

describeBlocked("networks, lowered fast, agree with the portable lowering", () => {
  test.each(NETS.map((one) => [one.graph.name, one] as const))("%s", async (_name, one) => {
    const wanted = await run(gradient(one.graph, { of: "loss", with: one.parameters }), feedsOf(one));
    const lowered = fast(one);
    const got = await run(lowered, feedsOf(one));
    expect(Object.keys(got)).toEqual(Object.keys(wanted));
    for (const [name, tensor] of Object.entries(wanted)) {
      expect(got[name]!.shape, name).toEqual(tensor.shape);
      expect(worstError(got[name]!, Float64Array.from(toNumbers(tensor))), name).toBeLessThan(
        name === "loss" ? 5e-5 : 5e-6, // a sum of both signs, smaller than its terms
      );
    }
  });
});

describe("the graph", () => {
  const fire = NETS[0]!;

  test("keeps inputs, and names, types and order of the outputs", () => {
    const before = differentiate(fire.graph, { of: "loss", with: fire.parameters });
    const after = fast(fire);
    expect(after.inputs).toEqual(before.inputs);
    expect(after.outputs).toEqual(before.outputs);
    expect([...after.opsets]).toEqual([
      ["", before.opsets.get("")],
      [BLOCKED_DOMAIN, 1],
    ]);
    const names = after.nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("has no gradient operator left, and every convolution blocked", () => {
    for (const one of NETS) expect(fast(one).nodes.filter(({ domain }) => domain === GRADIENT_DOMAIN)).toEqual([]);
    const plain = fast(fire).nodes.filter(({ op, domain }) => op === "Conv" && domain === "");
    expect(plain).toHaveLength(1); // dW of the stem
  });

  test("adds residuals and applies Relu in the convolution", () => {
    const operators = operatorsOf(lowerFast(NETS[2]!.graph, { block: BLOCK }));
    expect(operators.filter((op) => op === "Relu" || op === "Add")).toEqual([]);
  });

  test("normalizes by the batch in blocked operators", () => {
    const normalized = NETS.find(({ graph }) => graph.name.startsWith("normalization by the batch"))!;
    const before = differentiate(normalized.graph, { of: "loss", with: normalized.parameters });
    expect(operatorsOf(before).filter((op) => op === "BatchNormalization")).toHaveLength(2);
    expect(operatorsOf(fast(normalized))).not.toContain("BatchNormalization");
  });

  test("has no blocked operator where there is nothing to block", () => {
    const one = net("linear", [4, 8], ({ b, parameter }) => [b.matmul("image", parameter([8, 3])), [4, 3]]);
    const lowered = fast(one);
    expect(lowered.nodes.filter(({ domain }) => domain !== "")).toEqual([]);
    expect([...lowered.opsets.keys()]).toEqual([""]);
  });

  test("names blocked operators nowhere but in its own domain", () => {
    const plain = gradient(fire.graph, { of: "loss", with: fire.parameters });
    expect(operatorsOf(plain).filter((op) => op.startsWith("*"))).toEqual([]);
  });
});

/** Convolution, Relu, convolution, whose inner values others read too. */
function read(extra: (b: GraphBuilder, inner: string, outer: string) => void, outputs: readonly string[]): Graph {
  const b = new GraphBuilder("read");
  b.input({ name: "image", dtype: "float32", shape: [2, 3, 6, 6] });
  const first = b.op("Conv", ["image", b.constant(randomTensor("first", [24, 3, 3, 3]))], {}, "first"); // [2, 24, 4, 4]
  const y = b.op("Relu", [first], {}, "middle");
  const second = b.op("Conv", [y, b.constant(randomTensor("second", [16, 24, 3, 3]))], {}, "second");
  extra(b, first, second);
  return b.build(outputs.map((name) => ({ name, dtype: "float32" })));
}

async function expectSame(graph: Graph): Promise<Graph> {
  const feeds = { image: randomTensor("image", [2, 3, 6, 6]) };
  const lowered = lowerFast(graph, { block: BLOCK });
  const [wanted, got] = [await run(graph, feeds), await run(lowered, feeds)];
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, tensor] of Object.entries(wanted)) {
    expect(got[name]!.shape, name).toEqual(tensor.shape);
    expect(worstError(got[name]!, Float64Array.from(toNumbers(tensor))), name).toBeLessThan(2e-6);
  }
  return lowered;
}

describe("options", () => {
  test("open sizes are refused, saying what to do", () => {
    const b = new GraphBuilder("open");
    b.input({ name: "image", dtype: "float32", shape: ["n", 3, 4, 4] });
    const graph = b.build([{ name: b.op("Relu", ["image"]), dtype: "float32" }]);
    expect(() => lowerFast(graph, { block: 16 })).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message:
          'lowerFast requires static shapes, got input "image" of shape [n, 3, 4, 4]: bind its sizes to numbers, or lower with PORTABLE.',
      }),
    );
  });

  test("other blocks than ONNX Runtime has are refused", () => {
    expect(() => lowerFast(NETS[0]!.graph, { block: 4 })).toThrow(/BAD_CONFIG|block requires 8 or 16 channels/);
  });

  test("blocks of 8 and 16 channels give the same outputs by the same operators", () => {
    for (const one of NETS) {
      const [small, large] = [8, 16].map((block) => fast(one, { block }));
      expect(small!.outputs).toEqual(large!.outputs);
      expect(small!.nodes.filter(({ domain }) => domain === BLOCKED_DOMAIN).length).toBeGreaterThan(0);
    }
  });

  test("flat outputs have the same elements without a copy", () => {
    const one = net("linear", [2, 32, 4, 4], ({ conv }) => [conv("image", [32, 16], 1), [2, 16, 4, 4]]);
    const last = (graph: Graph) => graph.nodes.find(({ outputs }) => outputs[0] === "w0.gradient");
    expect(last(fast(one))?.op).toBe("Reshape");
    expect(last(fast(one, { flatOutputs: true }))?.op).toBe("Gemm");
    expect(fast(one, { flatOutputs: true }).outputs).toEqual([
      { name: "loss", dtype: "float32", shape: [] },
      { name: "w0.gradient", dtype: "float32" },
      { name: "w1.gradient", dtype: "float32" },
    ]);
  });
});

describeBlocked("values that others read", () => {
  test("are plain under their own names as graph outputs", async () => {
    const graph = read((b, first) => b.named("Identity", [first], "copy"), ["second", "first", "copy", "middle"]);
    const lowered = await expectSame(graph);
    expect(operatorsOf(lowered)).toContain("Relu"); // not part of the convolution, whose result is an output
  });

  test("are there for subgraphs, which know them by name", async () => {
    const graph = read(
      (b, first, second) => {
        const condition = b.constant({ dtype: "bool", shape: [], data: Uint8Array.of(1) });
        const branches = {
          then_branch: branchOf("then_branch", first),
          else_branch: branchOf("else_branch", second),
        };
        b.named("If", [condition], "chosen", branches);
      },
      ["second", "chosen"],
    );
    await expectSame(graph);
  });

  test("stay apart for subgraphs where they are equal", async () => {
    const graph = read(
      (b, first) => {
        const [one, same] = [b.neg(first), b.neg(first)];
        const condition = b.constant({ dtype: "bool", shape: [], data: Uint8Array.of(0) });
        const branches = { then_branch: branchOf("then_branch", one), else_branch: branchOf("else_branch", same) };
        b.named("If", [condition], "chosen", branches);
      },
      ["second", "chosen"],
    );
    await expectSame(graph);
  });

  test("are shared by nodes with several outputs and of other types", async () => {
    const graph = read(
      (b, first, second) => {
        b.ops("Split", [first], 2, { axis: int(1), num_outputs: int(2) }, "part");
        const double = b.cast(second, "float64");
        b.named("Cast", [b.mul(b.op("Relu", [double]), double)], "third", { to: int(1) });
      },
      ["part", "part_1", "third"],
    );
    await expectSame(graph);
  });
});

/** A branch that gives a value of the graph around it, negated. */
function branchOf(name: string, value: string): Attribute {
  const b = new GraphBuilder("branch");
  const y = b.op("Neg", [value], {}, `${name} of ${value}`);
  const { graph: g } = decodeModel(joinChunks(saveGraph(b.build([{ name: y, dtype: "float32" }]))), "the branch");
  return { kind: "opaque", value: create(AttributeProtoSchema, { name, type: GRAPH, g }), captures: [value] };
}

/** The kind of an attribute that is a graph (onnx.proto, AttributeType). */
const GRAPH = 5;

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { float, int, ints } from "../../src/graph/attributes.ts";
import { type Graph, INTERNAL_OPSET, type Node, type ValueInfo } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { clampedInt64 } from "../../src/graph/int64.ts";
import { upgradeOpset } from "../../src/graph/upgrade.ts";
import { UPGRADES } from "../../src/graph/upgrade-rules.ts";
import { AttributeProtoSchema, GraphProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { x } from "./operator-call.ts";
import { bytesOfGraph, rawBytes, runBytes } from "./run-graph.ts";
import { half, image, OLD_CALLS, type OldCall, row, statistics } from "./upgrade-calls.ts";

function nodeOf({ op, attributes = {}, constants = [], outputs = ["y"] }: OldCall): Node {
  return { op, domain: "", name: "node", inputs: ["x", ...constants.map((_, i) => `c${i}`)], outputs, attributes };
}

function graphOf(call: OldCall, node = nodeOf(call)): Graph {
  const initializers = new Map((call.constants ?? []).map((constant, i) => [`c${i}`, constant] as const));
  const inputs: ValueInfo[] = [{ name: "x", dtype: call.input.dtype, shape: call.input.shape }];
  const graph = { name: "old", inputs, outputs: [], nodes: [node], initializers, opsets: new Map([["", call.opset]]) };
  const types = inferTypes(graph);
  const outputs = node.outputs
    .filter((name) => !name.startsWith("unused"))
    .map((name) => ({ name, dtype: types.get(name)?.dtype ?? "float32" }));
  return { ...graph, outputs };
}

describe("every change of an operator", () => {
  test("is exercised by a call", () => {
    expect([...new Set(OLD_CALLS.map(({ op }) => op))].sort()).toEqual(Object.keys(UPGRADES).sort());
  });

  const titled = OLD_CALLS.map((call, i) => [`${call.op} of opset ${call.opset} (${i + 1})`, call] as const);
  test.each(titled)("%s computes the same bits", async (_, call) => {
    const old = graphOf(call);
    const graph = upgradeOpset(old);
    expect(graph.opsets.get("")).toBe(INTERNAL_OPSET);
    const before = await runBytes(bytesOfGraph(old), { x: call.input });
    const after = await runBytes(bytesOfGraph(graph), { x: call.input });
    for (const { name } of graph.outputs) {
      expect(after[name]!.dims).toEqual(before[name]!.dims);
      expect(rawBytes(after[name]!)).toEqual(rawBytes(before[name]!));
      expect(inferTypes(graph).get(name)?.shape).toEqual(before[name]!.dims);
    }
  });
});

describe("forms", () => {
  const upgraded = (call: OldCall): Graph => upgradeOpset(graphOf(call));

  test("a softmax over the last axis stays one node", () => {
    expect(upgraded({ op: "Softmax", opset: 9, input: row }).nodes).toMatchObject([
      { op: "Softmax", attributes: { axis: int(1) } },
    ]);
    expect(upgraded({ op: "Softmax", opset: 9, input: x(2, 3, 4).fed }).nodes.map(({ op }) => op)).toEqual([
      "Flatten",
      "Softmax",
      "Shape",
      "Reshape",
    ]);
  });

  test("bounds of a float16 Clip are float16", () => {
    const graph = upgraded({ op: "Clip", opset: 9, input: half(0, 0), attributes: { min: float(0), max: float(6) } });
    expect([...graph.initializers.values()]).toEqual([
      tensor("float16", [], Uint16Array.of(0)),
      tensor("float16", [], Uint16Array.of(0x4600)),
    ]);
  });

  test("unused training outputs of BatchNormalization are dropped", () => {
    const call: OldCall = {
      op: "BatchNormalization",
      opset: 7,
      input: image,
      constants: statistics,
      outputs: ["y", "unused1", "unused2"],
    };
    expect(upgraded(call).nodes[0]!.outputs).toEqual(["y"]);
  });

  test("a used mask of an old Dropout keeps its type", () => {
    const graph = upgraded({ op: "Dropout", opset: 7, input: row, outputs: ["y", "mask"] });
    expect(inferTypes(graph).get("mask")).toEqual({ dtype: "float32", shape: [2, 6] });
  });

  test("INT64_MAX stays INT64_MAX", () => {
    const graph = upgraded({
      op: "Slice",
      opset: 9,
      input: row,
      attributes: { starts: ints([1]), ends: ints([2 ** 63]) },
    });
    expect(graph.initializers.get("node_ends")).toEqual(clampedInt64([2 ** 63]));
    expect(clampedInt64([2 ** 63]).data[0]).toBe(2n ** 63n - 1n);
  });

  test("new names avoid those that exist", () => {
    const call: OldCall = {
      op: "Unsqueeze",
      opset: 9,
      input: row,
      attributes: { axes: ints([0]) },
      outputs: ["node_axes"],
    };
    expect(upgraded(call).nodes[0]!.inputs).toEqual(["x", "node_axes_2"]);
  });

  test("newer opsets stay as they are", () => {
    const graph = graphOf({ op: "Relu", opset: 21, input: row });
    expect(upgradeOpset(graph)).toEqual(graph);
  });

  test("a model without nodes of the default domain needs no opset", () => {
    const graph = {
      ...graphOf({ op: "Relu", opset: 18, input: row }),
      nodes: [],
      opsets: new Map([["com.microsoft", 1]]),
    };
    expect(upgradeOpset(graph).opsets).toEqual(
      new Map([
        ["com.microsoft", 1],
        ["", INTERNAL_OPSET],
      ]),
    );
  });
});

describe("refusals", () => {
  const refusal = (...parts: string[]): unknown =>
    expect.objectContaining({ code: "UNSUPPORTED_OP", message: expect.stringMatching(new RegExp(parts.join(".*"))) });

  test("an opset before 7", () => {
    expect(() => upgradeOpset(graphOf({ op: "Relu", opset: 6, input: row }))).toThrow(
      refusal("opset 7 or later", "got 6"),
    );
  });

  test("all nodes at once", () => {
    const call: OldCall = {
      op: "BatchNormalization",
      opset: 7,
      input: image,
      constants: statistics,
      attributes: { spatial: int(0) },
      outputs: ["y", "mean"],
    };
    const graph = graphOf(call);
    const second = { ...graph.nodes[0]!, name: "second", outputs: ["z"] };
    expect(() =>
      upgradeOpset({
        ...graph,
        nodes: [...graph.nodes, second],
        outputs: [...graph.outputs, { name: "z", dtype: "float32" }],
      }),
    ).toThrow(
      refusal(
        "3 of 2 nodes".replace("3", "2"),
        '"node" \\(its training outputs are used; spatial=0\\)',
        '"second" \\(spatial=0\\)',
      ),
    );
  });

  test("subgraphs", () => {
    const call: OldCall = { op: "If", opset: 11, input: row };
    const proto = create(AttributeProtoSchema, { name: "then_branch", type: 5, g: create(GraphProtoSchema) });
    const node: Node = { ...nodeOf(call), attributes: { then_branch: { kind: "opaque", value: proto, captures: [] } } };
    expect(() => upgradeOpset(graphOf(call, node))).toThrow(refusal('If "node" \\(has a subgraph\\)'));
    expect(() => upgradeOpset({ ...graphOf(call, node), opsets: new Map([["", 18]]) })).not.toThrow();
  });
});

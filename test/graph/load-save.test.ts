import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { saveGraph } from "../../src/graph/save.ts";
import { DATA_LOCATION } from "../../src/onnx/attribute-kind.ts";
import { joinChunks } from "../../src/onnx/encode.ts";
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "../../src/onnx/onnx-pb.ts";
import { protoOfTensor } from "../../src/onnx/tensor-proto.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";

// Files made by hand.

const info = (
  name: string,
  ...dims: (number | string | undefined)[]
): ReturnType<typeof create<typeof ValueInfoProtoSchema>> => {
  const dim = dims.map((d) => {
    if (d === undefined) return {};
    return {
      value:
        typeof d === "number"
          ? { case: "dimValue" as const, value: BigInt(d) }
          : { case: "dimParam" as const, value: d },
    };
  });
  const value = create(TypeProtoSchema, { value: { case: "tensorType", value: { elemType: 1, shape: { dim } } } });
  return create(ValueInfoProtoSchema, { name, type: value });
};

const node = (
  opType: string,
  input: string[],
  output: string[],
  more: Partial<Pick<NodeProto, "name" | "domain" | "attribute">> = {},
): NodeProto => create(NodeProtoSchema, { opType, input, output, ...more });

interface FileParts {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: ReturnType<typeof info>[];
  readonly outputs?: ReturnType<typeof info>[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
  readonly domain?: string;
  readonly functions?: readonly string[];
}

function fileOf({
  nodes,
  inputs = [info("x", 2)],
  outputs = [info("y", 2)],
  initializers = {},
  domain = "",
  functions = [],
}: FileParts): Uint8Array {
  const initializer = Object.entries(initializers).map(([name, tensor]) => protoOfTensor(name, tensor));
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      graph: create(GraphProtoSchema, { node: [...nodes], input: inputs, output: outputs, initializer }),
      opsetImport: [{ domain, version: 18n }],
      functions: functions.map((name) => create(FunctionProtoSchema, { name })),
      metadataProps: [{ key: "license", value: "MIT" }],
    }),
  );
}

describe("loading", () => {
  const load = (parts: FileParts): Graph => loadGraph(fileOf(parts), { name: "model.onnx" }).graph;
  const refusal = (code: string, message: string): unknown =>
    expect.objectContaining({ code, message: expect.stringContaining(message) });

  test("reads metadata", () => {
    expect(loadGraph(fileOf({ nodes: [node("Relu", ["x"], ["y"])] })).metadata).toEqual(new Map([["license", "MIT"]]));
  });

  test("gives every node a name of its own", () => {
    const nodes = [
      node("Relu", ["x"], ["a"]),
      node("Relu", ["a"], ["b"], { name: "a" }),
      node("Relu", ["b"], ["y"], { name: "a" }),
    ];
    expect(load({ nodes }).nodes.map(({ name }) => name)).toEqual(["a", "a_2", "a_3"]);
  });

  test("sorts nodes and treats ai.onnx as the default domain", () => {
    const nodes = [node("Relu", ["a"], ["y"], { domain: "ai.onnx" }), node("Abs", ["x"], ["a"])];
    const graph = load({ nodes, domain: "ai.onnx" });
    expect(graph.nodes.map(({ op, domain }) => op + domain)).toEqual(["Abs", "Relu"]);
    expect(graph.opsets).toEqual(new Map([["", 18]]));
  });

  test("initializers that are listed as inputs are not inputs", () => {
    const graph = load({
      nodes: [node("Add", ["x", "w"], ["y"])],
      inputs: [info("x", 2), info("w", 2)],
      initializers: { w: float32([2], [1, 2]) },
    });
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  test("a dimension without a name of its own, or less than zero, is known by its place", () => {
    const graph = load({ nodes: [node("Relu", ["x"], ["y"])], inputs: [info("x", undefined, 3, "h", "", -1, "?")] });
    expect(graph.inputs[0]!.shape).toEqual(["x.0", 3, "h", "x.3", "x.4", "x.5"]);
  });

  test.each([
    [
      "a value that nothing defines",
      { nodes: [node("Relu", ["z"], ["y"])] },
      "BAD_MODEL",
      'reads "z", which nothing defines',
    ],
    [
      "a value that is defined twice",
      { nodes: [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])] },
      "BAD_MODEL",
      '"y" is defined twice',
    ],
    ["an output that is never computed", { nodes: [] }, "BAD_MODEL", 'the output "y" is never computed'],
    ["a model without outputs", { nodes: [], outputs: [] }, "BAD_MODEL", "model.onnx declares no output"],
    [
      "a cycle",
      { nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])] },
      "BAD_MODEL",
      "cycle",
    ],
    ["local functions", { nodes: [node("Relu", ["x"], ["y"])], functions: ["Gelu"] }, "UNSUPPORTED_OP", "Gelu"],
  ] as readonly [string, FileParts, string, string][])("refuses %s", (_, parts, code, message) => {
    expect(() => load(parts)).toThrow(refusal(code, message));
  });

  test("refuses external weights unless they can be read", () => {
    const proto = protoOfTensor("w", float32([2], [1, 2]));
    const externalData = [create(StringStringEntryProtoSchema, { key: "location", value: "w.bin" })];
    const external = { ...proto, rawData: new Uint8Array(), dataLocation: DATA_LOCATION.external, externalData };
    const graph = create(GraphProtoSchema, {
      node: [node("Add", ["x", "w"], ["y"])],
      input: [info("x", 2)],
      output: [info("y", 2)],
    });
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { graph: { ...graph, initializer: [external] }, opsetImport: [{ version: 18n }] }),
    );
    expect(() => loadGraph(bytes, { name: "model.onnx" })).toThrow(refusal("BAD_MODEL", "pass readExternal"));
    const { graph: loaded } = loadGraph(bytes, { readExternal: () => new Uint8Array(Float32Array.of(3, 4).buffer) });
    expect(loaded.initializers.get("w")).toEqual(float32([2], [3, 4]));
  });
});

describe("saving", () => {
  test("keeps attributes of every kind, shapes, opsets and metadata", () => {
    const b = new GraphBuilder("kinds");
    b.input({ name: "x", dtype: "float32", shape: ["batch", 3] });
    b.input({ name: "free", dtype: "int64" });
    const y = b.op("Relu", ["x"], {
      int: int(-3),
      large: int(2 ** 63),
      float: { kind: "float", value: 0.5 },
      string: { kind: "string", value: "é" },
      ints: ints([1, -1, 2 ** 63]),
      floats: { kind: "floats", value: [0.5, -2] },
      strings: { kind: "strings", value: ["a", ""] },
      tensor: { kind: "tensor", value: int64([1, 2]) },
    });
    const graph = {
      ...b.build([{ name: y, dtype: "float32", shape: [1, 3] }]),
      opsets: new Map([
        ["", 18],
        ["com.example", 2],
      ]),
    };
    const again = loadGraph(joinChunks(saveGraph(graph, new Map([["author", "me"]]))));
    expect(again.graph).toEqual(graph);
    expect(again.metadata).toEqual(new Map([["author", "me"]]));
  });
});

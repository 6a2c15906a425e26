import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Dim, Graph } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
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
import { bytesOf, float32, int64, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { assets, withAssets } from "../assets.ts";
import { bytesOfGraph, rawBytes, runBytes } from "./run-graph.ts";

interface Reference {
  readonly input_shape: readonly number[];
  readonly inputs: readonly string[];
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly shape: readonly number[];
        readonly first8: readonly number[];
        readonly mean: number;
        readonly l2: number;
      }
    >
  >;
}

function references(): [string, Reference][] {
  if (!assets) return [["(assets are not installed)", { input_shape: [], inputs: [], outputs: {} }]];
  const { onnx } = JSON.parse(readFileSync(join(assets, "models/reference.json"), "utf8")) as {
    onnx: Record<string, Reference>;
  };
  return Object.entries(onnx);
}

const read = (path: string): Uint8Array => readFileSync(join(assets!, "models", path));

/** x[i] = sin(0.001 i), the input that the reference outputs were computed on. */
function sine(shape: readonly number[]): Tensor {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.001 * i)),
  );
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

withAssets("real models", () => {
  describe.each(references())("%s", (path, reference) => {
    // The saved graph is folded, and raised from opset 11 or 17 to 18: neither changes a bit.
    test("computes the same bits after loading and saving, and the reference's numbers", async () => {
      const bytes = read(path);
      const { graph, metadata } = loadGraph(bytes, { name: path });
      const feeds = { [reference.inputs[0]!]: sine(reference.input_shape) };
      const before = await runBytes(bytes, feeds);
      const after = await runBytes(joinChunks(saveGraph(graph, metadata)), feeds);
      expect(Object.keys(after)).toEqual(Object.keys(reference.outputs));
      for (const [name, expected] of Object.entries(reference.outputs)) {
        const values = after[name]!.data as Float32Array; // every reference output is float32
        expect(after[name]!.dims).toEqual(expected.shape);
        expect(Buffer.compare(rawBytes(after[name]!), rawBytes(before[name]!))).toBe(0);
        for (const [i, value] of expected.first8.entries())
          expect(Math.abs(values[i]! - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
        expect(Math.abs(norm(values) / expected.l2 - 1)).toBeLessThan(1e-4);
      }
    });

    test("has the inferred shape in every value, for one image and for two", async () => {
      const { graph } = loadGraph(read(path), { name: path });
      const types = inferTypes(graph);
      const values = graph.nodes.flatMap(({ outputs }) => outputs);
      expect(values.filter((name) => !types.get(name)?.shape)).toEqual([]);
      const open: Graph = { ...graph, outputs: values.map((name) => ({ name, dtype: types.get(name)!.dtype })) };
      const [input] = graph.inputs;
      const batches = typeof input!.shape?.[0] === "string" ? [1, 2] : [1];
      for (const batch of batches) {
        const feeds = { [input!.name]: sine([batch, ...reference.input_shape.slice(1)]) };
        const actual = await runBytes(bytesOfGraph(open), feeds, { graphOptimizationLevel: "disabled" });
        const sized = (dim: Dim): Dim => (dim === input!.shape![0] ? batch : dim);
        for (const name of values) {
          const { dtype, shape } = types.get(name)!;
          expect([name, dtype, ...shape!.map(sized)]).toEqual([name, actual[name]!.type, ...actual[name]!.dims]);
        }
      }
    });

    test("loads to the same graph again after saving", () => {
      const { graph, metadata } = loadGraph(read(path), { name: path });
      const again = loadGraph(joinChunks(saveGraph(graph, metadata)));
      expect(again.metadata).toEqual(metadata);
      expect({ ...again.graph, initializers: new Map() }).toEqual({ ...graph, initializers: new Map() });
      expect([...again.graph.initializers.keys()]).toEqual([...graph.initializers.keys()]);
      for (const [name, { dtype, shape, data }] of graph.initializers) {
        const other = again.graph.initializers.get(name)!;
        expect([other.dtype, other.shape]).toEqual([dtype, shape]);
        expect(Buffer.compare(bytesOf(other), bytesOf({ dtype, shape, data }))).toBe(0);
      }
    });
  });

  test("aligned weights are views of the file, and are copied once when saved", () => {
    const bytes = read("mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx");
    const { graph } = loadGraph(bytes);
    const aligned = [...graph.initializers.values()].filter(({ data }) => data.buffer === bytes.buffer);
    expect(aligned.length).toBeGreaterThan(0);
    const chunks = saveGraph(graph);
    const weights = [...graph.initializers.values()].filter(({ data }) => data.length > 0);
    const shared = new Set(chunks.map(({ buffer, byteOffset }) => `${byteOffset} ${buffer.byteLength}`));
    expect(weights.filter(({ data }) => !shared.has(`${data.byteOffset} ${data.buffer.byteLength}`))).toEqual([]);
  });

  test("float16 weights behind Cast are float32 initializers", () => {
    const { graph } = loadGraph(read("resnet50v2_c4/resnet50v2_c4_fp16.onnx"));
    expect(graph.nodes.filter(({ op }) => op === "Cast")).toEqual([]);
    expect(new Set([...graph.initializers.values()].map(({ dtype }) => dtype))).toEqual(new Set(["float32"]));
  });

  test("a file cut anywhere is refused with an error of this package", () => {
    const bytes = read("resnet20_cifar10/resnet20_cifar10.onnx");
    for (let length = 0; length < bytes.length; length += 997) {
      try {
        loadGraph(bytes.subarray(0, length), { name: "cut.onnx" });
      } catch (error) {
        expect(error, `${length} bytes`).toMatchObject({
          name: "RootstockError",
          code: expect.stringMatching(/^(BAD_MODEL|UNSUPPORTED_OP|SHAPE_MISMATCH)$/),
        });
      }
    }
  });
});

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

  test("a dimension without a name, or less than zero, is known by its place", () => {
    const graph = load({ nodes: [node("Relu", ["x"], ["y"])], inputs: [info("x", undefined, 3, "h", "", -1)] });
    expect(graph.inputs[0]!.shape).toEqual(["x.0", 3, "h", "x.3", "x.4"]);
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

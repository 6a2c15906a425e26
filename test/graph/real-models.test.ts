import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Dim, Graph } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";
import { loadGraph } from "../../src/graph/load.ts";
import { saveGraph } from "../../src/graph/save.ts";
import { joinChunks } from "../../src/onnx/encode.ts";
import { bytesOf, float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
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

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { DATA_LOCATION } from "../../src/onnx/attribute-kind.ts";
import { resolveExternalData } from "../../src/onnx/external-data.ts";
import {
  type GraphProto,
  GraphProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from "../../src/onnx/onnx-pb.ts";
import { tensorOfProto } from "../../src/onnx/tensor-proto.ts";

const file = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** A graph with one float32 [2] tensor per entry, kept elsewhere. */
function graphOf(...references: Readonly<Record<string, string>>[]): GraphProto {
  const initializer = references.map((entries, i) =>
    create(TensorProtoSchema, {
      name: `w${i}`,
      dims: [2n],
      dataType: 1,
      dataLocation: DATA_LOCATION.external,
      externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    }),
  );
  return create(GraphProtoSchema, { initializer });
}

describe("references", () => {
  test("become views of the file, which is read once", () => {
    const graph = graphOf(
      { location: "weights.bin", offset: "8", length: "8" },
      { location: "weights.bin", length: "8", checksum: "ignored" },
    );
    const asked: string[] = [];
    resolveExternalData(graph, (location) => {
      asked.push(location);
      return file;
    });
    const tensors = graph.initializer.map(tensorOfProto);
    expect(asked).toEqual(["weights.bin"]);
    expect(tensors.map(({ data }) => [...data])).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(tensors.every(({ data }) => data.buffer === file.buffer)).toBe(true);
    expect(graph.initializer.map(({ dataLocation, externalData }) => [dataLocation, externalData.length])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("without a length go to the end of the file", () => {
    const graph = graphOf({ location: "sub/weights.bin", offset: "8" });
    resolveExternalData(graph, () => file);
    expect([...tensorOfProto(graph.initializer[0]!).data]).toEqual([3, 4]);
  });

  test("embedded tensors are left alone", () => {
    const graph = create(GraphProtoSchema, { initializer: [create(TensorProtoSchema, { name: "w", floatData: [1] })] });
    resolveExternalData(graph, () => expect.fail("nothing is external"));
    expect(graph.initializer[0]!.floatData).toEqual([1]);
  });
});

describe("refused", () => {
  test.each([
    "",
    "/etc/passwd",
    "\\windows\\file",
    "C:\\file",
    "c:file",
    "../weights.bin",
    "a/../../weights.bin",
    "a\\..\\..\\weights.bin",
    "weights\0.bin",
  ])("the location %j", (location) => {
    const read = (): Uint8Array => expect.fail("must not be read");
    expect(() => resolveExternalData(graphOf({ location }), read)).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining("outside the model's folder") }),
    );
  });

  test.each([
    ["an offset behind the end", { offset: "17" }],
    ["a length beyond the end", { length: "17" }],
    ["an end beyond the end", { offset: "12", length: "8" }],
    ["a negative offset", { offset: "-4", length: "8" }],
    ["a negative length", { length: "-8" }],
    ["a number that is none", { offset: "four" }],
    ["a fraction", { offset: "0.5", length: "8" }],
    ["a number that wraps", { offset: "18446744073709551612", length: "8" }],
  ])("%s", (_, entries) => {
    const graph = graphOf({ location: "weights.bin", ...entries });
    expect(() => resolveExternalData(graph, () => file)).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining('"weights.bin", which has 16') }),
    );
  });

  test("a reference that fits the file but not the tensor", () => {
    const graph = graphOf({ location: "weights.bin", length: "12" });
    resolveExternalData(graph, () => file);
    expect(() => tensorOfProto(graph.initializer[0]!)).toThrow(/requires 2 elements, got 12 bytes/);
  });
});

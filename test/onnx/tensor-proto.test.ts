import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type TensorProto, TensorProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { dtypeCode, dtypeOfCode, protoOfTensor, tensorOfProto } from "../../src/onnx/tensor-proto.ts";
import { ARRAYS, type DType, type TypedArray } from "../../src/tensor/dtype.ts";
import { bytesOf, float32, type Tensor } from "../../src/tensor/tensor.ts";

const DTYPES = Object.keys(ARRAYS) as DType[]; // the keys of the table

/** A tensor of five elements with every bit pattern that fits the type. */
function sample(dtype: DType): Tensor {
  const data: TypedArray = new ARRAYS[dtype](5);
  const bytes = new Uint8Array(data.buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === "bool" ? i % 2 : 60 + 3 * i;
  return { dtype, shape: [5, 1], data };
}

const proto = (fields: Partial<TensorProto>): TensorProto =>
  create(TensorProtoSchema, { name: "w", ...fields } as never);

describe("embedded data", () => {
  test.each(DTYPES)("%s survives the way to a message and back", (dtype) => {
    const t = sample(dtype);
    const message = protoOfTensor("w", t);
    expect(message).toMatchObject({ name: "w", dims: [5n, 1n], dataType: dtypeCode(dtype) });
    expect(message.rawData.buffer).toBe(t.data.buffer);
    expect(tensorOfProto(message)).toEqual(t);
    expect(dtypeOfCode(dtypeCode(dtype))).toBe(dtype);
  });

  test("aligned data is a view of the file, other data a copy", () => {
    const file = new Uint8Array(64);
    new Float32Array(file.buffer, 8, 2).set([1, 2]);
    const view = tensorOfProto(proto({ dims: [2n], dataType: 1, rawData: file.subarray(8, 16) }));
    expect(view.data.buffer).toBe(file.buffer);
    file.copyWithin(33, 8, 16);
    const copy = tensorOfProto(proto({ dims: [2n], dataType: 1, rawData: file.subarray(33, 41) }));
    expect(copy.data.buffer).not.toBe(file.buffer);
    expect([view, copy].map((t) => [...t.data])).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("a scalar has no dims, an empty tensor no data", () => {
    expect(tensorOfProto(proto({ dataType: 1, rawData: bytesOf(float32([1], [3])) }))).toEqual(float32([], [3]));
    expect(tensorOfProto(proto({ dims: [2n, 0n], dataType: 1 }))).toEqual(float32([2, 0], []));
  });
});

describe("typed fields", () => {
  test.each([
    ["float32", { floatData: [0.5, -1] }, [0.5, -1]],
    ["float64", { doubleData: [0.1, -1] }, [0.1, -1]],
    ["int64", { int64Data: [-5n, 2n ** 60n] }, [-5n, 2n ** 60n]],
    ["uint64", { uint64Data: [5n, 2n ** 63n] }, [5n, 2n ** 63n]],
    ["uint32", { uint64Data: [5n, 2n ** 32n - 1n] }, [5, 2 ** 32 - 1]],
    ["int32", { int32Data: [-5, 6] }, [-5, 6]],
    ["int16", { int32Data: [-5, 6] }, [-5, 6]],
    ["int8", { int32Data: [-5, 6] }, [-5, 6]],
    ["uint16", { int32Data: [5, 65_535] }, [5, 65_535]],
    ["uint8", { int32Data: [5, 255] }, [5, 255]],
    ["bool", { int32Data: [0, 1] }, [0, 1]],
    ["float16", { int32Data: [0x3c00, 0xc000] }, [0x3c00, 0xc000]],
    ["bfloat16", { int32Data: [0x3f80, 0xbf80] }, [0x3f80, 0xbf80]],
  ] as readonly [DType, Partial<TensorProto>, (number | bigint)[]][])("%s", (dtype, fields, values) => {
    const t = tensorOfProto(proto({ dims: [2n], dataType: dtypeCode(dtype), ...fields }));
    expect([t.dtype, t.shape, [...t.data]]).toEqual([dtype, [2], values]);
  });

  test("every element type is covered", () => {
    expect(new Set(DTYPES.map(dtypeCode)).size).toBe(13);
  });
});

describe("damage", () => {
  test.each([
    ["a type that is not held as numbers", { dataType: 8, dims: [1n] }, "ONNX element type 8"],
    ["a negative size", { dataType: 1, dims: [-1n] }, "impossible dimensions [-1]"],
    ["more elements than memory holds", { dataType: 1, dims: [2n ** 40n] }, "impossible dimensions"],
    ["too few bytes", { dataType: 1, dims: [2n], rawData: new Uint8Array(7) }, "requires 2 elements, got 7 bytes"],
    ["too many bytes", { dataType: 1, dims: [1n], rawData: new Uint8Array(8) }, "requires 1 elements, got 8 bytes"],
    [
      "bytes where there are no elements",
      { dataType: 1, dims: [0n], rawData: new Uint8Array(4) },
      "requires 0 elements, got 4 bytes",
    ],
    ["too few typed elements", { dataType: 1, dims: [3n], floatData: [1] }, "requires 3 elements, got 1"],
    ["no data at all", { dataType: 7, dims: [3n] }, "requires 3 elements, got 0"],
  ] as readonly [string, Partial<TensorProto>, string][])("%s is refused", (_, fields, message) => {
    expect(() => tensorOfProto(proto(fields))).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(message) }),
    );
  });
});

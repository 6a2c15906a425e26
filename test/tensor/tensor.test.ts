import { describe, expect, test } from "vitest";
import { ARRAYS, bytesPerElement, type DType, isFloat } from "../../src/tensor/dtype.ts";
import { bytesOf, float32, int64, sizeOf, tensor, toNumbers, zeros } from "../../src/tensor/tensor.ts";

const DTYPES = Object.keys(ARRAYS) as DType[]; // the keys of the table

describe("element types", () => {
  test.each(DTYPES)("%s has zeros of its own array and size", (dtype) => {
    const t = zeros(dtype, [2, 3]);
    expect(t.data).toBeInstanceOf(ARRAYS[dtype]);
    expect(t.data.byteLength).toBe(6 * bytesPerElement(dtype));
    expect(toNumbers(t)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("gradients flow through floats", () => {
    expect(DTYPES.filter(isFloat)).toEqual(["float32", "float64", "float16", "bfloat16"]);
  });
});

test("a scalar has one element, an empty axis none", () => {
  expect([sizeOf([]), sizeOf([3, 0, 2]), sizeOf([2, 3])]).toEqual([1, 0, 6]);
});

test("data of another length than the shape is refused", () => {
  expect(() => tensor("float32", [2, 2], new Float32Array(3))).toThrow(
    expect.objectContaining({
      code: "SHAPE_MISMATCH",
      message: "a float32 tensor of shape [2,2] requires 4 elements, got 3.",
    }),
  );
});

test("float arrays are not copied, other lists are", () => {
  const data = Float32Array.of(1, 2);
  expect(float32([2], data).data).toBe(data);
  expect(float32([2], [0.5, 1]).data).toEqual(Float32Array.of(0.5, 1));
});

test("whole numbers become int64, in one dimension unless a shape is given", () => {
  expect(int64([1, -2])).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(1n, -2n) });
  expect(int64([7], []).shape).toEqual([]);
  expect(toNumbers(int64([1, -2]))).toEqual([1, -2]);
});

test("bytes are a view of exactly the tensor", () => {
  const whole = Float32Array.of(1, 2, 3, 4);
  const bytes = bytesOf(float32([2], whole.subarray(1, 3)));
  expect([bytes.buffer, bytes.byteOffset, bytes.byteLength]).toEqual([whole.buffer, 4, 8]);
});

/** Numbers in memory: an element type, a shape, and one flat typed array in row-major order. */
import { RootstockError } from "../errors.ts";
import { ARRAYS, type DType, type TypedArray } from "./dtype.ts";
import { numberToFloat16 } from "./float16.ts";

/** A dense tensor. `data` has exactly as many elements as `shape` says; a scalar has shape []. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArray<D>;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/**
 * Makes a tensor around `data`, without copying.
 * @throws RootstockError SHAPE_MISMATCH if the number of elements and the shape disagree.
 */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: TypedArray<D>): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `a ${dtype} tensor of shape [${shape}] requires ${sizeOf(shape)} elements, got ${data.length}.`,
    );
  }
  return { dtype, shape, data };
}

/** A tensor of zeros. */
export function zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
  // The table maps D to its own array type, which a generic index expression cannot express.
  return { dtype, shape, data: new ARRAYS[dtype](sizeOf(shape)) as TypedArray<D> };
}

/** A float32 tensor from numbers. */
export function float32(shape: readonly number[], values: ArrayLike<number>): Tensor<"float32"> {
  return tensor("float32", shape, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** A scalar of any element type. */
export function scalar<D extends DType>(dtype: D, value: number): Tensor<D> {
  const result = zeros(dtype, []);
  if (result.data instanceof BigInt64Array || result.data instanceof BigUint64Array) result.data[0] = BigInt(value);
  else result.data[0] = dtype === "float16" ? numberToFloat16(value) : value;
  return result;
}

/** An int64 tensor from whole numbers; one-dimensional unless a shape is given. */
export function int64(values: readonly number[], shape: readonly number[] = [values.length]): Tensor<"int64"> {
  return tensor("int64", shape, BigInt64Array.from(values, BigInt));
}

/** The elements of a numeric tensor as JavaScript numbers (int64 beyond 2^53 loses precision). */
export function toNumbers(t: Tensor): number[] {
  return Array.from(t.data as ArrayLike<number | bigint>, Number); // every element type is number or bigint
}

/** The bytes of a tensor in memory order, as a view. */
export function bytesOf(t: Tensor): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

/** Copies of tensors read in another order: every rearrangement of elements is a choice of strides. */
import { ARRAYS, type DType, type TypedArray } from "../tensor/dtype.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";

/** Distance between neighbours along each axis of a shape, in elements, in row-major order. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The tensor of `shape` whose element (i, j, ...) is `t.data[offset + i * strides[0] + j * strides[1] + ...]`. */
export function strided<D extends DType>(
  t: Tensor<D>,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Tensor<D> {
  const size = sizeOf(shape);
  const data = new ARRAYS[t.dtype](size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    data[to] = t.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: t.dtype, shape, data: data as TypedArray<D> }; // the table maps D to its own array type
}

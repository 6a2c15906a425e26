/** Changes the order of a tensor's axes: Keras keeps kernels as [h, w, in, out], the graph as [out, in, h, w]. */
import { sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";

/** The tensor with axis `order[i]` as its axis i. */
export function permuted({ dtype, shape, data }: Tensor, order: readonly number[]): Tensor {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const result = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const out = data.slice(); // of the same type and length
  const [run = 1, stride = 1] = [result.at(-1), steps.at(-1)];
  const index = result.map(() => 0);
  for (let from = 0, to = 0; to < out.length; ) {
    for (let i = 0; i < run; i++) out[to++] = data[from + i * stride]!; // the last axis at once
    for (let axis = result.length - 2; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < result[axis]!) break;
      from -= steps[axis]! * result[axis]!;
      index[axis] = 0;
    }
  }
  return tensor(dtype, result, out);
}

/** The tensor with the same elements in another shape. */
export function reshaped({ dtype, data }: Tensor, shape: readonly number[]): Tensor {
  return tensor(dtype, shape, data);
}

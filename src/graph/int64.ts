/** int64 tensors from whole numbers that were read as doubles, where "to the end" is 2^63 - 1 rounded up. */
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

const LARGEST = 2n ** 63n - 1n;

/** An int64 tensor; numbers beyond the range become its ends. One-dimensional unless a shape is given. */
export function clampedInt64(values: readonly number[], shape: readonly number[] = [values.length]): Tensor<"int64"> {
  const data = new BigInt64Array(sizeOf(shape));
  for (const [i, value] of values.entries()) {
    const whole = BigInt(value);
    if (whole > LARGEST) data[i] = LARGEST;
    else data[i] = whole < -LARGEST ? -LARGEST - 1n : whole;
  }
  return tensor("int64", shape, data);
}

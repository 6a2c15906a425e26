/** Checkpoints that tests make, and what is read of them, as bits. */
import { rng } from "../../../src/random.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import type { Saved } from "../../../src/train/checkpoints/checkpoint-file.ts";

type Parameters = Saved["tensors"];

/** Parameters with values that are decided by `seed`. */
export function someParameters(seed: number, shapes: Readonly<Record<string, readonly number[]>>): Parameters {
  const random = rng(seed);
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      float32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => random.next() - 0.5),
      ),
    ]),
  );
}

/** float32 values with exactly these bits. */
export function ofBits(bits: readonly number[]): Tensor<"float32"> {
  return float32([bits.length], new Float32Array(Uint32Array.from(bits).buffer));
}

/** Every tensor as its shape and bits: NaN has many. */
export function bitsOf(parameters: Parameters): unknown[] {
  return [...parameters].map(([name, { dtype, shape, data }]) => [
    name,
    dtype,
    [...shape],
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
  ]);
}

/** A checkpoint as values that `toEqual` compares exactly. */
export function contentOf({ name, state, tensors, snapshots }: Saved): unknown {
  return { name, state, tensors: bitsOf(tensors), snapshots: [...snapshots].map(([key, set]) => [key, bitsOf(set)]) };
}

/** A small checkpoint of a step, with the snapshots given. */
export function checkpointAt(step: number, snapshots: ReadonlyMap<string, Parameters> = new Map()): Saved {
  return {
    name: `0001-${String(step).padStart(6, "0")}`,
    state: { step, best: -0.25 * step },
    tensors: someParameters(step, { "head.weight": [2, 3], "head.bias": [2] }),
    snapshots,
  };
}

/**
 * Weights [m, c, ...kernel] packed as the blocked convolution reads them: blocks of outputs m around blocks of inputs c.
 * Both are filled up to whole blocks with zeros, so that padding channels take no part. ReorderInput does most of it,
 * since it is many times faster than Transpose where single elements move.
 */
import type { Value } from "../../../graph/graph.ts";
import { float32, type Tensor, tensor } from "../../../tensor/tensor.ts";
import type { Forms } from "./forms.ts";

/** For Y = W * X, X blocked: [m / block, c / block, ...kernel, block of c, block of m], declared as [m', c', ...kernel]. */
export function packForward(f: Forms, w: Value): Value {
  const { block } = f;
  const [m, c, kh, kw, taps] = weightSizes(f, w);
  const [outer, inner] = [f.padded(m), f.padded(c)];
  return f.once("forward", w, () => {
    if (taps === 1) {
      const packed = f.reorder(f.reshape(filled(f, w), [outer / block, block, 1, inner]));
      return f.reshape(packed, [outer, inner, 1, 1]);
    }
    const rows = f.reorder(f.reshape(tapsOutside(f, w), [outer / block, block, taps, inner]));
    const blocks = f.reshape(rows, [outer / block, taps, inner / block, block * block]);
    return f.reshape(f.b.transpose(blocks, [0, 2, 1, 3]), [outer, inner, kh, kw]);
  });
}

/** For Y = W * X, X plain with fewer channels than a block: [m / block, c, ...kernel, block of m]. */
export function packForImage(f: Forms, w: Value): Value {
  const { block } = f;
  const [m, c, kh, kw, taps] = weightSizes(f, w);
  const outer = f.padded(m);
  return f.once("image", w, () => {
    const wide = f.fill(f.as(w, "plain"), [outer - m, 0, 0, 0]);
    return f.reshape(f.reorder(f.reshape(wide, [outer / block, block, c, taps])), [outer, c, kh, kw]);
  });
}

/**
 * For dX, a convolution of dY: inputs and outputs change places and the kernel holds the given taps in their order,
 * [c / block, m / block, taps, block of m, block of c], declared as [c', m', ...kernel]. All taps in reverse order give
 * the gradient at stride 1.
 */
export function packBackward(f: Forms, w: Value, taps: readonly number[], kernel: readonly number[]): Value {
  const { block } = f;
  const [m, c, , , all] = weightSizes(f, w);
  const [outer, inner] = [f.padded(c), f.padded(m)];
  if (all === 1) {
    return f.once("backward", w, () =>
      f.reshape(f.reorder(f.reshape(filled(f, w), [1, 1, inner, outer]), true), [outer, inner, 1, 1]),
    );
  }
  return f.once(`backward ${taps}`, w, () => {
    const rows = f.reshape(tapsOutside(f, w), [(inner * all * outer) / block, block]);
    const order = f.b.constant(int32(swappedRows(inner, outer, { all, taps, block })), "rows");
    return f.reshape(f.b.op("Gather", [rows, order]), [outer, inner, ...kernel]);
  });
}

/**
 * Which rows of [m', all taps, c' / block] make [c' / block, m' / block, taps, block of m], each a block of c. Gather
 * copies whole rows on every thread, and chooses the taps on the way; Transpose has one thread for this.
 */
function swappedRows(
  inner: number,
  outer: number,
  { all, taps, block }: { readonly all: number; readonly taps: readonly number[]; readonly block: number },
): Int32Array {
  const blocks = outer / block;
  const rows = new Int32Array(inner * taps.length * blocks);
  let at = 0;
  for (let c = 0; c < blocks; c++)
    for (let m = 0; m < inner; m += block)
      for (const tap of taps) for (let i = m; i < m + block; i++) rows[at++] = (i * all + tap) * blocks + c;
  return rows;
}

function int32(values: Int32Array): Tensor {
  return tensor("int32", [values.length], values);
}

/** Depthwise weights [c, 1, ...kernel] with the given taps in their order: [c / block, taps, block]. */
export function packDepthwise(f: Forms, w: Value, taps: readonly number[], kernel: readonly number[]): Value {
  const [c, , , , all] = weightSizes(f, w);
  const wide = f.padded(c);
  return f.once(`depthwise ${taps}`, w, () => {
    const rows = f.reshape(f.as(w, "plain"), [c, all]);
    const inOrder = taps.length === all && taps.every((tap, i) => tap === i);
    const chosen = inOrder ? rows : f.b.op("Gather", [rows, f.b.ints(taps)], { axis: { kind: "int", value: 1 } });
    const image = f.reshape(f.fill(chosen, [wide - c, 0]), [1, wide, 1, taps.length]);
    return f.reshape(f.reorder(image), [wide, 1, ...kernel]);
  });
}

/** Numbers per channel, of any shape with that many elements, as [m'] with zeros for the padding channels. */
export function packVector(f: Forms, given: Value, m: number): Value {
  const vector = beforeReshape(f, given, m);
  return f.once("vector", vector, () => {
    const plain = f.as(vector, "plain");
    return f.fill(f.known.shape(vector)?.length === 1 ? plain : f.reshape(plain, [m]), [f.padded(m) - m]);
  });
}

/** The vector [m] that is given in another shape, as [m, 1, 1] is to go with maps. */
function beforeReshape(f: Forms, value: Value, m: number): Value {
  const producer = f.known.producer(value);
  const from = producer?.op === "Reshape" && producer.domain === "" ? producer.inputs[0]! : value;
  return String(f.known.shape(from)) === String(m) ? from : value;
}

/** The same number for every channel. */
export function constantVector(f: Forms, value: number, channels: number): Value {
  return f.once("constant", `${channels} ${value}`, () =>
    f.b.constant(float32([channels, 1, 1, 1], new Float32Array(channels).fill(value)), "scale"),
  );
}

/** Every tap of a kernel, in row-major order. */
export function allTaps(kernel: readonly number[]): number[] {
  return Array.from({ length: kernel.reduce((product, k) => product * k, 1) }, (_, i) => i);
}

/** [m', ...kernel, c'] of weights [m, c, ...kernel], filled up. */
function tapsOutside(f: Forms, w: Value): Value {
  const [m, c, , , taps] = weightSizes(f, w);
  return f.once("taps outside", w, () =>
    f.b.transpose(f.reshape(filled(f, w), [f.padded(m), f.padded(c), taps]), [0, 2, 1]),
  );
}

/** [m', c', ...kernel]. */
function filled(f: Forms, w: Value): Value {
  const [m, c] = weightSizes(f, w);
  return f.once("filled", w, () => f.fill(f.as(w, "plain"), [f.padded(m) - m, f.padded(c) - c, 0, 0]));
}

function weightSizes(f: Forms, w: Value): [m: number, c: number, kh: number, kw: number, taps: number] {
  const [m, c, kh, kw] = f.known.sizes(w)!; // callers have asked for them
  return [m, c, kh, kw, kh * kw];
}

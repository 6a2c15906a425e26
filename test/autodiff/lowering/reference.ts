/** What the gradient operators mean, in plain loops and float64, and how their lowerings are run. */
import {
  GRADIENT_DOMAIN,
  type GradientOp,
  reachOf,
  windowAttributes,
} from "../../../src/autodiff/gradient-operators.ts";
import { type LoweringTable, lower } from "../../../src/autodiff/lowering/lower.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { rng } from "../../../src/random.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import type { Row } from "./windows.ts";

type Triple = readonly [number, number, number];
export type Array32 = Tensor<"float32">;

export function randomTensor(name: string, shape: readonly number[]): Array32 {
  const draws = rng(name);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draws.normal()),
  );
}

/** Sizes of Y: as many windows as fit. */
export function outOf({ window }: Row): number[] {
  const { size, pads, strides } = window;
  return reachOf(window).map((reach, i) =>
    Math.floor((size[i]! + pads[i]! + pads[i + size.length]! - reach) / strides[i]! + 1),
  );
}

/** X, W and dY of a row. */
export function operandsOf(row: Row): { x: Array32; w: Array32; dy: Array32 } {
  const { n, c, m, window } = row;
  return {
    x: randomTensor(`x ${row.name}`, [n, c, ...window.size]),
    w: randomTensor(`w ${row.name}`, [m, c / window.group, ...window.kernel]),
    dy: randomTensor(`dy ${row.name}`, [n, m, ...outOf(row)]),
  };
}

/** dX[n, c, i] += W[m, c, k] dY[n, m, o] and dW[m, c, k] += dY[n, m, o] X[n, c, i] for i = o stride + k dilation - pad. */
export function convolutionGradients(row: Row): { dx: Float64Array; dw: Float64Array } {
  const { n, c, m, window } = row;
  const { x, w, dy } = operandsOf(row);
  const [kernel, strides, dilations] = [triple(window.kernel), triple(window.strides), triple(window.dilations)];
  const [size, out, pads] = [
    triple(window.size),
    triple(outOf(row)),
    triple(window.pads.slice(0, window.size.length), 0),
  ];
  const [inner, perGroup] = [c / window.group, m / window.group];
  const [sizeX, sizeY, taps] = [sizeOf(size), sizeOf(out), sizeOf(kernel)];
  const [dx, dw] = [new Float64Array(x.data.length), new Float64Array(w.data.length)];
  /** The elements [o, i] of Y and X along an axis that element k of the kernel brings together. */
  const pairs = (axis: number, k: number): (readonly [number, number])[] =>
    Array.from(
      { length: out[axis]! },
      (_, o) => [o, o * strides[axis]! + k * dilations[axis]! - pads[axis]!] as const,
    ).filter(([, i]) => i >= 0 && i < size[axis]!);
  for (let i = 0; i < n * m * inner * taps; i++) {
    const k = i % taps;
    const channel = Math.floor(i / taps) % inner;
    const output = Math.floor(i / (taps * inner)) % m;
    const image = Math.floor(i / (taps * inner * m));
    const place = (output * inner + channel) * taps + k;
    const startX = (image * c + Math.floor(output / perGroup) * inner + channel) * sizeX;
    const startY = (image * m + output) * sizeY;
    const along = pairs(2, k % kernel[2]); // neighbours in Y
    const [firstY, firstX] = along[0] ?? [0, 0];
    const weight = w.data[place]!;
    let sum = 0;
    for (const [od, d] of pairs(0, Math.floor(k / (kernel[1] * kernel[2])))) {
      for (const [oh, h] of pairs(1, Math.floor(k / kernel[2]) % kernel[1])) {
        const rowX = startX + (d * size[1] + h) * size[2] + firstX;
        const rowY = startY + (od * out[1] + oh) * out[2] + firstY;
        for (let o = 0; o < along.length; o++) {
          const slope = dy.data[rowY + o]!;
          dx[rowX + o * strides[2]]! += weight * slope;
          sum += slope * x.data[rowX + o * strides[2]]!;
        }
      }
    }
    dw[place]! += sum;
  }
  return { dx, dw };
}

/** Spatial values for three axes: the leading ones are trivial. */
function triple(values: readonly number[], trivial = 1): Triple {
  const [a, b, c] = [...Array.from({ length: 3 - values.length }, () => trivial), ...values];
  return [a!, b!, c!];
}

/** Runs one gradient operator, lowered, with the batch of its inputs left open. */
export async function runLowered(
  op: GradientOp,
  inputs: readonly Tensor[],
  window: Row["window"],
  table: LoweringTable,
): Promise<Tensor> {
  const b = new GraphBuilder(op);
  const names = inputs.map(({ dtype, shape }, i) => {
    const open = op !== "ConvGradX" || i === 0; // weights have no batch
    return b.input({ name: `x${i}`, dtype, shape: shape.map((size, axis) => (axis === 0 && open ? "batch" : size)) });
  });
  const y = b.custom(GRADIENT_DOMAIN, op, names, windowAttributes(window));
  b.named("Identity", [y], "y");
  const graph = lower(b.build([{ name: "y", dtype: inputs[0]!.dtype }]), table);
  await using session = await Session.create(graph, { threads: 2, optimization: "none" });
  const out = await session.run(Object.fromEntries(inputs.map((tensor, i) => [`x${i}`, tensor])));
  return out["y"]!;
}

/** The largest error in proportion to the largest element. */
export function worstError(got: Tensor, wanted: Float64Array): number {
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(got.data[i]))), 0);
  return got.data.length === wanted.length ? error / Math.max(scale, 1e-30) : Number.POSITIVE_INFINITY;
}

export function dot(x: Tensor, y: Tensor): number {
  let sum = 0;
  for (let i = 0; i < x.data.length; i++) sum += Number(x.data[i]) * Number(y.data[i]);
  return sum;
}

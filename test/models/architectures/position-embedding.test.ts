import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Network } from "../../../src/models/architectures/network.ts";
import {
  fitPositions,
  type Resampling,
  resamplePositions,
} from "../../../src/models/architectures/position-embedding.ts";
import { vit } from "../../../src/models/architectures/vit.ts";
import { float32, type Tensor, zeros } from "../../../src/tensor/tensor.ts";
import { fill } from "./golden.ts";

interface Case {
  readonly resampling: Resampling;
  readonly from: number;
  readonly to: readonly [number, number];
  readonly norm: number;
  readonly values: readonly number[];
}

const text = readFileSync(new URL("../../golden/architectures/positions.json", import.meta.url), "utf8");
const { cases } = JSON.parse(text) as { cases: readonly Case[] }; // written by a script beside it

describe("resamplePositions", () => {
  test.each(cases)("$from x $from to $to as $resampling does", ({ resampling, from, to, norm, values }) => {
    const positions = fill("positions", [1, 1 + from * from, 3], [0, 1]);
    const result = resamplePositions(positions, { from: [from, from], to, resampling });
    expect(result.shape).toEqual([1, 1 + to[0] * to[1], 3]);
    expect(Math.abs(Math.hypot(...result.data) / norm - 1)).toBeLessThan(2e-6);
    for (const [i, value] of values.entries())
      expect(Math.abs(result.data[Math.floor((i * result.data.length) / values.length)]! - value)).toBeLessThan(1e-5);
  });

  test("keeps the tokens in front, however many, and constant embeddings", () => {
    const data = Float32Array.from({ length: 2 * (2 + 9) }, (_, i) => (i < 4 ? i : i % 2 === 0 ? 5 : -7));
    const result = resamplePositions(float32([1, 11, 2], data), { from: [3, 3], to: [4, 2], prefix: 2 });
    expect(result.shape).toEqual([1, 10, 2]);
    for (const [i, value] of result.data.entries()) expect(value).toBeCloseTo(i < 4 ? i : i % 2 === 0 ? 5 : -7, 5);
  });

  test("gives back what is of this grid already", () => {
    const positions = fill("positions", [1, 7, 3], [0, 1]);
    expect(resamplePositions(positions, { from: [2, 3], to: [2, 3] })).toBe(positions);
  });
});

describe("fitPositions", () => {
  const timm = vit("vit_tiny_patch16_224").build({ inputSize: [48, 80] });
  const torchvision = vit("vit_b_16").build({ inputSize: [96, 96] });
  const fitted = (network: Network, name: string, shape: readonly number[]): Tensor | undefined =>
    fitPositions(network, name, fill(name, shape, [0, 1]));

  test("resamples as the library that the name is of does", () => {
    const published = fill("pos_embed", [1, 197, 192], [0, 1]);
    expect(fitPositions(timm, "pos_embed", published)).toEqual(
      resamplePositions(published, { from: [14, 14], to: [3, 5], resampling: "timm" }),
    );
    const theirs = fill("encoder.pos_embedding", [1, 197, 768], [0, 1]);
    expect(fitPositions(torchvision, "encoder.pos_embedding", theirs)).toEqual(
      resamplePositions(theirs, { from: [14, 14], to: [6, 6], resampling: "torchvision" }),
    );
  });

  test("leaves everything else to the caller: other parameters, widths, grids and types", () => {
    expect(fitted(timm, "cls_token", [1, 1, 192])).toBeUndefined();
    expect(fitted(timm, "encoder.pos_embedding", [1, 197, 192])).toBeUndefined();
    expect(fitted(timm, "pos_embed", [1, 197, 384])).toBeUndefined();
    expect(fitted(timm, "pos_embed", [1, 198, 192])).toBeUndefined();
    expect(fitted(timm, "pos_embed", [1, 1, 192])).toBeUndefined();
    expect(fitted(timm, "pos_embed", [1, 0, 192])).toBeUndefined();
    expect(fitted(timm, "pos_embed", [197, 192])).toBeUndefined();
    expect(fitPositions(timm, "pos_embed", zeros("float16", [1, 197, 192]))).toBeUndefined();
  });
});

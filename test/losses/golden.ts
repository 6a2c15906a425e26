/** Runs a loss of a linear head with its gradients, and compares with PyTorch's numbers. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Loss } from "../../src/losses/loss.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { HEAD, headGraph } from "../../src/models/head.ts";
import { Session, type Tensors } from "../../src/runtime/session.ts";
import { float32, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

interface GoldenCase {
  readonly loss: string;
  readonly options: { readonly labelSmoothing?: number; readonly delta?: number };
  readonly features: readonly number[];
  readonly weight: readonly number[];
  readonly bias: readonly number[];
  readonly targets: readonly number[];
  readonly value: number;
  readonly weightGradient: readonly number[];
  readonly biasGradient: readonly number[];
}

interface Golden {
  readonly n: number;
  readonly width: number;
  readonly numClasses: number;
  readonly cases: readonly GoldenCase[];
}

/** The golden numbers of a file, which the script beside it has written. */
function golden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`../golden/losses/${name}`, import.meta.url), "utf8")) as Golden;
}

export const GOLDEN: Golden = golden("losses.json");

/** Losses of numbers; of the same sizes. */
export const REGRESSION: Golden = golden("regression.json");

/** A linear head with a loss on top. */
export function headWithLoss(loss: Loss, size: { readonly width: number; readonly numClasses: number }): Graph {
  const b = new GraphBuilder("loss", headGraph(size));
  const target = b.input(loss.target("target", "batch", size.numClasses));
  const value = b.reduceMean(loss.build(b, HEAD.logits, target), { keepdims: false });
  return b.build([{ name: b.named("Identity", [value], "loss"), dtype: "float32", shape: [] }]);
}

/** Runs a graph once on one thread, unoptimized. */
export async function runOnce(graph: Graph, feeds: Tensors): Promise<Record<string, Tensor>> {
  await using session = await Session.create(graph, { threads: 1, optimization: "none" });
  return await session.run(feeds);
}

/** Asserts that our loss and gradients are PyTorch's, relative to the largest entry. */
export async function expectParity(loss: Loss, row: GoldenCase, target: Tensor): Promise<void> {
  const { n, width, numClasses } = GOLDEN;
  const graph = gradient(headWithLoss(loss, GOLDEN), { of: "loss", with: [HEAD.weight, HEAD.bias] });
  const out = await runOnce(graph, {
    [FEATURES]: float32([n, width], row.features),
    [HEAD.weight]: float32([numClasses, width], row.weight),
    [HEAD.bias]: float32([numClasses], row.bias),
    target,
  });
  expectClose(toNumbers(out["loss"]!), [row.value]);
  expectClose(toNumbers(out[gradientName(HEAD.weight)]!), row.weightGradient);
  expectClose(toNumbers(out[gradientName(HEAD.bias)]!), row.biasGradient);
}

/** Every number within 2e-6 of the largest expected one: float32 rounding over a few sums. */
function expectClose(got: readonly number[], wanted: readonly number[]): void {
  const size = Math.max(...wanted.map(Math.abs));
  expect(size).toBeGreaterThan(0);
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of got.entries()) expect(Math.abs(value - wanted[i]!) / size).toBeLessThan(2e-6);
}

/** The loss of logits, without a head. */
export async function lossOf(loss: Loss, logits: Tensor, target: Tensor): Promise<number> {
  const b = new GraphBuilder("loss");
  b.input({ name: "logits", dtype: "float32", shape: ["batch", logits.shape[1]!] });
  b.input(loss.target("target", "batch", logits.shape[1]!));
  const value = b.reduceMean(loss.build(b, "logits", "target"), { keepdims: false });
  const out = await runOnce(b.build([{ name: value, dtype: "float32", shape: [] }]), { logits, target });
  expect(out[value]!.shape).toEqual([]);
  return Number(out[value]!.data[0]);
}

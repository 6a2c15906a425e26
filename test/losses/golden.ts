/** Runs a loss of a linear head with its gradients, and compares with PyTorch's numbers. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { gradient, gradientName } from "../../src/autodiff/gradient.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { weightTargets } from "../../src/losses/class-weights.ts";
import type { Loss } from "../../src/losses/loss.ts";
import { LOSSES, type LossName, type LossOptions } from "../../src/losses/table.ts";
import { countTargets, type Targets, totalWeight } from "../../src/losses/targets.ts";
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
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/losses/${name}`, import.meta.url), "utf8")) as T;
}

export const GOLDEN: Golden = golden("losses.json");

/** Losses of numbers; of the same sizes. */
export const REGRESSION: Golden = golden("regression.json");

/** What targets of the golden files are: class indices, probabilities, several labels or values. */
export type TargetKind = "index" | "soft" | "labels" | "values";

interface OptionCase {
  readonly loss: LossName;
  readonly targets: TargetKind;
  readonly options: LossOptions;
  readonly logits: "1" | "10" | "1000";
  /** Null where PyTorch's number is not finite. */
  readonly value: number | null;
  readonly gradient: readonly number[] | null;
}

interface OptionGolden {
  readonly n: number;
  readonly numClasses: number;
  readonly logits: Readonly<Record<OptionCase["logits"], readonly number[]>>;
  readonly targets: Readonly<Record<TargetKind, readonly number[]>>;
  readonly cases: readonly OptionCase[];
}

/** Losses with their options, and their gradients with respect to logits of three sizes. */
export const OPTIONS: OptionGolden = golden("options.json");

/** The golden cases of a loss, each with a name. */
export function optionCases(loss: LossName): (readonly [name: string, row: OptionCase])[] {
  const rows = OPTIONS.cases.filter((row) => row.loss === loss);
  expect(rows.length).toBeGreaterThan(0);
  return rows.map((row) => [`${row.targets} ${JSON.stringify(row.options)}, logits of ${row.logits}`, row]);
}

/** Golden numbers as targets of a task. */
export function targetsFrom(kind: TargetKind, numbers: readonly number[], numClasses: number): Targets {
  const task = ({ index: "single-label", soft: "single-label", labels: "multi-label", values: "regression" } as const)[
    kind
  ];
  return { task, values: Float32Array.from(numbers), width: kind === "index" ? 1 : numClasses };
}

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
export function expectClose(got: readonly number[], wanted: readonly number[]): void {
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

/** The weighted mean of a batch's losses, as a training step takes it, and its gradient with respect to the logits. */
export async function lossAndGradient(
  loss: Loss,
  logits: Tensor,
  given: Targets,
): Promise<{ readonly value: number; readonly gradient: readonly number[] }> {
  const targets = weightTargets(given, loss.rowWeights);
  const n = countTargets(targets);
  const numClasses = logits.shape[1]!;
  const shares = Float32Array.from({ length: n }, (_, i) => (targets.weights?.[i] ?? 1) / totalWeight(targets));
  const b = new GraphBuilder("loss");
  b.input({ name: "logits", dtype: "float32", shape: ["batch", numClasses] });
  b.input(loss.target("target", "batch", numClasses));
  b.input({ name: "shares", dtype: "float32", shape: ["batch"] });
  const mean = b.reduceSum(b.mul(loss.build(b, "logits", "target"), "shares"), { keepdims: false });
  const graph = b.build([{ name: mean, dtype: "float32", shape: [] }]);
  const out = await runOnce(gradient(graph, { of: mean, with: ["logits"] }), {
    logits,
    target: loss.encode(targets, numClasses),
    shares: float32([n], shares),
  });
  return { value: toNumbers(out[mean]!)[0]!, gradient: toNumbers(out[gradientName("logits")]!) };
}

/** Asserts that a loss with its options has PyTorch's value and gradient; where that has none, that ours are finite. */
export async function expectOptionParity(row: OptionCase): Promise<void> {
  const { n, numClasses, logits, targets } = OPTIONS;
  const given = targetsFrom(row.targets, targets[row.targets], numClasses);
  const shape = [n, numClasses];
  const got = await lossAndGradient(LOSSES[row.loss](row.options), float32(shape, logits[row.logits]), given);
  expect([got.value, ...got.gradient].every(Number.isFinite)).toBe(true);
  if (row.value === null || row.gradient === null) return;
  expectClose([got.value], [row.value]);
  expectClose(got.gradient, row.gradient);
}

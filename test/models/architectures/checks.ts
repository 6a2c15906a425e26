/** What every architecture has to hold, besides its reference's scores: stages that analysis finds too, live gradients. */
import { expect } from "vitest";
import { gradient, gradientName } from "../../../src/autodiff/gradient.ts";
import { int } from "../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { crossEntropy } from "../../../src/losses/cross-entropy.ts";
import { classTargets } from "../../../src/losses/targets.ts";
import type { Architecture } from "../../../src/models/architectures/architecture.ts";
import { INPUT, isTrainable, LOGITS, withWeights } from "../../../src/models/architectures/network.ts";
import { backboneGraph, findCut } from "../../../src/models/backbone.ts";
import { parametersOf } from "../../../src/models/parameters.ts";
import { stagesOf } from "../../../src/models/stages.ts";
import { Session } from "../../../src/runtime/session.ts";
import { formulaImage, formulaWeights } from "./golden.ts";

const CLASSES = 5;

/**
 * Checks that a graph with weights is cut and divided as the design says: the cut is at its features, what is learned is
 * what it declares, and every stage that analysis finds starts where one of its stages ends.
 */
export function expectKnownStages(design: Architecture, inputSize: readonly [number, number], gain = 1): void {
  const network = design.build({ inputSize });
  const graph = withWeights(network, formulaWeights(network, gain));
  const cut = findCut(graph);
  expect([cut.value, cut.width, cut.numClasses]).toEqual([network.features, network.featureWidth, design.numClasses]);
  const learned = parametersOf(graph).map(({ name }) => name);
  const declared = network.parameters.filter(isTrainable).map(({ name }) => name);
  expect(learned.toSorted()).toEqual(declared.toSorted());
  const [, ...found] = stagesOf(backboneGraph(graph, cut));
  expect(found.length).toBeGreaterThan(0);
  const ends = new Set(network.stages.map(({ output }) => output));
  expect(found.map(({ start }) => start).filter((start) => !ends.has(start))).toEqual([]);
}

/** Checks that the loss of two images has a gradient that is not zero by every trainable parameter. */
export async function expectGradients(
  design: Architecture,
  inputSize: readonly [number, number],
  gain = 1,
): Promise<void> {
  const network = design.build({ inputSize, numClasses: CLASSES });
  const names = network.parameters.filter(isTrainable).map(({ name }) => name);
  const loss = crossEntropy();
  const b = new GraphBuilder("loss", network.topology);
  const target = b.input(loss.target("target", "batch", CLASSES));
  b.named("ReduceMean", [loss.build(b, LOGITS, target)], "loss", { keepdims: int(0) });
  const graph = gradient(b.build([{ name: "loss", dtype: "float32", shape: [] }]), { of: "loss", with: names });
  await using session = await Session.create(graph, { optimization: "none" });
  const out = await session.run({
    ...Object.fromEntries(formulaWeights(network, gain)),
    [INPUT]: formulaImage(inputSize, 2),
    target: loss.encode(classTargets([1, 3]), CLASSES),
  });
  const sizes = names.map((name) => [name, largest(out[gradientName(name)]!.data as Float32Array)] as const); // of float32 parameters
  expect(sizes.filter(([, size]) => !(size > 0 && Number.isFinite(size)))).toEqual([]);
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

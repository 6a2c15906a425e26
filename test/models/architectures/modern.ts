/** Checks that the newer families share: scores at other sizes with their own position embeddings, gradients, parameters. */
import { expect } from "vitest";
import { gradient, gradientName } from "../../../src/autodiff/gradient.ts";
import { floatOf, int } from "../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Value } from "../../../src/graph/graph.ts";
import type { Architecture } from "../../../src/models/architectures/architecture.ts";
import { Layers } from "../../../src/models/architectures/layers.ts";
import { INPUT, isTrainable, LOGITS, type Network, withWeights } from "../../../src/models/architectures/network.ts";
import { backboneGraph, findCut } from "../../../src/models/backbone.ts";
import { parametersOf } from "../../../src/models/parameters.ts";
import { stagesOf } from "../../../src/models/stages.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, type Tensor, toNumbers } from "../../../src/tensor/tensor.ts";
import { formulaImage, formulaWeights, type GoldenModel } from "./golden.ts";

/** Checks what a network's normalizations add to variances: scores would hardly tell 1e-6 from 1e-5. */
export function expectSameEpsilons({ topology }: Network, golden: GoldenModel): void {
  const { epsilons } = golden as GoldenModel & { readonly epsilons: readonly number[] }; // of make_modern.py
  const found = topology.nodes.filter((node) => node.attributes["epsilon"]).map((node) => floatOf(node, "epsilon", 0));
  expect([...new Set(found)].sort((x, y) => x - y)).toEqual(epsilons);
}

/** Checks that a graph with weights is cut at the design's features, and divided into as many stages as it has sizes. */
export function expectKnownCut(design: Architecture, inputSize: readonly [number, number], stages: number): void {
  const network = design.build({ inputSize });
  const graph = withWeights(network, formulaWeights(network, 1));
  const cut = findCut(graph);
  expect([cut.value, cut.width, cut.numClasses]).toEqual([network.features, network.featureWidth, design.numClasses]);
  expect(stagesOf(backboneGraph(graph, cut)).length).toBe(stages);
}

const CLASSES = 5;
const LOSS: Value = "loss";

/**
 * Checks that the gradient of a weighted sum of the scores of two images reaches every trainable parameter, that a step
 * along it changes the loss as much as it says, and that these parameters are what `parametersOf` finds in the graph.
 */
export async function expectTrainable(
  design: Architecture,
  inputSize: readonly [number, number],
  gain = 1,
): Promise<void> {
  const network = design.build({ inputSize, numClasses: CLASSES });
  const weights = formulaWeights(network, gain);
  const names = network.parameters.filter(isTrainable).map(({ name }) => name);
  const found = parametersOf(withWeights(network, weights)).map(({ name }) => name);
  expect(found.toSorted()).toEqual(names.toSorted());
  const b = new GraphBuilder(design.name, network.topology);
  const targets = b.constant(float32([1, CLASSES], [1, -2, 0.5, 3, -1]));
  b.named("ReduceSum", [b.mul(LOGITS, targets)], LOSS, { keepdims: int(0) });
  const graph = gradient(b.build([{ name: LOSS, dtype: "float32", shape: [] }]), { of: LOSS, with: names });
  await using session = await Session.create(graph, { optimization: "none" });
  const image = formulaImage(inputSize, 2);
  const lossAt = async (values: ReadonlyMap<Value, Tensor>): Promise<number> => {
    const out = await session.run({ ...Object.fromEntries(values), [INPUT]: image }, [LOSS]);
    return (out[LOSS]!.data as Float32Array)[0]!; // the type of the loss
  };
  const out = await session.run({ ...Object.fromEntries(weights), [INPUT]: image }, names.map(gradientName));
  const slopes = new Map(names.map((name) => [name, out[gradientName(name)]!.data as Float32Array])); // as the parameters
  const lengths = new Map([...slopes].map(([name, slope]) => [name, Math.sqrt(squares(slope))]));
  expect(names.filter((name) => !(lengths.get(name)! > 0 && Number.isFinite(lengths.get(name))))).toEqual([]);
  const length = Math.hypot(...lengths.values());
  const step = STEP / length;
  const moved = (by: number): ReadonlyMap<Value, Tensor> =>
    new Map(
      [...weights].map(([name, value]) => {
        const slope = slopes.get(name);
        const data = value.data as Float32Array; // the type of weights
        return [
          name,
          slope
            ? float32(
                value.shape,
                data.map((x, i) => x + (by * slope[i]!) / length),
              )
            : value,
        ];
      }),
    );
  const change = (await lossAt(moved(step))) - (await lossAt(moved(-step)));
  expect(Math.abs(change / (2 * STEP) - 1)).toBeLessThan(0.005);
}

/** By how much a step along the gradient is to change the loss: far above rounding, far below what bends it. */
const STEP = 0.1;

function squares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/** What a part of a network computes of an image [batch, 3, height, width], as a flat list. */
export async function compute(
  image: Tensor,
  body: (l: Layers) => Value,
  weights: Readonly<Record<Value, Tensor>> = {},
): Promise<number[]> {
  const l = new Layers("test", [image.shape[2]!, image.shape[3]!]);
  const value = body(l);
  const shape = ["batch", ...l.shapeOf(value)];
  await using session = await Session.create(l.b.build([{ name: value, dtype: "float32", shape }]));
  const out = (await session.run({ [INPUT]: image, ...weights }))[value]!;
  expect(out.shape).toEqual([image.shape[0], ...l.shapeOf(value)]);
  return toNumbers(out);
}

/** From the plan to the parts of the network: what stays frozen, what trains, and the graph of the result. */
import type { Graph, Value, ValueInfo } from "../graph/graph.ts";
import { backboneGraph, type Cut, FEATURES } from "../models/backbone.ts";
import type { Parameters } from "../models/head.ts";
import type { Model } from "../models/model.ts";
import { START, trainableGraph } from "../models/trainable-graph.ts";
import { trainingForm } from "../models/training-form.ts";
import { unfreeze } from "../models/unfreeze.ts";
import type { NetworkParts } from "./data-rows.ts";
import type { Recipe } from "./options.ts";

/** A network ready for training. */
export interface UnfrozenNetwork extends NetworkParts {
  /** What trains besides the head, where anything does. */
  readonly trainable: { readonly suffix: Graph; readonly input: Value; readonly parameters: Parameters } | undefined;
  /** What to tell the user. */
  readonly notes: readonly string[];
}

/**
 * Splits a pretrained network as the plan says.
 * @throws RootstockError BAD_CONFIG if there is nothing of that name to unfreeze; BAD_MODEL if the file cannot train.
 */
export async function unfreezeNetwork(base: Model, cut: Cut, { unfreeze: spec }: Recipe): Promise<UnfrozenNetwork> {
  const original = backboneGraph(base.graph, cut);
  if (spec === "head") {
    return { backbone: original, prefix: undefined, suffix: undefined, trainable: undefined, notes: [] };
  }
  const formed = trainingForm(original, base.requirePreprocessing().inputSize);
  const chosen = unfreeze(formed, spec);
  const { prefix, suffix, parameters, backbone } = trainableGraph(formed, chosen);
  const count = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const notes = [
    `unfreeze  ${spec}: ${parameters.size} tensors with ${count} parameters, from ${prefix ? `"${chosen.start}" on` : "the image on"}`,
  ];
  const constants = withConstants(suffix, parameters);
  return { backbone, prefix, suffix: constants, trainable: { suffix, input: START, parameters }, notes };
}

/** A graph whose parameter inputs are initializers. */
export function withConstants(graph: Graph, parameters: Parameters): Graph {
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !parameters.has(name)),
    initializers: new Map([...graph.initializers, ...parameters]),
  };
}

/** The part of the network that reads rows, with every weight a constant: the identity where only the head trains. */
export function scoringGraph({ trainable, backbone }: UnfrozenNetwork, parameters: Parameters): Graph {
  if (trainable) return withConstants(trainable.suffix, parameters);
  const [, width] = backbone.outputs[0]!.shape!;
  const rows: ValueInfo = { name: FEATURES, dtype: "float32", shape: ["batch", width!] };
  return { ...backbone, inputs: [rows], outputs: [rows], nodes: [], initializers: new Map() };
}

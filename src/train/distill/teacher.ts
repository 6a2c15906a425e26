/** What a student learns to give: a teacher's features or its scores, as a graph from the image. */
import { RootstockError } from "../../errors.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import { inferTypes } from "../../graph/infer-types.ts";
import { producersOf, subgraph } from "../../graph/traverse.ts";
import { backboneGraph, findCut } from "../../models/backbone.ts";
import type { Model } from "../../models/model.ts";

/**
 * What of the teacher is matched.
 * - features: what its classifier reads, standardized, by the mean squared error: the hints of Romero et al. 2015
 *   (FitNets, arXiv:1412.6550), taken at the last layer.
 * - logits: the probabilities that it gives to its classes (Hinton et al. 2015, arXiv:1503.02531).
 */
export const MATCHES = ["features", "logits"] as const;
export type Match = (typeof MATCHES)[number];

/**
 * The teacher as a graph from the image to what is matched, [batch, width].
 * @param at the value to take as features instead of the one that is found.
 * @throws RootstockError BAD_MODEL if there are no features, or no scores of classes that exclude each other.
 */
export function teacherGraph({ graph, name }: Model, match: Match, at?: Value): Graph {
  const cut = findCut(graph, at);
  if (match === "features") return backboneGraph(graph, cut);
  const scores = cut.classifier && scoresOf(graph);
  const shape = scores === undefined ? undefined : inferTypes(graph).get(scores)?.shape;
  if (scores === undefined || shape?.length !== 2 || typeof shape[1] !== "number")
    throw new RootstockError(
      "BAD_MODEL",
      `matching logits requires a teacher that ends with the scores [n, classes] of classes that exclude each other, and ${name} does not. Match features.`,
    );
  return subgraph(graph, graph.inputs, [{ name: scores, dtype: "float32", shape }]);
}

/** The scores of a classifier before its activation, or undefined where its classes do not exclude each other. */
function scoresOf(graph: Graph): Value | undefined {
  const producers = producersOf(graph.nodes);
  for (let value = graph.outputs[0]!.name; ; ) {
    const node = producers.get(value);
    if (node?.op === "Sigmoid") return undefined;
    if (node === undefined || !["Identity", "LogSoftmax", "Softmax"].includes(node.op)) return value;
    value = node.inputs[0]!;
    if (node.op !== "Identity") return value;
  }
}

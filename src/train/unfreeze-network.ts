/** From the plan to the parts of the network: what stays frozen, what trains, and the graph of the result. */
import type { Graph, Value, ValueInfo } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { subgraph } from "../graph/traverse.ts";
import { backboneGraph, type Cut, FEATURES } from "../models/backbone.ts";
import type { Parameters } from "../models/head.ts";
import type { Model } from "../models/model.ts";
import type { NetworkParts } from "./data-rows.ts";
import type { Recipe } from "./options.ts";

/** A network ready for training. */
export interface UnfrozenNetwork extends NetworkParts {
  /** The value that training starts from. */
  readonly start: Value;
  /** What trains besides the head, where anything does. */
  readonly trainable: { readonly suffix: Graph; readonly input: Value; readonly parameters: Parameters } | undefined;
  /** What to tell the user. */
  readonly notes: readonly string[];
}

/** Splits a pretrained network as the plan says. */
export async function unfreezeNetwork(base: Model, cut: Cut, _plan: Recipe): Promise<UnfrozenNetwork> {
  const backbone = backboneGraph(base.graph, cut);
  return { backbone, prefix: undefined, suffix: undefined, start: FEATURES, trainable: undefined, notes: [] };
}

/** The network with other values of some parameters. */
export function withParameters(graph: Graph, parameters: Parameters): Graph {
  return { ...graph, initializers: new Map([...graph.initializers, ...parameters]) };
}

/** The part of a backbone from a value on, for batches of any size. */
export function graphFrom(backbone: Graph, start: Value): Graph {
  const { dtype, shape } = inferTypes(backbone).get(start)!; // a value of the graph
  const anyBatch = <T extends ValueInfo>(info: T): T => ({ ...info, shape: ["batch", ...info.shape!.slice(1)] });
  return subgraph(backbone, [anyBatch({ name: start, dtype, shape })], backbone.outputs.map(anyBatch));
}

/** Cuts a backbone into a frozen prefix and a suffix whose parameters are inputs, so that it can be differentiated. */
import { invariant, RootstockError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Shape, Value } from "../graph/graph.ts";
import { withoutNames } from "../graph/rename.ts";
import { reachable, subgraph, usedBy } from "../graph/traverse.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { batchSizes, emitBatchSize, reserveNames } from "./batch-sizes.ts";
import { HEAD, type Parameters } from "./head.ts";
import { BATCH, trainingForm } from "./training-form.ts";
import type { Trainable } from "./unfreeze.ts";

/** Name of the value between prefix and suffix: output of the one, input of the other, [batch, ...]. */
export const START: Value = "rootstock.start";

/** A backbone in two parts. */
export interface TrainableGraph {
  /** From the image input to START; undefined where the suffix begins with the image. */
  readonly prefix: Graph | undefined;
  /** From START [batch, ...] and the parameters, as inputs, to FEATURES [batch, width]. */
  readonly suffix: Graph;
  /** Values of the parameters, by the names of the suffix's inputs: copies, to be updated in place. */
  readonly parameters: Parameters;
  /** The whole backbone, its initializers named as `parameters` and the rest of the suffix are. */
  readonly backbone: Graph;
}

/**
 * Splits a backbone where its trainable part starts. `suffix(prefix(x))` computes what `backbone(x)` does.
 * @throws RootstockError BAD_MODEL if the file fixes the number of images and cannot do without.
 */
export function trainableGraph(original: Graph, trainable: Trainable): TrainableGraph {
  const { graph: backbone, renamed } = withoutNames(
    trainingForm(original),
    [START, ...Object.values(HEAD)],
    "backbone.",
  );
  const start = renamed(trainable.start);
  const names = trainable.parameters.map(renamed);
  const input = backbone.inputs[0]!;
  const shape = trainable.startShape;
  if (shape[0] !== BATCH && names.length > 0) {
    throw new RootstockError(
      "BAD_MODEL",
      `training requires a backbone for any number of images, got "${backbone.name}" for exactly ${shape[0]}. Export it with a dynamic batch axis, or use --unfreeze head.`,
    );
  }
  const parameters = new Map(
    names.map((name) => {
      const value = backbone.initializers.get(name);
      invariant(value?.data instanceof Float32Array, () => `the parameter "${name}" is no float32 initializer`);
      return [name, tensor("float32", value.shape, value.data.slice())] as const;
    }),
  );
  return {
    prefix: start === input.name ? undefined : prefixGraph(backbone, start, shape),
    suffix: suffixGraph(backbone, { start, shape, parameters }),
    parameters,
    backbone,
  };
}

/** The backbone with other values for some of its initializers: those that were trained, or new statistics. */
export function withValues(backbone: Graph, values: ReadonlyMap<Value, Tensor>): Graph {
  const initializers = new Map(backbone.initializers);
  for (const [name, value] of values) {
    const before = initializers.get(name);
    if (!before || before.dtype !== value.dtype || String(before.shape) !== String(value.shape)) {
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `new values require an initializer of "${backbone.name}", got "${name}" ${value.dtype} [${value.shape.join(", ")}].`,
      );
    }
    initializers.set(name, value);
  }
  return { ...backbone, initializers };
}

/** The graph with some of its inputs as initializers of these values. */
export function withConstants(graph: Graph, values: ReadonlyMap<Value, Tensor>): Graph {
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !values.has(name)),
    initializers: new Map([...graph.initializers, ...values]),
  };
}

function prefixGraph(backbone: Graph, start: Value, shape: Shape): Graph {
  const before = subgraph(backbone, backbone.inputs, [{ name: start, dtype: "float32", shape }]);
  const b = new GraphBuilder(backbone.name, before);
  b.named("Identity", [start], START);
  return b.build([{ name: START, dtype: "float32", shape }]);
}

interface Suffix {
  readonly start: Value;
  readonly shape: Shape;
  readonly parameters: Parameters;
}

function suffixGraph(backbone: Graph, { start, shape, parameters }: Suffix): Graph {
  const batch = shape[0]!;
  const output = backbone.outputs[0]!;
  const sizes = batchSizes(backbone, batch);
  const stops = [start, ...sizes.keys(), ...parameters.keys()];
  const { nodes, initializers } = reachable(backbone, [output.name], stops);
  const b = new GraphBuilder(backbone.name, { ...backbone, inputs: [], nodes: [], initializers: new Map() });
  b.input({ name: START, dtype: "float32", shape });
  for (const [name, value] of parameters) b.input({ name, dtype: "float32", shape: value.shape });
  for (const [name, value] of initializers) b.initializer(name, value);
  const used = new Set(nodes.flatMap(usedBy));
  const needed = [...sizes].filter(([name]) => used.has(name));
  reserveNames(
    b,
    nodes,
    needed.map(([name]) => name),
  );
  const captured = nodes.some((node) => usedBy({ ...node, inputs: [] }).includes(start)); // files keep subgraphs as they are
  if (captured || start === output.name) b.named("Identity", [START], start);
  for (const [name, size] of needed) emitBatchSize(b, name, size, START, batch);
  for (const node of nodes) b.node({ ...node, inputs: node.inputs.map((name) => (name === start ? START : name)) });
  return b.build([output]);
}

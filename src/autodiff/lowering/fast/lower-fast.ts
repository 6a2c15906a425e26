/** Replaces gradient operators for ONNX Runtime's CPU kernels, with convolutions and what lies between them blocked. */
import { RootstockError } from "../../../errors.ts";
import { GraphBuilder } from "../../../graph/builder.ts";
import { deduplicate } from "../../../graph/deduplicate.ts";
import { describeNode, formatShape, type Graph, type Node, type Shape, type Value } from "../../../graph/graph.ts";
import { inferTypes, type ShapeRules } from "../../../graph/infer-types.ts";
import { prune, usedBy } from "../../../graph/traverse.ts";
import { GRADIENT_DOMAIN, GRADIENT_SHAPES, type GradientOp } from "../../gradient-operators.ts";
import { PORTABLE } from "../portable.ts";
import { batchNormForward } from "./batch-norm.ts";
import { BLOCKED_DOMAIN } from "./blocked-conv.ts";
import { concat, slice, transpose } from "./channels.ts";
import type { Choose } from "./choice.ts";
import { type Context, contextOf } from "./context.ts";
import { elementwise, identity } from "./elementwise.ts";
import { Forms } from "./forms.ts";
import { convForward } from "./forward.ts";
import { convGradW } from "./grad-w.ts";
import { convGradX } from "./grad-x.ts";
import { clipMask } from "./masks.ts";
import { dropOutputCopies } from "./outputs.ts";
import { pool, reduce } from "./pooling.ts";

export interface FastOptions {
  /** Channels per block of the runtime's blocked layout, 8 or 16, as the runtime was probed. */
  readonly block: number;
  /** Chooses among the variants of a gradient. @default the thresholds of `variantsOf` */
  readonly choose?: Choose | undefined;
  /** Whether outputs may come without dimensions of size 1, and undeclared, which spares a copy. @default false */
  readonly flatOutputs?: boolean | undefined;
  /** Shapes of operators outside ONNX's own domain, as given to `gradient`. @default {} */
  readonly shapes?: ShapeRules | undefined;
}

/**
 * The graph that `differentiate` gives, in operators of ONNX Runtime. Activations stay in its blocked layout, which its
 * convolutions read fastest, from one convolution to the next; what has no blocked form is computed as `gradient` does.
 * Names, types and order of the outputs stay. @throws RootstockError BAD_CONFIG if an input has an open size.
 */
export function lowerFast(graph: Graph, options: FastOptions): Graph {
  checkOptions(graph, options.block);
  return lowerBlocked(graph, options);
}

/** The same for a graph some of whose inputs are fed blocked, as the values between two convolutions are. */
export function lowerBlocked(
  graph: Graph,
  { block, choose, flatOutputs = false, shapes = {} }: FastOptions,
  blocked: ReadonlySet<Value> = new Set(),
): Graph {
  const types = inferTypes(graph, { ...shapes, ...GRADIENT_SHAPES });
  const b = new GraphBuilder(graph.name, { ...graph, nodes: [] });
  b.reserveNodes(graph.nodes);
  const f = new Forms(b, graph, { types, block, blocked });
  const c = contextOf(f, choose);
  for (const node of graph.nodes) if (!moved(c, node)) keep(f, node);
  for (const { name } of graph.outputs) f.pin(name);
  const { opsets, ...rest } = dropOutputCopies(deduplicated(prune(b.build(graph.outputs))), { reshapes: flatOutputs });
  const domains = new Set(rest.nodes.map(({ domain }) => domain));
  const kept = [...opsets].filter(([domain]) => domain !== GRADIENT_DOMAIN && domain !== BLOCKED_DOMAIN);
  return {
    ...rest,
    opsets: new Map([...kept, ...(domains.has(BLOCKED_DOMAIN) ? [[BLOCKED_DOMAIN, 1] as const] : [])]),
  };
}

/** Without what is computed twice, except before subgraphs, which know values by name. */
function deduplicated(graph: Graph): Graph {
  const hasSubgraph = ({ attributes }: Node): boolean =>
    Object.values(attributes).some(({ kind }) => kind === "opaque");
  return deduplicate(graph, graph.nodes.findLastIndex(hasSubgraph) + 1);
}

function checkOptions(graph: Graph, block: number): void {
  if (block !== 8 && block !== 16) {
    throw new RootstockError("BAD_CONFIG", `block requires 8 or 16 channels, as blockedLayout() gives, got ${block}.`);
  }
  const open = graph.inputs.find(({ shape }) => !shape?.every((size) => typeof size === "number"));
  if (open) {
    throw new RootstockError(
      "BAD_CONFIG",
      `lowerFast requires static shapes, got input "${open.name}" of shape ${formatShape(open.shape)}: bind its sizes to numbers, or lower with PORTABLE.`,
    );
  }
}

/** Emits a node in another layout, or leaves it to `keep`. */
function moved(c: Context, node: Node): boolean {
  const { f } = c;
  if (node.domain === GRADIENT_DOMAIN) {
    if (node.op === "ConvGradX") return convGradX(c, node);
    return node.op === "ConvGradW" && convGradW(c, node);
  }
  if (node.domain !== "") return false;
  switch (node.op) {
    case "Conv":
      return convForward(f, node);
    case "BatchNormalization":
      return batchNormForward(f, node);
    case "MaxPool":
    case "GlobalAveragePool":
      return pool(f, node);
    case "ReduceSum":
    case "ReduceMean":
      return reduce(f, node);
    case "Concat":
      return concat(f, node);
    case "Slice":
      return slice(f, node);
    case "Identity":
      return identity(f, node);
    case "Transpose":
      return transpose(f, node);
    default:
      return clipMask(f, node) || elementwise(f, node);
  }
}

/** Emits a node on plain values: as it is, or as the portable lowering computes it. */
function keep(f: Forms, node: Node): void {
  const inputs = node.inputs.map((value) => (value === "" ? "" : f.as(value, "plain")));
  if (node.domain !== GRADIENT_DOMAIN) {
    for (const value of usedBy({ ...node, inputs: [] })) f.pin(value); // subgraphs know values by name
    f.b.node({ ...node, inputs });
    for (const value of node.outputs) if (value !== "") f.set(value, "plain", value);
    return;
  }
  const typeOf = (form: Value) => f.known.type(node.inputs[inputs.indexOf(form)] ?? form);
  const shapeOf = (form: Value): Shape => {
    const shape = typeOf(form)?.shape;
    if (shape) return shape;
    throw new RootstockError("SHAPE_MISMATCH", `${describeNode(node)}: "${form}" is ${formatShape(shape)}.`);
  };
  const lowering = PORTABLE[node.op as GradientOp]; // only rules make nodes of this domain
  const context = { b: f.b, node, inputs, shapeOf, dtypeOf: (form: Value) => typeOf(form)?.dtype ?? "float32" };
  f.set(node.outputs[0]!, "plain", lowering(context));
}

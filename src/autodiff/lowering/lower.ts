/** Replaces gradient operators by operators that a runtime knows. */
import { RootstockError } from "../../errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { describeNode, formatShape, type Graph, type Node, type Shape, type Value } from "../../graph/graph.ts";
import { inferTypes, type ShapeRules } from "../../graph/infer-types.ts";
import type { DType } from "../../tensor/dtype.ts";
import { GRADIENT_DOMAIN, GRADIENT_SHAPES, type GradientOp } from "../gradient-operators.ts";

/** What a lowering may use. */
export interface LoweringContext {
  readonly b: GraphBuilder;
  readonly node: Node;
  /** The node's inputs, "" where absent. */
  readonly inputs: readonly Value[];
  /** Shape of an input of the node, or of its output. @throws RootstockError SHAPE_MISMATCH if its rank is unknown. */
  readonly shapeOf: (value: Value) => Shape;
  readonly dtypeOf: (value: Value) => DType;
}

/** Emits what computes one gradient operator, and returns its value. */
export type Lowering = (c: LoweringContext) => Value;

export type LoweringTable = { readonly [Op in GradientOp]: Lowering };

/** The graph with each gradient operator replaced by its entry in the table. `shapes` are those of `gradient`. */
export function lower(graph: Graph, table: LoweringTable, shapes: ShapeRules = {}): Graph {
  const types = inferTypes(graph, { ...shapes, ...GRADIENT_SHAPES });
  const b = new GraphBuilder(graph.name, { ...graph, nodes: [] });
  b.reserveNodes(graph.nodes);
  const lowered = new Map<Value, Value>();
  const now = (value: Value): Value => lowered.get(value) ?? value;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(now);
    if (node.domain !== GRADIENT_DOMAIN) {
      b.node({ ...node, inputs });
      continue;
    }
    const typeOf = (value: Value) => types.get(node.inputs[inputs.indexOf(value)] ?? value);
    const shapeOf = (value: Value): Shape => {
      const shape = typeOf(value)?.shape;
      if (shape) return shape;
      throw new RootstockError("SHAPE_MISMATCH", `${describeNode(node)}: "${value}" is ${formatShape(shape)}.`);
    };
    const lowering = table[node.op as GradientOp]; // only rules make nodes of this domain
    lowered.set(
      node.outputs[0]!,
      lowering({ b, node, inputs, shapeOf, dtypeOf: (value) => typeOf(value)?.dtype ?? "float32" }),
    );
  }
  const { opsets, ...rest } = b.build(graph.outputs);
  return { ...rest, opsets: new Map([...opsets].filter(([domain]) => domain !== GRADIENT_DOMAIN)) };
}

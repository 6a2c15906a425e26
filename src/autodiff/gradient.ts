/** Reverse-mode differentiation, graph → graph: the backward pass is appended as ordinary ONNX nodes. */
import { invariant, RootstockError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { deduplicate } from "../graph/deduplicate.ts";
import { foldKernel } from "../graph/fold-kernels.ts";
import {
  formatShape,
  type Graph,
  type Node,
  type Shape,
  type Value,
  type ValueInfo,
  type ValueType,
} from "../graph/graph.ts";
import { inferTypes, type ShapeRules } from "../graph/infer-types.ts";
import { suggestion } from "../graph/validate.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import {
  assertDifferentiable,
  BUILT_IN_RULES,
  gradientPath,
  obstacles,
  type RuleTable,
  ruleOf,
  vjpAt,
} from "./check.ts";
import { recognizeComposites } from "./composites/recognize.ts";
import { type LoweringTable, lower } from "./lowering/lower.ts";
import { PORTABLE } from "./lowering/portable.ts";
import type { ConstantOf, VjpContext } from "./rule.ts";
import { checkRequest } from "./validate.ts";

export interface DifferentiateOptions {
  /** The loss: a scalar value of the graph. */
  readonly of: Value;
  /** What to differentiate by: graph inputs or initializers of a float type. */
  readonly with: readonly Value[];
  /** Rules by operator. @default BUILT_IN_RULES */
  readonly rules?: RuleTable | undefined;
  /** Types of the outputs of operators outside ONNX's own domain, by "domain.Op". @default {} */
  readonly shapes?: ShapeRules | undefined;
}

export interface GradientOptions extends DifferentiateOptions {
  /** How gradient operators are computed. @default PORTABLE */
  readonly lowering?: LoweringTable | undefined;
}

/** Name of the output that holds the gradient with respect to a parameter. */
export function gradientName(parameter: Value): Value {
  return `${parameter}.gradient`;
}

/**
 * The graph, with one more output per parameter: d(of)/d(parameter), of the parameter's type and shape, named by
 * `gradientName`. Only nodes between a parameter and the loss are visited (Speelpenning 1980; Griewank and Walther 2008).
 * @throws RootstockError NOT_DIFFERENTIABLE if a node on the way has no rule, or a parameter does not reach the loss;
 * SHAPE_MISMATCH if the loss is not a scalar; BAD_MODEL if the graph is none, naming the node and the value.
 */
export function gradient(graph: Graph, request: GradientOptions): Graph {
  checkRequest(graph, request);
  const { lowering = PORTABLE, ...options } = request;
  return deduplicate(lower(differentiate(graph, options), lowering, options.shapes), graph.nodes.length);
}

/**
 * The graph that `gradient` gives, before lowering: what has no operator in ONNX, such as the gradient of Conv, is a
 * node of the domain "rootstock", for `lower` to replace. @throws RootstockError as `gradient` does.
 */
export function differentiate(
  graph: Graph,
  { of, with: asked, rules = BUILT_IN_RULES, shapes = {} }: DifferentiateOptions,
): Graph {
  const parameters = [...new Set(asked)];
  const types = inferTypes(graph, shapes);
  const shapeOf = (value: Value): Shape | undefined => types.get(value)?.shape;
  const constantOf = constantsOf(graph);
  checkParameters(parameters, types);
  // A view to find the way back by: what it groups has a shorter backward pass. The forward pass stays as it is.
  const excluded = (node: Node): boolean => ruleOf(node, rules) !== ruleOf(node, BUILT_IN_RULES);
  const view = recognizeComposites(graph, { keep: [of, ...parameters], excluded });
  const { nodes, values } = gradientPath(view, of, parameters, rules);
  // Before the loss: behind an operator that nobody knows, its shape is not known either.
  assertDifferentiable(obstacles(nodes, values, rules, shapeOf, constantOf), nodes.length, of);
  const { dtype } = scalarType(of, types);

  const taken = parameters.map(gradientName).find((name) => types.has(name));
  if (taken !== undefined)
    throw new RootstockError(
      "NOT_DIFFERENTIABLE",
      `the graph has a value "${taken}" already, the name of a gradient. Rename it, or the parameter, first.`,
    );

  const b = new GraphBuilder(graph.name, graph);
  const adjoints = new Map<Value, Value>([[of, b.scalar(1, dtype)]]);
  const accumulate = (value: Value, product: Value): void => {
    const sum = adjoints.get(value);
    adjoints.set(value, sum === undefined ? product : b.add(sum, product));
  };
  for (const node of nodes) propagate(b, node, { types, rules, values, adjoints, accumulate, constantOf });

  const outputs = parameters.map((parameter): ValueInfo => {
    const adjoint = adjoints.get(parameter);
    if (adjoint === undefined) {
      throw new RootstockError(
        "NOT_DIFFERENTIABLE",
        `"${parameter}" does not reach "${of}": its gradient would be zero. Leave it out of the parameters.`,
      );
    }
    return { ...types.get(parameter)!, name: b.named("Identity", [adjoint], gradientName(parameter)) };
  });
  return deduplicate(b.build([...graph.outputs, ...outputs]), graph.nodes.length);
}

interface Backward {
  readonly types: ReadonlyMap<Value, ValueType>;
  readonly rules: RuleTable;
  /** The values that gradients flow through. */
  readonly values: ReadonlySet<Value>;
  readonly adjoints: ReadonlyMap<Value, Value>;
  readonly accumulate: (value: Value, product: Value) => void;
  readonly constantOf: ConstantOf;
}

/** Sends the gradient of a node's output to those of its inputs that lead to a parameter. */
function propagate(b: GraphBuilder, node: Node, backward: Backward): void {
  const { types, rules, values, adjoints, accumulate, constantOf } = backward;
  const y = node.outputs[0]!;
  const found = ruleOf(node, rules);
  if (!found || !node.outputs.some((value) => adjoints.has(value))) return; // no rule below hands it a gradient
  const shapeOf = (value: Value): Shape => {
    const shape = types.get(value)?.shape;
    invariant(shape, () => `the rank of "${value}" is unknown in the backward pass`);
    return shape;
  };
  const x = Object.fromEntries(Object.keys(found.inputs).map((name, i) => [name, node.inputs[i] ?? ""]));
  const sumTo: VjpContext<string>["sumTo"] = (value, from, to) => unbroadcast(b, value, from, to, node);
  const dtypeOf = (value: Value): DType => types.get(value)!.dtype;
  const dyOf = (i: number): Value => adjoints.get(node.outputs[i]!) ?? b.zerosLike(node.outputs[i]!, dtypeOf(y));
  const dy = dyOf(0);
  for (const [index, input] of node.inputs.entries()) {
    const vjp = vjpAt(found, index);
    if (!values.has(input) || !vjp) continue;
    const product = vjp({ b, node, x, index, y, dy, dyOf, shapeOf, dtypeOf, constantOf, sumTo });
    const own = shapeOf(input);
    accumulate(input, unbroadcast(b, product, found.product === "input" ? own : shapeOf(y), own, node));
  }
}

/** The tensors that are known before the graph runs: initializers and the values of Constant nodes. */
function constantsOf({ initializers, nodes }: Graph): ConstantOf {
  const constants = new Map(initializers);
  for (const node of nodes) {
    const value = node.op === "Constant" ? foldKernel(node.op)?.(node, [], () => true) : undefined;
    if (value) constants.set(node.outputs[0]!, value);
  }
  return (value) => constants.get(value);
}

/** Sums `value` of shape `from` over the axes along which shape `to` was broadcast, so that it has shape `to`. */
function unbroadcast(b: GraphBuilder, value: Value, from: Shape, to: Shape, node: Node): Value {
  const lead = from.length - to.length;
  const summed: number[] = [];
  for (const [axis, dim] of from.entries()) {
    const own = axis < lead ? 1 : to[axis - lead]!;
    if (own === dim && axis >= lead) continue;
    if (own !== 1 && typeof own === "number") continue; // a number other than 1 was not broadcast: both are that number
    if (own !== 1) {
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `${node.op} "${node.name}": cannot tell whether ${formatShape(to)} was broadcast to ${formatShape(from)}. Give both dimensions one name, or numbers.`,
      );
    }
    summed.push(axis);
  }
  if (summed.length === 0) return value;
  const sum = b.reduceSum(value, { axes: summed });
  return lead === 0 ? sum : b.op("Squeeze", [sum, b.ints(Array.from({ length: lead }, (_, i) => i))]);
}

function scalarType(of: Value, types: ReadonlyMap<Value, ValueType>): ValueType {
  const loss = types.get(of);
  if (!loss)
    throw new RootstockError(
      "NOT_DIFFERENTIABLE",
      `"${of}" is not a value of the graph, or its type is unknown${suggestion(of, [...types.keys()]) || "."}`,
    );
  if (loss.shape?.length !== 0)
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `gradient requires a scalar loss, got "${of}" of shape ${formatShape(loss.shape)}.`,
    );
  return loss;
}

function checkParameters(parameters: readonly Value[], types: ReadonlyMap<Value, ValueType>): void {
  for (const value of parameters) {
    const type = types.get(value);
    if (!type || !isFloat(type.dtype)) {
      throw new RootstockError(
        "NOT_DIFFERENTIABLE",
        `cannot differentiate by "${value}": ${type ? `it is ${type.dtype}.` : `the graph has no such value${suggestion(value, [...types.keys()]) || "."}`}`,
      );
    }
  }
}

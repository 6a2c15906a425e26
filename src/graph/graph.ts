/** A program that can be read and edited: ONNX's graph as plain, immutable data. Passes return new graphs. */
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes } from "./attributes.ts";
import { printable } from "./printable.ts";

/** The oldest opset of the default domain that a graph in memory has: older files are upgraded when loaded. */
export const INTERNAL_OPSET = 18;

/** A value, named as in the file: a graph input, an initializer, or the output of one node. "" is an absent input. */
export type Value = string;

/** A dimension: a number, or the name of one that is only known when the graph runs. Equal names are equal sizes. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a value before it is computed. A missing shape means that not even the rank is known. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape?: Shape | undefined;
}

export interface ValueInfo extends ValueType {
  readonly name: Value;
}

/** One operation. `op` and `domain` name the operator ("" is ONNX's own domain). */
export interface Node {
  readonly op: string;
  readonly domain: string;
  /** Unique within the graph and never empty: messages point at it. */
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** A graph in single assignment form, its nodes in topological order. */
export interface Graph {
  readonly name: string;
  /** What the caller feeds. Initializers are not listed here. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<Value, Tensor>;
  /** Version of each operator domain; the default domain "" is at least INTERNAL_OPSET. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** How tables of rules name an operator: "Relu", or "domain.Op" outside ONNX's own domain. */
export function operatorKey({ domain, op }: Pick<Node, "domain" | "op">): string {
  return domain === "" ? op : `${domain}.${op}`;
}

/** How a node is called in messages: operator and name. */
export function describeNode(node: Node): string {
  return printable(`${operatorKey(node)} "${node.name}"`);
}

/** A shape as people write it: [batch, 3, 224, 224]. */
export function formatShape(shape: Shape | undefined): string {
  return shape ? `[${printable(shape.join(", "))}]` : "[unknown]";
}

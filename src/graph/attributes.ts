/** Attributes of a node, and how to read them with their defaults. */
import { RootstockError } from "../errors.ts";
import type { AttributeProto } from "../onnx/onnx-pb.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** An attribute with ONNX's own distinction of kinds: 1 and 1.0 are not the same. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  /** Subgraphs and everything else: kept as read, with the outer values that a subgraph uses. */
  | { readonly kind: "opaque"; readonly value: AttributeProto; readonly captures: readonly string[] };

export type Attributes = Readonly<Record<string, Attribute>>;

/** Anything with attributes and a name for messages. */
export interface Attributed {
  readonly name: string;
  readonly op: string;
  readonly attributes: Attributes;
}

type Kind = Exclude<Attribute["kind"], "opaque">;
type ValueOf<K extends Kind> = Extract<Attribute, { kind: K }>["value"];

/** An integer attribute, or `fallback` where the node does not carry it. */
export function intOf<T = never>(node: Attributed, name: string, fallback?: T): number | T {
  return read(node, name, "int", fallback);
}

/** A float attribute, or `fallback`. */
export function floatOf<T = never>(node: Attributed, name: string, fallback?: T): number | T {
  return read(node, name, "float", fallback);
}

/** A string attribute, or `fallback`. */
export function stringOf<T = never>(node: Attributed, name: string, fallback?: T): string | T {
  return read(node, name, "string", fallback);
}

/** A list of integers, or `fallback`. */
export function intsOf<T = never>(node: Attributed, name: string, fallback?: T): readonly number[] | T {
  return read(node, name, "ints", fallback);
}

/** A tensor attribute, or `fallback`. */
export function tensorOf<T = never>(node: Attributed, name: string, fallback?: T): Tensor | T {
  return read(node, name, "tensor", fallback);
}

function read<K extends Kind, T>(node: Attributed, name: string, kind: K, fallback: T | undefined): ValueOf<K> | T {
  const attribute = node.attributes[name];
  if (attribute?.kind === kind) return attribute.value as ValueOf<K> & T; // the kind was compared
  // An absent fallback is `undefined` where the caller's T allows it, so only a wrong kind is an error here.
  if (!attribute) return fallback as T;
  throw new RootstockError(
    "BAD_MODEL",
    `${node.op} "${node.name}" requires attribute "${name}" of kind ${kind}, got ${attribute.kind}.`,
  );
}

/** Attributes from plain values, for building nodes: whole numbers become `int`; use `float()` for floats. */
export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const string = (value: string): Attribute => ({ kind: "string", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });

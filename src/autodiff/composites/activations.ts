/** Activation functions that exporters write out, recognised at the product they end in. */
import { type Attributes, float, string } from "../../graph/attributes.ts";
import type { Node, Value } from "../../graph/graph.ts";
import { type Formulas, hasCoefficients, isProduct, near, numberOf, orders, polynomialOf, productOf } from "./match.ts";

/** One operator that a group of nodes amounts to. */
export interface Composite {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** Values inside that the operator's gradient rule can use, as outputs after the first. */
  readonly saved: readonly Value[];
  /** All nodes of the group. */
  readonly nodes: readonly Node[];
}

/**
 * The activation function that a node completes, if it does: SiLU or GELU. Hard-swish, hard-sigmoid and Mish written out
 * stay as they are: their own rules take as many passes as those of their parts.
 */
export function activation(f: Formulas, root: Node): Composite | undefined {
  if (!isProduct(f, root)) return undefined;
  for (const x of candidates(f, root)) {
    const { number, factors, nodes } = productOf(f, root, x);
    const [gate, ...more] = withoutOne(factors, x) ?? [];
    if (gate === undefined || more.length > 0) continue;
    const found = swish(f, gate, x, number) ?? gelu(f, gate, x, number);
    if (found) return { ...found, inputs: [x], nodes: [...nodes, ...found.nodes] };
  }
  return undefined;
}

type Gate = Omit<Composite, "inputs">;

/** x sigmoid(alpha x): SiLU and the quick form of GELU. */
function swish(f: Formulas, gate: Value, x: Value, number: number): Gate | undefined {
  const sigmoid = f.madeBy(gate, "Sigmoid");
  const inner = sigmoid && polynomialOf(f, sigmoid.inputs[0]!, x);
  if (number !== 1 || !inner || inner.coefficients.length !== 2 || inner.coefficients[0] !== 0) return undefined;
  const attributes = { alpha: float(inner.coefficients[1]!) };
  return { op: "Swish", attributes, saved: [gate], nodes: [sigmoid, ...inner.nodes] };
}

/** ½ x (1 + erf(x / √2)), or ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). */
function gelu(f: Formulas, gate: Value, x: Value, number: number): Gate | undefined {
  const add = f.madeBy(gate, "Add");
  const [curve] = add
    ? orders(add)
        .filter(([, one]) => numberOf(f, one) === 1)
        .map(([value]) => value)
    : [];
  if (!add || curve === undefined || !near(number, 0.5)) return undefined;
  const node = f.madeBy(curve, "Erf") ?? f.madeBy(curve, "Tanh");
  const inner = node && polynomialOf(f, node.inputs[0]!, x);
  const root = Math.sqrt(2 / Math.PI);
  const wanted = node?.op === "Erf" ? [0, Math.SQRT1_2] : [0, root, 0, root * 0.044715];
  if (!node || !hasCoefficients(inner, wanted)) return undefined;
  const attributes = { approximate: string(node.op === "Erf" ? "none" : "tanh") };
  return { op: "Gelu", attributes, saved: [curve], nodes: [add, node, ...inner.nodes] };
}

/** The values that may be x: all that the product multiplies, whole or in parts. */
function candidates(f: Formulas, root: Node): ReadonlySet<Value> {
  const inputs = productOf(f, root).nodes.flatMap((node) => node.inputs);
  return new Set(inputs.filter((value) => numberOf(f, value) === undefined));
}

/** The list without one occurrence of an element, or undefined if it has none. */
function withoutOne<T>(list: readonly T[], element: T): T[] | undefined {
  const at = list.indexOf(element);
  return at < 0 ? undefined : list.toSpliced(at, 1);
}

/** Reading a graph as formulas: who computed a value, which number it is, and how it depends on another value. */
import { foldKernel } from "../../graph/fold-kernels.ts";
import type { Graph, Node, Shape, Value } from "../../graph/graph.ts";
import { producersOf } from "../../graph/traverse.ts";
import { type Tensor, toNumbers } from "../../tensor/tensor.ts";

/** What patterns may ask about a graph. */
export interface Formulas {
  /** The node that computes a value, if it is this operator of ONNX's own domain. */
  readonly madeBy: (value: Value | undefined, op: string) => Node | undefined;
  /** The elements of a constant: an initializer or the value of a Constant node. */
  readonly constant: (value: Value | undefined) => readonly number[] | undefined;
  readonly shapeOf: (value: Value) => Shape | undefined;
}

/** A part of a formula, and the nodes that compute it. */
export interface Part {
  readonly nodes: readonly Node[];
}

export function formulasOf(
  graph: Graph,
  kept: ReadonlySet<Value>,
  shapeOf: (value: Value) => Shape | undefined,
): Formulas {
  const producers = producersOf(graph.nodes);
  const tensorOf = (value: Value): Tensor | undefined => {
    const node = producers.get(value);
    return node?.op === "Constant" ? foldKernel(node.op)?.(node, [], () => true) : graph.initializers.get(value);
  };
  return {
    madeBy: (value = "", op) => {
      const node = kept.has(value) ? undefined : producers.get(value);
      return node?.op === op && node.domain === "" ? node : undefined;
    },
    constant: (value = "") => {
      const tensor = kept.has(value) ? undefined : tensorOf(value);
      return tensor && tensor.data.length <= MOST_NUMBERS ? toNumbers(tensor) : undefined;
    },
    shapeOf,
  };
}

/** Constants in formulas are scalars and short lists of axes. */
const MOST_NUMBERS = 16;

/** The single number that a value is. */
export function numberOf({ constant }: Formulas, value: Value | undefined): number | undefined {
  const numbers = constant(value);
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Whether two numbers are equal up to the rounding of constants in files. */
export function near(x: number | undefined, y: number): boolean {
  return x !== undefined && Math.abs(x - y) <= 1e-5 * Math.abs(y);
}

/** Both orders of a node's two inputs. */
export function orders({ inputs: [x, y] }: Node): readonly (readonly [Value, Value])[] {
  return x === undefined || y === undefined
    ? []
    : [
        [x, y],
        [y, x],
      ];
}

/** A product taken apart: number · factors. */
export interface Product extends Part {
  readonly number: number;
  readonly factors: readonly Value[];
}

/** The value of a node as a product: Mul and Div by a number are taken apart down to `atom`, which stays whole. */
export function productOf(f: Formulas, root: Node, atom?: Value): Product {
  const nodes: Node[] = [];
  const factors: Value[] = [];
  let number = 1;
  const walk = (node: Node): void => {
    nodes.push(node);
    for (const [i, input] of node.inputs.entries()) {
      const known = numberOf(f, input);
      const inner = input === atom ? undefined : factorNode(f, input);
      if (known !== undefined) number *= node.op === "Div" && i === 1 ? 1 / known : known;
      else if (inner) walk(inner);
      else factors.push(input);
    }
  };
  walk(root);
  return { number, factors, nodes };
}

/** The node of a value that is itself a product. */
function factorNode(f: Formulas, value: Value): Node | undefined {
  const division = f.madeBy(value, "Div");
  return f.madeBy(value, "Mul") ?? (division && numberOf(f, division.inputs[1]) !== undefined ? division : undefined);
}

/** Whether a node's value is a product that `productOf` takes apart. */
export function isProduct(f: Formulas, node: Node): boolean {
  return node.domain === "" && factorNode(f, node.outputs[0]!) === node;
}

/** A polynomial: coefficients from the constant one up. */
export interface Polynomial extends Part {
  readonly coefficients: readonly number[];
}

/** A value as a polynomial of `x`, through Add, Sub, Mul, Neg, Div by a number and Pow by a small whole number. */
export function polynomialOf(f: Formulas, value: Value, x: Value, depth = 6): Polynomial | undefined {
  if (value === x) return { coefficients: [0, 1], nodes: [] };
  const known = numberOf(f, value);
  if (known !== undefined) return { coefficients: [known], nodes: [] };
  const node = ["Add", "Sub", "Mul", "Div", "Neg", "Pow"].map((op) => f.madeBy(value, op)).find((made) => made);
  if (!node || depth === 0) return undefined;
  const operands = node.inputs.map((input) => polynomialOf(f, input, x, depth - 1));
  const [p, q] = operands;
  const coefficients = p && combine(node.op, p.coefficients, q?.coefficients);
  return coefficients && { coefficients, nodes: [node, ...operands.flatMap((operand) => operand?.nodes ?? [])] };
}

function combine(op: string, p: readonly number[], q: readonly number[] | undefined): number[] | undefined {
  if (op === "Neg") return p.map((c) => -c);
  if (!q) return undefined;
  if (op === "Add") return sum(p, q);
  if (op === "Sub")
    return sum(
      p,
      q.map((c) => -c),
    );
  if (op === "Mul") return times(p, q);
  const number = q.length === 1 ? q[0]! : Number.NaN;
  if (op === "Div") return Number.isNaN(number) ? undefined : p.map((c) => c / number);
  if (![1, 2, 3].includes(number)) return undefined;
  return Array.from({ length: number - 1 }).reduce((power: number[]) => times(power, p), [...p]);
}

const sum = (p: readonly number[], q: readonly number[]): number[] =>
  Array.from({ length: Math.max(p.length, q.length) }, (_, i) => (p[i] ?? 0) + (q[i] ?? 0));

function times(p: readonly number[], q: readonly number[]): number[] {
  const product = new Array<number>(p.length + q.length - 1).fill(0);
  for (const [i, a] of p.entries()) for (const [j, c] of q.entries()) product[i + j]! += a * c;
  return product;
}

/** Whether a polynomial has these coefficients. */
export function hasCoefficients(p: Polynomial | undefined, wanted: readonly number[]): p is Polynomial {
  return (
    p !== undefined &&
    p.coefficients.length === wanted.length &&
    wanted.every((c, i) => (c === 0 ? p.coefficients[i] === 0 : near(p.coefficients[i], c)))
  );
}

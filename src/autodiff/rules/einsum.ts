/** Gradient rule of Einsum. */
import { string, stringOf } from "../../graph/attributes.ts";
import type { Dim, Node, Shape, Value } from "../../graph/graph.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";

/**
 * Y = products of the operands' elements, summed over the letters that the output lacks. d operand = Einsum of dY and
 * the other operands, in the operand's letters. It is repeated along letters that the operand alone had, and summed
 * along axes of size 1 that stood for a larger size.
 */
export const einsum: VjpRule<"Einsum"> = {
  ...rule<"Einsum">({
    Inputs: (c) => {
      const { b, node, index, y, dy, shapeOf, sumTo } = c;
      const { terms, output } = lettersOf(node, shapeOf)!; // undefined was refused
      const own = [...terms[index]!];
      const operand = node.inputs[index]!;
      const used = [output, ...terms.filter((_, i) => i !== index)];
      const values = [y, ...node.inputs.filter((_, i) => i !== index)];
      const sizes = sizesOf(used, values.map(shapeOf));
      const shape = shapeOf(operand);
      const found = [...own.entries()].filter(([, letter]) => sizes.has(letter));
      const letters = found.map(([, letter]) => letter);
      const equation = `${used.join(",")}->${letters.join("")}`;
      const product = b.op("Einsum", [dy, ...values.slice(1)], { equation: string(equation) });
      const from = letters.map((letter) => sizes.get(letter)!);
      const to = found.map(([axis], i) => (from[i] === 1 ? 1 : shape[axis]!));
      const sum = sumTo(product, from, to);
      const isWhole = found.length === own.length && found.every(([axis], i) => to[i] === shape[axis]);
      return isWhole ? sum : repeat(c, sum, { found: found.map(([axis]) => axis), operand });
    },
  }),
  variadic: true,
  unsupported: (node, shapeOf) => {
    const shapes = node.inputs.map(shapeOf);
    if (!shapes.every((shape) => shape !== undefined)) return undefined;
    const letters = lettersOf(node, (value) => shapeOf(value)!); // all shapes are known
    if (!letters) return "more than 52 axes";
    const repeated = letters.terms.some((term) => new Set(term).size < term.length);
    return repeated ? `a repeated letter in one operand of "${stringOf(node, "equation")}"` : undefined;
  },
};

/** Along letters that no other operand has, or has with size 1, all elements of the operand had the same part in Y. */
function repeat(
  { b, shapeOf }: VjpContext<"Inputs">,
  product: Value,
  { found, operand }: { readonly found: readonly number[]; readonly operand: Value },
): Value {
  const missing = [...shapeOf(operand).keys()].filter((axis) => !found.includes(axis));
  const full = missing.length === 0 ? product : b.op("Unsqueeze", [product, b.ints(missing)]);
  return b.op("Expand", [full, b.op("Shape", [operand])]);
}

/** The size of each letter: of several, the one that is not 1. */
function sizesOf(terms: readonly string[], shapes: readonly Shape[]): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  for (const [i, term] of terms.entries()) {
    for (const [axis, letter] of [...term].entries()) {
      const dim = shapes[i]![axis]!;
      if (!sizes.has(letter) || sizes.get(letter) === 1) sizes.set(letter, dim);
    }
  }
  return sizes;
}

/** The letters of each operand and of the output, with unused ones for "..."; undefined if there are not enough. */
function lettersOf(
  node: Node,
  shapeOf: (value: Value) => Shape,
): { readonly terms: readonly string[]; readonly output: string } | undefined {
  const equation = stringOf(node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const parts = left.split(",");
  const first = parts.findIndex((term) => term.includes("..."));
  // The runtime takes "..." of one rank only.
  const width = first < 0 ? 0 : shapeOf(node.inputs[first]!).length - parts[first]!.replace("...", "").length;
  const free = [...ALPHABET].filter((letter) => !equation.includes(letter));
  if (free.length < width) return undefined;
  const named = (term: string): string => term.replace("...", free.slice(0, width).join(""));
  return { terms: parts.map(named), output: named(right ?? implicitOutput(left)) };
}

/** Without "->" the output has the letters that occur once, in the order of the alphabet, behind "...". */
function implicitOutput(left: string): string {
  const letters = [...left].filter((letter) => ALPHABET.includes(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return (left.includes("...") ? "..." : "") + once.join("");
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

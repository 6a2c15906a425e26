/** Matrix products. */
import { RootstockError } from "../../errors.ts";
import { intOf, stringOf } from "../attributes.ts";
import { type Dim, describeNode, formatShape } from "../graph.ts";
import { broadcast, differ, like, mismatch, moreKnown, type ShapeRule, shapeOf, shapeOfRank } from "./rule.ts";

/** MatMul: A [..., m, k], B [..., k, n]; a vector is a row on the left and a column on the right (numpy.matmul). */
export const matMul: ShapeRule = (c) => {
  const a = shapeOfRank(c, 0, 1);
  const b = shapeOfRank(c, 1, 1);
  if (!a || !b) return like(c, undefined, c.inputs[0] ? 0 : 1);
  if (differ(a.at(-1), b.at(b.length === 1 ? -1 : -2))) {
    throw mismatch(c.node, "matrices with equal inner sizes", `${formatShape(a)} and ${formatShape(b)}`);
  }
  const batch = broadcast(c, [a.slice(0, -2), b.slice(0, -2)]) ?? [];
  const rows = a.length === 1 ? [] : [a.at(-2)!];
  const columns = b.length === 1 ? [] : [b.at(-1)!];
  return like(c, [...batch, ...rows, ...columns]);
};

/** Gemm: alpha A' B' + beta C, with A [m, k], B [k, n] after the transpositions, and C broadcast to [m, n]. */
export const gemm: ShapeRule = (c) => {
  const matrix = (index: number, flag: string): readonly Dim[] | undefined => {
    const shape = shapeOf(c, index);
    if (shape && shape.length !== 2) throw mismatch(c.node, `a matrix as input ${index}`, formatShape(shape));
    return shape && intOf(c.node, flag, 0) !== 0 ? [shape[1]!, shape[0]!] : shape;
  };
  const a = matrix(0, "transA");
  const b = matrix(1, "transB");
  if (!a || !b) return like(c, undefined, c.inputs[0] ? 0 : 1);
  if (differ(a[1], b[0])) {
    throw mismatch(
      c.node,
      "matrices with equal inner sizes",
      `${formatShape(a)} and ${formatShape(b)} (after transposition)`,
    );
  }
  const bias = shapeOf(c, 2);
  const shape = [a[0]!, b[1]!];
  if (bias && (bias.length > 2 || bias.some((dim, i) => dim !== 1 && differ(dim, shape[i + 2 - bias.length])))) {
    throw mismatch(c.node, `an input C that broadcasts to ${formatShape(shape)}`, formatShape(bias));
  }
  return like(c, shape);
};

/** Einsum: letters name axes; "..." stands for broadcast axes; without "->" the letters used once, in order. */
export const einsum: ShapeRule = (c) => {
  const equation = stringOf(c.node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const shapes = c.node.inputs.map((_, i) => shapeOf(c, i));
  if (terms.length !== shapes.length)
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${describeNode(c.node)} requires ${terms.length} inputs for "${equation}", got ${shapes.length}.`,
    );
  const sizes = new Map<string, Dim>();
  const ellipses: (readonly Dim[])[] = [];
  for (const [i, shape] of shapes.entries()) {
    if (!shape) return like(c, undefined);
    const [before = "", after = ""] = terms[i]!.split("...");
    const dotted = terms[i]!.includes("...");
    const letters = before.length + after.length;
    if (dotted ? shape.length < letters : shape.length !== letters)
      throw mismatch(c.node, `an input ${i} like "${terms[i]}"`, formatShape(shape));
    const end = shape.length - after.length;
    if (dotted) ellipses.push(shape.slice(before.length, end));
    const named = [
      ...[...before].map((letter, k) => [letter, shape[k]!] as const),
      ...[...after].map((letter, k) => [letter, shape[end + k]!] as const),
    ];
    for (const [letter, dim] of named) {
      const known = sizes.get(letter);
      if (known !== undefined && known !== 1 && dim !== 1 && differ(known, dim))
        throw mismatch(c.node, `one size of "${letter}" in "${equation}"`, `${known} and ${dim}`);
      sizes.set(letter, known === undefined || known === 1 ? dim : dim === 1 ? known : moreKnown(known, dim));
    }
  }
  const dots = broadcast(c, ellipses) ?? [];
  const output = right ?? implicitOutput(left);
  const [before = "", after = ""] = output.split("...");
  const dim = (letter: string): Dim => {
    const size = sizes.get(letter);
    if (size === undefined)
      throw mismatch(c.node, `output letters that occur in the inputs of "${equation}"`, `"${letter}"`);
    return size;
  };
  return like(c, [...[...before].map(dim), ...(output.includes("...") ? dots : []), ...[...after].map(dim)]);
};

function implicitOutput(left: string): string {
  const letters = [...left].filter((letter) => /[A-Za-z]/.test(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return (left.includes("...") ? "..." : "") + once.join("");
}

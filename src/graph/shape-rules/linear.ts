/** Matrix products. */
import { intOf, stringOf } from "../attributes.ts";
import { type Dim, formatShape, type Shape } from "../graph.ts";
import {
  broadcast,
  differ,
  like,
  mismatch,
  moreKnown,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  shapeOfRank,
} from "./rule.ts";

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
  const [left = "", given] = equation.split("->");
  const right = given ?? implicitOutput(left);
  const terms = left.split(",");
  if (terms.length !== c.node.inputs.length) {
    throw mismatch(c.node, `${terms.length} inputs for "${equation}"`, String(c.node.inputs.length));
  }
  const sizes = new Map<string, Dim>();
  const ellipses: Shape[] = [];
  for (const [i, term] of terms.entries()) {
    const shape = shapeOf(c, i);
    if (!shape) return like(c, undefined);
    const axes = termAxes(term, shape);
    if (!axes) throw mismatch(c.node, `an input ${i} like "${term}"`, formatShape(shape));
    if (axes.dots) ellipses.push(axes.dots);
    for (const [letter, dim] of axes.letters) sizes.set(letter, sharedSize(c, letter, [sizes.get(letter) ?? 1, dim]));
  }
  const dots = broadcast(c, ellipses) ?? [];
  return like(
    c,
    right
      .split(/(\.\.\.|\w)/)
      .filter(Boolean)
      .flatMap((part) => (part === "..." ? dots : [sizes.get(part) ?? 1])),
  );
};

/** The size of a letter that occurs twice; a size of 1 repeats. */
function sharedSize(c: RuleContext, letter: string, [known, dim]: readonly [Dim, Dim]): Dim {
  if (known === 1 || dim === 1) return known === 1 ? dim : known;
  if (differ(known, dim)) throw mismatch(c.node, `one size of "${letter}"`, `${known} and ${dim}`);
  return moreKnown(known, dim);
}

/** The size of each letter of a term, and of what "..." stands for; undefined if the rank does not fit. */
function termAxes(term: string, shape: Shape): { letters: [string, Dim][]; dots: Shape | undefined } | undefined {
  const [before = "", after] = term.split("...");
  const start = before.length;
  const end = shape.length - (after?.length ?? 0);
  if (after === undefined ? shape.length !== start : end < start) return undefined;
  const front = [...before].map((letter, k): [string, Dim] => [letter, shape[k]!]);
  const back = [...(after ?? "")].map((letter, k): [string, Dim] => [letter, shape[end + k]!]);
  return { letters: [...front, ...back], dots: after === undefined ? undefined : shape.slice(start, end) };
}

function implicitOutput(left: string): string {
  const letters = [...left].filter((letter) => /[A-Za-z]/.test(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return (left.includes("...") ? "..." : "") + once.join("");
}

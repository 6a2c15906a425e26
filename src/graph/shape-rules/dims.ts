/**
 * Arithmetic on dimensions that may be symbolic. A dimension is a polynomial with whole coefficients over names; the
 * name of a result is its formula ("12*batch", "floor((h + 1)/2)"), so that equal sizes get equal names.
 */
import type { Dim } from "../graph.ts";

/** Arithmetic on dimensions within one graph. Results are numbers wherever the names cancel. */
export interface DimAlgebra {
  /** A name that no other dimension has, made from a hint. */
  fresh(hint: string): string;
  add(x: Dim, y: Dim): Dim;
  sub(x: Dim, y: Dim): Dim;
  mul(x: Dim, y: Dim): Dim;
  /** x / y where that is whole whatever the names stand for, otherwise undefined. */
  divideExact(x: Dim, y: Dim): Dim | undefined;
  /** x / y rounded down; undefined where y is not a positive number and does not divide x. */
  floorDivide(x: Dim, y: Dim): Dim | undefined;
  /** x / y rounded up, for a positive number y. */
  ceilDivide(x: Dim, y: number): Dim | undefined;
  product(dims: readonly Dim[]): Dim;
}

/** Coefficients by monomial; a monomial is its atoms' numbers in ascending order, and [] is the constant. */
type Polynomial = readonly Term[];
interface Term {
  readonly atoms: readonly number[];
  readonly factor: number;
}

/** Beyond this many terms, or factors of a term, a formula helps nobody: it becomes a name of its own. */
const MAX_TERMS = 12;

/** Nor does one rounded down that takes more characters than this. */
const MAX_FLOOR_LENGTH = 1000;

/** @param names the dimension names that the graph itself uses: none is made again, and formulas list them in this order. */
export function dimAlgebra(names: Iterable<string> = []): DimAlgebra {
  const atomNames: string[] = [];
  const polynomialOf = new Map<string, Polynomial>();
  const nameOf = new Map<string, string>();
  const taken = new Set<string>();
  /** Whole quotients: what the atom `floor(inner / divisor)` is made of, so that nested ones merge. */
  const quotients = new Map<number, { readonly inner: Polynomial; readonly divisor: number }>();

  const unique = (hint: string): string => {
    let name = hint;
    for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
  const atom = (name: string): Polynomial => {
    const polynomial: Polynomial = [{ atoms: [atomNames.push(name) - 1], factor: 1 }];
    polynomialOf.set(name, polynomial);
    nameOf.set(keyOf(polynomial), name);
    taken.add(name);
    return polynomial;
  };
  for (const name of new Set(names)) atom(name);
  const parse = (dim: Dim): Polynomial =>
    typeof dim === "number" ? constant(dim) : (polynomialOf.get(dim) ?? atom(dim));
  const toDim = (polynomial: Polynomial): Dim => {
    if (polynomial.length === 0) return 0;
    if (polynomial.length === 1 && polynomial[0]!.atoms.length === 0) return polynomial[0]!.factor;
    const key = keyOf(polynomial);
    const known = nameOf.get(key);
    if (known !== undefined) return known;
    // What is too long is not kept, so that no operand of `times` or `sum` ever is.
    const tooLong = polynomial.length > MAX_TERMS || polynomial.some(({ atoms }) => atoms.length > MAX_TERMS);
    const name = unique(tooLong ? "size" : format(polynomial, atomNames));
    nameOf.set(key, name);
    if (tooLong) atom(name);
    else polynomialOf.set(name, polynomial);
    return name;
  };
  /** floor(rest / divisor) as an atom of its own; nested ones merge: floor((floor(a / m) + c) / n) = floor((a + c m) / (m n)). */
  const floorAtom = (rest: Polynomial, divisor: number): Polynomial => {
    const [first, second] = rest;
    const nested = first?.atoms.length === 1 && first.factor === 1 ? quotients.get(first.atoms[0]!) : undefined;
    if (nested && !second?.atoms.length) {
      const offset = constant((second?.factor ?? 0) * nested.divisor);
      return floorAtom(sum(nested.inner, offset), divisor * nested.divisor);
    }
    const key = `floor ${keyOf(rest)} / ${divisor}`;
    const known = nameOf.get(key);
    if (known !== undefined) return parse(known);
    const inner = format(rest, atomNames);
    const formula = `floor(${rest.length > 1 ? `(${inner})` : inner}/${divisor})`;
    const name = unique(formula.length > MAX_FLOOR_LENGTH ? "size" : formula);
    nameOf.set(key, name);
    const polynomial = atom(name);
    quotients.set(polynomial[0]!.atoms[0]!, { inner: rest, divisor });
    return polynomial;
  };
  const floorDivide = (x: Dim, y: Dim): Dim | undefined => {
    const exact = divide(parse(x), parse(y));
    if (exact) return toDim(exact);
    if (typeof y !== "number" || y <= 0) return undefined;
    if (typeof x === "number") return Math.floor(x / y);
    // floor((y q + r) / y) = q + floor(r / y) with every coefficient of r in [0, y).
    const polynomial = parse(x);
    const whole = collect(polynomial.map(({ atoms, factor }) => ({ atoms, factor: Math.floor(factor / y) })));
    const rest = sum(polynomial, times(whole, constant(-y)));
    return toDim(rest[0]?.atoms.length ? sum(whole, floorAtom(rest, y)) : whole);
  };
  const mul = (x: Dim, y: Dim): Dim => toDim(times(parse(x), parse(y)));
  return {
    fresh: unique,
    add: (x, y) => toDim(sum(parse(x), parse(y))),
    sub: (x, y) => toDim(sum(parse(x), times(parse(y), constant(-1)))),
    mul,
    divideExact: (x, y) => {
      const quotient = divide(parse(x), parse(y));
      return quotient && toDim(quotient);
    },
    floorDivide,
    ceilDivide: (x, y) => floorDivide(toDim(sum(parse(x), constant(y - 1))), y),
    product: (dims) => dims.reduce(mul, 1),
  };
}

function constant(value: number): Polynomial {
  return value === 0 ? [] : [{ atoms: [], factor: value }];
}

/** Larger monomials first: by degree, then by atoms. The order is kept by multiplication, as division requires. */
function compare(x: readonly number[], y: readonly number[]): number {
  if (x.length !== y.length) return y.length - x.length;
  const i = x.findIndex((atom, k) => atom !== y[k]);
  return i < 0 ? 0 : x[i]! - y[i]!;
}

/** Adds up equal monomials and drops those that vanish. */
function collect(terms: readonly Term[]): Polynomial {
  const sums = new Map<string, Term>();
  for (const { atoms, factor } of terms) {
    const key = atoms.join();
    sums.set(key, { atoms, factor: factor + (sums.get(key)?.factor ?? 0) });
  }
  return [...sums.values()].filter(({ factor }) => factor !== 0).sort((x, y) => compare(x.atoms, y.atoms));
}

function sum(x: Polynomial, y: Polynomial): Polynomial {
  return collect([...x, ...y]);
}

function times(x: Polynomial, y: Polynomial): Polynomial {
  const product = (a: Term, b: Term): Term => ({
    atoms: [...a.atoms, ...b.atoms].sort((m, n) => m - n),
    factor: a.factor * b.factor,
  });
  return collect(x.flatMap((a) => y.map((b) => product(a, b))));
}

/** Long division; undefined unless the remainder vanishes and every coefficient is whole. */
function divide(x: Polynomial, y: Polynomial): Polynomial | undefined {
  const lead = y[0];
  if (!lead) return undefined;
  let rest = x;
  const quotient: Term[] = [];
  for (let top = rest[0]; top; top = rest[0]) {
    const atoms = without(top.atoms, lead.atoms);
    const factor = top.factor / lead.factor;
    if (!atoms || !Number.isInteger(factor) || quotient.length > MAX_TERMS) return undefined;
    quotient.push({ atoms, factor });
    rest = sum(rest, times(y, [{ atoms, factor: -factor }]));
  }
  return quotient;
}

/** The atoms of `x` with those of `y` taken out once each, or undefined if one is missing. */
function without(x: readonly number[], y: readonly number[]): number[] | undefined {
  const rest = [...x];
  for (const atom of y) {
    const i = rest.indexOf(atom);
    if (i < 0) return undefined;
    rest.splice(i, 1);
  }
  return rest;
}

function keyOf(polynomial: Polynomial): string {
  return polynomial.map(({ atoms, factor }) => `${factor}:${atoms.join()}`).join(" ");
}

function format(polynomial: Polynomial, names: readonly string[]): string {
  const terms = polynomial.map(({ atoms, factor }, i) => {
    const size = Math.abs(factor);
    const parts = [...(size !== 1 || atoms.length === 0 ? [size] : []), ...atoms.map((atom) => names[atom])];
    const sign = factor < 0 ? "-" : "+";
    if (i === 0) return `${factor < 0 ? "-" : ""}${parts.join("*")}`;
    return ` ${sign} ${parts.join("*")}`;
  });
  return terms.join("");
}

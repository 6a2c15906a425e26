/** Which part of a backbone trains: `unfreeze` specifications, and the point from which the network has to run. */
import { listed, RootstockError } from "../errors.ts";
import type { Graph, Shape, Value } from "../graph/graph.ts";
import { type Anatomy, anatomyOf, type Stage, stagesOfAnatomy } from "./stages.ts";

/** What trains, besides the head. */
export interface Trainable {
  /** The value where the frozen prefix ends: the graph's input where there is none, FEATURES where nothing is unfrozen. */
  readonly start: Value;
  /** [batch, ...] */
  readonly startShape: Shape;
  /** Names of the parameters that train, in graph order, as `untie` names them. Empty for "head". */
  readonly parameters: readonly Value[];
}

/** Forms of a specification, for help and messages. */
export const UNFREEZE_FORMS = "head, last, last:N, all, or a pattern of parameter names such as layer4.*";

/**
 * Resolves what to unfreeze: "head" for nothing of the backbone, "last" or "last:N" for its last stages, "all", or a
 * pattern of parameter names with *, ? and [..] and comma-separated alternatives. Of a pattern only the parameters that
 * match train, and the frozen prefix ends at the last bottleneck before them.
 * @throws RootstockError BAD_CONFIG if nothing matches, or there are fewer stages.
 */
export function unfreeze(backbone: Graph, spec: string): Trainable {
  const anatomy = anatomyOf(backbone);
  const { chain, points, parameters, segmentOf } = anatomy;
  const from = (index: number, names: readonly Value[]): Trainable => ({
    start: chain.values[index]!,
    startShape: points[index]!.shape,
    parameters: names,
  });
  if (spec === "head") return from(points.length - 1, []);
  const names = parameters.map(({ name }) => name);
  if (spec === "all") {
    if (names.length === 0) throw new RootstockError("BAD_CONFIG", `--unfreeze all: ${noParameters(anatomy)}`);
    return from(0, names);
  }
  if (spec === "last" || spec.startsWith("last:")) return lastStages(stagesOfAnatomy(anatomy), spec, anatomy);
  const matches = globs(spec);
  const chosen = names.filter((name) => matches.some((match) => match(name)));
  if (chosen.length === 0) throw new RootstockError("BAD_CONFIG", noMatch(anatomy, spec));
  return from(Math.min(...chosen.map((name) => segmentOf.get(name)!)), chosen);
}

function lastStages(stages: readonly Stage[], spec: string, anatomy: Anatomy): Trainable {
  if (stages.length === 0 || anatomy.parameters.length === 0)
    throw new RootstockError("BAD_CONFIG", `--unfreeze ${spec}: ${noParameters(anatomy)}`);
  const text = spec === "last" ? "1" : spec.slice("last:".length);
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > stages.length) {
    throw new RootstockError(
      "BAD_CONFIG",
      `--unfreeze ${spec}: required is last:N with N from 1 to ${stages.length}, the number of stages: ${listed(
        stages.map(({ description }) => description),
        8,
      )}.`,
    );
  }
  const { start, shape } = stages[stages.length - count]!;
  return { start, startShape: shape, parameters: stages.slice(-count).flatMap(({ parameters }) => parameters) };
}

function noParameters({ graph }: Anatomy): string {
  return `"${graph.name}" has no parameters that could be trained. Use --unfreeze head.`;
}

function noMatch(anatomy: Anatomy, spec: string): string {
  const names = anatomy.parameters.map(({ name }) => name);
  if (names.length === 0) return `--unfreeze ${spec}: ${noParameters(anatomy)}`;
  const near = nearest(spec, names);
  const example = names.filter((_, i) => i % Math.ceil(names.length / 5) === 0);
  return (
    `--unfreeze ${spec}: no parameter has such a name; required is ${UNFREEZE_FORMS}. ` +
    (near.length > 0
      ? `Closest names: ${listed(near)}. `
      : `Names in this file are, for example: ${listed(example)}. `) +
    `It has ${names.length} parameters in ${stagesOfAnatomy(anatomy).length} stages.`
  );
}

/** One test per comma-separated alternative: * is any text, ? one character, [..] one of a set, [!..] one outside it. */
function globs(spec: string): ((name: string) => boolean)[] {
  const alternatives = spec.split(/,(?![^[]*\])/).map((text) => text.trim());
  return alternatives
    .filter((text) => text !== "")
    .map((text) => {
      const source = text.replace(/\[[^\]]+\]|[\s\S]/g, (part) => {
        if (part === "*") return ".*";
        if (part === "?") return ".";
        if (part.length > 1) return part.replaceAll("\\", "\\\\").replace(/^\[!/, "[^");
        return part.replace(/[.+^${}()|[\]\\/]/g, "\\$&");
      });
      const pattern = compiled(source, text);
      return (name) => pattern.test(name);
    });
}

function compiled(source: string, text: string): RegExp {
  try {
    return new RegExp(`^${source}$`, "s");
  } catch (cause) {
    throw new RootstockError("BAD_CONFIG", `--unfreeze ${text}: [..] requires characters or ranges such as [0-9].`, {
      cause,
    });
  }
}

/** The names most like a text, if any is: half of its characters may differ. */
function nearest(text: string, names: readonly string[]): string[] {
  const wanted = text.replace(/[*?]/g, "").replace(/[.]$/, "");
  const scored = names.map((name) => ({ name, distance: editDistance(wanted, name.slice(0, wanted.length + 2)) }));
  const limit = Math.max(2, wanted.length / 3);
  return scored
    .filter(({ distance }) => distance <= limit)
    .sort((x, y) => x.distance - y.distance)
    .map(({ name }) => name);
}

/** Number of characters to insert, remove or replace (Levenshtein 1966). */
function editDistance(x: string, y: string): number {
  let row = Array.from({ length: y.length + 1 }, (_, j) => j);
  for (let i = 1; i <= x.length; i++) {
    const next = [i];
    for (let j = 1; j <= y.length; j++) {
      const replaced = row[j - 1]! + Number(x[i - 1] !== y[j - 1]);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

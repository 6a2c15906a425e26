/** The stages of a backbone: parts that work at one resolution, so that the last ones can be trained and the rest frozen. */
import { type Bottlenecks, bottlenecks } from "../graph/bottlenecks.ts";
import type { Graph, Shape, Value } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { batchSizes } from "./batch-sizes.ts";
import { type Layout, layouts, sizeText } from "./layout.ts";
import { type ParameterInfo, parametersOf } from "./parameters.ts";
import { trainingForm } from "./training-form.ts";

/** A part of a backbone between two bottlenecks. */
export interface Stage {
  /** The value that it reads: a bottleneck, or the graph's input. */
  readonly start: Value;
  /** Type of that value: [batch, ...]. */
  readonly shape: Shape;
  /** Names of its parameters, in graph order. */
  readonly parameters: readonly Value[];
  /** Number of trainable elements. */
  readonly size: number;
  /** For people: "stage 4 of 5: 14x14x96 -> 7x7x1280, 1.9 M parameters". */
  readonly description: string;
}

/** A backbone cut into its bottlenecks, with what stages and patterns need to know of each. */
export interface Anatomy {
  /** The backbone in the form that training needs: parameter names are those of this graph. */
  readonly graph: Graph;
  readonly chain: Bottlenecks;
  readonly parameters: readonly ParameterInfo[];
  /** Index of the bottleneck before each parameter's first reader. */
  readonly segmentOf: ReadonlyMap<Value, number>;
  /** How many weights, as opposed to biases and scales, the segment behind each bottleneck has. */
  readonly weights: ReadonlyMap<number, number>;
  /** Shape and layout of every bottleneck, by index. */
  readonly points: readonly Point[];
}

/** What is known of a bottleneck. */
export interface Point {
  readonly shape: Shape;
  /** Numbers per image; undefined where a size is not known. */
  readonly elements: number | undefined;
  /** Positions per image, 1 for a vector; undefined where a size is not known. */
  readonly positions: number | undefined;
  readonly layout: Layout;
  /** Whether it is computed by joining branches. */
  readonly joins: boolean;
}

/** Resolution counts as lower from this fraction of the positions on; below it lie borders that convolutions lose. */
const DROP = 0.6;
/** A value this many times smaller than the one before the downsampling is worth a boundary inside a block. */
const NARROW = 2;
/** Operators that join a value with what is computed from it within a block: activations and attention to channels. */
const GATES = new Set(["Div", "Mul"]);
/** Networks that keep their resolution are cut into this many groups of blocks. */
const GROUPS = 4;

/**
 * The stages of a backbone, in order. A boundary lies before each drop of the resolution, at the smallest value between
 * the last join of branches and the first operator with weights of the lower resolution: block outputs, not the
 * expanded channels inside of blocks; pooled maps, not those before pooling. Networks that keep their resolution after
 * the patch embedding have four stages of nearly equal numbers of blocks after it.
 */
export function stagesOf(backbone: Graph): Stage[] {
  return stagesOfAnatomy(anatomyOf(backbone));
}

/** Finds the bottlenecks of a backbone. */
export function anatomyOf(backbone: Graph): Anatomy {
  const graph = trainingForm(backbone);
  const types = inferTypes(graph);
  const input = graph.inputs[0]!;
  const batch = input.shape?.[0] ?? "batch";
  const chain = bottlenecks(graph, input.name, graph.outputs[0]!.name, {
    without: new Set(batchSizes(graph, batch).keys()),
    accept: (value) => {
      const type = types.get(value);
      return type?.dtype === "float32" && type.shape?.[0] === batch;
    },
  });
  const parameters = parametersOf(graph);
  const segmentOf = new Map<Value, number>();
  const names = new Set(parameters.map(({ name }) => name));
  for (const [node, segment] of chain.segments) {
    for (const value of node.inputs.filter((name) => names.has(name)))
      segmentOf.set(value, Math.min(segment, segmentOf.get(value) ?? segment));
  }
  const weights = new Map<number, number>();
  for (const { name, kind } of parameters) {
    const segment = segmentOf.get(name);
    if (segment !== undefined && kind === "weight") weights.set(segment, (weights.get(segment) ?? 0) + 1);
  }
  const layout = layouts(graph, types);
  const joined = new Set([...chain.joins].filter(({ op }) => !GATES.has(op)).flatMap(({ outputs }) => outputs));
  const points = chain.values.map((value): Point => {
    const shape = types.get(value)?.shape ?? [batch];
    const channelAxis = layout.get(value) ?? "last";
    const known = (dims: Shape): number | undefined =>
      dims.every((dim) => typeof dim === "number") ? sizeOf(dims as number[]) : undefined; // all were compared
    const axis = channelAxis === "last" ? shape.length - 1 : 1;
    return {
      shape,
      layout: channelAxis,
      joins: joined.has(value),
      elements: known(shape.slice(1)),
      positions: known(shape.filter((_, i) => i > 0 && i !== axis)),
    };
  });
  return { graph, chain, parameters: parameters.filter(({ name }) => segmentOf.has(name)), segmentOf, weights, points };
}

/** The stages of a backbone whose bottlenecks are known. */
export function stagesOfAnatomy(anatomy: Anatomy): Stage[] {
  const cuts = withWeights(anatomy, [0, ...resolutionCuts(anatomy)]);
  const starts = cuts.length > 2 ? cuts : withWeights(anatomy, blockCuts(anatomy, cuts));
  const { chain, points, segmentOf, parameters } = anatomy;
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? chain.values.length;
    const own = parameters.filter(({ name }) => segmentOf.get(name)! >= start && segmentOf.get(name)! < end);
    const size = own.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const to = points[i + 1 < starts.length ? end : lastMap(points)]!;
    return {
      start: chain.values[start]!,
      shape: points[start]!.shape,
      parameters: own.map(({ name }) => name),
      size,
      description: `stage ${i + 1} of ${starts.length}: ${sizeText(points[start]!)} -> ${sizeText(to)}, ${countText(size)}`,
    };
  });
}

/** Drops the starts of stages without weights: every stage has a layer to train. */
function withWeights({ chain, weights }: Anatomy, starts: readonly number[]): number[] {
  const has = (from: number, to: number): boolean =>
    [...weights.keys()].some((segment) => segment >= from && segment < to);
  const kept: number[] = [];
  for (const start of [...new Set(starts)].sort((x, y) => y - x))
    if (start === 0 || has(start, kept[0] ?? chain.values.length)) kept.unshift(start);
  // What lies before the first weights, such as a normalization of the image, is part of the first stage.
  return kept.length > 1 && !has(0, kept[1]!) ? [0, ...kept.slice(2)] : kept;
}

/** Indices of the bottlenecks before which the resolution drops. */
function resolutionCuts(anatomy: Anatomy): number[] {
  const { points } = anatomy;
  const cuts: number[] = [];
  let level = { start: 0, positions: points[0]?.positions };
  for (const [i, { positions }] of points.entries()) {
    if (positions === undefined) continue;
    if (level.positions === undefined || positions > level.positions) level = { ...level, positions };
    if (positions > DROP * level.positions! || i === 0) continue;
    if (!isGlobalPool(anatomy, i)) cuts.push(boundary(anatomy, level.start, i));
    level = { start: i, positions };
  }
  return cuts;
}

/** Whether a bottleneck is the average over all positions: what follows belongs to the same stage. */
function isGlobalPool({ points }: Anatomy, i: number): boolean {
  const { positions, elements } = points[i]!;
  const before = points[i - 1];
  return positions === 1 && !!before?.elements && elements! * before.positions! === before.elements;
}

/**
 * The best boundary between the bottleneck where a level starts and the one where the next level is reached. Runs are
 * bottlenecks with no parameters between them. The last run before the drop counts; an earlier one, behind which only one
 * layer has weights, if it is much smaller or if it joins the branches of a block and is not larger.
 */
function boundary({ points, weights, segmentOf }: Anatomy, levelStart: number, drop: number): number {
  const learned = new Set(segmentOf.values());
  const startOfRun = (end: number): number => {
    let start = end;
    while (start > levelStart && !learned.has(start - 1)) start--;
    return start;
  };
  // The run goes on behind the drop where that has no weights, as pooling has none.
  let to = drop - 1;
  while (to + 1 < points.length && !learned.has(to)) to++;
  let from = startOfRun(drop - 1);
  let best = smallest(points, from, to);
  for (let crossed = 0; from > levelStart && !points.slice(from, to + 1).some(({ joins }) => joins); ) {
    crossed += weights.get(from - 1) ?? 0;
    to = from - 1;
    from = startOfRun(to);
    if (crossed > 1 || from === 0) break; // the image itself is no boundary
    const candidate = smallest(points, from, to);
    const [size, bestSize] = [points[candidate]!.elements ?? 0, points[best]!.elements ?? 0];
    const joins = points.slice(from, to + 1).some((point) => point.joins);
    if (size * NARROW < bestSize || (joins && size <= bestSize)) best = candidate;
  }
  return best;
}

/** The index of the smallest of some bottlenecks; of equal ones the last that is not flattened. */
function smallest(points: readonly Point[], from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i <= to; i++) {
    const [size, bestSize] = [
      points[i]!.elements ?? Number.POSITIVE_INFINITY,
      points[best]!.elements ?? Number.POSITIVE_INFINITY,
    ];
    if (size < bestSize || (size === bestSize && points[i]!.shape.length >= points[best]!.shape.length)) best = i;
  }
  return best;
}

/** Starts of four groups of blocks behind the cuts there are. */
function blockCuts({ chain, points }: Anatomy, cuts: readonly number[]): number[] {
  const behind = (segments: Iterable<number>): number[] =>
    [...new Set(segments)].filter((i) => i > 0 && i < points.length - 1).sort((x, y) => x - y);
  const attention = behind([...chain.segments].filter(([{ op }]) => op === "Softmax").map(([, segment]) => segment));
  // A block starts where the last one joined its branches: the segment before a join holds the block.
  const joins = behind([...chain.joins].map((node) => chain.segments.get(node)!));
  const blocks = attention.length > 0 ? attention : joins;
  if (blocks.length < GROUPS) return [...cuts];
  const starts = Array.from({ length: GROUPS }, (_, i) => blocks[Math.round((i * blocks.length) / GROUPS)]!);
  return [0, ...starts];
}

/** The last bottleneck that is a map or a list of tokens with the features' channels; the features where there is none. */
function lastMap(points: readonly Point[]): number {
  const width = points.at(-1)!.elements;
  const index = points.findLastIndex(
    ({ positions, elements }) => positions !== undefined && positions > 1 && elements === positions * (width ?? 0),
  );
  return index < 0 ? points.length - 1 : index;
}

/** A number of parameters: "870", "12 k", "1.9 M". */
function countText(count: number): string {
  const text =
    count < 1000 ? `${count}` : count < 1e6 ? `${Math.round(count / 1e3)} k` : `${(count / 1e6).toFixed(1)} M`;
  return `${text} parameters`;
}

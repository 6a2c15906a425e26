/** Learning rates that differ by depth: what lies near the image is general, and should move less than what lies behind it. */
import type { Graph, Value } from "../graph/graph.ts";
import { type Anatomy, anatomyOf, type Stage, stagesOfAnatomy } from "./stages.ts";

/**
 * Learning rates of parameters as multiples of the backbone's rate (layer-wise decay, Howard and Ruder 2018,
 * arXiv:1801.06146): 1 in the last group, and `decay` times less in each one before. Groups are the stages of the backbone;
 * where those keep one resolution, as in a vision transformer, every block of attention is a group of its own, what lies
 * before the blocks is the first, and what lies behind them belongs to the last. Usual are 0.7 to 0.8 for stages and 0.9
 * for blocks.
 * @param backbone The graph whose parameters the names are: `backbone` of `trainableGraph`, which may rename some.
 * @param parameters What trains; those that are no parameters of the backbone, as the head's, get `headRate`.
 * @param decay In (0, 1]. @param headRate Above 0; 1 by default.
 * @throws RangeError if `decay` or `headRate` is out of its range.
 */
export function layerWiseRates(
  backbone: Graph,
  parameters: Iterable<Value>,
  decay: number,
  headRate = 1,
): ReadonlyMap<Value, number> {
  if (!(decay > 0 && decay <= 1)) throw new RangeError(`layerWiseRates: decay must be in (0, 1], got ${decay}.`);
  if (!(headRate > 0 && Number.isFinite(headRate)))
    throw new RangeError(`layerWiseRates: headRate must be in (0, infinity), got ${headRate}.`);
  const groups = parameterGroups(backbone);
  const depths = new Map(groups.flatMap((names, i) => names.map((name) => [name, groups.length - 1 - i] as const)));
  return new Map(
    [...parameters].map((name) => {
      const depth = depths.get(name);
      return [name, depth === undefined ? headRate : decay ** depth] as const;
    }),
  );
}

/** The parameters of a backbone in the groups of `layerWiseRates`, from the image on. */
export function parameterGroups(backbone: Graph): readonly (readonly Value[])[] {
  const anatomy = anatomyOf(backbone);
  const stages = stagesOfAnatomy(anatomy);
  const starts = keepsResolution(stages) ? attentionBlocks(anatomy) : [];
  if (starts.length < stages.length) return stages.map(({ parameters }) => parameters);
  const { parameters, segmentOf } = anatomy;
  return [0, ...starts].map((start, i) => {
    const end = starts[i] ?? Number.POSITIVE_INFINITY;
    return parameters.map(({ name }) => name).filter((name) => within(segmentOf.get(name)!, start, end));
  });
}

/** Whether all stages behind the first begin with values of one shape. */
function keepsResolution(stages: readonly Stage[]): boolean {
  const [first, ...others] = stages.slice(1).map(({ shape }) => String(shape));
  return others.every((shape) => shape === first);
}

/** Indices of the bottlenecks where blocks begin: the segment behind each holds the attention of a block. */
function attentionBlocks({ chain }: Anatomy): number[] {
  const attention = [...chain.segments].filter(([{ op }]) => op === "Softmax").map(([, segment]) => segment);
  return [...new Set(attention)].filter((segment) => segment > 0).sort((x, y) => x - y);
}

function within(segment: number, start: number, end: number): boolean {
  return segment >= start && segment < end;
}

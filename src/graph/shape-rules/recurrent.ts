/** Recurrent layers. */
import { intOf, stringOf } from "../attributes.ts";
import type { Dim } from "../graph.ts";
import { type Inferred, like, type ShapeRule, shapeOfRank, unknownDim } from "./rule.ts";

/**
 * LSTM, GRU, RNN: X [seq, batch, input], or [batch, seq, input] with layout 1.
 * Y [seq, directions, batch, hidden] or [batch, seq, directions, hidden], then the last states without `seq`.
 */
export const recurrent: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  if (!x) return [...like(c, undefined), ...like(c, undefined), ...like(c, undefined)];
  const batchFirst = intOf(c.node, "layout", 0) === 1;
  const [seq, batch] = batchFirst ? [x[1]!, x[0]!] : [x[0]!, x[1]!];
  const directions = stringOf(c.node, "direction", "forward") === "bidirectional" ? 2 : 1;
  const hidden: Dim = intOf(c.node, "hidden_size", undefined) ?? c.inputs[2]?.shape?.[2] ?? unknownDim(c, 2);
  const states: Inferred[] = like(c, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  const all = like(c, batchFirst ? [batch, seq, directions, hidden] : [seq, directions, batch, hidden]);
  return [...all, ...states, ...states];
};

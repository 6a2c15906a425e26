/** Normalization, softmax and dropout: the shape stays, the parameters must fit it. */
import { intOf } from "../attributes.ts";
import { formatShape, type Shape } from "../graph.ts";
import {
  axisAttribute,
  broadcast,
  differ,
  type Inferred,
  like,
  mismatch,
  type RuleContext,
  type ShapeRule,
  shapeOf,
  shapeOfRank,
} from "./rule.ts";

/** BatchNormalization: four parameters of shape [c]; in training also the running mean and variance. */
export const batchNormalization: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 2);
  checkChannels(c, x, [1, 2, 3, 4]);
  return [...like(c, x), ...like(c, shapeOf(c, 3), 3), ...like(c, shapeOf(c, 4), 4)];
};

/** InstanceNormalization: scale and bias of shape [c]. */
export const instanceNormalization: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  checkChannels(c, x, [1, 2]);
  return like(c, x);
};

/** GroupNormalization: channels divide into the groups. Scale and bias are per group at opset 18, per channel from 21. */
export const groupNormalization: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  const groups = intOf(c.node, "num_groups", 1);
  const channels = x?.[1];
  if (typeof channels === "number" && channels % groups !== 0) {
    throw mismatch(c.node, `channels that divide into ${groups} groups`, formatShape(x));
  }
  return like(c, x);
};

/** LayerNormalization over the axes from `axis`: Y, and the mean and inverse deviation with those axes of size 1. */
export const layerNormalization: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 1);
  if (!x) return like(c, undefined);
  const axis = axisAttribute(c, x.length, -1);
  const scale = shapeOf(c, 1);
  if (scale) broadcast(c, [x.slice(axis), scale]);
  const statistics: Inferred = { dtype: "float32", shape: x.map((dim, i) => (i < axis ? dim : 1)) };
  return [...like(c, x), statistics, statistics];
};

/** Softmax, LogSoftmax, Hardmax, LpNormalization: the axis must exist. */
export const alongAxis: ShapeRule = (c) => {
  const x = shapeOf(c, 0);
  if (x && x.length > 0)
    axisAttribute(c, x.length, c.opset < 13 && c.node.op !== "LpNormalization" ? Math.min(1, x.length - 1) : -1);
  return like(c, x);
};

/** Dropout: Y and the mask of what was kept, which has X's own type before opset 10. */
export const dropout: ShapeRule = (c) => {
  const x = c.inputs[0];
  return x
    ? [
        { dtype: x.dtype, shape: x.shape },
        { dtype: c.opset < 10 ? x.dtype : "bool", shape: x.shape },
      ]
    : [];
};

function checkChannels(c: RuleContext, x: Shape | undefined, parameters: readonly number[]): void {
  for (const index of parameters) {
    const shape = shapeOf(c, index);
    if (x && shape && (shape.length !== 1 || differ(shape[0], x[1]))) {
      throw mismatch(c.node, `input ${index} of shape [${x[1]}] for an input ${formatShape(x)}`, formatShape(shape));
    }
  }
}

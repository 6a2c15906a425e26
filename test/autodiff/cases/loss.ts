/** Cases of the gradient rules of losses that are operators. */
import { int, string } from "../../../src/graph/attributes.ts";
import { float32, int64 } from "../../../src/tensor/tensor.ts";
import { type Case, type Input, x } from "./case.ts";

const labels = (shape: readonly number[], ...values: number[]): Input => ({ shape, constant: int64(values, shape) });
const weights: Input = { shape: [3], constant: float32([3], [0.5, 2, 1.25]) };

export const LOSS: readonly Case[] = (["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"] as const).flatMap((op) =>
  ["mean", "sum", "none"].flatMap((reduction): Case[] => {
    const attributes = { reduction: string(reduction) };
    const row = { op, attributes, float32: true };
    return [
      { ...row, inputs: [x(4, 3), labels([4], 0, 2, 1, 2)] },
      { ...row, inputs: [x(4, 3), labels([4], 0, 2, 1, 2), weights] },
      { ...row, inputs: [x(2, 3, 2, 2), labels([2, 2, 2], 0, 2, 1, 2, 1, 1, 0, 2), weights] },
      { ...row, inputs: [x(4, 3), labels([4], 0, 2, 1, 2)], attributes: { ...attributes, ignore_index: int(2) } },
      {
        ...row,
        inputs: [x(4, 3), labels([4], 0, -1, 1, 2), weights],
        attributes: { ...attributes, ignore_index: int(-1) },
      },
      {
        ...row,
        inputs: [x(2, 3, 2), labels([2, 2], 0, 255, 1, 2)],
        attributes: { ...attributes, ignore_index: int(255) },
      },
    ];
  }),
);

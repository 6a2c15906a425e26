/** Cases of the gradient rules of operators that pick and place elements by position. */
import { int, string } from "../../../src/graph/attributes.ts";
import { int64 } from "../../../src/tensor/tensor.ts";
import { absent, axes, type Case, distinct, type Input, x } from "./case.ts";

const at = (shape: readonly number[], ...values: number[]): Input => ({ shape, constant: int64(values, shape) });

const TO_END = 2 ** 31 - 1;

export const INDEXING: readonly Case[] = [
  { op: "GatherElements", inputs: [x(3, 4), at([3, 2], 0, 3, 1, 1, 2, 0)], attributes: { axis: int(1) } },
  { op: "GatherElements", inputs: [x(3, 2), at([2, 2], 2, 0, -1, 1)] },
  ...[
    { data: x(4, 3), indices: at([], 2), axis: 0 },
    { data: x(2, 4, 3), indices: at([], -1), axis: 1 },
    { data: x(2, 4, 3), indices: at([1], 0), axis: -2 },
    { data: x(4), indices: at([], 1), axis: 0 },
    { data: x(4), indices: at([3], 1, 3, 1), axis: 0 },
    { data: x(5, 2), indices: at([3], 1, 2, 3), axis: 0 },
    { data: x(2, 4), indices: at([4], 3, 0, 2, 1), axis: 1 },
    { data: x(2, 5, 2), indices: at([2, 2], 3, 0, -1, 1), axis: 1 },
    { data: x(5, 2), indices: at([2, 3], 3, 0, 3, -2, 1, 1), axis: 0 },
    { data: x(2, 3, 2), indices: at([2, 2], 0, 0, -1, 2), axis: 1 },
    { data: x(2, 3), indices: at([1, 1, 2], 2, 2), axis: -1 },
    { data: x(2, 3), indices: at([0]), axis: 1 },
    { data: x(600, 2), indices: at([2, 2], 599, 3, -1, 3), axis: 0 },
    { data: x(5, 0), indices: at([2], 1, 1), axis: 0 },
    { data: x(2, 3, 0), indices: at([2], 1, 1), axis: 1 },
  ].map(
    ({ data, indices, axis }): Case => ({ op: "Gather", inputs: [data, indices], attributes: { axis: int(axis) } }),
  ),
  ...[
    [x(6), axes(1), axes(4)],
    [x(5, 4), axes(1, 0), axes(3, TO_END)],
    [x(5, 4), axes(-3), axes(-1), axes(-1)],
    [x(2, 5, 3), axes(1, 0), axes(5, 2), axes(1, 2), axes(2, 1)],
    [x(7, 2), axes(1), axes(TO_END), axes(0), axes(3)],
    [x(4, 6), axes(-1), axes(-TO_END), axes(1), axes(-1)],
    [x(4, 6), axes(4, 9), axes(0, 1), axes(1, 0), axes(-2, -1)],
    [x(3, 4), axes(1), axes(3), absent, axes(1)],
    [x(3, 4), axes(2), axes(1), axes(0)],
    [x(3), axes(0), axes(3), axes(0), axes(1)],
  ].map((inputs): Case => ({ op: "Slice", inputs })),
  { op: "GatherND", inputs: [x(3, 4), at([2, 2], 0, 1, 2, -1)] },
  { op: "GatherND", inputs: [x(3, 4), at([2, 2, 1], 0, 1, 1, -2)] },
  {
    op: "GatherND",
    inputs: [x(2, 3, 4, 2), at([2, 2, 2], 0, 1, -1, 3, 2, 0, 2, 0)],
    attributes: { batch_dims: int(1) },
  },
  { op: "GatherND", inputs: [x(2, 3), at([2, 1], 1, 2)], attributes: { batch_dims: int(1) } },
  ...[undefined, "none", "add"].flatMap((reduction): Case[] => {
    const attributes = reduction === undefined ? {} : { reduction: string(reduction) };
    return [
      { op: "ScatterElements", inputs: [x(3, 4), at([2, 2], 0, 2, -1, 1), x(2, 2)], attributes },
      {
        op: "ScatterElements",
        inputs: [x(3, 4), at([3, 2], 0, 2, -1, 1, 3, 0), x(3, 2)],
        attributes: { ...attributes, axis: int(-1) },
      },
      { op: "ScatterND", inputs: [x(3, 4), at([2, 1], 2, 0), x(2, 4)], attributes },
      { op: "ScatterND", inputs: [x(3, 4), at([3, 2], 2, 0, 1, -1, 0, 0), x(3)], attributes },
    ];
  }),
  {
    op: "ScatterElements",
    inputs: [x(3, 2), at([3, 2], 1, 1, 1, 0, 2, 1), x(3, 2)],
    attributes: { reduction: string("add") },
  },
  ...[0, 1].map(
    (largest): Case => ({
      op: "TopK",
      inputs: [distinct(3, 5), axes(2)],
      attributes: { largest: int(largest) },
      outputs: 2,
      counted: 1,
    }),
  ),
  { op: "TopK", inputs: [distinct(4, 3, 2), axes(3)], attributes: { axis: int(0) }, outputs: 2, counted: 1 },
];

/** Cases of the gradient rules of reductions. */
import { int } from "../../../src/graph/attributes.ts";
import { absent, axes, type Case, type Domain, type Input, x } from "./case.ts";

const OPS = [
  { op: "ReduceSum" },
  { op: "ReduceMean" },
  { op: "ReduceL1", domain: "away-from-zero" },
  { op: "ReduceL2" },
  { op: "ReduceSumSquare" },
  { op: "ReduceLogSum", domain: "positive" },
  { op: "ReduceLogSumExp" },
  { op: "ReduceMax", domain: "distinct" },
  { op: "ReduceMin", domain: "distinct" },
  { op: "ReduceProd", domain: "away-from-zero" },
] as const satisfies readonly { op: Case["op"]; domain?: Domain }[];

export const REDUCTION: readonly Case[] = OPS.flatMap((row) => {
  const of = (...inputs: readonly Input[]) => ({
    ...row,
    inputs: inputs.map((input) => ("domain" in row && !input.constant ? { ...input, domain: row.domain } : input)),
  });
  return [
    ...[0, 1].flatMap((keepdims) =>
      [
        of(x(2, 3, 4), axes(1)),
        of(x(2, 3, 4), axes(-1, 0)),
        of(x(2, 3)),
        of(x(3, 2), absent),
        of(x(3, 2), axes()),
        of(x()),
      ].map((one): Case => ({ ...one, attributes: { keepdims: int(keepdims) } })),
    ),
    { ...of(x(2, 3), axes(0)), attributes: { noop_with_empty_axes: int(1) } },
    { ...of(x(2, 3)), attributes: { noop_with_empty_axes: int(1), keepdims: int(0) } },
    { ...of(x(2, 3), axes()), attributes: { noop_with_empty_axes: int(1) } },
    of(x(0, 3), axes(1)),
  ];
});

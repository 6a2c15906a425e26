/** Cases of the gradient rule of Pad. */
import { string } from "../../../src/graph/attributes.ts";
import { absent, axes, type Case, x } from "./case.ts";

const MODES = ["constant", "edge", "reflect", "wrap"];

export const PADDING: readonly Case[] = MODES.flatMap((mode): Case[] => {
  const attributes = { mode: string(mode) };
  return [
    { op: "Pad", inputs: [x(2, 3), axes(0, 1, 1, 2)], attributes },
    { op: "Pad", inputs: [x(2, 3, 4), axes(0, 2, 1, 0, 1, 3)], attributes },
    { op: "Pad", inputs: [x(2, 3, 4), axes(2, 1), absent, axes(-1)], attributes },
    { op: "Pad", inputs: [x(4, 5), axes(-1, 2, 0, -2)], attributes },
    { op: "Pad", inputs: [x(5), axes(-1, -2)], attributes },
    { op: "Pad", inputs: [x(2), axes(0, 0)], attributes },
  ];
}).concat([
  { op: "Pad", inputs: [x(2, 3), axes(1, 0, 0, 2), x()] },
  { op: "Pad", inputs: [x(2, 3), axes(1, -1), x(), axes(1)] },
  { op: "Pad", inputs: [x(0, 2), axes(1, 0, 1, 0), x()] },
  { op: "Pad", inputs: [x(1), axes(3, 2)], attributes: { mode: string("edge") } },
  { op: "Pad", inputs: [x(3), axes(3, 3)], attributes: { mode: string("wrap") } },
]);

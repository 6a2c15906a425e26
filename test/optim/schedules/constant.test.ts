import { expect, test } from "vitest";
import { constant } from "../../../src/optim/schedules/constant.ts";

test("constant gives the same learning rate at every step", () => {
  expect([1, 2, 1e9].map(constant(0.03))).toEqual([0.03, 0.03, 0.03]);
});

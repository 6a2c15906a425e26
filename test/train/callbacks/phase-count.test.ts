import { expect, test } from "vitest";
import { phaseCount } from "../../../src/train/callbacks/phase-count.ts";
import { phaseReport } from "./reports.ts";

test("numbers the phases and adds up their steps", () => {
  const phases = phaseCount("me");
  expect(phases.start(phaseReport())).toEqual({ folder: "1-head", stepsBefore: 0, steps: 0, continued: false });
  phases.reached(30);
  expect(phases.start(phaseReport({ phase: "last" }))).toMatchObject({ folder: "2-last", stepsBefore: 30, steps: 0 });
  phases.reached(5);
  expect(phases.start(phaseReport({ phase: "last" }))).toMatchObject({ folder: "3-last", stepsBefore: 35 });
});

test.each([
  ["after an epoch", 1],
  ["within the first epoch", 0],
])("a phase that is continued %s keeps its number", (_when, epochsDone) => {
  const first = phaseCount("me");
  first.start(phaseReport());
  first.reached(30);
  first.start(phaseReport({ phase: "last" }));
  first.reached(12);
  const second = phaseCount("me");
  second.restore(JSON.parse(JSON.stringify(first.state())));
  const report = phaseReport({ phase: "last", epochsDone });
  expect(second.start(report)).toEqual({ folder: "2-last", stepsBefore: 30, steps: 12, continued: true });
  second.reached(20);
  expect(second.start(phaseReport({ phase: "last" }))).toMatchObject({ folder: "3-last", stepsBefore: 50 });
});

test("a phase whose start nobody remembers is continued all the same", () => {
  const phase = phaseCount("me").start(phaseReport({ phase: "last", epochsDone: 3, stepsPerEpoch: 7 }));
  expect(phase).toEqual({ folder: "1-last", stepsBefore: 0, steps: 21, continued: true });
});

test.each([
  ["last:2", "1-last-2"],
  ["layer4.*", "1-layer4"],
  ["../../etc", "1-etc"],
  ["a\\b/c\0d", "1-a-b-c-d"],
  ["Schicht für Schicht", "1-Schicht-für-Schicht"],
  ["..", "1-phase"],
  ["x".repeat(500), `1-${"x".repeat(40)}`],
])("the folder of %j stays within its parent", (phase, folder) => {
  expect(phaseCount("me").start(phaseReport({ phase })).folder).toBe(folder);
});

test("a foreign state is refused", () => {
  for (const state of [null, {}, { index: -1, name: "", stepsBefore: 0, steps: 0 }])
    expect(() => phaseCount("me").restore(state)).toThrow(/^me cannot go on/);
});

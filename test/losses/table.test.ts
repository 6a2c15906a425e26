import { expect, test } from "vitest";
import { LOSSES } from "../../src/losses/table.ts";

test("every loss is listed under its own name", () => {
  const entries = Object.entries(LOSSES);
  expect(entries.map(([name]) => name)).toEqual(["cross-entropy", "binary-cross-entropy"]);
  for (const [name, make] of entries) expect(make().name).toBe(name);
});

test("every loss says how its logits become probabilities", () => {
  expect(LOSSES["cross-entropy"]().activation).toBe("softmax");
  expect(LOSSES["binary-cross-entropy"]().activation).toBe("sigmoid");
});

test("the losses of the table have their default options", () => {
  expect(LOSSES["cross-entropy"]().options).toEqual({ labelSmoothing: 0 });
});

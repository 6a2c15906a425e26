import { expect, test } from "vitest";
import { DRAWN_CLASSES } from "../../../src/data/drawings/class-forms.ts";
import { drawExample } from "../../../src/data/drawings/draw.ts";
import { drawnExamples, planExamples } from "../../../src/data/drawings/drawn-examples.ts";
import { inMemoryDataset } from "../../../src/data/in-memory.ts";

test("makes a dataset in memory, with the validation images that were asked for", async () => {
  const images = await drawnExamples({ perClass: 3, validationPerClass: 1, seed: 2, size: 32 });
  const dataset = await inMemoryDataset(images);
  expect(dataset.classes).toEqual(DRAWN_CLASSES);
  expect(dataset.skipped).toEqual([]);
  for (const split of ["train", "validation"] as const) {
    const own = dataset.samples.filter((sample) => sample.split === split);
    expect(own).toHaveLength(split === "train" ? 18 : 6);
    expect(new Set(own.map(({ target }) => target[0])).size).toBe(6);
  }
  expect(new Set(dataset.samples.map(({ sha256 }) => sha256)).size).toBe(24);
  const fifth = images[5]!;
  expect(fifth.name).toBe("train/gear/gear-00001.jpg");
  expect(Buffer.from(fifth.image as Uint8Array).equals(await drawExample(2, "gear", 1, 32))).toBe(true);
});

test("plans without drawing", () => {
  const { examples, record } = planExamples("a test", { perClass: 1000 });
  expect(examples).toHaveLength(6000);
  expect(examples[0]).toEqual({ className: "arrow", index: 0, split: "train", path: "arrow/arrow-00000" });
  expect(record).toEqual({ classes: DRAWN_CLASSES, perClass: 1000, validationPerClass: 0, seed: 0, size: 160 });
});

test("refuses counts and sizes outside their range, and stops when asked to", async () => {
  await expect(drawnExamples({ perClass: 0 })).rejects.toThrow(/perClass requires a whole number from 1 to 100000/);
  await expect(drawnExamples({ perClass: 1, validationPerClass: -1 })).rejects.toThrow(/validationPerClass requires/);
  await expect(drawnExamples({ perClass: 1, classes: 3 } as never)).rejects.toThrow(/drawnExamples has no option/);
  await expect(drawnExamples({ perClass: 20_000 })).rejects.toThrow(/at most 2147483648 pixels together, got 120000/);
  const signal = AbortSignal.abort();
  await expect(drawnExamples({ perClass: 1, signal })).rejects.toMatchObject({ code: "ABORTED" });
});

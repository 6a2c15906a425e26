import { join } from "node:path";
import { expect, test } from "vitest";
import { readImages } from "../../../src/train/runs/measured-images.ts";
import { temporaryFolder } from "../../data/made.ts";
import { dataOf, realRun, writeRun } from "./made.ts";

const imagesOf = async (data: unknown) =>
  await readImages(await writeRun(await temporaryFolder(), { "data.json": data }));

test("reads what a real run recorded", async () => {
  const images = (await readImages(await realRun(await temporaryFolder(), "a")))!;
  expect(images.counts.train + images.counts.validation).toBe(36);
  expect(images.splitSource).toMatchObject({ seed: expect.any(Number) });
});

test("equal hashes mean the same images with the same targets, in whatever order", async () => {
  const data = dataOf(6) as { samples: Record<string, unknown>[] };
  const validation = async (samples: unknown): Promise<string> =>
    (await imagesOf({ ...data, samples }))!.hashes.validation;
  const same = await validation(data.samples);
  expect(await validation(data.samples.toReversed())).toBe(same);
  expect(await validation(data.samples.map((sample) => ({ ...sample, path: "renamed.png" })))).toBe(same);
  expect(await validation(data.samples.slice(1))).not.toBe(same);
  expect(await validation(data.samples.map((sample) => ({ ...sample, target: [0] })))).not.toBe(same);
  expect(await validation(data.samples.map((sample, i) => (i === 0 ? { ...sample, split: "test" } : sample)))).not.toBe(
    same,
  );
});

test.each([[undefined], ["{"], [[1]], [{ samples: "many" }], [null]])("%j tells nothing", async (data) => {
  const folder = await temporaryFolder();
  if (data !== undefined) await writeRun(folder, { "data.json": data });
  expect(await readImages(folder)).toBeUndefined();
});

test("samples of any form are counted by their split", async () => {
  const images = await imagesOf({
    samples: [null, 3, {}, { split: "test" }, { split: "test", sha256: 4, target: { a: 1 } }],
  });
  expect(images?.counts).toEqual({ train: 0, validation: 0, test: 2 });
  expect(await readImages(join(await temporaryFolder(), "absent"))).toBeUndefined();
});

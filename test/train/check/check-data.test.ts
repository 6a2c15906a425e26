import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeJpeg } from "../../../src/data/encode.ts";
import { imageFolder } from "../../../src/data/image-folder.ts";
import { rng } from "../../../src/random.ts";
import { checkData } from "../../../src/train/check/check-data.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { temporaryFolder } from "../../data/made.ts";

/** Random waves with sharp edges: pictures of different seeds have nothing in common. */
function blobs(seed: number): Image {
  const random = rng(seed);
  const waves = Array.from({ length: 8 }, () => [random.next() * 0.3, random.next() * 0.3, random.next() * 6] as const);
  const data = new Uint8Array(3 * 96 * 96);
  for (let y = 0; y < 96; y++)
    for (let x = 0; x < 96; x++)
      for (let c = 0; c < 3; c++) {
        const value = waves.reduce((sum, [a, b, phase], i) => sum + Math.sin(a * x + b * y + phase + c * (i % 3)), 0);
        data[3 * (96 * y + x) + c] = 128 + 15 * value + 30 * Math.sign(value);
      }
  return { width: 96, height: 96, data };
}

async function folder(parts: readonly string[], perPart: number): Promise<string> {
  const root = await temporaryFolder();
  for (const [p, part] of parts.entries()) {
    await mkdir(join(root, part), { recursive: true });
    for (let i = 0; i < perPart; i++)
      await writeFile(join(root, part, `${i}.jpg`), await encodeJpeg(blobs(100 * p + i), { quality: 90 }));
  }
  return root;
}

test("a picture in two splits ends the run by name, unless leaks are allowed", async () => {
  const root = await folder(["train/a", "train/b", "val/a", "val/b"], 4);
  await writeFile(join(root, "val/a/again.jpg"), await encodeJpeg(blobs(2), { quality: 60 })); // train/a/2.jpg, saved anew
  const data = await imageFolder(root);
  await expect(checkData(data)).rejects.toThrow(
    /1 picture, saved anew.*in more than one split.*train\/a\/2\.jpg.*val\/a\/again\.jpg.*--allow-leaks/,
  );
  const { warnings, data: same } = await checkData(data, { allowLeaks: true });
  expect(warnings.join("\n")).toContain("again.jpg");
  expect(same).toEqual(data); // the folders decide the split
});

test("the copies of a picture are drawn into one split", async () => {
  const root = await folder(["a", "b"], 8);
  for (let i = 0; i < 4; i++) {
    await writeFile(join(root, `a/copy ${i}.jpg`), await encodeJpeg(blobs(0), { quality: 75 + 5 * i }));
    await copyFile(join(root, "b/1.jpg"), join(root, `b/copy ${i}.jpg`));
  }
  let divided = 0;
  for (let seed = 0; seed < 6; seed++) {
    const drawn = await imageFolder(root, { validation: 0.4, seed });
    const { data, report } = await checkData(drawn);
    expect(report.clusters).toHaveLength(2);
    const splitsOf = ({ samples }: typeof drawn) =>
      new Set(samples.filter(({ path }) => /^a\/(0|copy)/.test(path)).map(({ split }) => split)).size;
    divided += splitsOf(drawn) - 1;
    expect(splitsOf(data)).toBe(1);
    expect(data.samples.map(({ path }) => path)).toEqual(drawn.samples.map(({ path }) => path));
  }
  expect(divided).toBeGreaterThan(0); // what would have leaked
});

test("sound images are left alone, and nothing is said", async () => {
  const data = await imageFolder(await folder(["a", "b"], 10));
  const seen: number[] = [];
  const checked = await checkData(data, { onProgress: (done) => seen.push(done) });
  expect(checked.data).toEqual(data);
  expect(checked.warnings).toEqual([]);
  expect(seen.at(-1)).toBe(20);
});

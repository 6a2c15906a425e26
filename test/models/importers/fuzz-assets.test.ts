/** Real models, damaged: RootstockError and nothing else. */
import { copyFile, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importModel } from "../../../src/models/importers/import-model.ts";
import { rng } from "../../../src/random.ts";
import { assets, withAssets } from "../../assets.ts";
import { temporaryFolder } from "../../data/made.ts";
import { ALLOWED, mutated, survive } from "./mutations.ts";

const ROUNDS = 2000;
/** Milliseconds; a round takes about 15. */
const TIMEOUT = 300_000;

withAssets("real models (skipped without ../shared/assets)", () => {
  test(`${ROUNDS} mutations of a Teachable Machine export`, { timeout: TIMEOUT }, async () => {
    const source = join(assets!, "models", "teachable-machine-export");
    const json: unknown = JSON.parse(await readFile(join(source, "model.json"), "utf8"));
    const folder = join(await temporaryFolder(), "model");
    await mkdir(folder);
    await copyFile(join(source, "weights.bin"), join(folder, "weights.bin"));
    const seen = new Map<string, number>();
    for (let i = 0; i < ROUNDS; i++) {
      await writeFile(join(folder, "model.json"), JSON.stringify(mutated(json, rng(`teachable/${i}`))));
      await survive(() => importModel(folder), seen, `teachable/${i}`);
    }
    expect([...seen.keys()].filter((code) => !ALLOWED.includes(code))).toEqual([]);
    expect(seen.get("BAD_MODEL")).toBeGreaterThan(100);
  });

  test.each([
    ["pretrainedResnet", ROUNDS],
    ["vww_96", ROUNDS / 4], // ten times as many layers, of the same kinds
  ])("mutations of %s.h5", { timeout: TIMEOUT }, async (name, rounds) => {
    const bytes = new Uint8Array(await readFile(join(assets!, "models", "keras-h5", `${name}.h5`)));
    const path = join(await temporaryFolder(), "model.h5");
    await writeFile(path, bytes);
    const file = await open(path, "r+");
    const seen = new Map<string, number>();
    try {
      for (let i = 0; i < rounds; i++) {
        const random = rng(`${name}/${i}`);
        // Half of the flips in the first bytes, where the structure of the file and the list of layers are.
        const flips = Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => {
          const range = random.next() < 0.5 ? 40_000 : bytes.length;
          return { at: Math.floor(random.next() * range), value: Math.floor(random.next() * 256) };
        });
        for (const { at, value } of flips) await file.write(Uint8Array.of(value), 0, 1, at);
        await survive(() => importModel(path), seen, `${name}/${i}`);
        for (const { at } of flips) await file.write(bytes, at, 1, at);
      }
    } finally {
      await file.close();
    }
    expect([...seen.keys()].filter((code) => !ALLOWED.includes(code))).toEqual([]);
    expect(seen.get("BAD_MODEL")).toBeGreaterThan(20);
  });
});

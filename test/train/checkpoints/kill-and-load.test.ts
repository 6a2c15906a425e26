/** kill -9 while checkpoints are saved, at moments that differ: what is read is whole, and at most one save old. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import type { Saved } from "../../../src/train/checkpoints/checkpoint-file.ts";
import { CheckpointStore } from "../../../src/train/checkpoints/checkpoint-store.ts";
import { temporaryFolder } from "../../data/made.ts";

const SAVER = fileURLToPath(new URL("saver.mjs", import.meta.url));
const KILLS = 50;
const VALUES = 40_000;

/** Goes on saving, is killed a while after it began to, and returns the last step that it said it had saved. */
async function saveAndDie(folder: string, ms: number): Promise<number> {
  const child = spawn(process.execPath, [SAVER, "loop", folder, String(VALUES)]);
  let text = "";
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const begun = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk) => {
      text += chunk;
      resolve();
    });
  });
  const closed = once(child, "close");
  await Promise.race([begun, closed]);
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill("SIGKILL");
  const [, signal] = await closed;
  expect([signal, errors]).toEqual(["SIGKILL", ""]);
  const lines = text.split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line): number => JSON.parse(line).saved).at(-1)!;
}

/** Whether every value is what the process saved in that step. */
function isWhole({ state, tensors, snapshots }: Saved): boolean {
  const { step, best } = state as { step: number; best: number };
  const holds = (set: Saved["tensors"] | undefined, from: number): boolean => {
    const data = set?.get("w")?.data;
    return data?.length === VALUES && data.every((value, i) => value === Math.fround(from + i / 1024));
  };
  return holds(tensors, step) && holds(snapshots.get("best"), -best);
}

test(`killed ${KILLS} times, it loses nothing that it said was saved`, async () => {
  const folder = await temporaryFolder();
  const random = rng(11);
  let step = 0;
  let halves = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const said = await saveAndDie(folder, random.next() * 60);
    halves += (await readdir(folder)).filter((name) => name.startsWith(".partial-")).length;
    const store = await CheckpointStore.open(folder);
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
    const found = (await store.latest())!;
    expect(found.skipped).toEqual([]);
    expect(isWhole(found)).toBe(true);
    step = (found.state as { step: number }).step;
    expect([said, said + 1]).toContain(step); // the next one may have been there before the process could say so
    expect((await readdir(folder)).length).toBeLessThan(8); // three checkpoints with a snapshot each, and one more
  }
  expect(step).toBeGreaterThan(KILLS);
  expect(halves).toBeGreaterThan(0); // some were killed in the middle of a file
}, 300_000);

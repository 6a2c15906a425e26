/** A run of the real program that is killed again and again, until it is done. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Rng } from "../../src/random.ts";
import { CheckpointStore } from "../../src/train/checkpoints/checkpoint-store.ts";
import { rootstock } from "./checkpoints/kill.ts";

export interface KilledRunOptions {
  /** What is trained and how, without --out. */
  readonly args: readonly string[];
  readonly out: string;
  /** Folder of caches. */
  readonly cache: string;
  /** Draws the moments. */
  readonly random: Rng;
  /** Milliseconds before which the program is killed, counted from its start. */
  readonly longestMs: number;
  /** Kills after which the program is left alone. */
  readonly most: number;
}

/** What happened at a kill. */
export interface Kill {
  /** Name of the newest checkpoint; undefined before the first. */
  readonly checkpoint: string | undefined;
  /** Seconds of training that were lost; undefined where the program had not saved yet, or did not train any more. */
  readonly lost: number | undefined;
}

/**
 * Starts the program, kills it at a drawn moment, continues it, and so on. After each kill the newest checkpoint has to
 * be whole and no older than the one before.
 */
export async function killedUntilDone(options: KilledRunOptions): Promise<readonly Kill[]> {
  const { args, out, cache, random, longestMs, most } = options;
  const kills: Kill[] = [];
  for (;;) {
    // Before its data.json is there the run has not begun, and nothing can be lost.
    const begun = existsSync(join(out, "data.json"));
    const command = begun ? ["train", "--resume", out] : ["train", ...args, "--out", out];
    const killMs = kills.length < most ? random.next() * longestMs : undefined;
    const started = Date.now();
    const { killed, code, stderr } = await rootstock(command, { cache, killMs });
    const ended = Date.now();
    if (!killed) {
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("is skipped")]);
      return kills;
    }
    if (existsSync(join(out, "result.json"))) return kills; // it was done, and about to delete its checkpoints
    const kill = await look(join(out, "checkpoints"), { started, ended });
    expect(kill.checkpoint ?? "", "a later state was there before").toSatisfy(
      (name: string) => name >= (kills.at(-1)?.checkpoint ?? ""),
    );
    kills.push(kill);
  }
}

async function look(folder: string, { started, ended }: { started: number; ended: number }): Promise<Kill> {
  if (!existsSync(folder)) return { checkpoint: undefined, lost: undefined };
  const before = await readdir(folder);
  const latest = await (await CheckpointStore.open(folder)).latest();
  if (!latest) return { checkpoint: undefined, lost: undefined };
  expect(latest.skipped, before.join(", ")).toEqual([]);
  const saved = (await stat(latest.file)).mtimeMs;
  const trains = "fit" in (latest.state as object);
  return { checkpoint: latest.name, lost: trains && saved > started ? (ended - saved) / 1000 : undefined };
}

/** What a program that was killed when all was written may have had no time to delete. */
const MAY_BE_LEFT = new Set(["checkpoints", "run.lock"]);

/** What a finished run has written, but for times. */
export async function written(out: string) {
  const read = async (name: string): Promise<Buffer> => await readFile(join(out, name));
  const { seconds: _, featuresFromCache: __, ...result } = JSON.parse(String(await read("result.json")));
  return {
    result,
    lines: String(await read("metrics.jsonl")),
    model: createHash("sha256")
      .update(await read("model.onnx"))
      .digest("hex"),
    files: (await readdir(out)).filter((name) => !MAY_BE_LEFT.has(name)).sort(),
  };
}

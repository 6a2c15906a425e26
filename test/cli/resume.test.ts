/** Training as a program of its own that is ended in the middle, by Ctrl-C or kill -9, and goes on until it is done. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { rootstock } from "../train/checkpoints/kill.ts";
import { type Kill, killedUntilDone, written } from "../train/killed-run.ts";

/** How often the program is killed: ROOTSTOCK_KILLS=100 as in bench/RESULTS.md. */
const KILLS = Number(process.env["ROOTSTOCK_KILLS"] ?? 6);
const CHECKPOINT_SECONDS = 0.2;
const EPOCHS = 100;

let args: readonly string[];
/** What the same run writes that nobody disturbs, and how long it takes. */
let undisturbed: Awaited<ReturnType<typeof written>>;
let wholeMs: number;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-resume-cli-"));
  const images = await writeColorImages(join(root, "images"), 7);
  const model = await writeTinyModel(join(root, "tiny.onnx"), { norm: true });
  const training = ["--strategy", "full", "--epochs", EPOCHS, "--patience", EPOCHS, "--batch-size", 6];
  const checkpoints = ["--checkpoint-seconds", CHECKPOINT_SECONDS];
  args = [images, "--model", model, ...[...training, "--batch-norm", "train", ...checkpoints].map(String)];
  const out = join(root, "run");
  const { code, ms } = await rootstock(["train", ...args, "--out", out], { cache: join(root, "cache") });
  expect(code).toBe(0);
  wholeMs = ms!;
  undisturbed = await written(out);
});

test(`kill -9 at ${KILLS} random moments loses no run, corrupts none, and changes no bit of the result`, async () => {
  const random = rng(6);
  const kills: Kill[] = [];
  let runs = 0;
  for (; kills.length < KILLS; runs++) {
    const folder = await temporaryFolder();
    const out = join(folder, "run");
    const most = KILLS - kills.length;
    const options = { args, out, cache: join(folder, "cache"), random, longestMs: wholeMs, most };
    kills.push(...(await killedUntilDone(options)));
    expect(await written(out)).toEqual(undisturbed);
  }
  const lost = kills.flatMap(({ lost: seconds }) => seconds ?? []);
  const states = new Set(kills.map(({ checkpoint }) => checkpoint));
  if (process.env["ROOTSTOCK_KILLS"] !== undefined)
    process.stderr.write(`${JSON.stringify({ runs, wholeMs, kills })}\n`);
  expect(states.size).toBeGreaterThan(KILLS / 4); // the moments were others
  expect(Math.max(0, ...lost)).toBeLessThan(CHECKPOINT_SECONDS + 1); // and what a step and a save take on a busy machine
}, 600_000);

/** Starts training and presses Ctrl-C so many times when it has made some epochs. */
async function interrupted(out: string, cache: string, times: number) {
  const child = spawn(process.execPath, ["dist/cli/bin.js", "train", ...args, "--out", out, "--json"], {
    env: { ...process.env, ROOTSTOCK_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  const closed = once(child, "close");
  while (!existsSync(join(out, "metrics.jsonl"))) await new Promise((resolve) => setTimeout(resolve, 5));
  for (let i = 0; i < times; i++) {
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const [code] = await closed;
  return { code, ...text };
}

test("Ctrl-C saves first and says how to go on, and what goes on ends as if nothing had been", async () => {
  const folder = await temporaryFolder();
  const [out, cache] = [join(folder, "run"), join(folder, "cache")];
  const { code, stdout, stderr } = await interrupted(out, cache, 1);
  expect(code).toBe(130);
  expect(stderr).toContain("stopping; press Ctrl-C again to stop at once");
  const [, steps] = /training was interrupted after (\d+) steps\./.exec(stderr)!;
  expect(stderr).toContain(`--resume ${out}`);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: "ABORTED", message: expect.stringContaining("--resume") },
  });
  expect(await readdir(out)).not.toContain("run.lock");
  const newest = (await readdir(join(out, "checkpoints")))
    .filter((name) => /^\d/.test(name))
    .sort()
    .at(-1);
  expect(newest).toBe(`000000-${steps!.padStart(6, "0")}.safetensors`); // nothing is lost
  const resumed = await rootstock(["train", "--resume", out], { cache });
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringMatching(/resume {4}after \d+ epochs?/) });
  expect(await written(out)).toEqual(undisturbed);
});

test("Ctrl-C twice ends at once, and the run can go on from its last checkpoint", async () => {
  const folder = await temporaryFolder();
  const [out, cache] = [join(folder, "run"), join(folder, "cache")];
  expect((await interrupted(out, cache, 3)).code).toBe(130);
  expect(await rootstock(["train", "--resume", out], { cache })).toMatchObject({ code: 0 });
  expect(await written(out)).toEqual(undisturbed);
});

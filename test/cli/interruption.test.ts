/** The real program, ended in the middle: nothing is corrupted, and the same command completes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { assets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";

let data: string;
let model: string;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-kill-"));
  data = assets ? join(assets, "datasets", "sign-digits") : await writeColorImages(join(root, "images"), 150);
  model = assets
    ? join(assets, "models", "squeezenet1_1", "squeezenet1_1.onnx")
    : await writeTinyModel(join(root, "tiny.onnx"));
}, 120_000);

interface Program {
  readonly child: ChildProcess;
  readonly done: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(cache: string, out: string, ...more: string[]): Program {
  const args = ["dist/cli/bin.js", "train", data, "--model", model, "--out", out, "--views", "0", "--json", ...more];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ROOTSTOCK_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text.stderr += chunk;
  });
  return { child, done: once(child, "close").then(([code]) => ({ code, ...text })) };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000 && !(await condition()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("kill -9 during feature extraction: the same command completes with the same result", async () => {
  const folder = await temporaryFolder();
  const cache = join(folder, "cache");
  for (const delay of [0, 150, 300]) {
    const { child, done } = start(cache, join(folder, "run"));
    await until(() => existsSync(join(folder, "run", "data.json")));
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill("SIGKILL");
    await done;
  }
  const finished = await start(cache, join(folder, "run")).done;
  expect(finished.code).toBe(0);
  const result = JSON.parse(finished.stdout);
  expect(result.run).toBe(join(folder, "run"));
  const clean = JSON.parse((await start(join(folder, "other"), join(folder, "clean")).done).stdout);
  expect(result.metrics).toEqual(clean.metrics);
  expect((await readdir(join(folder, "run"))).filter((name) => name.startsWith(".") || name === "run.lock")).toEqual(
    [],
  );
}, 120_000);

test("kill -9 during training: the same command takes its features from the cache and completes", async () => {
  const folder = await temporaryFolder();
  const cache = join(folder, "cache");
  const slow = ["--epochs", "20000", "--patience", "20000", "--learning-rate", "0.00001"];
  const { child, done } = start(cache, join(folder, "run"), ...slow);
  await until(() => existsSync(join(folder, "run", "metrics.jsonl")));
  child.kill("SIGKILL");
  await done;
  const finished = await start(cache, join(folder, "run")).done;
  expect(finished.code).toBe(0);
  const result = JSON.parse(finished.stdout);
  expect(result.featuresFromCache).toBeGreaterThan(400);
  expect(result.run).toBe(join(folder, "run"));
}, 120_000);

test.each([
  ["Ctrl-C", "SIGINT", 130],
  ["SIGTERM, also where it comes twice,", "SIGTERM", 143],
] as const)(
  "%s stops cleanly with a code of its own, and says how to go on",
  async (_, signal, wanted) => {
    const folder = await temporaryFolder();
    const slow = ["--epochs", "20000", "--patience", "20000", "--learning-rate", "0.00001"];
    const { child, done } = start(join(folder, "cache"), join(folder, "run"), ...slow);
    await until(() => existsSync(join(folder, "run", "metrics.jsonl")));
    child.kill(signal);
    if (signal === "SIGTERM") child.kill(signal);
    const { code, stdout, stderr } = await done;
    expect(code).toBe(wanted);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ABORTED" } });
    expect(stderr).toContain(`go on with rootstock train --resume ${join(folder, "run")}`);
    expect(await readdir(join(folder, "run"))).not.toContain("run.lock");
    expect(await readdir(join(folder, "run", "checkpoints"))).toContainEqual(expect.stringMatching(/^\d{6}-\d{6}/));
  },
  120_000,
);

test("a reader that goes away does not end the run", async () => {
  const folder = await temporaryFolder();
  const { child, done } = start(join(folder, "cache"), join(folder, "run"), "--epochs", "3");
  child.stderr!.destroy();
  child.stdout!.destroy();
  expect((await done).code).toBe(0);
  expect(await readdir(join(folder, "run"))).toEqual(expect.arrayContaining(["model.onnx", "result.json"]));
}, 120_000);

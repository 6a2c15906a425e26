/**
 * Trains with the real program on a small disk that becomes full, or may only be read, in the middle of the run; then
 * goes on elsewhere and on the disk itself.
 *
 *     node disk-run.mjs fill DISK ELSEWHERE CACHE ARGS      fills the disk
 *     node disk-run.mjs lock DISK ELSEWHERE CACHE ARGS      lets nobody write to the disk
 *
 * ARGS is a list in JSON; a line of JSON is printed for each program that has ended.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CheckpointStore } from "../../dist/train/checkpoints/checkpoint-store.js";

const [mode, disk, elsewhere, cache, list] = process.argv.slice(2);
const PROGRAM = fileURLToPath(new URL("../../dist/cli/bin.js", import.meta.url));
const run = join(disk, "run");

async function train(what, args, meanwhile = async () => {}) {
  const child = spawn(process.execPath, [PROGRAM, "train", ...args, "--json"], {
    env: { ...process.env, ROOTSTOCK_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const closed = once(child, "close");
  await meanwhile();
  const [code] = await closed;
  const { error } = stdout ? JSON.parse(stdout) : {};
  writeSync(1, `${JSON.stringify({ what, code, error, stderr: stderr.slice(-1000) })}\n`);
}

/** What is left in the run's folder; the store is opened as a run that goes on opens it. */
async function look() {
  const names = readdirSync(run);
  const store = await CheckpointStore.open(join(run, "checkpoints"));
  const { file, skipped } = (await store.latest()) ?? {};
  writeSync(1, `${JSON.stringify({ what: "look", names, latest: file, skipped })}\n`);
}

async function hasCheckpoint() {
  const has = () =>
    existsSync(join(run, "checkpoints")) && readdirSync(join(run, "checkpoints")).some((n) => /^\d/.test(n));
  while (!has()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function fill() {
  const chunk = Buffer.alloc(4096);
  try {
    for (;;) writeFileSync(join(disk, "filler"), chunk, { flag: "a" });
  } catch (error) {
    if (error.code !== "ENOSPC") throw error;
  }
}

function remount(how) {
  while (spawnSync("mount", ["-o", `remount,bind,${how}`, disk]).status !== 0); // while a file is being written
}

const args = JSON.parse(list);
await train("first", [...args, "--out", run], async () => {
  await hasCheckpoint();
  if (mode === "fill") fill();
  else remount("ro");
});
await look();
cpSync(run, join(elsewhere, "moved", "run"), { recursive: true });
await train("no better", ["--resume", run]);
await train("anew", [...args, "--out", join(disk, "anew")]);
await train("moved", ["--resume", join(elsewhere, "moved", "run")]);
if (mode === "fill") rmSync(join(disk, "filler"));
else remount("rw");
await train("with room", ["--resume", run]);
cpSync(run, join(elsewhere, "stayed", "run"), { recursive: true });

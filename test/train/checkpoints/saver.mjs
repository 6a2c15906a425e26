/**
 * Saves checkpoints with the built package, as a process of its own that can be killed or given a small disk.
 *
 *     node saver.mjs loop FOLDER VALUES          goes on after the newest, until it is killed
 *     node saver.mjs fill FOLDER VALUES          saves until that fails
 *     node saver.mjs locked FOLDER COMMAND       saves two, runs a command that locks the folder, and saves again
 *     node saver.mjs memory FOLDER VALUES        saves and reads one
 *
 * VALUES is the number of values of a tensor; a line of JSON is printed for each thing that happened.
 */
import { execSync } from "node:child_process";
import { readdirSync, writeSync } from "node:fs";
import { CheckpointStore } from "../../../dist/train/checkpoints/checkpoint-store.js";

const [mode, folder, ...rest] = process.argv.slice(2);

/** Said at once: a line that was printed is true when the process is killed right after. */
function say(what) {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

/** Values that depend on the step and on their place, as test/train/checkpoints/kill-and-load.test.ts expects them. */
function values(step, count) {
  const data = Float32Array.from({ length: count }, (_, i) => step + i / 1024);
  return new Map([["w", { dtype: "float32", shape: [count], data }]]);
}

function checkpoint(step, count, best) {
  const name = `0001-${String(step).padStart(6, "0")}`;
  return {
    name,
    state: { step, best: best.step },
    tensors: values(step, count),
    snapshots: new Map([["best", best.set]]),
  };
}

/** The last step so far that is a multiple of three: its parameters stay the same object while it is the best. */
function bestOf(step, count, before) {
  return before === undefined || step % 3 === 0 ? { step, set: values(-step, count) } : before;
}

async function loop(store, count) {
  const last = await store.latest();
  let best = last && { step: last.state.best, set: last.snapshots.get("best") };
  for (let step = (last?.state.step ?? 0) + 1; ; step++) {
    best = bestOf(step, count, best);
    await store.save(checkpoint(step, count, best));
    say({ saved: step });
  }
}

async function outcome(store, saved) {
  const error = await store.save(saved).then(
    () => undefined,
    ({ code, message }) => ({ code, message }),
  );
  return { error, files: readdirSync(folder).sort(), latest: (await store.latest())?.state };
}

async function fill(store, count) {
  let best;
  for (let step = 1; step < 1000; step++) {
    const size = count * step; // each is larger, so that the disk is full before long
    best = bestOf(step, size, best);
    const result = await outcome(store, checkpoint(step, size, best));
    say({ step, ...result });
    if (!result.error) continue;
    const again = await outcome(store, checkpoint(step + 1, 10, bestOf(0, 10)));
    return say({ step: step + 1, ...again }); // a small one still fits
  }
}

async function locked(store, command) {
  for (const step of [1, 2]) await store.save(checkpoint(step, 100, bestOf(step, 100)));
  execSync(command, { stdio: "inherit" });
  say(await outcome(store, checkpoint(3, 100, bestOf(3, 100))));
  const reopened = await CheckpointStore.open(folder);
  say({ reopened: (await reopened.latest())?.state });
}

async function memory(store, count) {
  const saved = checkpoint(1, count, bestOf(1, 1));
  const peak = () => process.resourceUsage().maxRSS / 1024;
  const before = peak();
  let start = performance.now();
  await store.save(saved);
  const save = { ms: performance.now() - start, megabytes: peak() - before };
  start = performance.now();
  const found = await store.latest();
  say({
    save,
    load: { ms: performance.now() - start, megabytes: peak() - before },
    last: found.tensors.get("w").data.at(-1),
  });
}

const store = await CheckpointStore.open(folder);
if (mode === "loop") await loop(store, Number(rest[0]));
else if (mode === "fill") await fill(store, Number(rest[0]));
else if (mode === "locked") await locked(store, rest[0]);
else await memory(store, Number(rest[0]));

import { access, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimRunFolder } from "../../../src/train/claim-run-folder.ts";
import { listRuns } from "../../../src/train/runs/list-runs.ts";
import { type PruneOptions, planPrune, prune } from "../../../src/train/runs/prune-runs.ts";
import { temporaryFolder } from "../../data/made.ts";
import { CHECKPOINTS, complete, deadProcess, type Files, RESULT, realRun, writeRun } from "./made.ts";

const KEPT = CHECKPOINTS;

function ended(hour: number, more: Files = {}): Files {
  const { "result.json": _, "model.onnx": __, ...files } = complete(hour, more);
  return files;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function plan(folder: string, options: PruneOptions) {
  return await planPrune(await listRuns(folder), options);
}

async function chosen(folder: string, options: PruneOptions): Promise<string[]> {
  return (await plan(folder, options)).items.map(({ run, what }) => (what === "run" ? run.id : `${run.id}/${what}`));
}

/** A folder with a run of every state, and things that are no runs. */
async function mixed(): Promise<string> {
  const root = await temporaryFolder();
  await writeRun(join(root, "old"), complete(1, KEPT));
  await writeRun(join(root, "new"), complete(6, { ...KEPT, "result.json": { ...RESULT, metrics: { accuracy: 0.4 } } }));
  await writeRun(join(root, "middle"), complete(4));
  await writeRun(join(root, "ended"), ended(2));
  await writeRun(join(root, "interrupted"), ended(3, KEPT));
  await writeRun(join(root, "running"), ended(5, { ...KEPT, "run.lock": String(process.ppid) }));
  await writeRun(join(root, "damaged"), complete(1, { "config.json": "{" }));
  await writeRun(join(root, "other"), { "config.json": { mine: true }, "result.json": RESULT, "model.onnx": "mine" });
  return root;
}

test("chooses what each option says, and never what runs or may not be a run", async () => {
  const root = await mixed();
  expect(await chosen(root, {})).toEqual([]);
  expect(await chosen(root, { keep: 2 })).toEqual(["interrupted", "ended", "old"]);
  expect(await chosen(root, { keep: 100 })).toEqual([]);
  expect(await chosen(root, { keep: 1, sort: "accuracy" })).toEqual(["old", "new", "interrupted", "ended"]);
  expect(await chosen(root, { incomplete: true })).toEqual(["ended"]);
  expect(await chosen(root, { checkpoints: true })).toEqual(["new/checkpoints", "old/checkpoints"]);
  expect(await chosen(root, { keep: 4, incomplete: true, checkpoints: true })).toEqual([
    "new/checkpoints",
    "ended",
    "old/checkpoints",
  ]);
  const { spared } = await plan(root, { keep: 1, incomplete: true });
  expect(spared.map(({ run, reason }) => `${run.id} ${reason}`)).toEqual([
    `running is running (process ${process.ppid})`,
    expect.stringContaining("damaged is damaged: config.json is no JSON"),
  ]);
  expect((await plan(root, { incomplete: true })).spared.map(({ run, reason }) => `${run.id} ${reason}`)).toContain(
    "interrupted has checkpoints to go on from",
  );
});

test("what was left unfinished goes with the complete runs of its time, and no sooner", async () => {
  const root = await temporaryFolder();
  for (const [id, hour] of [
    ["a", 2],
    ["b", 4],
    ["c", 6],
  ] as const)
    await writeRun(join(root, id), complete(hour));
  for (const [id, hour] of [
    ["before", 3],
    ["between", 5],
    ["after", 7],
  ] as const)
    await writeRun(join(root, id), ended(hour, KEPT));
  expect(await chosen(root, { keep: 2 })).toEqual(["before", "a"]);
  expect(await chosen(root, { keep: 1 })).toEqual(["between", "b", "before", "a"]);
  expect(await chosen(root, { keep: 4 })).toEqual([]);
});

test("a plan deletes nothing; pruning deletes what it lists and as many bytes as it says", async () => {
  const root = await mixed();
  const before = (await readdir(root, { recursive: true })).sort();
  const todo = await plan(root, { keep: 2, incomplete: true });
  expect((await readdir(root, { recursive: true })).sort()).toEqual(before);
  const total = (await listRuns(root)).runs.reduce((sum, run) => sum + run.bytes, 0);
  const pruned = await prune(todo);
  expect(pruned.map(({ run, problem }) => [run.id, problem])).toEqual([
    ["interrupted", undefined],
    ["ended", undefined],
    ["old", undefined],
  ]);
  expect((await readdir(root)).sort()).toEqual(["damaged", "middle", "new", "other", "running"]);
  const rest = (await listRuns(root)).runs.reduce((sum, run) => sum + run.bytes, 0);
  expect(pruned.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(todo.bytes);
  expect(todo.bytes).toBe(total - rest);
});

test("a real run goes without a trace", async () => {
  const root = await temporaryFolder();
  await realRun(root, "a");
  await realRun(root, "b");
  const folder = join(root, "runs");
  const todo = await plan(folder, { keep: 1 });
  expect(todo.items).toMatchObject([{ run: { id: "a" }, foreign: [] }]);
  expect(await prune(todo)).toMatchObject([{ run: { id: "a" }, bytes: todo.bytes }]);
  expect(await readdir(folder)).toEqual(["b"]);
});

test("checkpoints go alone: model and records stay as they are", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "a"), complete(1, KEPT));
  expect(await prune(await plan(root, { checkpoints: true }))).toMatchObject([{ bytes: 9 }]);
  expect((await readdir(path)).sort()).toEqual(Object.keys(complete(1)).sort());
});

test("files that no run writes stay, with their folders, and are named", async () => {
  const root = await temporaryFolder();
  const mine = ["notes.txt", join("plots", "loss.png"), join("checkpoints", "mine.safetensors")];
  const path = await writeRun(join(root, "a"), {
    ...ended(1),
    ...Object.fromEntries(mine.map((name) => [name, "mine"])),
  });
  const todo = await plan(root, { incomplete: true });
  expect([...todo.items[0]!.foreign].sort()).toEqual([join("checkpoints", "mine.safetensors"), "notes.txt", "plots"]);
  await prune(todo);
  for (const name of mine) expect(await readFile(join(path, name), "utf8")).toBe("mine");
  expect((await readdir(path)).sort()).toEqual(["checkpoints", "notes.txt", "plots"]);
  expect((await listRuns(root)).runs).toEqual([]);
});

test("links are neither followed nor deleted", async () => {
  const root = await temporaryFolder();
  const precious = await writeRun(join(root, "precious"), {
    "result.json": "mine",
    "0001-000002.safetensors": "mine",
  });
  const path = await writeRun(join(root, "runs", "a"), ended(1));
  await symlink(join(precious, "result.json"), join(path, "model.onnx"));
  await symlink(precious, join(path, "checkpoints"));
  await symlink(precious, join(root, "runs", "linked"));
  await prune(await plan(join(root, "runs"), { incomplete: true, keep: 1 }));
  expect((await readdir(path)).sort()).toEqual(["checkpoints", "model.onnx"]);
  expect((await readdir(precious)).sort()).toEqual(["0001-000002.safetensors", "result.json"]);
});

test("a folder that became a link between plan and pruning is left alone", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "runs", "a"), ended(1));
  const todo = await plan(join(root, "runs"), { incomplete: true });
  await rename(path, join(root, "elsewhere"));
  await symlink(join(root, "elsewhere"), path);
  expect(await prune(todo)).toMatchObject([{ bytes: 0, problem: expect.stringContaining("leads to another place") }]);
  expect((await readdir(join(root, "elsewhere"))).sort()).toEqual(Object.keys(ended(1)).sort());
});

test("a run that was taken up or finished between plan and pruning is left alone", async () => {
  const root = await temporaryFolder();
  for (const id of ["taken", "finished", "claimed", "gone"]) await writeRun(join(root, id), ended(1));
  const todo = await plan(root, { incomplete: true });
  await writeFile(join(root, "taken", "run.lock"), String(process.ppid));
  await writeFile(join(root, "finished", "result.json"), JSON.stringify(RESULT));
  await mkdir(join(root, "claimed", ".partial-claim"));
  await rm(join(root, "gone"), { recursive: true });
  const pruned = Object.fromEntries((await prune(todo)).map(({ run, bytes, problem }) => [run.id, { bytes, problem }]));
  expect(pruned).toEqual({
    taken: { bytes: 0, problem: "is running and was incomplete when it was chosen" },
    finished: { bytes: 0, problem: "is complete and was incomplete when it was chosen" },
    claimed: { bytes: 0, problem: expect.stringContaining("cannot be taken") },
    gone: { bytes: 0, problem: expect.stringContaining("cannot be taken") },
  });
  for (const id of ["taken", "finished", "claimed"]) expect(await exists(join(root, id, "config.json"))).toBe(true);
  expect(await exists(join(root, "gone"))).toBe(false);
});

test("a process that claims the folder meanwhile gets another one, or this one whole", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "a"), ended(1, { "notes.txt": "mine" }));
  const todo = await plan(root, { incomplete: true });
  const [[pruned], claimed] = await Promise.all([prune(todo), claimRunFolder(path)]);
  expect(pruned?.problem).toBeUndefined();
  expect(claimed.path).toBe(`${path}-2`);
  await claimed.close();
  expect(await readdir(path)).toEqual(["notes.txt"]);
});

test("a lock without a process is trusted for ten minutes: another machine may hold it", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "a"), ended(1, { "run.lock": String(await deadProcess()) }));
  const { items, spared } = await plan(root, { incomplete: true });
  expect([items, spared[0]?.reason]).toEqual([[], expect.stringContaining("another machine may be making it")]);
  const past = Date.now() / 1000 - 3600;
  for (const name of await readdir(path)) await utimes(join(path, name), past, past);
  await prune(await plan(root, { incomplete: true }));
  expect(await readdir(root)).toEqual([]);
});

test("what is deleted first makes the run incomplete, and last goes the mark of a run", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "a"), ended(1));
  await rm(join(path, "data.json"));
  await rm(join(path, "metrics.jsonl")); // as after half a deletion: result and others gone, config.json there
  expect(await chosen(root, { incomplete: true })).toEqual(["a"]);
  await prune(await plan(root, { incomplete: true }));
  expect(await readdir(root)).toEqual([]);
});

test.each([0, -1, 1.5, Number.NaN])("keeping %s runs is refused", async (keep) => {
  await expect(planPrune({ folder: ".", runs: [], links: [] }, { keep })).rejects.toMatchObject({ code: "BAD_CONFIG" });
});

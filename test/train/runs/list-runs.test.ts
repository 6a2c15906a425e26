import { mkdir, rename, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isInPlace, listRuns, sortRuns } from "../../../src/train/runs/list-runs.ts";
import { temporaryFolder } from "../../data/made.ts";
import { CONFIG, complete, RESULT, startedAt, writeRun } from "./made.ts";

const ids = (runs: readonly { readonly id: string }[]): string[] => runs.map(({ id }) => id);

const measured = (metrics: object) => ({ "result.json": { ...RESULT, metrics, intervals: {} } });

test("lists runs and nothing else, the newest first", async () => {
  const root = await temporaryFolder();
  for (const [id, hour] of [
    ["b", 2],
    ["a", 3],
    ["c", 1],
    ["d", 3],
  ] as const)
    await writeRun(join(root, id), complete(hour));
  await mkdir(join(root, "empty"));
  await writeRun(join(root, "other"), { "config.json": { model_type: "resnet" } });
  await writeFile(join(root, "notes.txt"), "mine");
  expect(ids((await listRuns(root)).runs)).toEqual(["d", "a", "b", "c"]);
});

test("sorts by a measure, the best first, runs without it last", async () => {
  const root = await temporaryFolder();
  await writeRun(join(root, "low"), complete(1, measured({ accuracy: 0.5, loss: 0.1 })));
  await writeRun(join(root, "high"), complete(2, measured({ accuracy: 0.9, loss: 0.3 })));
  await writeRun(join(root, "none"), complete(3, measured({ loss: 0.2 })));
  const { runs } = await listRuns(root);
  expect(ids(sortRuns(runs, "accuracy"))).toEqual(["high", "low", "none"]);
  expect(ids(sortRuns(runs, "loss"))).toEqual(["low", "none", "high"]);
  expect(ids(sortRuns(runs, "r2"))).toEqual(["none", "high", "low"]);
});

test("a folder that is a run itself is the list", async () => {
  const path = await writeRun(join(await temporaryFolder(), "one"), complete(1));
  expect(await listRuns(path)).toMatchObject({ folder: path, runs: [{ id: "one" }], links: [] });
});

test("hostile folders are listed with what is wrong, and links are not followed", async () => {
  const root = await temporaryFolder();
  const name = "red\u001b[31m\nnext\u202e";
  await writeRun(
    join(root, name),
    complete(1, { "config.json": { ...CONFIG, model: { name: "\u001b]0;title\u0007" } } }),
  );
  await writeRun(join(root, "huge"), complete(2));
  await truncate(join(root, "huge", "config.json"), 1e9);
  await writeRun(join(root, "bomb"), complete(3, { "config.json": "[".repeat(1e6) }));
  await writeRun(join(root, "proto"), {
    "config.json": '{"rootstockRun":1,"__proto__":{"data":"x"}}',
    "environment.json": startedAt(4),
  });
  await symlink(root, join(root, "cycle"));
  await symlink(join(root, "huge"), join(root, "latest"));
  await writeRun(join(root, "linked"), { "environment.json": startedAt(5) });
  await symlink(join(root, "proto", "config.json"), join(root, "linked", "config.json"));
  const { runs, links } = await listRuns(root);
  expect(links).toEqual(["cycle", "latest"]);
  expect(runs.map(({ id, state }) => [id, state])).toEqual([
    ["linked", "damaged"],
    ["proto", "incomplete"],
    ["bomb", "damaged"],
    ["huge", "damaged"],
    [name, "complete"],
  ]);
  expect(runs.map(({ problems }) => problems[0] ?? "")).toEqual([
    expect.stringContaining("symbolic link"),
    "",
    expect.stringContaining("nests"),
    expect.stringContaining("1000000000 bytes"),
    "",
  ]);
});

test("a folder that cannot be listed is BAD_CONFIG; a signal stops", async () => {
  const root = await temporaryFolder();
  await expect(listRuns(join(root, "absent"))).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("absent"),
  });
  await writeRun(join(root, "a"), complete(1));
  await expect(listRuns(root, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});

test("a run is in place until a link stands there", async () => {
  const root = await temporaryFolder();
  const path = await writeRun(join(root, "runs", "a"), complete(1));
  const folder = join(root, "runs");
  expect(await isInPlace({ folder }, path)).toBe(true);
  expect(await isInPlace({ folder: path }, path)).toBe(true);
  await symlink(folder, join(root, "link"));
  expect(await isInPlace({ folder: join(root, "link") }, join(root, "link", "a"))).toBe(true);
  await rename(path, join(root, "elsewhere"));
  expect(await isInPlace({ folder }, path)).toBe(false);
  await symlink(join(root, "elsewhere"), path);
  expect(await isInPlace({ folder }, path)).toBe(false);
});

import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linearHead } from "../../../src/models/head.ts";
import { CheckpointStore } from "../../../src/train/checkpoints/checkpoint-store.ts";
import { countCheckpoints, inventory, sizeOfFolder } from "../../../src/train/runs/run-files.ts";
import { temporaryFolder } from "../../data/made.ts";
import { complete, realRun, writeRun } from "./made.ts";

const names = (files: readonly { readonly path: string }[]): string[] => files.map(({ path }) => path).sort();

test("everything that a real run leaves is its own", async () => {
  const path = await realRun(await temporaryFolder(), "a", { tensorBoard: true });
  const { files, checkpoints, folders, foreign } = await inventory(path);
  expect([foreign, checkpoints]).toEqual([[], []]);
  expect(folders).toContain("tensorboard");
  const below = [...names(files), ...folders].sort();
  expect(below).toEqual((await readdir(path, { recursive: true })).sort());
});

test("own are regular files by the names of a run, and checkpoints by theirs", async () => {
  const path = await writeRun(await temporaryFolder(), {
    ...complete(1),
    ".partial-0123456789ab-result.json": "{",
    ".partial-0123456789ab-mine.txt": "mine",
    ".partial-4711-0123456789ab-config.json": "{",
    ".partial-claim/x": "",
    "tensorboard/1-head/events.out.tfevents.1700000000.rootstock": "events",
    "tensorboard/1-head/deeper/events.out.tfevents.1700000000.rootstock": "mine",
    "tensorboard/events.out.tfevents.1700000000.my-machine": "mine",
    "notes.txt": "mine",
    "model.onnx.bak": "mine",
    "checkpoints/0001-000120.safetensors": "state",
    "checkpoints/.partial-0123456789ab-0001-000140.safetensors": "half",
    "checkpoints/best-of-mine.safetensors": "my own weights",
    "checkpoints/notes.txt": "mine",
    "checkpoints/deeper/0001-000120.safetensors": "state",
  });
  await symlink(join(path, "notes.txt"), join(path, "check.json"));
  await symlink(path, join(path, "checkpoints", "0002-000001.safetensors"));
  const { files, checkpoints, folders, foreign } = await inventory(path);
  expect(names(files)).toEqual([
    ".partial-0123456789ab-result.json",
    ".partial-4711-0123456789ab-config.json",
    ...Object.keys(complete(1)).sort(),
    join("tensorboard", "1-head", "events.out.tfevents.1700000000.rootstock"),
  ]);
  expect(folders.toSorted()).toEqual(["checkpoints", "tensorboard", join("tensorboard", "1-head")]);
  expect(folders.indexOf("tensorboard")).toBeGreaterThan(folders.indexOf(join("tensorboard", "1-head")));
  expect(names(checkpoints)).toEqual([
    join("checkpoints", ".partial-0123456789ab-0001-000140.safetensors"),
    join("checkpoints", "0001-000120.safetensors"),
  ]);
  expect([...foreign].sort()).toEqual(
    [
      ".partial-0123456789ab-mine.txt",
      "check.json",
      "model.onnx.bak",
      "notes.txt",
      join("tensorboard", "1-head", "deeper"),
      join("tensorboard", "events.out.tfevents.1700000000.my-machine"),
      ...["0002-000001.safetensors", "best-of-mine.safetensors", "deeper", "notes.txt"].map((name) =>
        join("checkpoints", name),
      ),
    ].sort(),
  );
  expect(files.find((file) => file.path === "model.onnx")?.bytes).toBe(10);
});

test("everything that a store of checkpoints writes is a run's own", async () => {
  const path = await writeRun(await temporaryFolder(), complete(1));
  const store = await CheckpointStore.open(join(path, "checkpoints"));
  const tensors = linearHead({ width: 4, numClasses: 3 });
  for (const name of ["0001-000002", "0001-000004"])
    await store.save({ name, state: { epoch: 1 }, tensors, snapshots: new Map([["best", tensors]]) });
  await writeRun(path, { "checkpoints/.partial-0123456789ab-snapshot-0123456789abcdef.safetensors": "half" });
  const { checkpoints, foreign } = await inventory(path);
  expect([checkpoints.length, foreign]).toEqual([4, []]);
  expect(await countCheckpoints(path)).toBe(2);
});

test("checkpoints that are a link are somebody else's", async () => {
  const elsewhere = await writeRun(await temporaryFolder(), { "0001-000120.safetensors": "state" });
  const path = await writeRun(await temporaryFolder(), complete(1));
  await symlink(elsewhere, join(path, "checkpoints"));
  expect(await inventory(path)).toMatchObject({ checkpoints: [], folders: [], foreign: ["checkpoints"] });
  expect(await countCheckpoints(path)).toBe(0);
});

test("counts whole checkpoints", async () => {
  const path = await writeRun(await temporaryFolder(), {
    "checkpoints/.partial-0123456789ab-a.safetensors": "half",
    "checkpoints/mine.safetensors": "my own weights",
  });
  expect(await countCheckpoints(path)).toBe(0);
  await writeRun(path, { "checkpoints/0001-000002.safetensors": "state" });
  expect(await countCheckpoints(path)).toBe(1);
  expect(await countCheckpoints(join(path, "absent"))).toBe(0);
});

test("the size is that of all files below, links not followed and cycles not walked", async () => {
  const path = await writeRun(await temporaryFolder(), {
    "a.bin": "12345",
    "below/b.bin": "123",
    "below/further/c.bin": "1",
  });
  await symlink(path, join(path, "below", "cycle"));
  await symlink("/", join(path, "everything"));
  const { bytes, whole } = await sizeOfFolder(path);
  expect(whole).toBe(true);
  expect(bytes).toBe(9);
  await mkdir(join(path, ...Array.from({ length: 30 }, () => "d")), { recursive: true });
  expect(await sizeOfFolder(path)).toEqual({ bytes: 9, whole: false });
});

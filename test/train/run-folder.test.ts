/** Folders of runs as they are written, also on disks that are nearly full. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openFolder, RUN_MARK } from "../../src/train/run-folder.ts";
import { temporaryFolder } from "../data/made.ts";
import { noDisk, printedOnDisk } from "./checkpoints/mounts.ts";

test("writes JSON and lines, and writes lines anew", async () => {
  const path = await temporaryFolder();
  const folder = openFolder(path, {});
  await folder.write("config", { [RUN_MARK]: 1 });
  await folder.append("metrics", { epoch: 1 });
  await folder.append("metrics", { epoch: 2 });
  expect(await folder.read("metrics")).toBe('{"epoch":1}\n{"epoch":2}\n');
  await folder.rewrite("metrics", [{ epoch: 3 }]);
  expect(await folder.read("metrics")).toBe('{"epoch":3}\n');
  await folder.writeModel(async (file) => expect(file).toBe(join(path, "model.onnx")));
  expect(JSON.parse(await readFile(folder.file("config"), "utf8"))).toEqual({ [RUN_MARK]: 1 });
  expect((await readdir(path)).sort()).toEqual(["config.json", "metrics.jsonl"]);
});

interface Ended {
  readonly error?: { readonly code: string; readonly message: string };
  readonly warnings: readonly string[];
  readonly checkpoints: boolean;
  readonly files: readonly string[];
}

const DRIVER = fileURLToPath(new URL("small-disk.mjs", import.meta.url));
const KB = 1024;

/** The end of a run on a disk of 1 MiB. */
async function endOn(checkpoint: number, model: number, result: number): Promise<Ended> {
  const folder = await temporaryFolder();
  const sizes = [checkpoint, model, result].map((kilobytes) => String(kilobytes * KB));
  return printedOnDisk("1m", folder, DRIVER, folder, ...sizes)[0] as Ended;
}

test.skipIf(noDisk)(
  `the model and the result matter more than checkpoints (${noDisk ?? "on a small disk"})`,
  async () => {
    expect(await endOn(200, 600, 1)).toMatchObject({ warnings: [], checkpoints: true });
    const model = await endOn(600, 600, 1);
    expect(model).toMatchObject({ checkpoints: false, files: ["model.onnx", "result.json", "run.lock"] });
    expect(model.warnings).toEqual([
      "there is no room for the model beside the checkpoints of the run: they are deleted.",
    ]);
    const result = await endOn(400, 600, 200);
    expect(result).toMatchObject({ checkpoints: false, files: ["model.onnx", "result.json", "run.lock"] });
    expect(result.warnings).toEqual([expect.stringContaining("no room for the result beside")]);
  },
);

test.skipIf(noDisk)(
  `checkpoints stay where even their room is too small (${noDisk ?? "on a small disk"})`,
  async () => {
    const { error, warnings, files } = await endOn(600, 1100, 1);
    expect([error?.code, warnings, files]).toEqual(["CANNOT_WRITE", [], ["checkpoints", "run.lock"]]);
    const [, bytes, free] = /ENOSPC.* \((\d+) bytes were to be written, (\d+) are free on its disk\)\. Choose/.exec(
      error!.message,
    )!;
    expect(Number(bytes)).toBe(1100 * KB);
    expect(Number(free)).toBeGreaterThan(300 * KB);
    expect(Number(free)).toBeLessThan(424 * KB);
  },
);

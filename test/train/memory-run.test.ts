/** The memory of a long run, in a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";

const PROGRAM = fileURLToPath(new URL("memory-run.mjs", import.meta.url));

test("200 epochs take no more memory than 20", async () => {
  const folder = await temporaryFolder();
  const model = await writeTinyModel(join(folder, "tiny.onnx"), { norm: true });
  const images = await writeColorImages(join(folder, "images"), 7);
  const options = { strategy: "full", augmentation: "none", batchNorm: "train", averageDecay: 0.9, soup: 2 };
  const given = [
    PROGRAM,
    model,
    images,
    "200",
    join(folder, "run"),
    JSON.stringify({ ...options, checkpointSeconds: 0.1 }),
  ];
  // A small nursery: its growth to the usual 32 MB for each thread would hide what else grows.
  const { stdout } = await promisify(execFile)(process.execPath, ["--max-semi-space-size=1", ...given]);
  const megabytes: readonly number[] = JSON.parse(stdout);
  expect(megabytes).toHaveLength(10);
  expect(megabytes.at(-1)! / megabytes[0]!).toBeLessThan(1.05);
});

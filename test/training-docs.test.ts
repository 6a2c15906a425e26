/** The code blocks of docs/training.md, run as they are written. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "./data/made.ts";
import { writeColorImages, writeTinyModel } from "./models/tiny.ts";

test("its code blocks run and leave what they say", async () => {
  const blocks = [...(await readFile("docs/training.md", "utf8")).matchAll(/```js\n(.*?)```/gs)].map(
    ([, code]) => code!,
  );
  expect(blocks).toHaveLength(2);
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  await writeColorImages(join(folder, "photos"), 20);
  await writeTinyModel(join(folder, "mobilenetv2.onnx"));
  const env = { ...process.env, ROOTSTOCK_CACHE: join(folder, "cache") };
  const outputs: string[] = [];
  for (const [i, code] of blocks.entries()) {
    await writeFile(join(folder, `example-${i}.mjs`), code);
    const { stdout } = await promisify(execFile)(process.execPath, [`example-${i}.mjs`], { cwd: folder, env });
    outputs.push(stdout);
  }
  expect(outputs[0]).toMatch(/^[01](\.\d+)? \[ [\d.]+, [\d.]+ \] [01](\.\d+)?\n$/);
  expect(await readdir(join(folder, "runs", "photos"))).toContain("model.onnx");
  const header = (await readFile(join(folder, "epochs.csv"), "utf8")).split("\n")[0];
  expect(header).toContain("validation.accuracy");
  expect(await readdir(join(folder, "weights"))).not.toEqual([]);
  expect(await readdir(join(folder, "logs"))).toEqual(["1-head"]);
}, 120_000);

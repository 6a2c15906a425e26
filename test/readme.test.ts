/** The README's first code block, run as it is written. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { assets } from "./assets.ts";
import { temporaryFolder } from "./data/made.ts";
import { writeColorImages, writeTinyModel } from "./models/tiny.ts";

test("the first code block runs, prints an accuracy and a class, and leaves a model", async () => {
  const [, code] = /```js\n(.*?)```/s.exec(await readFile("README.md", "utf8")) ?? [];
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  if (assets) {
    const flowers = join(assets, "datasets", "flowers", "train");
    await symlink(flowers, join(folder, "photos"));
    await symlink(
      join(assets, "models", "mobilenetv2_1.0_224", "mobilenetv2_1.0_224.onnx"),
      join(folder, "mobilenetv2.onnx"),
    );
    await copyFile(join(assets, "photos", "sunflower.jpg"), join(folder, "tulip.jpg"));
  } else {
    await writeColorImages(join(folder, "photos"), 20);
    await writeTinyModel(join(folder, "mobilenetv2.onnx"));
    await copyFile(join(folder, "photos", "red", "0.png"), join(folder, "tulip.jpg"));
  }
  await writeFile(join(folder, "example.mjs"), code!);
  const env = { ...process.env, ROOTSTOCK_CACHE: join(folder, "cache") };
  const { stdout } = await promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder, env });
  const [first, second] = stdout.trim().split("\n");
  expect(Number(first!.split(" ")[0])).toBeGreaterThan(0.7);
  expect(second).toMatch(/^\w+ 0\.\d+|^\w+ 1$/);
  expect((await readFile(join(folder, "flowers.onnx"))).length).toBeGreaterThan(1000);
}, 120_000);

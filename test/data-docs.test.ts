/** The code blocks of the pages for people who arrive from Keras and PyTorch, run as they are written. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "./data/made.ts";
import { writeColorImages } from "./models/tiny.ts";

test.each(["from-keras", "from-pytorch"])("docs/%s.md", async (page) => {
  const text = await readFile(join("docs", `${page}.md`), "utf8");
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code!);
  expect(blocks.length).toBeGreaterThan(1);
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  await writeColorImages(join(folder, "photos"), 20);
  const rows = Array.from({ length: 20 }, (_, i) => `photos/${i % 2 ? "red" : "blue"}/${i >> 1}.png,${i % 2}`);
  await writeFile(join(folder, "labels.csv"), ["file,kind", ...rows].join("\n"));
  for (const [i, code] of blocks.entries()) {
    await writeFile(join(folder, `${i}.mjs`), code);
    const { stdout } = await promisify(execFile)(process.execPath, [`${i}.mjs`], { cwd: folder });
    expect(stdout).not.toBe("");
    expect(stdout).not.toMatch(/undefined|NaN/);
  }
});

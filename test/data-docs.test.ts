/** The code blocks of the pages for people who arrive from Keras and PyTorch, run as they are written. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { TRANSFORM_NAMES } from "../src/transforms/augmentation-schema.ts";
import { geometricSchemas } from "../src/transforms/geometric/geometric-schema.ts";
import { pixelSchemas } from "../src/transforms/pixels/pixel-schema.ts";
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

describe("the table of transforms in docs/from-pytorch.md", async () => {
  const text = await readFile("docs/from-pytorch.md", "utf8");
  const table = text.slice(text.indexOf("| torchvision"), text.indexOf("Options in bold"));
  const words = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
  const rows = table
    .split("\n")
    .slice(2)
    .filter((line) => line !== "")
    .map((line) => line.split("|"));
  const entries = rows.flatMap(([, , names, options]) => words(names).map((name) => [name, options!] as const));

  test.each(entries)("%s has all its options and no others", (name, cell) => {
    const schema = [...geometricSchemas, ...pixelSchemas].find(({ shape }) => shape.name.value === name);
    const { name: _, ...options } = schema!.shape;
    expect(words(cell).sort()).toEqual(Object.keys(options).sort());
    const required = Object.entries(options).filter(([, option]) => !option.safeParse(undefined).success);
    const bold = [...cell.matchAll(/\*\*`(\w+)`\*\*/g)].map(([, word]) => word);
    expect(bold).toEqual(required.map(([key]) => key));
  });

  test("has every transform but Keras's affine map", () => {
    expect(entries.map(([name]) => name).sort()).toEqual(TRANSFORM_NAMES.filter((n) => n !== "keras-affine").sort());
  });
});

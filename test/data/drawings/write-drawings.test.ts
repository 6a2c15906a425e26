import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DRAWN_CLASSES } from "../../../src/data/drawings/class-forms.ts";
import { writeDrawings } from "../../../src/data/drawings/write-drawings.ts";
import { imageFolder } from "../../../src/data/image-folder.ts";
import { temporaryFolder } from "../made.ts";

const SMALL = { perClass: 2, seed: 4, size: 24 } as const;

/** Relative path -> hash of every file below a folder. */
async function hashes(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const path of (await readdir(folder, { recursive: true })).sort())
    if ((await stat(join(folder, path))).isFile())
      found[path] = createHash("sha256")
        .update(await readFile(join(folder, path)))
        .digest("hex");
  return found;
}

test("writes a folder for each class, which reads as a dataset", async () => {
  const folder = join(await temporaryFolder(), "a", "b");
  expect(await writeDrawings(folder, SMALL)).toEqual({ classes: DRAWN_CLASSES, train: 12, validation: 0 });
  const dataset = await imageFolder(folder, { validation: 0.5 });
  expect(dataset.classes).toEqual(DRAWN_CLASSES);
  expect(dataset.samples).toHaveLength(12);
  expect(dataset.skipped).toEqual([]);
});

test("writes train and val folders where validation images are asked for", async () => {
  const folder = await temporaryFolder();
  const options = { ...SMALL, validationPerClass: 1 };
  expect(await writeDrawings(folder, options)).toEqual({ classes: DRAWN_CLASSES, train: 12, validation: 6 });
  const dataset = await imageFolder(folder);
  expect(dataset.splitSource).toBe("folders");
  expect(dataset.samples.filter(({ split }) => split === "validation")).toHaveLength(6);
});

test("the same call again, also after an interruption, leaves the same bytes", async () => {
  const folder = await temporaryFolder();
  await writeDrawings(folder, SMALL);
  const before = await hashes(folder);
  expect(Object.keys(before)).toHaveLength(13);
  await rm(join(folder, "star"), { recursive: true });
  await rm(join(folder, "gear", "gear-00001.jpg"));
  await writeFile(join(folder, "gear", ".partial-0123456789ab"), "half a file");
  await writeDrawings(folder, SMALL);
  const { [join("gear", ".partial-0123456789ab")]: _partial, ...after } = await hashes(folder);
  expect(after).toEqual(before);
});

test("stopping leaves whole files only, and the call can be repeated", async () => {
  const folder = await temporaryFolder();
  const controller = new AbortController();
  const running = writeDrawings(folder, { ...SMALL, perClass: 50, signal: controller.signal });
  const stopped = expect(running).rejects.toMatchObject({ code: "ABORTED" });
  setTimeout(() => controller.abort(), 60);
  await stopped;
  const names = Object.keys(await hashes(folder));
  expect(names.filter((name) => name.includes(".partial-"))).toEqual([]);
  expect(names.length).toBeLessThan(301);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(Object.keys(await hashes(folder))).toEqual(names); // nothing goes on behind the error
  await writeDrawings(folder, { ...SMALL, perClass: 50 });
  expect(Object.keys(await hashes(folder))).toHaveLength(301);
});

test("refuses a folder with other things in it, and leaves it alone", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "thesis.txt"), "years of work");
  const refused = writeDrawings(folder, SMALL);
  await expect(refused).rejects.toMatchObject({ code: "BAD_CONFIG" });
  await expect(refused).rejects.toThrow(
    /require an empty folder, got .* with thesis\.txt in it\. Choose another one\./,
  );
  expect(await readdir(folder)).toEqual(["thesis.txt"]);
});

test("refuses a folder with drawings of other options, or with a record that is damaged", async () => {
  const folder = await temporaryFolder();
  await writeDrawings(folder, SMALL);
  const before = await hashes(folder);
  for (const other of [{ seed: 5 }, { size: 32 }, { perClass: 3 }, { validationPerClass: 1 }])
    await expect(writeDrawings(folder, { ...SMALL, ...other })).rejects.toThrow(/has drawings of other options/);
  expect(await hashes(folder)).toEqual(before);
  await writeFile(join(folder, ".drawings.json"), "{");
  await expect(writeDrawings(folder, SMALL)).rejects.toThrow(/has drawings of other options/);
});

test("says that it cannot write where a file is in the way", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "");
  const refused = writeDrawings(join(folder, "file"), SMALL);
  await expect(refused).rejects.toMatchObject({ code: "CANNOT_WRITE" });
  await expect(refused).rejects.toThrow(/cannot write .*file/);
  await writeDrawings(join(folder, "set"), SMALL);
  await rm(join(folder, "set", "moon"), { recursive: true });
  await writeFile(join(folder, "set", "moon"), "");
  await expect(writeDrawings(join(folder, "set"), SMALL)).rejects.toMatchObject({ code: "CANNOT_WRITE" });
});

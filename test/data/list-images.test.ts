import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listImages } from "../../src/data/list-images.ts";
import { temporaryFolder, writeTree } from "./made.ts";

test("lists named files as given and folders by path, and names what is no image", async () => {
  const root = await temporaryFolder();
  await writeTree(root, {
    "b/2.png": 2,
    "b/deep/1.png": 1,
    "b/.hidden.png": 3,
    "b/notes.txt": "x",
    "a.jpg": "not an image",
    ".h.png": 4,
  });
  await symlink(".", join(root, "b", ".loop"));
  const named = [join(root, "a.jpg"), join(root, "b"), join(root, ".h.png"), join(root, "gone.png")];
  expect(await listImages(named)).toEqual({
    files: [join(root, "a.jpg"), join(root, "b/2.png"), join(root, "b/deep/1.png"), join(root, ".h.png")],
    failed: [
      { file: join(root, "b/notes.txt"), reason: "is not an image (looks like text)" },
      { file: join(root, "gone.png"), reason: "does not exist" },
    ],
  });
});

test("says so when a folder has nothing in it", async () => {
  const root = await temporaryFolder();
  expect(await listImages([root])).toEqual({ files: [], failed: [{ file: root, reason: "has no files in it" }] });
  expect(await listImages([])).toEqual({ files: [], failed: [] });
});

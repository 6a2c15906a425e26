import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { walk } from "../../src/data/walk.ts";
import { temporaryFolder, writeTree } from "./made.ts";

test("lists files and folders in code-unit order, without hidden ones", async () => {
  const root = await temporaryFolder();
  await writeTree(root, { "b/z": "", "B/y": "", "a.txt": "", "b/.x/w": "", "__MACOSX/v": "", "b/10": "", "b/9": "" });
  await mkdir(join(root, "empty"));
  expect(await walk(root)).toEqual({
    files: ["B/y", "a.txt", "b/10", "b/9", "b/z"].map((path) => ({ file: join(root, path), path })),
    folders: ["B", "b", "empty"],
    hidden: ["__MACOSX", "b/.x"],
    skipped: [],
  });
});

test("follows each link once, and never instead of the real folder", async () => {
  const root = await temporaryFolder();
  await writeTree(root, { "z/file": "" });
  await symlink("z", join(root, "a"));
  await symlink(root, join(root, "z", "root"));
  await symlink("self", join(root, "self"));
  const { files, skipped } = await walk(root);
  expect(files.map(({ path }) => path)).toEqual(["z/file"]);
  expect(skipped).toEqual([
    { file: join(root, "a"), reason: "is a link to a folder that is already listed" },
    { file: join(root, "self"), reason: "is a link that leads to itself" },
    { file: join(root, "z/root"), reason: "is a link to a folder that is already listed" },
  ]);
});

test("ends on folders that link to one another in all ways", async () => {
  const root = await temporaryFolder();
  const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
  for (const name of names) await mkdir(join(root, name));
  for (const from of names) for (const to of names) await symlink(join(root, to), join(root, from, `to-${to}`));
  expect((await walk(root)).skipped).toHaveLength(144);
});

test("leaves links alone where it is told to, and names them", async () => {
  const root = await temporaryFolder();
  await writeTree(root, { "a/1": "" });
  await symlink("1", join(root, "a", "2"));
  await symlink("a", join(root, "b"));
  const { files, skipped } = await walk(root, { followLinks: false });
  expect(files.map(({ path }) => path)).toEqual(["a/1"]);
  const reason = "is a link, and links are not followed";
  expect(skipped).toEqual([
    { file: join(root, "a", "2"), reason },
    { file: join(root, "b"), reason },
  ]);
});

test("excludes a folder silently, and throws only for the root", async () => {
  const root = await temporaryFolder();
  await writeTree(root, { "a/1": "", "b/2": "" });
  const { files } = await walk(root, { exclude: new Set([join(root, "a")]) });
  expect(files.map(({ path }) => path)).toEqual(["b/2"]);
  await expect(walk(join(root, "none"))).rejects.toThrow(/ENOENT/);
});

test.skipIf(process.platform !== "linux")("names pipes and names that are not UTF-8, without hanging", async () => {
  const root = await temporaryFolder();
  execFileSync("mkfifo", [join(root, "pipe.jpg")]);
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff, 0x2e, 0x6a, 0x70, 0x67])]), "x");
  await symlink(Buffer.concat([Buffer.from("a"), Buffer.from([0xff]), Buffer.from(".jpg")]), join(root, "link.jpg"));
  const { files, skipped } = await walk(root);
  expect(skipped).toEqual([{ file: join(root, "pipe.jpg"), reason: "is not a regular file" }]);
  expect(files.map(({ path }) => path)).toEqual(["a\uFFFD.jpg", "link.jpg"]);
});

test("leaves out the folders of training runs, and no other folder with a config.json", async () => {
  const root = await temporaryFolder();
  const config = JSON.stringify({ rootstockRun: 1, id: "x" }, undefined, 2);
  await writeTree(root, {
    "runs/x/config.json": config,
    "runs/x/model.onnx": "",
    "runs/x-2/config.json": config,
    "a/config.json": '{"architectures":[]}',
    "b/config.json/1": "",
    "c/1": config,
  });
  const { files, folders, hidden } = await walk(root);
  expect(files.map(({ path }) => path)).toEqual(["a/config.json", "b/config.json/1", "c/1"]);
  expect(folders).toEqual(["a", "b", "b/config.json", "c", "runs"]);
  expect(hidden).toEqual(["runs/x", "runs/x-2"]);
  expect((await walk(join(root, "runs/x"))).files).toHaveLength(2); // it was asked for
});

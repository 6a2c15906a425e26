import { chmod, mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  checkCached,
  clearWeights,
  copyWeights,
  listWeights,
  lockPath,
  noteRight,
  weightsPath,
} from "../../src/weights/cache.ts";
import type { WeightsFile } from "../../src/weights/weights-file.ts";
import { temporaryFolder } from "../data/made.ts";
import { hexOf, someContent } from "./server.ts";

const { content, sha256, md5 } = someContent(1000);
const record: WeightsFile = {
  url: "https://me:pass@a.org/net.pth?key=secret",
  file: "net.pth",
  hash: { kind: "sha256", value: sha256 },
};

async function filled(): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(weightsPath(folder, record), content);
  return folder;
}

describe("a cached file", () => {
  test("is absent, right or wrong", async () => {
    const folder = await filled();
    expect(await checkCached(folder, { ...record, file: "other" })).toEqual({ kind: "absent" });
    expect(await checkCached(folder, record)).toEqual({ kind: "right" });
    expect(await checkCached(folder, { ...record, bytes: 999 })).toEqual({ kind: "wrong", got: "1000 bytes" });
    const other = { ...record, hash: { kind: "sha256-prefix", value: "0".repeat(8) } } as const;
    expect(await checkCached(folder, other)).toEqual({ kind: "wrong", got: `sha256 ${sha256}` });
    await mkdir(join(folder, "folder"));
    expect(await checkCached(folder, { ...record, file: "folder" })).toEqual({ kind: "absent" });
  });

  test("is read once for each kind of sum, and again when it changes", async () => {
    const folder = await filled();
    const path = weightsPath(folder, record);
    await utimes(path, 2000, 2000);
    await checkCached(folder, record);
    const changed = Buffer.from(content).reverse();
    await writeFile(path, changed);
    await utimes(path, 2000, 2000); // same size and time: the note is believed
    expect(await checkCached(folder, record)).toEqual({ kind: "right" });
    const byMd5 = { ...record, hash: { kind: "md5", value: md5 } } as const;
    expect(await checkCached(folder, byMd5)).toEqual({ kind: "wrong", got: `md5 ${hexOf("md5", changed)}` });
    await utimes(path, 1000, 1000);
    expect(await checkCached(folder, record)).toMatchObject({ kind: "wrong" });
  });

  test("has a note without secrets, and one that is cut off counts as none", async () => {
    const folder = await filled();
    await noteRight(folder, record, { algorithm: "sha256", hex: sha256, expected: record.hash });
    const path = join(folder, ".about-net.pth.json");
    const note = await readFile(path, "utf8");
    expect(note).not.toMatch(/pass|secret/);
    expect(JSON.parse(note)).toMatchObject({
      url: "https://a.org/net.pth?…",
      bytes: 1000,
      sha256,
      checked: `sha256 ${sha256}`,
    });
    for (const broken of [note.slice(0, 20), "[]", '{"bytes":"x"}']) {
      await writeFile(path, broken);
      expect(await checkCached(folder, record)).toEqual({ kind: "right" });
    }
  });
});

describe("listing and clearing", () => {
  async function full(): Promise<string> {
    const folder = await filled();
    await noteRight(folder, record, { algorithm: "sha256", hex: sha256, expected: record.hash });
    await writeFile(join(folder, "mine.pth"), "abc");
    await writeFile(join(folder, ".partial-part.pth"), "abcd");
    await writeFile(join(folder, ".partial-part.pth.json"), "{}");
    await writeFile(join(folder, ".partial-config.json"), "ab");
    await writeFile(lockPath(folder, { ...record, file: "part.pth" }), "999999999 elsewhere x 0\n");
    await mkdir(join(folder, "folder"));
    return folder;
  }

  test("lists files and parts, and nothing else", async () => {
    const folder = await full();
    const entries = await listWeights(folder);
    expect(entries.map(({ file, bytes, partial, url }) => [file, bytes, partial, url])).toEqual([
      ["config.json", 2, true, undefined],
      ["part.pth", 4, true, undefined],
      ["mine.pth", 3, false, undefined],
      ["net.pth", 1000, false, "https://a.org/net.pth?…"],
    ]);
    expect(await listWeights(join(folder, "absent"))).toEqual([]);
  });

  test("clears what was downloaded; files of others and running downloads stay", async () => {
    const folder = await full();
    expect(await clearWeights(folder)).toBe(1002);
    expect((await readdir(folder)).sort()).toEqual([
      ".lock-part.pth",
      ".partial-part.pth",
      ".partial-part.pth.json",
      "folder",
      "mine.pth",
    ]);
  });

  test("clears one file by its name, also one that somebody put there", async () => {
    const folder = await full();
    expect(await clearWeights(folder, "mine.pth")).toBe(3);
    expect(await clearWeights(folder, "net.pth")).toBe(1000);
    expect(await clearWeights(folder, "../x")).toBe(0);
    expect((await listWeights(folder)).map(({ file }) => file)).toEqual(["config.json", "part.pth"]);
  });
});

describe("copying out of the cache", () => {
  test("to a file, or into a folder, over what was there", async () => {
    const folder = await filled();
    const out = await temporaryFolder();
    const path = weightsPath(folder, record);
    expect(await copyWeights(path, out)).toBe(join(out, "net.pth"));
    expect(await copyWeights(path, join(out, "a", "b.pth"))).toBe(join(out, "a", "b.pth"));
    expect(await copyWeights(path, `${join(out, "c")}/`)).toBe(join(out, "c", "net.pth"));
    await writeFile(join(out, "net.pth"), "old");
    await copyWeights(path, join(out, "net.pth"));
    for (const name of ["net.pth", "a/b.pth", "c/net.pth"])
      expect((await readFile(join(out, name))).equals(content)).toBe(true);
    expect((await readdir(out)).sort()).toEqual(["a", "c", "net.pth"]);
  });

  test("to a place that cannot be written", async () => {
    const folder = await filled();
    const out = await temporaryFolder();
    await writeFile(join(out, "file"), "");
    const copied = copyWeights(weightsPath(folder, record), join(out, "file", "x"));
    await expect(copied).rejects.toMatchObject({ code: "CANNOT_WRITE" });
    expect(await readdir(out)).toEqual(["file"]);
  });
});

test("a link to a file elsewhere serves, where the note cannot be written too", async () => {
  const folder = await filled();
  const linked = await temporaryFolder();
  await symlink(weightsPath(folder, record), weightsPath(linked, record));
  await chmod(linked, 0o555);
  expect(await checkCached(linked, record)).toEqual({ kind: "right" });
  await chmod(linked, 0o755);
});

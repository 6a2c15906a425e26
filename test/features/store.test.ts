import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { clearCaches, FeatureStore, type FeatureStoreOptions, listCaches } from "../../src/features/store.ts";
import { temporaryFolder } from "../data/made.ts";

const hash = (i: number): string => i.toString(16).padStart(64, "0");
const options = (root: string, changes: Partial<FeatureStoreOptions> = {}): FeatureStoreOptions => ({
  root,
  key: { sha256: "tiny" },
  label: "tiny",
  width: 2,
  maxBytes: 1e9,
  now: Date.now(),
  ...changes,
});

async function segments(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => name.endsWith(".features")).map((name) => join(root, name));
}

async function fill(root: string, from: number, to: number, changes: Partial<FeatureStoreOptions> = {}): Promise<void> {
  const store = await FeatureStore.open(options(root, changes));
  for (let i = from; i < to; i++) store.put(hash(i), Float32Array.of(i, -i));
  await store.flush();
}

test("features are found again by the content of the image", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 5);
  await fill(root, 5, 8);
  const store = await FeatureStore.open(options(root));
  expect([...Array(8).keys()].map((i) => store.get(hash(i)))).toEqual(
    [...Array(8).keys()].map((i) => Float32Array.of(i, -i)),
  );
  expect(store.get(hash(8))).toBeUndefined();
});

test("another key is another cache", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 2);
  const store = await FeatureStore.open(options(root, { key: { sha256: "other" } }));
  expect(store.get(hash(0))).toBeUndefined();
});

test("a damaged segment is deleted and its features are missing, the others stay", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 2);
  const [first] = await segments(root);
  await fill(root, 2, 4);
  await truncate(first!, 40);
  const store = await FeatureStore.open(options(root));
  expect([store.get(hash(0)), store.get(hash(2))]).toEqual([undefined, Float32Array.of(2, -2)]);
  expect(await segments(root)).not.toContain(first);
});

test("what a crash left half written is never read, and removed a day later", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 2);
  const [segment] = await segments(root);
  const partial = join(segment!, "..", ".partial-abc-x.features");
  await writeFile(partial, (await readFile(segment!)).subarray(0, 50));
  await FeatureStore.open(options(root));
  expect(await readdir(join(segment!, ".."))).toContain(".partial-abc-x.features");
  const old = Date.now() / 1000 - 2 * 24 * 3600;
  await utimes(partial, old, old);
  const store = await FeatureStore.open(options(root));
  expect(await readdir(join(segment!, ".."))).not.toContain(".partial-abc-x.features");
  expect(store.get(hash(1))).toEqual(Float32Array.of(1, -1));
});

test("the least recently used segments go when the limit is reached", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 10, { key: { sha256: "old" } });
  const [old] = await segments(root);
  await utimes(old!, 1000, 1000);
  await fill(root, 10, 20, { key: { sha256: "new" }, maxBytes: 600 });
  const left = await segments(root);
  expect(left).toHaveLength(1);
  expect(left).not.toContain(old);
});

test("listing and clearing touch only what the cache made", async () => {
  const root = await temporaryFolder();
  await fill(root, 0, 3);
  await mkdir(join(root, "mine"));
  await writeFile(join(root, "mine", "about.json"), "{}");
  await writeFile(join(root, "mine", "x.features"), "keep");
  const [entry, ...others] = await listCaches(root);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ about: { backbone: "tiny", sha256: "tiny" }, segments: 1 });
  expect(await clearCaches(root)).toBe(entry!.bytes);
  expect(await readdir(root)).toEqual(["mine"]);
  expect(await readdir(join(root, "mine"))).toEqual(["about.json", "x.features"]);
  await fill(root, 0, 3);
  const [folder] = await segments(root).then((paths) =>
    paths.filter((name) => !name.includes("mine")).map((name) => join(name, "..")),
  );
  await writeFile(join(folder!, "notes.txt"), "keep");
  await clearCaches(root);
  expect(await readdir(folder!)).toEqual(["notes.txt"]);
  expect(await listCaches(join(root, "absent"))).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)("a folder that cannot be written is BAD_CACHE with what to do", async () => {
  const root = await temporaryFolder();
  await chmod(root, 0o500);
  await expect(FeatureStore.open(options(root))).rejects.toMatchObject({
    code: "BAD_CACHE",
    message: expect.stringContaining("ROOTSTOCK_CACHE"),
  });
});

test("a file where the folder should be is BAD_CACHE", async () => {
  const root = join(await temporaryFolder(), "file");
  await writeFile(root, "");
  await expect(FeatureStore.open(options(root))).rejects.toMatchObject({ code: "BAD_CACHE" });
});

test("two processes that write at the same time lose nothing", async () => {
  const root = await temporaryFolder();
  const script = `
    const { FeatureStore } = await import(${JSON.stringify(resolve("dist/features/store.js"))});
    const base = Number(process.argv[1]);
    for (let round = 0; round < 10; round++) {
      const store = await FeatureStore.open({ root: ${JSON.stringify(root)}, key: { sha256: "tiny" }, label: "tiny", width: 2, maxBytes: 1e9, now: Date.now() });
      for (let i = 0; i < 20; i++) {
        const n = base + round * 20 + i;
        store.put(n.toString(16).padStart(64, "0"), Float32Array.of(n, -n));
      }
      await store.flush();
    }`;
  const run = (base: number) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, String(base)]);
  await Promise.all([run(0), run(1000)]);
  const store = await FeatureStore.open(options(root));
  for (const n of [0, 199, 1000, 1199]) expect(store.get(hash(n))).toEqual(Float32Array.of(n, -n));
});

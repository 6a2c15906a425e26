import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { float32 } from "../../../src/tensor/tensor.ts";
import type { Saved } from "../../../src/train/checkpoints/checkpoint-file.ts";
import { CheckpointStore, type Loaded } from "../../../src/train/checkpoints/checkpoint-store.ts";
import { writeSafetensors } from "../../../src/weights/safetensors.ts";
import { sealSafetensors } from "../../../src/weights/sealed-safetensors.ts";
import { temporaryFolder } from "../../data/made.ts";
import { bitsOf, checkpointAt, contentOf, ofBits, someParameters } from "./made.ts";

let folder: string;

beforeEach(async () => {
  folder = join(await temporaryFolder(), "run", "checkpoints");
});

/** What another process would read. */
async function latest(): Promise<Loaded> {
  const found = await (await CheckpointStore.open(folder)).latest();
  if (!found) throw new Error("there is no checkpoint");
  return found;
}

async function files(): Promise<string[]> {
  return (await readdir(folder)).sort();
}

async function saveAll(...all: readonly Saved[]): Promise<CheckpointStore> {
  const store = await CheckpointStore.open(folder);
  for (const saved of all) await store.save(saved);
  return store;
}

describe("reads exactly what was saved", () => {
  test("every kind of bits, states and snapshots", async () => {
    const saved: Saved = {
      name: "0002-000007",
      state: { best: Number.NEGATIVE_INFINITY, order: [3, 1, -0, Number.NaN], text: "ü\n", none: null },
      tensors: new Map([
        ["nan", ofBits([0x7fc00000, 0x7f800001, 0xffc12345, 0x7fffffff])],
        ["zeros", ofBits([0, 0x80000000])],
        ["denormal", ofBits([1, 0x807fffff, 0x00400000])],
        ["infinite", ofBits([0x7f800000, 0xff800000])],
        ["empty", float32([0, 5], [])],
        ["scalar", float32([], [0.1])],
        ["7", float32([1], [7])], // JSON objects put such keys first
        ['a "name"\n\u2028', float32([1, 1, 1], [1])],
        ["__proto__", float32([1], [2])],
        ["part", float32([2], new Float32Array([9, 1, 2, 9]).subarray(1, 3))],
      ]),
      snapshots: new Map<string, Saved["tensors"]>([
        ["best", new Map([["w", ofBits([0xffffffff])]])],
        ["none", new Map()],
        ["constructor", someParameters(3, { w: [2] })],
      ]),
    };
    await saveAll(saved);
    const found = await latest();
    expect(contentOf(found)).toStrictEqual(contentOf(saved));
    expect(found.file).toBe(join(folder, "0002-000007.safetensors"));
    expect(found.skipped).toEqual([]);
  });

  test("hundreds of tensors, in order", async () => {
    const shapes = Object.fromEntries(
      Array.from({ length: 700 }, (_, i) => [`layer${(i * 37) % 700}.weight`, [i % 9, 3]]),
    );
    const saved: Saved = { ...checkpointAt(1), tensors: someParameters(1, shapes) };
    await saveAll(saved);
    expect(bitsOf((await latest()).tensors)).toEqual(bitsOf(saved.tensors));
  });

  test("no tensors", async () => {
    const saved: Saved = { name: "1", state: [], tensors: new Map(), snapshots: new Map() };
    await saveAll(saved);
    expect(contentOf(await latest())).toEqual(contentOf(saved));
  });
});

describe("the newest", () => {
  test("is none in an empty folder, which is made", async () => {
    expect(await (await CheckpointStore.open(folder)).latest()).toBeUndefined();
    expect(await files()).toEqual([]);
  });

  test("is that of the largest numbers, however they are written", async () => {
    const names = ["0001-000999", "0002-000001", "0002-999999", "0002-1000000", "10-1", "10-1-1"];
    for (const name of names) {
      await saveAll({ ...checkpointAt(1), name });
      expect((await latest()).name).toBe(name);
    }
  });

  test("replaces one of the same name", async () => {
    await saveAll(checkpointAt(1), { ...checkpointAt(1), state: "again" });
    expect((await latest()).state).toBe("again");
  });

  test("waits for the one that is being saved", async () => {
    const store = await CheckpointStore.open(folder, { keep: 1 });
    const best = someParameters(9, { w: [100_000] });
    const saved = [1, 2, 3, 4].map((step) => checkpointAt(step, new Map([["best", best]])));
    await Promise.all(saved.map((each) => store.save(each)));
    expect(contentOf(await latest())).toEqual(contentOf(saved[3]!));
    expect(await files()).toHaveLength(2);
  });
});

describe("what is kept", () => {
  const best = (seed: number) => new Map([["best", someParameters(seed, { w: [50] })]]);

  test("are two checkpoints, or as many as were asked for", async () => {
    await saveAll(...[1, 2, 3, 4, 5].map((step) => checkpointAt(step)));
    expect(await files()).toEqual(["0001-000004.safetensors", "0001-000005.safetensors"]);
    const store = await CheckpointStore.open(folder, { keep: 3 });
    for (const step of [6, 7, 8, 9]) await store.save(checkpointAt(step));
    expect((await files()).map((name) => name.slice(0, 11))).toEqual(["0001-000007", "0001-000008", "0001-000009"]);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot be %d checkpoints", async (keep) => {
    await expect(CheckpointStore.open(folder, { keep })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });

  test("are snapshots that a checkpoint names, each written once", async () => {
    const [first, second] = [best(1), best(2)];
    const store = await saveAll(checkpointAt(1, first), checkpointAt(2, first));
    const [snapshot] = (await files()).filter((name) => name.startsWith("snapshot-"));
    await writeFile(join(folder, snapshot!), "touched"); // would be written again if it were not known
    await store.save(checkpointAt(3, first));
    expect(await readFile(join(folder, snapshot!), "utf8")).toBe("touched");
    await rm(join(folder, snapshot!));
    await store.save(checkpointAt(4, first)); // somebody removed it
    expect(contentOf(await latest())).toEqual(contentOf(checkpointAt(4, first)));
    await store.save(checkpointAt(5, second));
    expect((await files()).filter((name) => name.startsWith("snapshot-"))).toHaveLength(2);
    await store.save(checkpointAt(6, second));
    expect((await files()).filter((name) => name.startsWith("snapshot-"))).toHaveLength(1);
    expect(contentOf(await latest())).toEqual(contentOf(checkpointAt(6, second)));
  });

  test("snapshots that were read are not written again", async () => {
    await saveAll(checkpointAt(1, best(1)));
    const store = await CheckpointStore.open(folder);
    const { snapshots } = (await store.latest())!;
    const snapshot = join(folder, (await files()).find((name) => name.startsWith("snapshot-"))!);
    await writeFile(snapshot, "touched");
    await store.save(checkpointAt(2, snapshots));
    expect(await readFile(snapshot, "utf8")).toBe("touched");
  });

  test("equal snapshots share a file", async () => {
    const saved = checkpointAt(1, new Map([...best(1), ["last", best(1).get("best")!]]));
    await saveAll(saved);
    expect(await files()).toHaveLength(2);
    expect(contentOf(await latest())).toEqual(contentOf(saved));
  });

  test("old files go only when the new checkpoint is there", async () => {
    const store = await saveAll(checkpointAt(1, best(1)), checkpointAt(2, best(2)));
    const before = await files();
    await mkdir(join(folder, "0001-000003.safetensors", "inside"), { recursive: true }); // no file can take its place
    await expect(store.save(checkpointAt(3, best(3)))).rejects.toMatchObject({ code: "CANNOT_WRITE" });
    expect(await files()).toEqual([...before, "0001-000003.safetensors"].sort());
    const { skipped, ...found } = await latest();
    expect(contentOf(found as Loaded)).toEqual(contentOf(checkpointAt(2, best(2))));
    expect(skipped).toEqual([
      { file: join(folder, "0001-000003.safetensors"), reason: expect.stringContaining("folder") },
    ]);
  });

  test("are foreign files, unread", async () => {
    await mkdir(join(folder, "sub"), { recursive: true });
    await writeSafetensors(join(folder, "0001-000000.safetensors"), new Map([["w", float32([1], [1])]]));
    await writeSafetensors(join(folder, "snapshot-0123456789abcdef.safetensors"), new Map([["w", float32([1], [1])]]));
    const foreign = [
      "notes.txt",
      "model.safetensors",
      ".hidden",
      "0001-000099.onnx",
      "snapshot-1.safetensors",
      "9.safetensors.old",
    ];
    for (const name of foreign) await writeFile(join(folder, name), "x");
    const all = [...(await files())];
    await saveAll(...[1, 2, 3, 4].map((step) => checkpointAt(step, best(step))));
    const left = await files();
    expect(left).toEqual(expect.arrayContaining(all));
    expect(left).toHaveLength(all.length + 4);
    const { name, skipped } = await latest();
    expect([name, skipped]).toEqual(["0001-000004", []]);
  });

  test("nothing of a process that died while it wrote", async () => {
    await saveAll(checkpointAt(1));
    await writeFile(join(folder, `.partial-${process.pid}-0123456789ab-0001-000002.safetensors`), "half");
    expect((await latest()).name).toBe("0001-000001");
    expect(await files()).toEqual(["0001-000001.safetensors"]);
  });
});

describe("falls back to the checkpoint before, and says why", () => {
  const shared = new Map([["best", someParameters(8, { w: [3] })]]);
  const own = new Map([["best", someParameters(9, { w: [4] })]]);
  let newest: string;
  let snapshot: string;

  beforeEach(async () => {
    await saveAll(checkpointAt(1, shared));
    const before = await files();
    await saveAll(checkpointAt(2, own));
    newest = join(folder, "0001-000002.safetensors");
    snapshot = join(folder, (await files()).find((name) => name.startsWith("snapshot-") && !before.includes(name))!);
  });

  async function expectFallback(reason: RegExp): Promise<void> {
    const found = await latest();
    expect(contentOf(found)).toEqual(contentOf(checkpointAt(1, shared)));
    expect(found.skipped).toEqual([{ file: newest, reason: expect.stringMatching(reason) }]);
  }

  test.each([
    ["the checkpoint", () => newest],
    ["its snapshot", () => snapshot],
  ])("from every flipped byte of %s", async (_what, path) => {
    const bytes = await readFile(path());
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= 1 << (at % 8);
      await writeFile(path(), bytes);
      bytes[at]! ^= 1 << (at % 8);
      const found = await latest();
      expect(found.name, `byte ${at}`).toBe("0001-000001");
      expect(found.skipped[0]!.reason.length).toBeGreaterThan(20);
    }
  });

  test.each([
    ["the checkpoint", () => newest],
    ["its snapshot", () => snapshot],
  ])("from every length of %s that is too short", async (_what, path) => {
    for (let length = (await readFile(path())).length - 1; length >= 0; length--) {
      await truncate(path(), length);
      expect((await latest()).name, `length ${length}`).toBe("0001-000001");
    }
  });

  test("from a flipped byte of a tensor", async () => {
    const bytes = await readFile(newest);
    bytes[bytes.length - 1]! ^= 4;
    await writeFile(newest, bytes);
    await expectFallback(/is damaged: it says that its SHA-256 is [0-9a-f]{16}…, but it is [0-9a-f]{16}…/);
  });

  test("from a file that ends early", async () => {
    await truncate(newest, (await readFile(newest)).length - 5);
    await expectFallback(/is truncated/);
  });

  test("from a snapshot that is missing", async () => {
    await rm(snapshot);
    await expectFallback(/its snapshot "best" cannot be used: .*no such file/);
  });

  test("from another snapshot under that name", async () => {
    const others = (await files()).filter((name) => name.startsWith("snapshot-") && name !== basename(snapshot));
    await rename(join(folder, others[0]!), snapshot);
    const store = await CheckpointStore.open(folder);
    await expect(store.latest()).rejects.toThrow(/its snapshot "best" cannot be used: .*SHA-256 differs/);
  });

  test("from a later version of the format", async () => {
    const { chunks } = sealSafetensors(new Map(), {
      format: "rootstock-checkpoint",
      version: "2",
      state: "0",
      snapshots: "[]",
    });
    await writeFile(newest, Buffer.concat(chunks));
    await expectFallback(/version "2" of the format, this release reads version 1/);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["another format", { format: "rootstock-snapshot" }, /its format is "rootstock-snapshot"/],
    ["no state", { state: "" }, /no JSON text/],
    ["a state that nests without end", { state: "[".repeat(1e5) }, /nests more than/],
    ["no list of snapshots", { snapshots: "{" }, /does not list its snapshots/],
    ["a path instead of a snapshot's sum", { snapshots: '[{"name":"a","sha256":"../../x"}]' }, /does not list/],
    [
      "snapshots without end",
      { snapshots: JSON.stringify(Array(5000).fill({ name: "a", sha256: "0".repeat(64) })) },
      /does not list/,
    ],
  ])("from a whole file with %s", async (_what, change, reason) => {
    const metadata = { format: "rootstock-checkpoint", version: "1", state: "0", snapshots: "[]", ...change };
    await writeFile(newest, Buffer.concat(sealSafetensors(new Map(), metadata).chunks));
    await expectFallback(reason);
  });

  test("from elements of another type", async () => {
    const tensors = new Map([["w", { dtype: "int32", shape: [1], data: Int32Array.of(1) } as const]]);
    const metadata = { format: "rootstock-checkpoint", version: "1", state: "0", snapshots: "[]" };
    await writeFile(newest, Buffer.concat(sealSafetensors(tensors, metadata).chunks));
    await expectFallback(/"w" has int32 elements, float32 is required/);
  });

  test("from a safetensors file of somebody else", async () => {
    await writeSafetensors(newest, new Map([["w", float32([1], [1])]]));
    await expectFallback(/does not say its own SHA-256/);
  });

  test("to none, with an error that says what is wrong with each", async () => {
    await writeFile(newest, "x");
    await writeFile(join(folder, "0001-000001.safetensors"), "");
    const store = await CheckpointStore.open(folder);
    await expect(store.latest()).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringMatching(
        /no checkpoint .* 0001-000002|no checkpoint .*000002.*000001.* Otherwise start the run again/s,
      ),
    });
  });

  test("unless none is whole: then to the newest that lacks no more than it may", async () => {
    const before = await files();
    for (const name of before.filter((file) => file.startsWith("snapshot-"))) {
      const bytes = await readFile(join(folder, name));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(folder, name), bytes);
    }
    const store = await CheckpointStore.open(folder);
    await expect(store.latest()).rejects.toThrow(/its snapshot "best" cannot be used/);
    await expect(store.latest({ mayLack: (name) => name === "worst" })).rejects.toThrow(/"best" cannot be used/);
    const found = (await store.latest({ mayLack: (name) => name === "best" }))!;
    expect([found.name, found.skipped, [...found.snapshots]]).toEqual(["0001-000002", [], []]);
    expect(found.lost).toEqual([{ name: "best", reason: expect.stringMatching(/^its snapshot "best" .* is damaged/) }]);
    await store.save(checkpointAt(3));
    expect((await latest()).name).toBe("0001-000003");
    for (const step of [4, 5]) await store.save(checkpointAt(step));
    expect((await files()).filter((name) => /^000/.test(name))).toEqual([
      "0001-000001.safetensors", // what could not be read stays
      "0001-000004.safetensors",
      "0001-000005.safetensors",
    ]);
  });

  test("even to one that is older, if it lacks nothing", async () => {
    const bytes = await readFile(snapshot);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(snapshot, bytes);
    const found = (await (await CheckpointStore.open(folder)).latest({ mayLack: () => true }))!;
    expect([found.name, found.lost]).toEqual(["0001-000001", []]);
    expect(found.skipped).toEqual([{ file: newest, reason: expect.stringContaining("is damaged") }]);
  });

  test("and goes on from there: what could not be read stays, and counts for nothing", async () => {
    await writeFile(newest, "unreadable");
    const store = await CheckpointStore.open(folder);
    expect((await store.latest())!.name).toBe("0001-000001");
    await store.save(checkpointAt(2, own)); // the same name again
    expect(await readFile(`${newest}.unreadable`, "utf8")).toBe("unreadable");
    expect(contentOf(await latest())).toEqual(contentOf(checkpointAt(2, own)));
    expect(await files()).toContain("0001-000001.safetensors");
    for (const step of [3, 4]) await store.save(checkpointAt(step));
    expect((await files()).filter((name) => /^\d/.test(name))).toEqual([
      "0001-000002.safetensors.unreadable",
      "0001-000003.safetensors",
      "0001-000004.safetensors",
    ]);
  });

  test("and an unreadable one ahead of the new ones takes no good one's place", async () => {
    const ahead = join(folder, "0009-000000.safetensors");
    await writeFile(ahead, "unreadable");
    const store = await CheckpointStore.open(folder);
    expect((await store.latest())!.name).toBe("0001-000002");
    for (const step of [3, 4, 5]) await store.save(checkpointAt(step));
    expect((await files()).filter((name) => /^\d/.test(name)).map((name) => name.slice(0, 11))).toEqual([
      "0001-000004",
      "0001-000005",
      "0009-000000",
    ]);
    expect((await latest()).name).toBe("0001-000005");
  });
});

test("refuses a state that JSON cannot hold, and keeps what there was", async () => {
  const store = await saveAll(checkpointAt(1));
  const bad: Saved = {
    ...checkpointAt(2, new Map([["best", someParameters(1, { w: [2] })]])),
    state: { a: new Map() as never },
  };
  await expect(store.save(bad)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("state.a"),
  });
  expect(await files()).toEqual(["0001-000001.safetensors"]);
  await store.save(checkpointAt(2));
  expect((await latest()).name).toBe("0001-000002");
});

test.each(["", "a", "../1", "1/2", "1-", "snapshot-1"])("a checkpoint cannot be named %j", async (name) => {
  const store = await CheckpointStore.open(folder);
  await expect(store.save({ ...checkpointAt(1), name })).rejects.toMatchObject({ code: "INTERNAL" });
});

test("a folder that cannot be made is an error", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "x");
  await expect(CheckpointStore.open(join(file, "checkpoints"))).rejects.toMatchObject({ code: "CANNOT_WRITE" });
});

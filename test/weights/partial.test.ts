import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { originPathOf, PartialFile, partialPathOf, removePartial } from "../../src/weights/partial.ts";
import { temporaryFolder } from "../data/made.ts";
import { hexOf } from "./server.ts";

const SAME = { address: "a", algorithm: "sha256" } as const;
const origin = { address: "a", validator: '"v1"', bytes: 6 };

async function targetFile(): Promise<{ folder: string; target: string }> {
  const folder = await temporaryFolder();
  return { folder, target: join(folder, "net.pth") };
}

/** Leaves "abc" behind, as an interrupted download does. */
async function interrupted(target: string): Promise<void> {
  const partial = await PartialFile.open(target, SAME);
  await partial.from(origin);
  await partial.append(Buffer.from("abc"));
  await partial.close();
}

test("goes on after the bytes that are there, with their sum and their origin", async () => {
  const { folder, target } = await targetFile();
  await interrupted(target);
  expect((await readdir(folder)).sort()).toEqual([".partial-net.pth", ".partial-net.pth.json"]);
  const partial = await PartialFile.open(target, SAME);
  expect([partial.position, partial.origin]).toEqual([3, origin]);
  await partial.append(Buffer.from("def"));
  expect(partial.hex()).toBe(hexOf("sha256", Buffer.from("abcdef")));
  await partial.finish();
  expect(await readFile(target, "utf8")).toBe("abcdef");
  expect(await readdir(folder)).toEqual(["net.pth"]);
});

test("starting over drops every byte, and the sum begins anew", async () => {
  const { target } = await targetFile();
  await interrupted(target);
  const partial = await PartialFile.open(target, SAME);
  await partial.restart();
  expect([partial.position, partial.origin]).toEqual([0, undefined]);
  await partial.append(Buffer.from("x"));
  expect(partial.hex()).toBe(hexOf("sha256", Buffer.from("x")));
  await partial.finish();
  expect(await readFile(target, "utf8")).toBe("x");
});

test.each([
  ["another address", JSON.stringify({ ...origin, address: "b" })],
  ["no origin", "null"],
  ["an origin that is cut off", '{"addr'],
  ["an origin of another form", '{"address":"a","bytes":-1}'],
])("bytes from %s are dropped", async (_what, note) => {
  const { target } = await targetFile();
  await interrupted(target);
  await writeFile(originPathOf(target), note);
  const partial = await PartialFile.open(target, SAME);
  expect([partial.position, partial.origin]).toEqual([0, undefined]);
  await partial.close();
  expect(await readFile(partialPathOf(target), "utf8")).toBe("");
});

test("discarding, and removing what another process left, leave nothing", async () => {
  const { folder, target } = await targetFile();
  await interrupted(target);
  await (await PartialFile.open(target, SAME)).discard();
  expect(await readdir(folder)).toEqual([]);
  await interrupted(target);
  await removePartial(target);
  await removePartial(target);
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that is not there is an error", async () => {
  const { folder } = await targetFile();
  await expect(PartialFile.open(join(folder, "absent", "x"), SAME)).rejects.toMatchObject({ code: "CANNOT_WRITE" });
});

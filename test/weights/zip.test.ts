import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { openEntry, readZip } from "../../src/weights/zip.ts";
import { type Packed, zipOf } from "./golden.ts";

function contents(archive: Uint8Array, name: string): string {
  const source = memorySource("a.zip", archive);
  const entry = readZip(source).get(name);
  if (!entry) throw new Error(`no ${name}`);
  const file = openEntry(source, entry);
  return new TextDecoder().decode(file.read(0, file.size));
}

const FILES: readonly Packed[] = [
  { name: "a/one", data: "stored" },
  { name: "a/two", data: "packed ".repeat(50), deflate: true },
  { name: "empty", data: "" },
  { name: "folder/", data: "" },
];

test.each([false, true])("reads stored and compressed files, zip64 %s", (zip64) => {
  const archive = zipOf(FILES, { zip64 });
  expect([...readZip(memorySource("a.zip", archive)).keys()]).toEqual(["a/one", "a/two", "empty"]);
  expect(contents(archive, "a/one")).toBe("stored");
  expect(contents(archive, "a/two")).toBe("packed ".repeat(50));
  expect(contents(archive, "empty")).toBe("");
});

test("reads an archive with a comment that looks like another end", () => {
  const archive = Buffer.from(zipOf(FILES));
  const comment = Buffer.alloc(30, "PK\x05\x06", "latin1");
  archive.writeUInt16LE(comment.length, archive.length - 2);
  expect(contents(Buffer.concat([archive, comment]), "a/one")).toBe("stored");
});

test("reads stored files in place, without the rest of the archive", () => {
  const archive = zipOf(FILES);
  const reads: number[] = [];
  const source = memorySource("a.zip", archive);
  const read = (at: number, length: number): Uint8Array => {
    reads.push(length);
    return source.read(at, length);
  };
  const file = openEntry({ ...source, read }, readZip(source).get("a/one")!);
  expect(new TextDecoder().decode(file.read(2, 3))).toBe("ore");
  expect(reads).toEqual([30, 3]);
});

describe("refused", () => {
  const big = 2 ** 31;
  test.each<[string, Uint8Array, string]>([
    ["no end", zipOf(FILES).subarray(0, -5), "the directory at its end is missing"],
    ["a name twice", zipOf([FILES[0]!, FILES[0]!]), '"a/one" is in it twice'],
    ["encryption", zipOf([{ name: "x", data: "y", claim: { flags: 1 } }]), '"x" is encrypted'],
    ["another packing", zipOf([{ name: "x", data: "y", claim: { method: 14 } }]), "packed by method 14"],
    ["a wrong checksum", zipOf([{ name: "x", data: "yy", deflate: true, claim: { checksum: 7 } }]), "the checksum of"],
    ["two sizes", zipOf([{ name: "x", data: "y", claim: { bytes: 2 } }]), "has two sizes, 1 and 2"],
    ["a size beyond the file", zipOf([{ name: "x", data: "y", claim: { bytes: big, storedBytes: big } }]), "refers to"],
    [
      "too short when unpacked",
      zipOf([{ name: "x", data: "y", deflate: true, claim: { bytes: 9 } }]),
      "1 bytes instead of 9",
    ],
    [
      "more than it says",
      zipOf([{ name: "x", data: "y".repeat(99), deflate: true, claim: { bytes: 9 } }]),
      "cannot be unpacked",
    ],
    ["a bomb", zipOf([{ name: "x", data: "y", deflate: true, claim: { bytes: big } }]), "would grow from"],
  ])("%s", (_what, archive, message) => {
    const name = message.includes("a/one") ? "a/one" : "x";
    expect(() => contents(archive, name)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
    expect(() => contents(archive, name)).toThrow(message);
  });

  test("a directory that claims more files than it has bytes for", () => {
    const archive = Buffer.from(zipOf(FILES));
    archive.writeUInt16LE(60_000, archive.length - 12);
    expect(() => readZip(memorySource("a.zip", archive))).toThrow("claims 60000 files");
  });
});

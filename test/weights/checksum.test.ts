import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  algorithmOf,
  type Checksum,
  checksumFault,
  createDigest,
  describeChecksum,
  digestFile,
  matchesChecksum,
} from "../../src/weights/checksum.ts";
import { temporaryFolder } from "../data/made.ts";

/** FIPS 180-2 and RFC 1321 give the sums of "abc". */
const ABC = {
  sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  md5: "900150983cd24fb0d6963f7d28e17f72",
} as const;

test.each(["sha256", "md5"] as const)("%s of bytes in pieces", (algorithm) => {
  const digest = createDigest(algorithm);
  for (const letter of ["a", "", "bc"]) digest.update(Buffer.from(letter));
  expect(digest.hex()).toBe(ABC[algorithm]);
});

test.each([
  [undefined, "abc"],
  [3, "abcdef"],
] as const)("reads %s bytes of a file", async (bytes, content) => {
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, content);
  const digest = createDigest("sha256");
  await digestFile(path, digest, { bytes });
  expect(digest.hex()).toBe(ABC.sha256);
});

test("no bytes of a file that is not there are no bytes", async () => {
  const digest = createDigest("md5");
  await digestFile("/absent", digest, { bytes: 0 });
  expect(digest.hex()).toBe("d41d8cd98f00b204e9800998ecf8427e"); // RFC 1321, A.5
});

describe("comparison", () => {
  const prefix: Checksum = { kind: "sha256-prefix", value: "ba7816bf" };
  test("a prefix is compared with the first digits, a sum with all", () => {
    expect(matchesChecksum(prefix, ABC.sha256)).toBe(true);
    expect(matchesChecksum(prefix, `0${ABC.sha256.slice(1)}`)).toBe(false);
    expect(matchesChecksum({ kind: "sha256", value: ABC.sha256 }, ABC.sha256)).toBe(true);
    expect(matchesChecksum({ kind: "sha256", value: ABC.sha256.slice(0, 8) }, ABC.sha256)).toBe(false);
    expect(matchesChecksum({ kind: "md5", value: ABC.md5 }, ABC.md5)).toBe(true);
  });

  test("says which sum it is, and computes that one", () => {
    expect(describeChecksum(prefix)).toBe("a sha256 that starts with ba7816bf");
    expect(describeChecksum({ kind: "md5", value: ABC.md5 })).toBe(`md5 ${ABC.md5}`);
    expect(algorithmOf({ kind: "md5", value: ABC.md5 })).toBe("md5");
    expect(algorithmOf(prefix)).toBe("sha256");
    expect(algorithmOf(undefined)).toBe("sha256");
  });
});

test.each([
  ["sha256", ABC.sha256, undefined],
  ["md5", ABC.md5, undefined],
  ["sha256-prefix", "ba7816bf", undefined],
  ["sha256", ABC.sha256.toUpperCase(), "64 digits"],
  ["sha256", ABC.md5, "64 digits"],
  ["md5", "x", "32 digits"],
  ["sha256-prefix", "ba7816b", "8 to 63"],
  ["sha256-prefix", "", "8 to 63"],
] as const)("%s %s: %s", (kind, value, fault) => {
  const got = checksumFault({ kind, value });
  if (fault === undefined) expect(got).toBeUndefined();
  else expect(got).toContain(fault);
});

import { createHash } from "node:crypto";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { headProblem, inspectFile, MAX_FILE_BYTES, readBounded, systemProblem } from "../../src/data/inspect.ts";
import { png, temporaryFolder } from "./made.ts";

describe("inspectFile", () => {
  test("gives size and hash of files shorter and longer than its buffer", async () => {
    const folder = await temporaryFolder();
    for (const padding of [0, 5000, 2 ** 20, 3 * 2 ** 20 + 17]) {
      const content = Buffer.concat([await png(3), Buffer.alloc(padding, padding)]);
      const file = join(folder, `${padding}.png`);
      await writeFile(file, content);
      const sha256 = createHash("sha256").update(content).digest("hex");
      expect(await inspectFile(file)).toEqual({ bytes: content.length, sha256 });
    }
  });

  test("refuses what is too large by its size alone", async () => {
    const file = join(await temporaryFolder(), "huge.png");
    await writeFile(file, await png(1));
    await truncate(file, MAX_FILE_BYTES + 1); // sparse: takes no space
    const problem = "is 257 MiB, more than the 256 MiB that are read";
    expect([await inspectFile(file), readBounded(file)]).toEqual([{ problem }, { problem }]);
    expect(await headProblem(file)).toBe(problem);
  });

  test("puts what the file system refuses into words", async () => {
    const folder = await temporaryFolder();
    expect(await inspectFile(join(folder, "none"))).toEqual({ problem: "does not exist" });
    expect(await inspectFile(folder)).toEqual({ problem: "is a folder, not an image file" });
    expect(await inspectFile(join(folder, "x".repeat(300)))).toEqual({ problem: "has too long a name" });
    expect(await inspectFile("/dev/null")).toEqual({ problem: "is not a regular file" });
  });
});

test("headProblem looks at the start only", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "cut.png"), (await png(1)).subarray(0, 20));
  await writeFile(join(folder, "empty.png"), "");
  expect(await headProblem(join(folder, "cut.png"))).toBeUndefined();
  expect(await headProblem(join(folder, "empty.png"))).toBe("is empty (0 bytes)");
});

test("systemProblem knows only errors of the file system", () => {
  expect(systemProblem(Object.assign(new Error("x"), { code: "EACCES" }))).toBe("cannot be read (permission denied)");
  expect(systemProblem(Object.assign(new Error("x"), { code: "EIO" }))).toBe("cannot be read (EIO)");
  expect(systemProblem(Object.assign(new Error("x"), { code: "BAD_DATA" }))).toBeUndefined();
  expect(systemProblem(new TypeError("x"))).toBeUndefined();
});

/** Disks that are full or may not be written, and files that are large, with the built package in a process of its own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../data/made.ts";
import { noDisk, printedOnDisk } from "./mounts.ts";

const SAVER = fileURLToPath(new URL("saver.mjs", import.meta.url));

interface Outcome {
  readonly step: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly files: readonly string[];
  readonly latest: { readonly step: number; readonly best: number };
}

const withDisk = test.skipIf(noDisk);
const note = noDisk ? ` (skipped: ${noDisk})` : "";

withDisk(`a full disk is a clear error; the last checkpoint is whole, and nothing else is left${note}`, async () => {
  const folder = await temporaryFolder();
  const checkpoints = join(folder, "checkpoints");
  const outcomes = printedOnDisk("1m", folder, SAVER, "fill", checkpoints, "3000") as Outcome[];
  const full = outcomes.findIndex(({ error }) => error);
  expect(full).toBeGreaterThan(3); // some have been saved, and some removed
  const before = outcomes[full - 1]!;
  const failed = outcomes[full]!;
  expect(failed.error!.code).toBe("CANNOT_WRITE");
  expect(failed.error!.message).toMatch(/checkpoint 0001-\d+ was not saved: cannot write .*: ENOSPC: no space left/);
  expect(failed.error!.message).toMatch(/make room\. The one before, .*0001-\d+\.safetensors, is as it was\.$/);
  expect(failed.latest).toEqual(before.latest);
  expect(failed.files).toEqual(before.files);
  const after = outcomes.at(-1)!;
  expect(after.error).toBeUndefined();
  expect(after.latest.step).toBe(failed.step + 1);
  expect(after.files.some((name) => name.startsWith("."))).toBe(false);
});

withDisk(`room for the checkpoint's snapshot, and not for the checkpoint${note}`, async () => {
  const folder = await temporaryFolder();
  // 300 kB for each of the two files
  const outcomes = printedOnDisk("500k", folder, SAVER, "fill", join(folder, "checkpoints"), "75000") as Outcome[];
  const [first] = outcomes;
  expect(first!.error!.code).toBe("CANNOT_WRITE");
  expect(first!.error!.message).not.toContain("The one before");
  expect(first!.files).toEqual([]); // the snapshot was whole, and nobody's
});

withDisk(`a disk that may only be read is a clear error, and can be read${note}`, async () => {
  const folder = await temporaryFolder();
  const remount = `mount -o remount,bind,ro ${folder}`;
  const [outcome, reopened] = printedOnDisk("1m", folder, SAVER, "locked", join(folder, "checkpoints"), remount);
  expect(outcome).toMatchObject({
    error: {
      code: "CANNOT_WRITE",
      message: expect.stringMatching(
        /was not saved: .*EROFS: read-only file system.*\b0001-000002\.safetensors, is as/s,
      ),
    },
    latest: { step: 2, best: 2 },
  });
  expect((outcome as Outcome).files.filter((name) => name.startsWith("."))).toEqual([]);
  expect(reopened).toEqual({ reopened: { step: 2, best: 2 } });
});

test("saving 128 MB takes no copy of them, and reading takes one", async () => {
  const args = [SAVER, "memory", await temporaryFolder(), String(2 ** 25)];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const { save, load, last } = JSON.parse(stdout);
  expect(save.megabytes).toBeLessThan(40);
  expect(load.megabytes).toBeLessThan(128 + 60);
  expect(last).toBe(Math.fround(1 + (2 ** 25 - 1) / 1024));
});

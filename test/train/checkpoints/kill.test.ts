import { expect, test } from "vitest";
import { temporaryFolder } from "../../data/made.ts";
import { rootstock } from "./kill.ts";

test("a program that is left alone ends by itself", async () => {
  const cache = await temporaryFolder();
  const ended = await rootstock(["--help"], { cache, after: /train/, killMs: 60_000 });
  expect(ended).toMatchObject({ killed: false, code: 0, stderr: "" });
  expect(ended.stdout).toContain("train");
  expect(ended.ms).toBeGreaterThan(0);
});

test("a program is killed at its start, or after what it prints, and says what it did until then", async () => {
  const cache = await temporaryFolder();
  expect(await rootstock(["--help"], { cache, killMs: 0 })).toMatchObject({ killed: true, code: null, stdout: "" });
  const waiting = { after: "never printed", killMs: 0, cache };
  expect(await rootstock(["--help"], waiting)).toMatchObject({ killed: false, code: 0, ms: undefined });
});

test("a program that does not end in time is an error", async () => {
  const cache = await temporaryFolder();
  await expect(rootstock(["--help"], { cache, limitMs: 1 })).rejects.toThrow("rootstock --help did not end in 1 ms");
});

import { truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownerOf } from "../../../src/train/runs/owner.ts";
import { temporaryFolder } from "../../data/made.ts";
import { deadProcess } from "./made.ts";

async function locked(text: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "run.lock"), text);
  return folder;
}

test("a folder without a lock has no owner", async () => {
  expect(await ownerOf(await temporaryFolder())).toEqual({ kind: "none" });
});

test("a process that lives is the owner, one that ended is not", async () => {
  expect(await ownerOf(await locked(String(process.ppid)))).toEqual({ kind: "running", process: process.ppid });
  expect(await ownerOf(await locked(`${process.pid}\n`))).toEqual({ kind: "running", process: process.pid });
  expect(await ownerOf(await locked(String(await deadProcess())))).toEqual({ kind: "gone" });
});

test("this process's id in a lock from before it began was another container's", async () => {
  const folder = await locked(String(process.pid));
  const past = Date.now() / 1000 - process.uptime() - 60;
  await utimes(join(folder, "run.lock"), past, past);
  expect(await ownerOf(folder)).toEqual({ kind: "gone" });
});

test.each(["", "0", "-1", "no number", "1e3", "99999999999999999999"])(
  "a lock that says %j has no process",
  async (text) => {
    expect(await ownerOf(await locked(text))).toEqual({ kind: "gone" });
  },
);

test("a lock that cannot be read belongs to somebody", async () => {
  const folder = await locked("1");
  await truncate(join(folder, "run.lock"), 1e9);
  expect(await ownerOf(folder)).toEqual({ kind: "running", process: 0 });
});

import { truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownerOf } from "../../../src/train/runs/owner.ts";
import { temporaryFolder } from "../../data/made.ts";
import { deadProcess } from "./made.ts";

async function locked(text: string): Promise<string> {
  const folder = await temporaryFolder();
  const lock = join(folder, "run.lock");
  await writeFile(lock, text);
  return lock;
}

test("a folder without a lock has no owner", async () => {
  expect(await ownerOf(join(await temporaryFolder(), "run.lock"))).toEqual({ kind: "none" });
});

test("a process that lives is the owner, one that ended is not", async () => {
  expect(await ownerOf(await locked(String(process.ppid)))).toEqual({ kind: "running", process: process.ppid });
  expect(await ownerOf(await locked(`${process.pid}\n`))).toEqual({ kind: "running", process: process.pid });
  expect(await ownerOf(await locked(String(await deadProcess())))).toEqual({ kind: "gone" });
});

test("this process's id in a lock from before it began was another container's", async () => {
  const lock = await locked(String(process.pid));
  const past = Date.now() / 1000 - process.uptime() - 60;
  await utimes(lock, past, past);
  expect(await ownerOf(lock)).toEqual({ kind: "gone" });
});

test.each(["", "0", "-1", "no number", "1e3", "99999999999999999999"])(
  "a lock that says %j has no process",
  async (text) => {
    expect(await ownerOf(await locked(text))).toEqual({ kind: "gone" });
  },
);

test("a lock that cannot be read belongs to somebody", async () => {
  const lock = await locked("1");
  await truncate(lock, 1e9);
  expect(await ownerOf(lock)).toEqual({ kind: "running", process: 0 });
});

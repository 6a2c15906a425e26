import { spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireLock, isLocked } from "../../src/weights/lock.ts";
import { temporaryFolder } from "../data/made.ts";

const FAST = { beatMs: 40, patienceMs: 1500 };

async function lockFile(text?: string): Promise<string> {
  const path = join(await temporaryFolder(), ".lock-x");
  if (text !== undefined) await writeFile(path, text);
  return path;
}

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

test("one owner at a time, in turn", async () => {
  const path = await lockFile();
  let inside = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    [0, 1, 2, 3, 4].map(async (i) => {
      await using _lock = await acquireLock(path, FAST);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 30));
      order.push(i);
      inside--;
    }),
  );
  expect(most).toBe(1);
  expect(order).toHaveLength(5);
  expect(await readdir(join(path, ".."))).toEqual([]);
});

test("an owner that lives keeps the lock for longer than the patience", async () => {
  const path = await lockFile();
  const lock = await acquireLock(path, FAST);
  let waited = 0;
  const second = acquireLock(path, { ...FAST, patienceMs: 300, onWait: () => waited++ });
  let taken = false;
  void second.then(() => {
    taken = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect([taken, lock.lost.aborted, waited]).toEqual([false, false, 1]);
  expect(await isLocked(path)).toBe(true);
  await lock[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  expect(taken).toBe(true);
});

test("the lock of a dead process of this machine is taken over after three beats", async () => {
  const path = await lockFile(`${deadPid()} ${hostname()} abc 0000000003\n`);
  expect(await isLocked(path)).toBe(false);
  const start = performance.now();
  await using _lock = await acquireLock(path, { ...FAST, patienceMs: 60_000 });
  expect(performance.now() - start).toBeGreaterThan(3 * FAST.beatMs);
  expect(await readFile(path, "utf8")).toContain(`${process.pid} ${hostname()}`);
});

test.each([
  ["of another machine", () => `${deadPid()} another-machine abc 0000000003\n`],
  ["whose process id belongs to another program", () => `${process.ppid} ${hostname()} abc 0000000003\n`],
  ["that is empty, or not ours", () => ""],
])("a lock %s is taken over after the patience", async (_what, text) => {
  const path = await lockFile(text());
  expect(await isLocked(path)).toBe(true);
  const start = performance.now();
  await using _lock = await acquireLock(path, { ...FAST, patienceMs: 400 });
  expect(performance.now() - start).toBeGreaterThan(400);
});

test("of several that take over a dead lock one at a time has it", async () => {
  const path = await lockFile(`${deadPid()} ${hostname()} abc 0000000003\n`);
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      await using _lock = await acquireLock(path, FAST);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 60));
      inside--;
    }),
  );
  expect(most).toBe(1);
  expect(await readdir(join(path, ".."))).toEqual([]);
});

test("an owner hears that it lost the lock, and does not touch the other's", async () => {
  for (const other of ["1 elsewhere def 0000000000\n", undefined]) {
    const path = await lockFile();
    const lock = await acquireLock(path, FAST);
    if (other === undefined) await rm(path);
    else await writeFile(path, other);
    await expect.poll(() => lock.lost.aborted).toBe(true);
    await lock[Symbol.asyncDispose]();
    expect(await readFile(path, "utf8").catch(() => undefined)).toBe(other);
  }
});

test("waiting can be stopped", async () => {
  const path = await lockFile("1 elsewhere def 0000000000\n");
  const waiting = acquireLock(path, { signal: AbortSignal.timeout(100) });
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
});

test("a folder that is not there is an error, not a lock", async () => {
  const path = join(await temporaryFolder(), "absent", ".lock-x");
  await expect(acquireLock(path)).rejects.toMatchObject({ code: "CANNOT_WRITE" });
});

/** Several processes, and processes that are killed: the real program against a server in this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/made.ts";
import { answer, serve, someContent } from "./server.ts";
import { inTurn } from "./trial.ts";

const { content } = someContent(2_000_000);

interface Program {
  readonly child: ChildProcess;
  readonly done: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function pull(cache: string, url: string): Program {
  const child = spawn(process.execPath, ["dist/cli/bin.js", "pull", url, "--json"], {
    env: { PATH: process.env["PATH"], ROOTSTOCK_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk) => {
      text[name] += chunk;
    });
  return { child, done: once(child, "close").then(([code]) => ({ code, ...text })) };
}

async function sizeOfPartial(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((each) => each.startsWith(".partial-") && !each.endsWith(".json"));
  return name === undefined ? 0 : (await stat(join(folder, name))).size;
}

test("two processes that want the same file load it once", async () => {
  const cache = await temporaryFolder();
  const server = await serve((request, response) => {
    setTimeout(() => answer(request, response, content), 1500); // both are there by then
  });
  const both = await Promise.all([0, 1].map(() => pull(cache, `${server.url}/net.bin`).done));
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(server.requests).toHaveLength(1);
  const results = both.map(({ stdout }) => JSON.parse(stdout).files[0]);
  expect(results.map(({ downloaded }) => downloaded).sort()).toEqual([false, true]);
  expect(both.map(({ stderr }) => stderr).join("")).toContain("waiting");
  expect((await readFile(results[0].path)).equals(content)).toBe(true);
  expect(results[1].path).toBe(results[0].path);
}, 60_000);

test("kill -9 in the middle: the next process takes over and goes on from there", async () => {
  const cache = await temporaryFolder();
  const folder = join(cache, "weights");
  const server = await inTurn(content, { etag: '"a"', stallAfter: 1_200_000 }, { etag: '"a"' });
  const first = pull(cache, `${server.url}/net.bin`);
  await expect.poll(() => sizeOfPartial(folder), { timeout: 20_000 }).toBe(1_200_000);
  first.child.kill("SIGKILL");
  await first.done;
  expect((await readdir(folder)).some((name) => name.startsWith(".lock-"))).toBe(true);
  const { code, stdout, stderr } = await pull(cache, `${server.url}/net.bin`).done;
  expect([code, stderr]).toEqual([0, expect.stringContaining("going on")]);
  expect(server.requests[1]!.headers).toMatchObject({ range: "bytes=1200000-", "if-range": '"a"' });
  expect((await readFile(JSON.parse(stdout).files[0].path)).equals(content)).toBe(true);
  expect((await readdir(folder)).filter((name) => /^\.(lock|partial)-/.test(name))).toEqual([]);
}, 60_000);

test("a process that waits takes over when the other is killed", async () => {
  const cache = await temporaryFolder();
  const folder = join(cache, "weights");
  const server = await inTurn(content, { stallAfter: 500_000 }, {});
  const first = pull(cache, `${server.url}/net.bin`);
  await expect.poll(() => sizeOfPartial(folder), { timeout: 20_000 }).toBe(500_000);
  const second = pull(cache, `${server.url}/net.bin`);
  await expect.poll(() => second.child.pid).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(server.requests).toHaveLength(1);
  first.child.kill("SIGKILL");
  expect((await second.done).code).toBe(0);
  expect(server.requests[1]!.headers.range).toBe("bytes=500000-");
}, 60_000);

test("Ctrl-C ends with code 130 and keeps the part", async () => {
  const cache = await temporaryFolder();
  const folder = join(cache, "weights");
  await mkdir(folder);
  const server = await inTurn(content, { etag: '"a"', stallAfter: 700_000 });
  const { child, done } = pull(cache, `${server.url}/net.bin`);
  await expect.poll(() => sizeOfPartial(folder), { timeout: 20_000 }).toBe(700_000);
  child.kill("SIGINT");
  const { code, stdout } = await done;
  expect([code, JSON.parse(stdout).error.message]).toEqual([
    130,
    expect.stringContaining("stopped at 0.7 of 2.0 MB, which are kept"),
  ]);
  expect(await sizeOfPartial(folder)).toBe(700_000);
  expect((await readdir(folder)).filter((name) => name.startsWith(".lock-"))).toEqual([]);
}, 60_000);

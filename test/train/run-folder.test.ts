import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { claimRunFolder, RUN_MARK } from "../../src/train/run-folder.ts";
import { temporaryFolder } from "../data/made.ts";

const path = async (): Promise<string> => join(await temporaryFolder(), "run");

test("makes the folder, writes JSON and lines, and lets go of it", async () => {
  const folder = await claimRunFolder(await path());
  await folder.write("config", { [RUN_MARK]: 1, a: 1 });
  await folder.append("metrics", { epoch: 1 });
  await folder.append("metrics", { epoch: 2 });
  await folder.close();
  expect((await readdir(folder.path)).sort()).toEqual(["config.json", "metrics.jsonl"]);
  expect(await readFile(folder.file("metrics"), "utf8")).toBe('{"epoch":1}\n{"epoch":2}\n');
});

test("a complete run is never touched: the next one stands beside it", async () => {
  const at = await path();
  for (const name of [at, `${at}-2`, `${at}-3`]) {
    const folder = await claimRunFolder(at);
    expect(folder.path).toBe(name);
    await folder.write("config", { [RUN_MARK]: 1 });
    await folder.write("result", {});
    await folder.close();
  }
});

test("an incomplete run whose process is gone is started again, without what it left", async () => {
  const at = await path();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  const first = await claimRunFolder(at);
  await first.write("config", { [RUN_MARK]: 1 });
  await first.append("metrics", { epoch: 1 });
  await first.close();
  await writeFile(join(at, "run.lock"), String(child.pid));
  const again = await claimRunFolder(at);
  expect(again.path).toBe(at);
  expect(await readdir(at)).toEqual(["run.lock"]);
  await again.close();
});

test("a run that another process holds is left alone", async () => {
  const at = await path();
  await mkdir(at);
  await writeFile(join(at, "run.lock"), String(process.ppid));
  const folder = await claimRunFolder(at);
  expect(folder.path).toBe(`${at}-2`);
  await folder.close();
});

test("two runs of one process do not share a folder", async () => {
  const at = await path();
  const folders = await Promise.all([claimRunFolder(at), claimRunFolder(at)]);
  expect(new Set(folders.map((folder) => folder.path)).size).toBe(2);
  for (const folder of folders) await folder.close();
});

test.each([
  ["a file of somebody else", "notes.txt"],
  ["a model that no run wrote", "model.onnx"],
  ["a configuration that no run wrote", "config.json"],
])("a folder with %s is left alone", async (_, name) => {
  const at = await path();
  await mkdir(at);
  await writeFile(join(at, name), "mine");
  const folder = await claimRunFolder(at);
  expect(folder.path).toBe(`${at}-2`);
  expect(await readFile(join(at, name), "utf8")).toBe("mine");
  await folder.close();
});

test("a path that cannot be a folder is BAD_CONFIG", async () => {
  const file = await path();
  await writeFile(file, "");
  await expect(claimRunFolder(file)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("--out"),
  });
});

test("a slash at the end changes nothing, and a folder named by dots gets a name", async () => {
  const at = await path();
  for (const [given, wanted] of [
    [`${at}/`, at],
    [`${at}//`, `${at}-2`],
    [join(at, "..", "run", "."), `${at}-3`],
  ] as const) {
    const folder = await claimRunFolder(given);
    expect(folder.path).toBe(wanted);
    await folder.write("result", {});
    await folder.close();
  }
  await expect(claimRunFolder(" ")).rejects.toMatchObject({ code: "BAD_CONFIG" });
});

test("of processes that claim one place at the same time, each gets a folder of its own", async () => {
  const at = await path();
  await mkdir(at);
  await writeFile(join(at, "run.lock"), "999999999"); // left by a process that is gone
  const script = `
    const { claimRunFolder } = await import(${JSON.stringify(resolve("dist/train/run-folder.js"))});
    console.log((await claimRunFolder(${JSON.stringify(at)})).path);
    await new Promise((done) => setTimeout(done, 1500)); // alive while the others look`;
  const claims = Array.from({ length: 4 }, () =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]),
  );
  const paths = (await Promise.all(claims)).map(({ stdout }) => stdout.trim());
  expect(paths.sort()).toEqual([at, `${at}-2`, `${at}-3`, `${at}-4`]);
  for (const folder of paths) expect(await readdir(folder)).toEqual(["run.lock"]);
  expect((await readdir(join(at, ".."))).filter((name) => name.startsWith("."))).toEqual([]);
});

test("the turn of a process that died while it claimed the folder is over after a few seconds", async () => {
  const at = await path();
  const turn = join(at, ".partial-claim");
  await mkdir(turn, { recursive: true });
  const old = Date.now() / 1000 - 60;
  await utimes(turn, old, old);
  const folder = await claimRunFolder(at);
  expect(folder.path).toBe(at);
  expect(await readdir(at)).toEqual(["run.lock"]);
  await folder.close();
});

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { claimRunFolder, reclaimRunFolder } from "../../src/train/claim-run-folder.ts";
import { RUN_MARK } from "../../src/train/run-folder.ts";
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

test("a folder whose lock cannot be read is left alone", async () => {
  const at = await path();
  await mkdir(join(at, "run.lock"), { recursive: true });
  const folder = await claimRunFolder(at);
  expect(folder.path).toBe(`${at}-2`);
  await folder.write("config", { [RUN_MARK]: 1 });
  await folder.write("data", {});
  await folder.close();
  await mkdir(folder.file("lock"));
  await expect(reclaimRunFolder(folder.path)).rejects.toThrow("process (unknown) is making that run now");
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
    const { claimRunFolder } = await import(${JSON.stringify(resolve("dist/train/claim-run-folder.js"))});
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

test("a folder that vanishes while it is claimed is made again", async () => {
  const at = await path();
  let going = true;
  const deletes = (async () => {
    while (going) {
      await rm(at, { recursive: true, force: true }).catch(() => {}); // something may be put in meanwhile
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const claimed: string[] = [];
  for (let i = 0; i < 20; i++) {
    const folder = await claimRunFolder(at);
    claimed.push(folder.path);
    await folder.close();
  }
  going = false;
  await deletes;
  expect(claimed).toEqual(new Array(20).fill(at));
});

test("a run that has checkpoints is never started again in its place", async () => {
  const at = await path();
  const first = await claimRunFolder(at);
  await first.write("config", { [RUN_MARK]: 1 });
  await mkdir(first.file("checkpoints"));
  await writeFile(join(first.file("checkpoints"), "000000-000007.safetensors"), "hours");
  await first.close();
  const second = await claimRunFolder(at);
  expect(second.path).toBe(`${at}-2`);
  await second.close();
  expect(await readFile(join(at, "checkpoints", "000000-000007.safetensors"), "utf8")).toBe("hours");
});

test("a run that goes on is held, without what its process was writing when it was killed", async () => {
  const at = await path();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  const first = await claimRunFolder(at);
  await first.write("config", { [RUN_MARK]: 1, a: 1 });
  await first.write("data", {});
  await first.close();
  await writeFile(join(at, `.partial-${child.pid}-0123456789ab-model.onnx`), "half");
  await writeFile(join(at, "run.lock"), String(child.pid));
  const { folder, config } = await reclaimRunFolder(at);
  expect(config).toEqual({ [RUN_MARK]: 1, a: 1 });
  expect((await readdir(at)).sort()).toEqual(["config.json", "data.json", "run.lock"]);
  await expect(reclaimRunFolder(at)).rejects.toThrow(`process ${process.pid} is making that run now`);
  await folder.rewrite("metrics", [{ epoch: 1 }]);
  expect(await folder.read("metrics")).toBe('{"epoch":1}\n');
  await folder.rewrite("metrics", []);
  await folder.close();
  expect((await readdir(at)).sort()).toEqual(["config.json", "data.json"]);
});

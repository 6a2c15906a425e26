/** `rootstock runs` as a user runs it, on real runs and on folders that no run would write. */
import { access, mkdir, readdir, readFile, symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RUN_FILES } from "../../src/train/run-folder.ts";
import { temporaryFolder } from "../data/made.ts";
import { CHECKPOINTS, CONFIG, complete, dataOf, type Files, RESULT, realRun, writeRun } from "../train/runs/made.ts";
import { cli } from "./made.ts";

const { "result.json": _, "model.onnx": __, ...ENDED } = complete(1);
const before = process.cwd();
let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});

afterEach(() => process.chdir(before));

describe("a list", () => {
  test("shows a real run with its measure and interval", async () => {
    await realRun(root, "first");
    const { code, stdout, stderr } = await cli(["runs", join(root, "runs")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^run +started +state +data +model +strategy +measure \(95 % interval\) +epochs +time +size\n/,
    );
    expect(stdout).toMatch(
      /\nfirst +20\d\d-\d\d-\d\d \d\d:\d\d +complete .*tiny\.onnx .*accuracy \d+\.\d % \(\d+\.\d to \d+\.\d\) +4 /,
    );
    expect(stderr).toContain(`1 run in ${join(root, "runs")}`);
  });

  test("--json has everything, and sorts as it is told", async () => {
    const accuracy = (value: number) => ({ "result.json": { ...RESULT, metrics: { accuracy: value }, intervals: {} } });
    await writeRun(join(root, "a"), complete(2, accuracy(0.5)));
    await writeRun(join(root, "b"), complete(1, accuracy(0.9)));
    const { json } = await cli(["runs", root, "--json"]);
    expect(json).toMatchObject({
      folder: root,
      runs: [{ id: "a", measures: [{ name: "accuracy", value: 0.5 }] }, { id: "b" }],
      links: [],
    });
    expect(json.bytes).toBe(json.runs[0].bytes + json.runs[1].bytes);
    const sorted = await cli(["runs", root, "--sort", "accuracy", "--json"]);
    expect(sorted.json.runs.map(({ id }: { id: string }) => id)).toEqual(["b", "a"]);
    const unknown = await cli(["runs", root, "--sort", "beauty", "--json"]);
    expect([unknown.code, unknown.json.error.message]).toEqual([
      2,
      expect.stringContaining("Measured were: accuracy."),
    ]);
  });

  test("hostile folders are listed in lines that a terminal can show", async () => {
    await writeRun(
      join(root, "red\u001b[31m\nnext\u202e"),
      complete(1, { "config.json": { ...CONFIG, data: `\u0007${"x".repeat(1e5)}` } }),
    );
    await writeRun(join(root, "huge"), complete(2));
    await truncate(join(root, "huge", "config.json"), 1e9);
    await symlink(root, join(root, "cycle"));
    const { code, stdout, stderr } = await cli(["runs", root]);
    expect(code).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(stdout.trim().split("\n")).toHaveLength(3);
    expect(stdout).toContain("red\\u{1b}[31m\\u{a}next\\u{202e}");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(250);
    expect(stderr).toContain("huge: config.json has 1000000000 bytes, more than");
    expect(stderr).toContain("1 link not followed: cycle");
  });

  test("without a folder it is runs/, which need not be there", async () => {
    process.chdir(root);
    expect(await cli(["runs"])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("no runs in runs: rootstock train puts them there"),
    });
    expect((await cli(["runs", "--json"])).json).toEqual({ folder: "runs", bytes: 0, runs: [], links: [] });
    await writeRun(join("runs", "a"), complete(1));
    expect((await cli(["runs", "--json"])).json.runs).toMatchObject([{ id: "a" }]);
    expect(await cli(["runs", "absent"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("got absent, which does not exist or is no folder"),
    });
  });
});

test("results that cannot be are damage: they are not ranked first, and print no number", async () => {
  const result = (change: object) => ({ "result.json": { ...RESULT, ...change } });
  const hostile: readonly unknown[] = [
    [1, 2],
    JSON.stringify(RESULT).slice(0, 60),
    { ...RESULT, metrics: { ...RESULT.metrics, accuracy: "0.99" } },
    { ...RESULT, metrics: { ...RESULT.metrics, accuracy: 1e300 } },
    JSON.stringify(RESULT).replace("0.9,", "1e999,"),
    { ...RESULT, seconds: { total: 1e300 } },
    { ...RESULT, epochs: 1e300 },
  ];
  for (const [i, content] of hostile.entries())
    await writeRun(join(root, `hostile-${i}`), complete(i + 3, { "result.json": content }));
  const wide = { accuracy: [-1e308, 1e308] };
  await writeRun(join(root, "good"), complete(1, result({ metrics: { accuracy: 0.5 }, intervals: wide })));
  await writeRun(join(root, "better"), complete(2, result({ metrics: { accuracy: 0.7 } })));
  const { code, stdout, stderr } = await cli(["runs", root, "--sort", "accuracy"]);
  const [, ...rows] = stdout.trim().split("\n");
  expect(code).toBe(0);
  expect(rows.map((row) => row.split(/\s+/)[0])).toEqual([
    "better",
    "good",
    ...hostile.map((_, i) => `hostile-${hostile.length - 1 - i}`),
  ]);
  for (const row of rows.slice(2)) expect(row).toMatch(/ damaged .* – +\d+ +– /);
  expect(stdout).not.toMatch(/Infinity|NaN|e\+/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(160);
  expect(stderr).toContain("hostile-0: result.json is no record of a result, got a list.");
  expect(stderr).toContain('hostile-2: result.json has the accuracy "0.99", which cannot be.');
  expect(stderr).toContain("hostile-4: result.json has the accuracy Infinity, which cannot be.");
  const pruned = await cli(["runs", "prune", root, "--keep", "1", "--sort", "accuracy", "--json"]);
  expect(pruned.json.items.map(({ id }: { id: string }) => id)).toEqual(["good"]);
});

describe("distillations", () => {
  const distilled = (hour: number, config: object = {}, metrics: object = { loss: 0.25 }): Files => ({
    ...complete(hour),
    "config.json": {
      rootstockRun: 1,
      task: "distill",
      teacher: { name: "resnet50", sha256: "a" },
      student: { name: "resnet20_cifar10", sha256: "b" },
      recipe: { match: "features", epochs: 20 },
      data: "photos",
      about: { command: "distill", inputs: ["photos"], options: {} },
      ...config,
    },
    "result.json": {
      version: 1,
      task: "distill",
      metrics,
      epochs: 20,
      bestEpoch: 19,
      seconds: { teacher: 1, total: 9 },
    },
  });

  test("are listed with student, teacher and their main measure, and pruned like others", async () => {
    await writeRun(join(root, "a"), distilled(1));
    await writeRun(join(root, "b"), distilled(2, {}, { loss: 0.2, "probe loss": 1.5, "probe accuracy": 0.75 }));
    const { "result.json": _result, ...ended } = distilled(3);
    await writeRun(join(root, "c"), { ...ended, ...CHECKPOINTS });
    const { stdout, stderr } = await cli(["runs", root]);
    expect(stdout).toMatch(/\nb .* complete +photos +resnet20_cifar10 +distill: resnet50 +probe accuracy 75\.0 % +20 /);
    expect(stdout).toMatch(/\na .* complete +photos +resnet20_cifar10 +distill: resnet50 +loss 0\.25 +20 /);
    expect(stderr).toContain(`rootstock distill --resume ${join(root, "c")}`);
    const sorted = await cli(["runs", root, "--sort", "loss", "--json"]);
    expect(sorted.json.runs.map(({ id }: { id: string }) => id)).toEqual(["b", "a", "c"]);
    const pruned = await cli(["runs", "prune", root, "--keep", "1", "--sort", "loss", "--yes", "--json"]);
    expect(pruned.json.pruned).toMatchObject([{ id: "a" }]);
  });

  test.each<[string, object, object, RegExp | undefined]>([
    ["of one teacher", { recipe: { match: "features", epochs: 9 } }, {}, undefined],
    ["of two teachers", { teacher: { name: "vgg16", sha256: "c" } }, {}, /students learned different things/],
    ["by two matches", { recipe: { match: "logits" } }, {}, /students learned different things/],
    ["on other images", {}, { "data.json": dataOf(9) }, /not measured on the same images, so they cannot be/],
  ])("%s can be compared, or a warning says why not", async (_, config, files, warning) => {
    await writeRun(join(root, "a"), distilled(1));
    await writeRun(join(root, "b"), { ...distilled(2, config), ...files });
    const { code, stdout, stderr } = await cli(["runs", "compare", join(root, "a"), join(root, "b")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}loss +0\.25 +0\.25\n/);
    if (warning) expect(stderr).toMatch(warning);
    else expect(stderr).toBe("");
  });

  test("beside training are another task", async () => {
    await writeRun(join(root, "a"), distilled(1));
    await writeRun(join(root, "b"), complete(2));
    const { stderr } = await cli(["runs", "compare", join(root, "a"), join(root, "b")]);
    expect(stderr).toContain("these runs learned different tasks (distill, single-label)");
  });
});

describe("a comparison", () => {
  test("shows the settings that differ, the measures, and what chance explains", async () => {
    const sgd = { ...CONFIG, recipe: { ...CONFIG.recipe, optimizer: "sgd" } };
    await writeRun(join(root, "a"), complete(1));
    await writeRun(join(root, "b"), complete(1, { "config.json": sgd }));
    const { code, stdout, stderr } = await cli(["runs", "compare", join(root, "a"), join(root, "b")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/settings that differ\n {2}setting +a +b\n {2}recipe\.optimizer +adamw +sgd\n\n/);
    expect(stdout).toMatch(/\n {2}accuracy +90\.0 % \(80\.0 to 95\.0\) +90\.0 % \(80\.0 to 95\.0\)\n/);
    expect(stdout).toMatch(/\n {2}macroF1 +0\.89 \(0\.7 to 0\.93\)/);
    expect(stderr).toContain("a have the same accuracy. Do not choose between them by this number");
  });

  test("takes names of the usual folder, and gives --json", async () => {
    process.chdir(root);
    await writeRun(join("runs", "a"), complete(1));
    await writeRun(join("runs", "b"), complete(2));
    const { json } = await cli(["runs", "compare", "a", join("runs", "b"), "--json"]);
    expect(json).toMatchObject({
      labels: ["a", "b"],
      settings: [],
      measures: [{ name: "accuracy" }, {}, {}],
      warnings: [expect.any(String)],
    });
    expect((await cli(["runs", "compare", "a", "nowhere", "--json"])).json.error).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("got nowhere"),
    });
  });
});

describe("pruning", () => {
  test("shows what would go and its bytes; deletes it with --yes alone", async () => {
    await writeRun(join(root, "a"), complete(1, { "notes.txt": "mine" }));
    await writeRun(join(root, "b"), complete(2));
    const dry = await cli(["runs", "prune", root, "--keep", "1", "--json"]);
    expect(dry.json).toMatchObject({
      folder: root,
      deleted: false,
      items: [{ id: "a", what: "run", foreign: ["notes.txt"] }],
      spared: [],
    });
    expect(dry.stderr).toContain("the same command with --yes");
    expect(dry.stderr).toContain("a keeps what no run writes: notes.txt");
    expect(await readdir(join(root, "a"))).toHaveLength(7);
    const { code, json } = await cli(["runs", "prune", root, "--keep", "1", "--yes", "--json"]);
    expect([code, json.deleted, json.bytes]).toEqual([0, true, dry.json.bytes]);
    expect(await readdir(join(root, "a"))).toEqual(["notes.txt"]);
    expect(await readdir(join(root, "b"))).toHaveLength(6);
  });

  test("incomplete runs and checkpoints go; what runs, can go on or is damaged stays and is named", async () => {
    await writeRun(join(root, "ended"), ENDED);
    await writeRun(join(root, "done"), complete(1, CHECKPOINTS));
    await writeRun(join(root, "interrupted"), { ...ENDED, ...CHECKPOINTS });
    await writeRun(join(root, "running"), { ...ENDED, "run.lock": String(process.ppid) });
    await writeRun(join(root, "damaged"), { ...ENDED, "config.json": "{" });
    expect((await cli(["runs", root])).stderr).toContain(`rootstock train --resume ${join(root, "interrupted")}`);
    const { code, stdout, stderr } = await cli(["runs", "prune", root, "--incomplete", "--checkpoints", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}ended +incomplete +the whole run +4 files/);
    expect(stdout).toMatch(/\n {2}done +complete +checkpoints +2 files/);
    expect(stdout).toMatch(/to delete [\d.]+ k?B of 2 runs in .*\nfreed /);
    expect(stderr).toContain(`running stays: it is running (process ${process.ppid})`);
    expect(stderr).toContain("interrupted stays: it has checkpoints to go on from");
    expect(stderr).toContain("damaged stays: it is damaged: config.json is no JSON");
    expect((await readdir(root)).sort()).toEqual(["damaged", "done", "interrupted", "running"]);
    await access(join(root, "done", "model.onnx"));
    const again = await cli(["runs", "prune", root, "--incomplete", "--checkpoints", "--yes"]);
    expect([again.code, again.stdout]).toEqual([0, `nothing to delete in ${root}\n`]);
  });

  test("what cannot be deleted is told, and the exit code says so", async () => {
    await writeRun(join(root, "a"), ENDED);
    await mkdir(join(root, "a", ".partial-claim"));
    const { code, json } = await cli(["runs", "prune", root, "--incomplete", "--yes", "--json"]);
    expect([code, json.bytes]).toEqual([1, 0]);
    expect(json.pruned).toEqual([
      { id: "a", path: join(root, "a"), bytes: 0, problem: expect.stringContaining("cannot be taken") },
    ]);
  });
});

test.each([
  [["prune"], "requires what may go: --keep"],
  [["prune", "--yes"], "requires what may go"],
  [["prune", "--incomplete", "--sort", "loss"], "requires --keep <n>"],
  [["prune", "--keep", "0"], "from 1"],
  [["prune", "a", "b", "--keep", "1"], "got prune a b"],
  [["--keep", "3"], "--keep requires runs prune"],
  [["compare", "a", "b", "--yes"], "--yes requires runs prune"],
  [["compare", "a", "b", "--sort", "loss"], "--sort requires a list"],
  [["compare", "a"], "two or more runs, got 1"],
  [["compare"], "got none"],
  [["a", "b"], "one folder, compare or prune; got a b"],
])("runs %j is a mistake of usage", async (args, message) => {
  expect(await cli(["runs", ...args])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test("docs/runs.md shows options and states that there are", async () => {
  const text = await readFile(new URL("../../docs/runs.md", import.meta.url), "utf8");
  const { stdout } = await cli(["runs", "--help"]);
  const lines = [...text.matchAll(/^rootstock runs.*?(?=#|$)/gm)].map(([line]) => line);
  expect(lines.length).toBeGreaterThan(6);
  for (const option of lines.join(" ").match(/--[a-z-]+/g)!) expect(stdout).toContain(`  ${option}`);
  const rows = [...text.matchAll(/^\| `([\w.]+)\/?` /gm)].map(([, name]) => name!);
  expect(rows).toEqual(expect.arrayContaining(Object.values(RUN_FILES)));
});

test("the help page shows every option", async () => {
  const { code, stdout } = await cli(["runs", "--help"]);
  expect(code).toBe(0);
  for (const option of ["--sort", "--keep", "--incomplete", "--checkpoints", "--yes", "--json"])
    expect(stdout).toContain(option);
});

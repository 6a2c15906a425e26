/** The commands as a user runs them, in this process, on generated images and a generated model. */
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { saveGraph } from "../../src/graph/save.ts";
import { assets, withAssets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { tinyGraph, writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { cli } from "./made.ts";

let root: string;
let model: string;
let images: string;
let trained: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rootstock-cli-"));
  process.env["ROOTSTOCK_CACHE"] = join(root, "cache");
  model = await writeTinyModel(join(root, "tiny.onnx"));
  images = await writeColorImages(join(root, "images"), 15);
  await writeFile(join(images, "red", "notes.jpg"), "not a picture");
  const { json } = await cli([
    "train",
    images,
    "--model",
    model,
    "--epochs",
    "10",
    "--out",
    join(root, "run"),
    "--json",
  ]);
  trained = json.model;
});

describe("train", () => {
  test("prints one JSON object with the contract's keys, and paths that can be used", async () => {
    const { code, json, stdout, stderr } = await cli([
      "train",
      images,
      "--model",
      model,
      "--epochs",
      "10",
      "--out",
      join(root, "run"),
      "--json",
    ]);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(json).toMatchObject({
      run: join(root, "run-2"),
      model: join(root, "run-2", "model.onnx"),
      classes: ["blue", "green", "red"],
      metrics: {
        accuracy: expect.any(Number),
        accuracyInterval: [expect.any(Number), expect.any(Number)],
        balancedAccuracy: expect.any(Number),
        macroF1: expect.any(Number),
        loss: expect.any(Number),
      },
      epochs: 10,
      bestEpoch: expect.any(Number),
      seconds: { features: expect.any(Number), training: expect.any(Number), total: expect.any(Number) },
      featuresFromCache: 45,
    });
    expect(stderr).toContain("notes.jpg: is not an image (looks like text)");
  });

  test("tells people the accuracy, the confusion, where things are and what to do next", async () => {
    const { code, stdout, stderr } = await cli([
      "train",
      images,
      "--model",
      model,
      "--epochs",
      "10",
      "--out",
      join(root, "people"),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /accuracy {2}\d+\.\d % {2}\(95 % interval \d+\.\d % to \d+\.\d %; \d+ of 9 validation images\)/,
    );
    expect(stdout).toMatch(/true \\ predicted +blue +green +red +recall/);
    expect(stdout).toContain(`next      rootstock predict ${join(root, "people", "model.onnx")} <files or folders>`);
    expect(stderr).toContain("16x16 RGB");
    expect(stderr).toMatch(/head {6}10\/10/);
  });

  test("one seed gives one result, another seed another", async () => {
    const metrics = async (seed: string) =>
      (
        await cli([
          "train",
          images,
          "--model",
          model,
          "--epochs",
          "3",
          "--seed",
          seed,
          "--val",
          "0.4",
          "--out",
          join(await temporaryFolder(), "r"),
          "--json",
        ])
      ).json.metrics;
    expect(await metrics("1")).toEqual(await metrics("1"));
    expect(await metrics("2")).not.toEqual(await metrics("1"));
  });

  test("--no-cache neither reads nor writes", async () => {
    const { json } = await cli([
      "train",
      images,
      "--model",
      model,
      "--epochs",
      "2",
      "--no-cache",
      "--out",
      join(root, "no-cache"),
      "--json",
    ]);
    expect(json.featuresFromCache).toBe(0);
  });

  test("--val takes a folder", async () => {
    const held = await writeColorImages(join(await temporaryFolder(), "held"), 4, { seed: 9 });
    const { json } = await cli([
      "train",
      images,
      "--model",
      model,
      "--epochs",
      "2",
      "--val",
      held,
      "--out",
      join(root, "val"),
      "--json",
    ]);
    expect(json.perClass.map(({ support }: { support: number }) => support)).toEqual([4, 4, 4]);
  });

  test("stops with the choices where the model does not say how its pixels are made", async () => {
    const silent = await writeTinyModel(join(await temporaryFolder(), "silent.onnx"), {}, {});
    const args = ["train", images, "--model", silent, "--epochs", "2", "--out", join(root, "silent"), "--json"];
    const refused = await cli(args);
    expect(refused).toMatchObject({ code: 1, json: { error: { code: "BAD_CONFIG" } } });
    for (const name of ["imagenet", "tf", "caffe", "none"]) expect(refused.stderr).toContain(`--preprocessing ${name}`);
    expect(await cli([...args, "--preprocessing", "tf"])).toMatchObject({ code: 0 });
  });

  test("Ctrl-C says how to go on", async () => {
    const { code, stderr } = await cli(["train", images, "--model", model, "--out", join(root, "stopped")], {
      signal: AbortSignal.abort(),
    });
    expect(code).toBe(130);
    expect(stderr).toContain("run the same command again");
  });
});

describe("evaluate", () => {
  test("measures every image of a flat folder, and says that the model may have been trained on them", async () => {
    const { code, json, stderr } = await cli(["evaluate", trained, images, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toContain("every image is measured, also any the model was trained on");
    expect(json).toMatchObject({
      split: "all",
      skipped: [{ file: join(images, "red", "notes.jpg"), reason: "is not an image (looks like text)" }],
      notes: [],
      metrics: { accuracy: expect.any(Number) },
      perClass: [{ label: "blue", support: 15 }, {}, {}],
    });
    expect(json.confusion.flat().reduce((sum: number, n: number) => sum + n, 0)).toBe(45);
    const validation = await cli(["evaluate", trained, images, "--split", "validation"]);
    expect(validation.stderr).toMatch(/got none in the split "validation"/);
  });

  test("measures a folder of one split and one class", async () => {
    const held = join(await temporaryFolder(), "held");
    await writeColorImages(join(held, "val"), 4, { seed: 1, classes: ["red"] });
    const { code, stdout, stderr } = await cli(["evaluate", trained, held]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/of 4 validation images/);
    expect(stderr).not.toContain("trained on");
  });
});

describe("--tta flip", () => {
  test("evaluates with and without mirror images, and says whether that makes a difference", async () => {
    const { json, stderr } = await cli(["evaluate", trained, images, "--tta", "flip", "--json"]);
    expect(json).toMatchObject({
      testTimeAugmentation: "flip",
      metrics: { accuracy: expect.any(Number) },
      plain: { metrics: { accuracy: expect.any(Number) } },
      comparison: { paired: true },
    });
    expect(stderr).toMatch(/^flip {6}accuracy .* % with mirror images, .* % without: [+-].*than chance explains$/m);
    expect((await cli(["evaluate", trained, images, "--json"])).json.metrics).toEqual(json.plain.metrics);
    expect((await cli(["evaluate", trained, images, "--tta", "rotate"])).stderr).toMatch(/none, flip/);
  });

  test("predicts the mean, and warns where a mirror image means something else", async () => {
    const file = join(images, "red", "0.png");
    const [plain, flipped] = await Promise.all(
      [[], ["--tta", "flip"]].map((options) => cli(["predict", trained, file, "--json", ...options])),
    );
    expect(flipped!.json.predictions[0].top[0].label).toBe("red");
    expect(flipped!.json.predictions[0].top).not.toEqual(plain!.json.predictions[0].top);
    expect(flipped!.stderr).not.toContain("warning");
    const names = join(await temporaryFolder(), "digits.json");
    await writeFile(names, JSON.stringify(["0", "1", "2"]));
    const digits = await cli(["predict", trained, file, "--labels", names, "--tta", "flip"]);
    expect(digits.stderr).toMatch(/warning {2}--tta flip .*a digit or a letter/);
  });
});

describe("predict", () => {
  test("gives each file a prediction or a named error", async () => {
    const { code, json } = await cli([
      "predict",
      trained,
      join(images, "red", "0.png"),
      join(images, "red", "notes.jpg"),
      join(images, "blue"),
      join(root, "absent.jpg"),
      "--top",
      "2",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(json.predictions).toHaveLength(16);
    expect(json.predictions[0]).toEqual({
      file: join(images, "red", "0.png"),
      top: [
        { label: "red", probability: expect.any(Number) },
        { label: expect.any(String), probability: expect.any(Number) },
      ],
    });
    expect(json.failed.map(({ file }: { file: string }) => file).sort()).toEqual(
      [join(root, "absent.jpg"), join(images, "red", "notes.jpg")].sort(),
    );
  });

  test("exits with 1 when nothing could be predicted, and still prints its object", async () => {
    const { code, json } = await cli(["predict", trained, join(images, "red", "notes.jpg"), "--json"]);
    expect([code, json.predictions, json.failed.length]).toEqual([1, [], 1]);
  });

  test("takes the folder of a run for its model", async () => {
    const file = join(images, "red", "0.png");
    const run = join(root, "run");
    const [named, whole] = [
      await cli(["predict", trained, file, "--json"]),
      await cli(["predict", run, file, "--json"]),
    ];
    expect(whole.json).toEqual(named.json);
    expect(whole.stderr).toContain(`model     ${trained}`);
    expect((await cli(["inspect", run, "--json"])).json.parameters).toBeGreaterThan(0);
    const unfinished = join(await temporaryFolder(), "unfinished");
    await mkdir(unfinished);
    await writeFile(join(unfinished, "config.json"), '{"rootstockRun": 1}');
    expect(await cli(["predict", unfinished, file])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/requires a run that is complete, got .*unfinished without a model\.onnx/),
    });
    await writeFile(join(unfinished, "config.json"), "[1]");
    expect((await cli(["predict", unfinished, file])).stderr).toContain("is a folder");
  });

  test("takes class names from a file where the model has none", async () => {
    const names = join(root, "names.txt");
    await writeFile(names, Array.from({ length: 10 }, (_, i) => `name ${i}`).join("\n"));
    const { json } = await cli(["predict", model, join(images, "red", "0.png"), "--labels", names, "--json"]);
    expect(json.predictions[0].top[0].label).toMatch(/^name \d$/);
    await writeFile(names, "[1, 2]");
    expect(await cli(["predict", model, join(images, "red", "0.png"), "--labels", names])).toMatchObject({ code: 1 });
  });
});

describe("names that a file chooses", () => {
  test("cannot draw on the terminal, nor write lines of their own", async () => {
    const graph = tinyGraph();
    const evil = "input\u001b[2J\u202e\nerror  all is lost";
    const nodes = graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === "input" ? evil : name)),
    }));
    const file = join(await temporaryFolder(), "evil.onnx");
    const inputs = graph.inputs.map((info) => ({ ...info, name: evil, shape: ["n\u009b", ...info.shape!.slice(1)] }));
    await writeFile(file, saveGraph({ ...graph, nodes, inputs }));
    for (const args of [[], ["--json"]]) {
      const { code, stdout, stderr } = await cli(["inspect", file, "--graph", ...args]);
      expect(code).toBe(0);
      expect((stdout + stderr).replaceAll("\n", "")).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
      expect(stdout + stderr).not.toMatch(/^error/m);
    }
  });
});

describe("inspect and cache", () => {
  test("inspect shows where the model would be cut", async () => {
    const { json } = await cli(["inspect", model, "--json"]);
    expect(json).toMatchObject({
      cut: { value: "embedding", width: 8 },
      parameters: 690,
      operators: { Conv: 2, Gemm: 1 },
    });
    const { stdout } = await cli(["inspect", model, "--graph"]);
    expect(stdout).toMatch(/Gemm/);
    expect(stdout).toContain('cut         at "embedding" [batch, 8]: 8 features per image');
  });

  test("cache lists what training kept, and clears it", async () => {
    const { json } = await cli(["cache", "--json"]);
    expect(json).toMatchObject({
      folder: join(root, "cache", "features"),
      entries: expect.arrayContaining([
        expect.objectContaining({ about: expect.objectContaining({ backbone: "tiny.onnx" }) }),
      ]),
    });
    expect((await cli(["cache", "clear", "--json"])).json.freed).toBe(json.bytes);
    expect((await cli(["cache", "--json"])).json).toMatchObject({ bytes: 0, entries: [] });
  });
});

describe("help and --debug", () => {
  test("every command has a help page with its options and examples", async () => {
    for (const name of ["train", "evaluate", "predict", "inspect", "pull", "cache"]) {
      const { code, stdout } = await cli([name, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toContain(`Usage: rootstock ${name}`);
      expect(stdout).toContain("Examples:");
      expect(stdout).toContain("--json");
    }
    expect((await cli(["--help"])).stdout).toContain("predict");
    expect((await cli(["--version"])).stdout.trim()).toBe(JSON.parse(await readFile("package.json", "utf8")).version);
  });

  test("--debug shows the stack", async () => {
    expect((await cli(["inspect", "absent.onnx", "--debug"])).stderr).toMatch(/at .*load-model/);
    expect((await cli(["inspect", "absent.onnx"])).stderr).not.toMatch(/\n\s+at /);
  });
});

withAssets("on real files", () => {
  test("every photo and every messy file gets a prediction or a named error", async () => {
    const classifier = join(assets!, "models", "squeezenet1_1", "squeezenet1_1.onnx");
    const expected = JSON.parse(await readFile(join(assets!, "messy", "formats.expected.json"), "utf8"));
    const { code, json } = await cli([
      "predict",
      classifier,
      join(assets!, "photos"),
      join(assets!, "messy", "formats"),
      "--json",
    ]);
    expect(code).toBe(0);
    const seen = new Set(
      [...json.predictions, ...json.failed].map(({ file }: { file: string }) => file.split("/").at(-1)),
    );
    for (const [name, { strictDecode }] of Object.entries<{ strictDecode: string }>(expected)) {
      expect(seen).toContain(name);
      const failed = json.failed.some(({ file }: { file: string }) => file.endsWith(`/${name}`));
      if (name !== "drawing.svg") expect([name, failed]).toEqual([name, strictDecode !== "ok"]);
    }
  });
});

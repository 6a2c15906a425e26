/** The programs in examples/, run as a user runs them. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { describe, expect, onTestFinished, test } from "vitest";
import { ints } from "../src/graph/attributes.ts";
import { GraphBuilder } from "../src/graph/builder.ts";
import { saveGraph } from "../src/graph/save.ts";
import { joinChunks } from "../src/onnx/encode.ts";
import { type Rng, rng } from "../src/random.ts";
import { float32 } from "../src/tensor/tensor.ts";
import { assets, withAssets } from "./assets.ts";

const run = promisify(execFile);
const examples = fileURLToPath(new URL("../examples", import.meta.url));

/** Runs an example with a feature cache of its own and returns what it prints. */
async function runExample(name: string, args: readonly string[], cache: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join(examples, name), ...args], {
    env: { ...process.env, ROOTSTOCK_CACHE: cache },
  });
  return stdout;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rootstock-examples-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What fine-tune.mjs prints, in parts. */
function parts(printed: string): { accuracy: number; model: string; file: string; label: string; probability: number } {
  const accuracy =
    /^accuracy {2}([\d.]+) % on (?:validation|test) images \(95 % interval [\d.]+ % to [\d.]+ %\)$/m.exec(printed);
  const model = /^model {5}(.+)$/m.exec(printed);
  const example = /^example {3}(.+) → (.+) \(([\d.]+) %\)$/m.exec(printed);
  expect({ printed, accuracy, model, example }).toEqual({
    printed,
    accuracy: expect.anything(),
    model: expect.anything(),
    example: expect.anything(),
  });
  return {
    accuracy: Number(accuracy![1]) / 100,
    model: model![1]!,
    file: example![1]!,
    label: example![2]!,
    probability: Number(example![3]) / 100,
  };
}

/** Fine-tunes, then runs the exported file without Rootstock, and compares. */
async function expectAgreement(photos: string, pretrained: string, leastAccuracy: number): Promise<void> {
  const folder = await temporaryFolder();
  const cache = join(folder, "cache");
  const out = join(folder, "run");
  const tuned = parts(await runExample("fine-tune.mjs", [photos, pretrained, out], cache));
  expect(tuned.accuracy).toBeGreaterThanOrEqual(leastAccuracy);
  expect(tuned.model).toBe(`${out}/model.onnx`);
  const [label, probability] = (await runExample("run-exported-model.mjs", [out, tuned.file], cache)).trim().split(" ");
  expect(label).toBe(tuned.label);
  const byFile = await runExample("run-exported-model.mjs", [`${out}/model.onnx`, tuned.file], cache);
  expect(byFile.trim()).toBe(`${label} ${probability}`);
  // The example resizes with sharp, training as Pillow does.
  expect(Math.abs(Number(probability) - tuned.probability)).toBeLessThan(0.1);
}

/** A picture of noise around a color. */
async function writePicture(path: string, color: readonly [number, number, number], random: Rng): Promise<void> {
  const [width, height] = [56, 48];
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => color[i % 3]! + Math.floor(random.next() * 60),
  );
  await writeFile(
    path,
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

/** A network with random weights: one convolution, its average over the picture, one linear layer. */
function tinyNetwork(random: Rng): Uint8Array {
  const weights = (...shape: number[]) =>
    float32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5),
    );
  const b = new GraphBuilder("tiny");
  const image = b.input({ name: "image", dtype: "float32", shape: ["batch", 3, 32, 32] });
  const map = b.op("Relu", [
    b.op("Conv", [image, b.constant(weights(8, 3, 3, 3)), b.constant(weights(8))], { strides: ints([2, 2]) }),
  ]);
  const features = b.op("Flatten", [b.op("GlobalAveragePool", [map])]);
  b.named("Gemm", [features, b.constant(weights(8, 5)), b.constant(weights(5))], "scores");
  const preprocessing = {
    ...{ layout: "NCHW", channels: "RGB", resize_short: 36, crop: 32, scale: "1/255" },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  };
  return joinChunks(
    saveGraph(
      b.build([{ name: "scores", dtype: "float32", shape: ["batch", 5] }]),
      new Map([["preprocessing", JSON.stringify(preprocessing)]]),
    ),
  );
}

test("the examples train on a folder of images and run what was exported", async () => {
  const folder = await temporaryFolder();
  const random = rng(3);
  for (const [label, color] of [
    ["brick", [170, 60, 50]],
    ["sky", [60, 120, 190]],
  ] as const) {
    await mkdir(join(folder, "photos", label), { recursive: true });
    for (let i = 0; i < 15; i++) await writePicture(join(folder, "photos", label, `${i}.png`), color, random);
  }
  await writeFile(join(folder, "tiny.onnx"), tinyNetwork(random));
  await expectAgreement(join(folder, "photos"), join(folder, "tiny.onnx"), 1);
});

test.each([
  [[], /^Usage: node examples\/run-exported-model\.mjs/],
  [["nowhere", "a.png"], /^A complete run is required, got nowhere, which has no model\.onnx\.\n$/],
  [["nowhere/model.onnx", "a.png"], /^A complete run is required, got nowhere, /],
])("run-exported-model.mjs %j says what it needs", async (args, message) => {
  const { code, stderr } = await runExample("run-exported-model.mjs", args, tmpdir()).catch((error) => error);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
});

withAssets("with real photographs", () => {
  test("the examples reach the accuracy of a linear probe, and the exported file agrees", async () => {
    await expectAgreement(
      join(assets!, "datasets/hymenoptera"),
      join(assets!, "models/squeezenet1_1/squeezenet1_1.onnx"),
      0.88,
    );
  });
});

/** Whether this Node.js runs TypeScript: from 22.18 on, unless it is told not to. */
const stripsTypes = Boolean(Reflect.get(process.features, "typescript"));

/** What a program prints, as the last lines of its header say it. */
async function printedByHeader(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  const [, lines] = /It prints:\n \*\n(.*?) \*\//s.exec(text) ?? [];
  return lines!.replaceAll(/^ \* {3}/gm, "");
}

/** Compiles an example as a user of the package would, with this project's strictness, and returns where the program is. */
async function compileExample(name: string): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  const compilerOptions = {
    ...{ noEmit: false, allowImportingTsExtensions: false, rootDir: examples, outDir: folder },
    ...{ typeRoots: [resolve("node_modules/@types")], skipLibCheck: false }, // the package's own types are checked too
  };
  const config = { extends: resolve("tsconfig.json"), compilerOptions, include: [], files: [join(examples, name)] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await run(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", folder]);
  return join(folder, name.replace(/ts$/, "js"));
}

describe("gradient-of-a-graph.ts", () => {
  const name = "gradient-of-a-graph.ts";

  test("compiles against the public types, and prints what its header says", async () => {
    const { stdout } = await run(process.execPath, [await compileExample(name)]);
    expect(stdout).toBe(await printedByHeader(join(examples, name)));
  });

  test.runIf(stripsTypes)("runs as it is where Node.js strips types", async () => {
    const { stdout } = await run(process.execPath, [join(examples, name)]);
    expect(stdout).toBe(await printedByHeader(join(examples, name)));
  });
});

test("every example says how it is run, and is short", async () => {
  const files = (await readdir(examples)).filter((name) => /\.(mjs|ts)$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  for (const name of files) {
    const text = await readFile(join(examples, name), "utf8");
    expect(text.split("\n").some((line) => `${line} `.startsWith(` *   node examples/${name} `))).toBe(true);
    expect(text.split("\n").length).toBeLessThanOrEqual(60);
  }
});

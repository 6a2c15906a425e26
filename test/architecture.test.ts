/** The folders are the architecture: who may import what, and which file is tested where. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  globalFaults,
  importFaults,
  layerFaults,
  mirrorFaults,
  NODE_MODULE,
  type SourceFile,
  type UseRule,
} from "./checks/architecture.ts";
import { WITHOUT_MIRROR } from "./checks/without-mirror.ts";

/** Lowest row first. A folder imports itself and lower rows only; folders on one row do not import each other. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts", "random.ts", "json.ts", "version.ts"],
  ["tensor"],
  ["onnx"],
  ["graph"],
  ["autodiff", "runtime", "transforms"],
  ["weights", "data", "losses", "optim", "metrics"],
  ["models"],
  ["features", "export"],
  ["train"],
  ["detect", "search", "select", "explain"],
  ["report"],
  ["serve", "dashboard"],
  ["cli"],
  ["index.ts", "autodiff.ts"],
];

/** What runs in a browser unchanged: bytes come in from above. */
const BROWSER_SAFE = [
  ...LAYERS.slice(0, 5).flat(),
  "autodiff.ts",
  ...[
    "losses",
    "optim",
    "metrics",
    "models/head.ts",
    "models/backbone.ts",
    "models/architectures",
    "train/train-step.ts",
    "train/fit.ts",
  ],
];

const MODULE_RULES: readonly UseRule[] = [
  { pattern: NODE_MODULE, allowed: (path) => !isIn(BROWSER_SAFE)(path), place: "folders that no browser runs" },
  { pattern: /^(#ort|onnxruntime-.*)$/, allowed: isIn(["runtime/session.ts"]), place: "runtime/session.ts" },
  {
    pattern: /^sharp(\/.*)?$/,
    allowed: isIn(["data/decode.ts", "data/thumbnail.ts", "data/encode.ts"]),
    place: "data/decode.ts, data/thumbnail.ts and data/encode.ts",
  },
  { pattern: /^csv-parse(\/.*)?$/, allowed: isIn(["data/tables/table-rows.ts"]), place: "data/tables/table-rows.ts" },
  { pattern: /^undici(\/.*)?$/, allowed: isIn(["weights/request.ts"]), place: "weights/request.ts" },
  { pattern: /^(node:)?https?2?$/, allowed: isIn(["serve", "dashboard"]), place: "serve/ and dashboard/" },
  { pattern: /^(node:)?(process|console)$/, allowed: isIn(["cli"]), place: "cli/" },
];

const GLOBAL_RULES: readonly UseRule[] = [
  { pattern: /^(console|process\.(stdout|stderr))$/, allowed: isIn(["cli"]), place: "cli/" },
  {
    pattern: /^(Math\.random|Date\.now|new Date\(\))$/,
    allowed: isIn(["cli", "train/run-record.ts"]),
    place: "cli/ and train/run-record.ts",
  },
];

function isIn(places: readonly string[]): (path: string) => boolean {
  return (path) => places.some((place) => path === place || path.startsWith(`${place}/`));
}

function pathsOf(folder: string): string[] {
  return readdirSync(new URL(`../${folder}/`, import.meta.url), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"));
}

describe("src", () => {
  const sources: readonly SourceFile[] = pathsOf("src").map((path) => ({
    path,
    text: readFileSync(new URL(`../src/${path}`, import.meta.url), "utf8"),
  }));

  test("has files to check", () => {
    expect(sources.length).toBeGreaterThan(0);
  });

  test("imports only down the layer table", () => {
    expect(layerFaults(sources, LAYERS)).toEqual([]);
  });

  test("imports Node.js, ONNX Runtime, the image decoder and servers only where they belong", () => {
    expect(importFaults(sources, MODULE_RULES)).toEqual([]);
  });

  test("prints, and reads clocks and unseeded randomness, only where that belongs", () => {
    expect(globalFaults(sources, GLOBAL_RULES)).toEqual([]);
  });

  test("has a test at the mirrored path for every file that runs", () => {
    expect(mirrorFaults(sources, pathsOf("test"), WITHOUT_MIRROR)).toEqual([]);
  });
});

function file(path: string, text = ""): SourceFile {
  return { path, text };
}

describe("a violation is found", () => {
  test.each([
    ["upward", "tensor/tensor.ts", "../train/fit.ts"],
    ["sideways", "losses/a.ts", "../optim/sgd.ts"],
    ["from one top file to another", "errors.ts", "./random.ts"],
    ["of the public entry", "cli/main.ts", "../index.ts"],
    ["from outside src", "cli/main.ts", "../../package.json"],
    ["of a folder that is not in the table", "cli/main.ts", "../utils/a.ts"],
  ])("in an import %s", (_what, path, specifier) => {
    expect(layerFaults([file(path, `import "${specifier}";`)], LAYERS)).toEqual([
      `${path} must not import ${specifier}`,
    ]);
  });

  test("in a folder that is not in the table", () => {
    expect(layerFaults([file("utils/a.ts")], LAYERS)).toEqual(["utils (with utils/a.ts) is not in the layer table"]);
  });

  test.each([
    ["graph/load.ts", "node:fs"],
    ["graph/load.ts", "fs/promises"],
    ["transforms/a.ts", "node:path"],
    ["errors.ts", "node:util"],
    ["losses/a.ts", "node:util"],
    ["optim/a.ts", "node:util"],
    ["metrics/a.ts", "node:util"],
    ["models/head.ts", "node:fs"],
    ["models/backbone.ts", "node:fs"],
    ["train/train-step.ts", "node:os"],
    ["train/fit.ts", "node:os"],
    ["data/loader.ts", "onnxruntime-node"],
    ["cli/main.ts", "#ort"],
    ["runtime/pool.ts", "onnxruntime-common"],
    ["cli/main.ts", "onnxruntime-node/package.json"],
    ["data/loader.ts", "sharp"],
    ["weights/hub.ts", "node:http"],
    ["weights/hub.ts", "undici"],
    ["train/a.ts", "node:process"],
  ])("when %s imports %s", (path, module) => {
    expect(importFaults([file(path, `import type { A } from "${module}";`)], MODULE_RULES)).not.toEqual([]);
  });

  test.each([
    "console.log(1)",
    "f({ logger: console })",
    'process["stderr"].write("a")',
    "const { stdout } = process;",
    "f(Math.random)",
    "const t = Date.now();",
    "const t = new Date();",
  ])("when code outside cli/ says %s", (text) => {
    expect(globalFaults([file("train/fit.ts", text)], GLOBAL_RULES)).not.toEqual([]);
    expect(globalFaults([file("cli/output.ts", text)], GLOBAL_RULES)).toEqual([]);
  });

  test("when the run record prints, but not when it reads the clock", () => {
    const faults = (text: string) => globalFaults([file("train/run-record.ts", text)], GLOBAL_RULES);
    expect(faults("const t = [Date.now(), new Date()];")).toEqual([]);
    expect(faults("console.log(1)")).toEqual(["train/run-record.ts uses console, which is for cli/"]);
  });
});

test.each([
  ["data/image-folder.ts", "node:fs"],
  ["models/catalog.ts", "node:fs"],
  ["train/checkpoint.ts", "node:fs/promises"],
  ["runtime/session.ts", "#ort"],
  ["data/decode.ts", "sharp"],
  ["serve/server.ts", "node:http"],
  ["cli/output.ts", "node:process"],
  ["graph/load.ts", "./fs.ts"],
  ["graph/load.ts", "pathological"],
])("%s may import %s", (path, module) => {
  expect(importFaults([file(path, `import "${module}";`)], MODULE_RULES)).toEqual([]);
});

/** The folders are the architecture: who may import what, and which file is tested where. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  globalFaults,
  hasOnlyTypes,
  importFaults,
  layerFaults,
  type MirrorException,
  mirrorFaults,
  NODE_MODULE,
  type SourceFile,
  type UseRule,
} from "./checks/architecture.ts";

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
  ["index.ts"],
];

/** What runs in a browser unchanged: bytes come in from above. */
const BROWSER_SAFE = [
  ...LAYERS.slice(0, 5).flat(),
  ...["losses", "optim", "metrics", "models/head.ts", "models/backbone.ts", "train/train-step.ts", "train/fit.ts"],
];

const MODULE_RULES: readonly UseRule[] = [
  { pattern: NODE_MODULE, allowed: (path) => !isIn(BROWSER_SAFE)(path), place: "folders that no browser runs" },
  { pattern: /^(#ort|onnxruntime-.*)$/, allowed: isIn(["runtime/session.ts"]), place: "runtime/session.ts" },
  { pattern: /^sharp(\/.*)?$/, allowed: isIn(["data/decode.ts"]), place: "data/decode.ts" },
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

/** Files whose test is not at the mirrored path. A folder ends in "/". */
const WITHOUT_MIRROR: readonly MirrorException[] = [
  { path: "autodiff/rules/", testedBy: "autodiff/rules.test.ts", reason: "one table with a row for every rule" },
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

/** Every way to name a module. */
const FORMS = [
  (module: string) => `import { a } from "${module}";`,
  (module: string) => `import type { A } from "${module}";`,
  (module: string) => `import "${module}";`,
  (module: string) => `import {\n  a,\n  b,\n} from '${module}';`,
  (module: string) => `import * as all from "${module}";`,
  (module: string) => `export { a } from "${module}";`,
  (module: string) => `export * from "${module}";`,
  (module: string) => `const m = await import("${module}");`,
  (module: string) => `const m = await import(\`${module}\`);`,
  (module: string) => `type A = import("${module}").A;`,
  (module: string) => `const m = require("${module}");`,
  (module: string) => `import m = require("${module}");`,
];

describe("the layer check", () => {
  test.each(FORMS.map((form) => form("../train/fit.ts")))("finds an upward import in %s", (text) => {
    expect(layerFaults([file("tensor/tensor.ts", text)], LAYERS)).toEqual([
      "tensor/tensor.ts must not import ../train/fit.ts",
    ]);
  });

  test("allows imports down and within a folder, and modules from outside", () => {
    const text = 'import "../tensor/tensor.ts"; import "./deep/a.ts"; import "../../errors.ts"; import "zod";';
    expect(layerFaults([file("graph/graph.ts", text.replace("../../", "../"))], LAYERS)).toEqual([]);
    expect(layerFaults([file("autodiff/rules/a.ts", 'import "../../errors.ts"; import "../b.ts";')], LAYERS)).toEqual(
      [],
    );
  });

  test.each([
    ["sideways", "losses/a.ts", "../optim/sgd.ts"],
    ["from one top file to another", "errors.ts", "./random.ts"],
    ["of the public entry", "cli/main.ts", "../index.ts"],
    ["from outside src", "cli/main.ts", "../../package.json"],
    ["of a folder that is not in the table", "cli/main.ts", "../utils/a.ts"],
  ])("finds an import %s", (_what, path, specifier) => {
    expect(layerFaults([file(path, `import "${specifier}";`)], LAYERS)).toEqual([
      `${path} must not import ${specifier}`,
    ]);
  });

  test("finds a folder that is not in the table", () => {
    expect(layerFaults([file("utils/a.ts")], LAYERS)).toEqual(["utils (with utils/a.ts) is not in the layer table"]);
  });

  test("does not read comments and strings", () => {
    const text = `/** import "../cli/a.ts" */ // import "../cli/b.ts"\nconst s = 'import "../cli/c.ts"'; const r = /"/g;`;
    expect(layerFaults([file("tensor/a.ts", text)], LAYERS)).toEqual([]);
  });
});

describe("the check of modules", () => {
  const faults = (path: string, module: string) =>
    FORMS.flatMap((form) => importFaults([file(path, form(module))], MODULE_RULES));

  test.each([
    ["graph/load.ts", "node:fs"],
    ["graph/load.ts", "fs/promises"],
    ["transforms/a.ts", "node:path"],
    ["models/head.ts", "node:fs"],
    ["train/fit.ts", "node:os"],
    ["data/loader.ts", "onnxruntime-node"],
    ["cli/main.ts", "#ort"],
    ["runtime/pool.ts", "onnxruntime-common"],
    ["data/loader.ts", "sharp"],
    ["weights/hub.ts", "node:http"],
    ["train/a.ts", "node:process"],
  ])("finds in %s every form of importing %s", (path, module) => {
    expect(faults(path, module)).toHaveLength(FORMS.length);
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
  ])("lets %s import %s", (path, module) => {
    expect(faults(path, module)).toEqual([]);
  });
});

describe("the check of globals", () => {
  const faults = (path: string, text: string) => globalFaults([file(path, text)], GLOBAL_RULES);

  test.each([
    "console.log(1)",
    "globalThis.console.error(1)",
    "const log = console.log;",
    "f({ logger: console })",
    "f({ console })",
    'process.stdout.write("a")',
    'process["stderr"].write("a")',
    "const { stdout } = process;",
    "const x = Math.random();",
    "f(Math.random)",
    "const { random } = Math;",
    "const t = Date.now();",
    "const t = new Date();",
  ])("finds %s", (text) => {
    expect(faults("train/fit.ts", text)).not.toEqual([]);
    expect(faults("cli/output.ts", text)).toEqual([]);
  });

  test("allows the clock in the run record, and no printing", () => {
    expect(faults("train/run-record.ts", "const t = [Date.now(), new Date()];")).toEqual([]);
    expect(faults("train/run-record.ts", "console.log(1)")).toEqual([
      "train/run-record.ts uses console, which is for cli/",
    ]);
  });

  test.each([
    "// console.log(1)",
    'const text = "Math.random()";',
    "view.console.log(1)",
    "const options = { console: 1 };",
    "const t = new Date(0);",
    "source.random()",
    "process.env.HOME",
  ])("lets %s be", (text) => {
    expect(faults("train/fit.ts", text)).toEqual([]);
  });
});

describe("the check of mirrored tests", () => {
  const code = "export const a = 1;";

  test("finds a file without a test", () => {
    expect(mirrorFaults([file("a/b.ts", code), file("a/c.ts", code)], ["a/b.test.ts"], [])).toEqual([
      "src/a/c.ts needs test/a/c.test.ts",
    ]);
  });

  test("asks for none for generated files, the public entry, and types", () => {
    const types = 'import type { B } from "b"; export interface A extends B {} export type { B }; type C = A;';
    const files = [file("onnx/onnx-pb.ts", code), file("index.ts", code), file("a/types.ts", types)];
    expect(mirrorFaults(files, [], [])).toEqual([]);
    expect(hasOnlyTypes(`${types} export const a = 1;`)).toBe(false);
    expect(hasOnlyTypes(`${types} import "./effect.ts";`)).toBe(false);
    expect(hasOnlyTypes(`${types} export function f() {}`)).toBe(false);
  });

  test("accepts an exception and refuses one that is not needed or names no test", () => {
    const exception = { path: "a/", testedBy: "a.test.ts", reason: "a table" };
    const tested = [file("a/b.ts", code)];
    expect(mirrorFaults(tested, ["a.test.ts"], [exception])).toEqual([]);
    expect(mirrorFaults(tested, ["a.test.ts", "a/b.test.ts"], [exception])).toEqual([
      "the exception for a/ is not needed",
    ]);
    expect(mirrorFaults(tested, [], [exception])).toEqual([
      "the exception for a/ names test/a.test.ts, which does not exist",
    ]);
  });
});

/** The folders are the architecture: who may import what, and which file is tested where. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  globalFaults,
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

/** Files whose test is not at the mirrored path. A folder ends in "/". */
const WITHOUT_MIRROR: readonly MirrorException[] = [
  ...["file", "folder", "look", "duplicate"].map((name) => ({
    path: `data/check/${name}-findings.ts`,
    testedBy: "data/check/check-dataset.test.ts",
    reason: "one report in parts, run on folders with every defect",
  })),
  {
    path: "train/check/check-pretraining-shift.ts",
    testedBy: "train/check/check-features.test.ts",
    reason: "statistics of real networks on real images",
  },
  { path: "train/check/look.ts", testedBy: "train/fine-tune.test.ts", reason: "what a run says of its checks" },
  {
    path: "train/checkpoints/checkpoint-file.ts",
    testedBy: "train/checkpoints/checkpoint-store.test.ts",
    reason: "what the store writes and reads",
  },
  ...[
    ["classified-samples", "classification"],
    ["decisions", "classification"],
    ["log-loss", "classification"],
    ["labelled-samples", "multi-label"],
    ["measured-values", "regression"],
    ["evaluation", "compare"],
    ["measures", "compare"],
  ].map(([file, test]) => ({
    path: `metrics/${file}.ts`,
    testedBy: `metrics/${test}.test.ts`,
    reason: "a part of what is measured there against reference values",
  })),
  ...["head", "objective", "targets"].map((part) => ({
    path: `train/probe/probe-${part}.ts`,
    testedBy: "train/probe/probe.test.ts",
    reason: "parts of the probe, run as a whole against scikit-learn",
  })),
  ...["options", "run"].map((name) => ({
    path: `train/${name}.ts`,
    testedBy: "train/fine-tune.test.ts",
    reason: "types, and a line that a whole run needs",
  })),
  { path: "cli/tta-option.ts", testedBy: "cli/commands.test.ts", reason: "run with the commands that have it" },
  { path: "data/thread-pool.ts", testedBy: "data/loader.test.ts", reason: "starts what the loader's tests run" },
  {
    path: "data/check/hash-index.ts",
    testedBy: "data/check/near-duplicates.test.ts",
    reason: "that pairs are found like one by one is tested there",
  },
  { path: "data/check/scan-worker.ts", testedBy: "data/check/scan-files.test.ts", reason: "runs in a thread" },
  ...[
    ["geometric/affine.ts", "geometric/geometric-table.test.ts"],
    ["geometric/flip.ts", "geometric/geometric-table.test.ts"],
    ["geometric/perspective.ts", "geometric/geometric-table.test.ts"],
    ["geometric/geometric-draw.ts", "geometric/geometric-table.test.ts"],
    ["geometric/crop-image.ts", "geometric/crop.test.ts"],
    ["geometric/flip-image.ts", "geometric/crop.test.ts"],
    ["geometric/geometric-schema.ts", "augmentation-schema.test.ts"],
    ["steps.ts", "compose.test.ts"],
    ["keras/keras-affine.ts", "keras/image-data-generator.test.ts"],
    ["keras/keras-apply.ts", "keras/image-data-generator.test.ts"],
    ["keras/float-warp.ts", "keras/image-data-generator.test.ts"],
    ["keras/float-pixels.ts", "keras/image-data-generator.test.ts"],
    ["keras/generator-arguments.ts", "keras/image-data-generator.test.ts"],
    ["pixels/hue-kernels.ts", "pixels/pixel-passes.test.ts"],
    ["pixels/pixel-kernels.ts", "pixels/pixel-passes.test.ts"],
    ["resampling/resize-kernels.ts", "resampling/resize-fast.test.ts"],
    ["resampling/resize-portable.ts", "resampling/resize-fast.test.ts"],
  ].map(([file, test]) => ({
    path: `transforms/${file}`,
    testedBy: `transforms/${test}`,
    reason: "a part of what that test runs as a whole, with a row for every transform or argument",
  })),
  {
    path: "autodiff/composites/",
    testedBy: "autodiff/composites.test.ts",
    reason: "patterns and the pass that looks for them",
  },
  {
    path: "autodiff/gradient-operators.ts",
    testedBy: "autodiff/lowering/lower.test.ts",
    reason: "what lowering replaces",
  },
  {
    path: "autodiff/lowering/fast/",
    testedBy: "autodiff/lowering/fast/lower-fast.test.ts",
    reason: "one pass over the graph in parts, run against the portable lowering and loops",
  },
  {
    path: "autodiff/lowering/window.ts",
    testedBy: "autodiff/lowering/max-pool-grad.test.ts",
    reason: "cropping and padding that every lowering uses",
  },
  { path: "autodiff/rules/", testedBy: "autodiff/rules.test.ts", reason: "one table with a row for every rule" },
  { path: "autodiff/rule.ts", testedBy: "autodiff/rules.test.ts", reason: "constructors of the rules in the table" },
  {
    path: "cli/bin.ts",
    testedBy: "cli/interruption.test.ts",
    reason: "the process around main, tested by starting it",
  },
  { path: "cli/command.ts", testedBy: "cli/commands.test.ts", reason: "help pages of the real commands" },
  { path: "cli/commands/", testedBy: "cli/commands.test.ts", reason: "commands are tested through the command line" },
  { path: "cli/main.ts", testedBy: "cli/commands.test.ts", reason: "the command line itself" },
  { path: "cli/open-model.ts", testedBy: "cli/commands.test.ts", reason: "opens the model of every command" },
  { path: "cli/read-labels.ts", testedBy: "cli/commands.test.ts", reason: "an option of predict" },
  { path: "cli/report-dataset.ts", testedBy: "cli/commands.test.ts", reason: "lines that commands print" },
  { path: "cli/session-options.ts", testedBy: "cli/commands.test.ts", reason: "options of several commands" },
  { path: "cli/summary.ts", testedBy: "cli/commands.test.ts", reason: "lines that commands print" },
  { path: "export/verify.ts", testedBy: "export/export-model.test.ts", reason: "the gate of every export" },
  { path: "graph/attributes.ts", testedBy: "graph/load-save.test.ts", reason: "read and written with graphs" },
  { path: "graph/fold-arithmetic.ts", testedBy: "graph/fold.test.ts", reason: "kernels of folding" },
  { path: "graph/fold-kernels.ts", testedBy: "graph/fold.test.ts", reason: "kernels of folding" },
  { path: "graph/graph.ts", testedBy: "graph/print.test.ts", reason: "types, and two formats that printing uses" },
  { path: "graph/int64.ts", testedBy: "graph/fold.test.ts", reason: "arithmetic of the kernels" },
  { path: "graph/load.ts", testedBy: "graph/load-save.test.ts", reason: "loading and saving are one round trip" },
  { path: "graph/save.ts", testedBy: "graph/load-save.test.ts", reason: "loading and saving are one round trip" },
  { path: "graph/shape-rules/", testedBy: "graph/infer-types.test.ts", reason: "one table with calls of every rule" },
  { path: "graph/strided.ts", testedBy: "graph/fold.test.ts", reason: "indexing of the kernels" },
  { path: "graph/upgrade-rules.ts", testedBy: "graph/upgrade.test.ts", reason: "the table that upgrading reads" },
  {
    path: "models/catalog/",
    testedBy: "models/catalog.test.ts",
    reason: "records that the catalog's test reads one by one",
  },
  { path: "models/channel-arithmetic.ts", testedBy: "models/fold-batch-norm.test.ts", reason: "arithmetic of folding" },
  { path: "models/find-preprocessing.ts", testedBy: "models/load-model.test.ts", reason: "a part of loading" },
  { path: "models/hugging-face.ts", testedBy: "models/preprocessing.test.ts", reason: "one of the forms it reads" },
  {
    path: "models/identify-architecture.ts",
    testedBy: "models/load-weights.test.ts",
    reason: "what files of weights are loaded into",
  },
  {
    path: "models/importers/layers/",
    testedBy: "models/importers/layers.test.ts",
    reason: "one table with recorded models of every layer",
  },
  {
    path: "models/importers/import-graph.ts",
    testedBy: "models/importers/layers.test.ts",
    reason: "builds every recorded model",
  },
  {
    path: "models/importers/keras-tensor.ts",
    testedBy: "models/importers/layers.test.ts",
    reason: "layouts that layers pass on",
  },
  {
    path: "models/importers/layer-rule.ts",
    testedBy: "models/importers/layers.test.ts",
    reason: "constructors of the rules in the table",
  },
  { path: "models/importers/permute.ts", testedBy: "models/importers/layers.test.ts", reason: "layouts of kernels" },
  {
    path: "models/importers/windows.ts",
    testedBy: "models/importers/layers.test.ts",
    reason: "padding of convolutions and pooling",
  },
  {
    path: "models/importers/keras-calls.ts",
    testedBy: "models/importers/keras-config.test.ts",
    reason: "one of the parts of a configuration",
  },
  { path: "models/layout.ts", testedBy: "models/stages.test.ts", reason: "reads maps in both layouts for stages" },
  { path: "models/named-tensors.ts", testedBy: "models/load-weights.test.ts", reason: "names and layouts of weights" },
  { path: "models/read-onnx.ts", testedBy: "models/load-model.test.ts", reason: "one of the formats that are loaded" },
  { path: "models/record.ts", testedBy: "models/preprocessing.test.ts", reason: "the check behind every form" },
  { path: "onnx/attribute-kind.ts", testedBy: "graph/load-save.test.ts", reason: "numbers of the file format" },
  {
    path: "optim/kernels.ts",
    testedBy: "optim/elementwise.test.ts",
    reason: "generated from kernels.wat, which the test assembles again",
  },
  { path: "tensor/dtype.ts", testedBy: "tensor/tensor.test.ts", reason: "names of element types and their arrays" },
  { path: "train/data-rows.ts", testedBy: "train/unfreeze-network.test.ts", reason: "one run over both ways to read" },
  { path: "train/step-task.ts", testedBy: "train/step-thread.test.ts", reason: "what passes between the threads" },
  { path: "train/step-worker.ts", testedBy: "train/step-thread.test.ts", reason: "runs in the thread that is tested" },
  {
    path: "train/train-network.ts",
    testedBy: "train/unfreeze-network.test.ts",
    reason: "what a run with unfrozen layers does",
  },
  { path: "version.ts", testedBy: "train/run-record.test.ts", reason: "one constant, compared with package.json" },
  { path: "weights/hdf5-cursor.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  { path: "weights/hdf5-data.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  { path: "weights/hdf5-fractal-heap.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  { path: "weights/hdf5-header.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  { path: "weights/hdf5-links.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  { path: "weights/hdf5-types.ts", testedBy: "weights/hdf5.test.ts", reason: "parts of one format" },
  {
    path: "weights/numpy-pickle.ts",
    testedBy: "weights/torch-pickle.test.ts",
    reason: "what the pickle machine reads into",
  },
  {
    path: "weights/pickle-reader.ts",
    testedBy: "weights/torch-pickle.test.ts",
    reason: "what the pickle machine reads into",
  },
  {
    path: "weights/torch-calls.ts",
    testedBy: "weights/torch-pickle.test.ts",
    reason: "what the pickle machine reads into",
  },
  {
    path: "weights/torch-values.ts",
    testedBy: "weights/torch-pickle.test.ts",
    reason: "what the pickle machine reads into",
  },
  { path: "weights/torch-source.ts", testedBy: "weights/torch-zip.test.ts", reason: "what both containers share" },
  { path: "weights/torch-tensor.ts", testedBy: "weights/torch-zip.test.ts", reason: "what both containers share" },
  {
    path: "weights/byte-source.ts",
    testedBy: "weights/file-source.test.ts",
    reason: "files, parts and memory give the same bytes",
  },
  {
    path: "weights/sniff-weights.ts",
    testedBy: "weights/open-weights.test.ts",
    reason: "what opening says and returns",
  },
  {
    path: "weights/tensor-source.ts",
    testedBy: "weights/open-weights.test.ts",
    reason: "what opening says and returns",
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

/**
 * Compares training steps of Rootstock with PyTorch's on this machine, and prints one row of a Markdown table per
 * network and part that trains. See bench/README.md.
 *
 *   (no command)  makes the networks, measures both sides in turn, checks that they compute the same, prints the table
 *   measure       one row of Rootstock in this process, its result as one line of JSON; the program calls itself so
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GraphBuilder } from "../dist/graph/builder.js";
import { loadModel } from "../dist/index.js";
import { crossEntropy } from "../dist/losses/cross-entropy.js";
import { classTargets } from "../dist/losses/targets.js";
import { backboneGraph, FEATURES, findCut } from "../dist/models/backbone.js";
import { withBatchNorm } from "../dist/models/batch-norm.js";
import { HEAD, headGraph } from "../dist/models/head.js";
import { START, trainableGraph } from "../dist/models/trainable-graph.js";
import { trainingForm } from "../dist/models/training-form.js";
import { unfreeze } from "../dist/models/unfreeze.js";
import { sgd } from "../dist/optim/sgd.js";
import { runtimeVersion, Session } from "../dist/runtime/session.js";
import { float32 } from "../dist/tensor/tensor.js";
import { TrainStep } from "../dist/train/train-step.js";
import { load, median, show } from "./numbers.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "2" },
    threads: { type: "string", default: "2" },
    batch: { type: "string", default: "16" },
    steps: { type: "string" },
    only: { type: "string", default: "" },
    "batch-norm": { type: "string", default: "folded" },
    work: { type: "string" },
    network: { type: "string" },
    row: { type: "string" },
  },
});
const self = fileURLToPath(import.meta.url);
const peer = fileURLToPath(new URL("peers/training.py", import.meta.url));
const NUM_CLASSES = 10;
const LEARNING_RATE = 1e-3;
/** Steps at the start of a process that are not counted. */
const WARM_UP = 2;
/** Largest relative difference between the losses of both sides. */
const SAME_LOSS = 5e-4;

const titles = { resnet50: "ResNet-50", mobilenetv2: "MobileNetV2", "vit-tiny": "ViT-tiny" };
const parts = {
  head: "head, frozen network every step",
  last: "last stage, frozen part every step",
  cached: "last stage, features in memory",
  full: "everything",
};
/** Steps that are counted in each process: a few seconds of either side. */
const plan = [
  { network: "resnet50", row: "head", steps: 10 },
  { network: "resnet50", row: "last", steps: 7 },
  { network: "resnet50", row: "cached", steps: 14 },
  { network: "resnet50", row: "full", steps: 4 },
  { network: "mobilenetv2", row: "head", steps: 25 },
  { network: "mobilenetv2", row: "last", steps: 20 },
  { network: "mobilenetv2", row: "cached", steps: 40 },
  { network: "mobilenetv2", row: "full", steps: 10 },
  { network: "vit-tiny", row: "full", steps: 7 },
];

if (positionals[0] === "measure") console.log(JSON.stringify(await measure()));
else compare();

/** One row of Rootstock: from the file to sessions, then steps with the update of the parameters. */
async function measure() {
  const [batch, threads, steps] = [Number(options.batch), Number(options.threads), Number(options.steps)];
  const { row, network, work } = options;
  const pixels = float32([batch, 3, 224, 224], floats(join(work, "pixels.f32")));
  const labels = classTargets(Array.from({ length: batch }, (_, i) => i % NUM_CLASSES));
  const headValues = floats(join(work, `${network}.head.f32`));
  const began = performance.now();
  const { prefix, trained, imageName } = await splitNetwork(row, join(work, `${network}.onnx`), headValues);
  const session = prefix && row !== "cached" ? await Session.create(prefix, { threads }) : undefined;
  const step = await TrainStep.create({
    ...trained,
    loss: crossEntropy(),
    optimizer: sgd({ momentum: 0.9 }),
    numClasses: NUM_CLASSES,
    batchSize: batch,
    session: { threads },
  });
  const compile = (performance.now() - began) / 1000;
  const given = row === "cached" ? floats(join(work, `${network}.last.f32`)) : pixels.data;
  const [seconds, losses] = [[], []];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    const samples = session ? (await session.run({ [imageName]: pixels }))[prefix.outputs[0].name].data : given;
    losses.push(await step.run(samples, labels, LEARNING_RATE));
    seconds.push((performance.now() - start) / 1000);
  }
  const parameters = [...trained.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
  const versions = { node: process.version, onnxruntime: runtimeVersion() };
  await step[Symbol.asyncDispose]();
  await session?.release();
  return { seconds, losses, parameters, peak, compile, estimate: step.memory.activations / 2 ** 20, versions };
}

/** The frozen part, and what TrainStep needs of the other. */
async function splitNetwork(row, path, headValues) {
  const model = await loadModel(path);
  const backbone = trainingForm(backboneGraph(model.graph, findCut(model.graph)), [224, 224]);
  const width = backbone.outputs[0].shape[1];
  const imageName = backbone.inputs[0].name;
  const size = { width, numClasses: NUM_CLASSES };
  const head = new Map([
    [HEAD.weight, float32([NUM_CLASSES, width], headValues.slice(0, NUM_CLASSES * width))],
    [HEAD.bias, float32([NUM_CLASSES], headValues.slice(NUM_CLASSES * width))],
  ]);
  if (row === "head")
    return { prefix: backbone, trained: { forward: headGraph(size), input: FEATURES, parameters: head }, imageName };
  const split = trainableGraph(backbone, unfreeze(backbone, row === "full" ? "all" : "last"));
  const { training, evaluation, parameters } = withBatchNorm(split, "freeze");
  const withHead = (suffix) => {
    const b = new GraphBuilder("network", suffix);
    b.append(headGraph(size));
    return b.build([{ name: HEAD.logits, dtype: "float32", shape: ["batch", NUM_CLASSES] }]);
  };
  const trained = {
    forward: withHead(evaluation),
    training: withHead(training),
    input: START,
    parameters: new Map([...parameters, ...head]),
  };
  return { prefix: split.prefix, trained, imageName };
}

/** Measures every row, both sides in turn, and prints the table. */
function compare() {
  const began = performance.now();
  const loadAtStart = load();
  const work = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
  const rows = plan.filter(({ network, row }) => `${network} ${row}`.includes(options.only));
  const shared = ["--work", work, "--batch", options.batch, "--threads", options.threads];
  try {
    const networks = [...new Set(rows.map(({ network }) => network))].join(",");
    const prepare = ["prepare", ...shared, "--networks", networks, "--batch-norm", options["batch-norm"]];
    const versions = run(options.python, [peer, ...prepare]);
    const sides = [
      (args) => run(process.execPath, [self, "measure", ...args]),
      (args) => run(options.python, [peer, "measure", ...args]),
      (args) => run(options.python, [peer, "measure", ...args, "--channels-last"]),
    ];
    const results = new Map(rows.map((row) => [row, sides.map(() => [])]));
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [row, lists] of results) {
        const steps = String(WARM_UP + Number(options.steps ?? row.steps));
        const args = [...shared, "--network", row.network, "--row", row.row, "--steps", steps];
        for (const [i, side] of sides.entries()) lists[i].push(side(args));
        if (round === 0) agree(row, lists);
      }
    }
    describe({ ...versions, ...[...results.values()][0][0][0].versions }, loadAtStart);
    for (const line of table(results)) console.log(line);
    const minutes = ((performance.now() - began) / 60000).toFixed(1);
    console.log(`\nTook ${minutes} minutes; load average ${load()} at the end`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Ends the program unless both sides have the same loss: the second too where they train the same numbers. Later ones
 * say little: with random weights, rounding alone moves the third by 1e-3, within PyTorch too (float32 and float64).
 */
function agree({ network, row }, [[own], [nchw], [last]]) {
  const same = own.parameters === nchw.parameters;
  const compared = same ? [0, 1] : [0];
  const text = (losses) => compared.map((i) => losses[i].toFixed(5)).join(" ");
  const counts = `${own.parameters} and ${nchw.parameters} parameters`;
  console.error(`check: ${network} ${row}: loss ${text(own.losses)} and ${text(nchw.losses)}; ${counts}`);
  for (const other of [nchw, last])
    for (const i of compared)
      if (!(Math.abs(own.losses[i] / other.losses[i] - 1) <= SAME_LOSS)) throw new Error("the losses differ");
}

function* table(results) {
  yield "| network | trains | Rootstock, images/s | PyTorch | PyTorch channels_last | Rootstock is faster by | peak memory, MiB | compiling, s |";
  yield "|---|---|--:|--:|--:|--:|--:|--:|";
  for (const [{ network, row }, lists] of results) {
    const batch = Number(options.batch);
    const speeds = lists.map((list) => list.flatMap(({ seconds }) => seconds.slice(WARM_UP)).map((s) => batch / s));
    const best = speeds.map((list) => Math.max(...list));
    const cells = speeds.map((list, i) => `${show(best[i])} (${show(median(list))})`);
    const ratio = best[0] / Math.max(best[1], best[2]);
    const peaks = lists.map((list) => Math.max(...list.map(({ peak }) => peak)).toFixed(0));
    const compile = Math.min(...lists[0].map((result) => result.compile)).toFixed(2);
    yield `| ${titles[network]} | ${parts[row]} | ${cells.join(" | ")} | ${ratio.toFixed(2)} × | ${peaks.join(" / ")} | ${compile} |`;
  }
}

function describe({ node, onnxruntime, python, torch, torchvision, timm }, loadAtStart) {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const vision = `torchvision ${torchvision}${timm ? `, timm ${timm}` : ""}`;
  const given = process.argv.slice(2).filter((arg) => !arg.includes("/"));
  const lines = [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${cpus().length} × ${cpu.model}, ${memory} GiB, ${process.platform} ${process.arch}, ${options.threads} threads; load average ${loadAtStart} at the start`,
    `Versions: Node.js ${node}, onnxruntime-node ${onnxruntime}; Python ${python}, PyTorch ${torch}, ${vision}`,
    `Batch ${options.batch}, 224x224; batch normalization ${options["batch-norm"]} in the files; best of ${options.rounds} rounds, median of all steps in brackets`,
    `Command: node ${relative(process.cwd(), self)} ${given.join(" ").replace("--python", "--python <python>")}`,
  ];
  for (const line of lines) console.log(`- ${line}`);
  console.log("");
  if (Number(loadAtStart) > 0.5) console.error("warning: the machine is busy; these numbers are not to be kept");
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)); // exporters print too
}

function floats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

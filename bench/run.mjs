/**
 * Compares Rootstock with PyTorch on this machine: checks that both compute the same, then measures them in turn, and
 * prints one row of a Markdown table per measurement. See bench/README.md.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load, median, show } from "./numbers.mjs";

const { values: options } = parseArgs({
  options: {
    mobilenet: { type: "string" },
    squeezenet: { type: "string" },
    images: { type: "string" },
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: String(cpus().length) },
    runs: { type: "string", default: "20" },
    only: { type: "string", default: "" },
  },
});
const { mobilenet, squeezenet, images } = options;
if (!mobilenet || !squeezenet || !images) {
  console.error("Usage: node bench/run.mjs --mobilenet <file.onnx> --squeezenet <file.onnx> --images <folder>");
  process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "rootstock-bench-"));
const models = { squeezenet, mobilenet };
const titles = { squeezenet: "SqueezeNet 1.1", mobilenet: "MobileNetV2 1.0" };

/** Largest allowed difference from the peer, relative to the root mean square of our own values. */
const SAME_INPUT = 1e-3;
/** Between photographs that were decoded by two libraries and resized by two programs. */
const SAME_PHOTO = 0.05;
const SAME_LOSS = 0.02;

/** Two ways to write each side of the comparison in PyTorch; Rootstock is compared with the faster one. */
const networkPeers = [
  { label: "", flags: [] },
  { label: "channels_last: ", flags: ["--channels-last"] },
];
const headPeers = [
  { label: "by index: ", flags: [] },
  { label: "DataLoader: ", flags: ["--loader"] },
];
const loadAtStart = load();
const measurements = [
  ...Object.keys(models).flatMap((name) => [
    { id: `extract ${name}`, title: `${titles[name]}: JPEG files to features`, command: "extract", name },
    { id: `forward ${name}`, title: `${titles[name]}: network alone, batch 16`, command: "forward", name },
  ]),
  { id: "head photos", title: "head, 244 × 1280, 2 classes, 50 epochs", command: "head", name: "mobilenet-photos" },
  { id: "head clusters", title: "head, 5000 × 1280, 10 classes, 10 epochs", command: "head", name: "clusters" },
].filter(({ id }) => id.includes(options.only));

try {
  const versions = compare();
  describe(versions);
  console.log("| measurement | unit | Rootstock | PyTorch | PyTorch, second way | Rootstock is faster by |");
  console.log("|---|---|--:|--:|--:|--:|");
  for (const measurement of measurements) console.log(row(measurement));
  console.log(`\nLoad average at the end: ${load()}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Prepares the peer's files, and ends the program unless both sides agree. */
function compare() {
  const versions = {};
  for (const [name, model] of Object.entries(models)) {
    Object.assign(versions, ours("prepare", name, ["--model", model]));
    Object.assign(versions, theirs("check", name, []));
    agree(name, "waves", SAME_INPUT);
    agree(name, "photos", SAME_PHOTO);
  }
  for (const name of ["mobilenet-photos", "clusters"]) {
    const [a, b] = [ours("head", name, []), theirs("head", name, [])];
    console.error(`check: head on ${name}: validation loss ${a.loss.toFixed(4)} and ${b.loss.toFixed(4)}`);
    if (a.steps !== b.steps || !(Math.abs(a.loss - b.loss) <= SAME_LOSS)) throw new Error(`${name}: the heads differ`);
  }
  return versions;
}

function agree(name, what, tolerance) {
  const [a, b] = [read(`${name}.${what}.f32`), read(`${name}.${what}.peer.f32`)];
  if (a.length !== b.length) throw new Error(`${name} ${what}: ${a.length} and ${b.length} values`);
  const scale = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0) / a.length);
  const differences = a.map((x, i) => Math.abs(x - b[i]) / scale).sort();
  const [typical, worst] = [differences[Math.floor(a.length * 0.99)], differences.at(-1)];
  console.error(
    `check: ${name} ${what}: difference / rms: 99 % below ${typical.toExponential(1)}, worst ${worst.toExponential(1)}`,
  );
  if (!(typical <= tolerance)) throw new Error(`${name} ${what}: the networks differ`);
}

function row({ title, command, name }) {
  const isHead = command === "head";
  const peers = isHead ? headPeers : networkPeers;
  const results = [[], [], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    const model = models[name] === undefined ? [] : ["--model", models[name]];
    results[0].push(ours(command, name, model));
    for (const [i, { flags }] of peers.entries()) results[i + 1].push(theirs(command, name, flags));
  }
  const values = results.map((list) => list.map(({ seconds, images: count }) => (isHead ? seconds : count / seconds)));
  const [own, ...others] = values.map(median);
  const ratio = isHead ? Math.min(...others) / own : own / Math.max(...others);
  const cells = values.map((list, i) => {
    const label = i === 0 ? "" : peers[i - 1].label;
    return `${label}${show(median(list))} (${show(Math.min(...list))}–${show(Math.max(...list))})`;
  });
  return `| ${title} | ${isHead ? "s" : "images/s"} | ${cells.join(" | ")} | ${ratio.toFixed(2)} × |`;
}

function ours(command, name, flags) {
  return run(process.execPath, [join(here, "features.mjs"), command, "--name", name, ...common(), ...flags]);
}

function theirs(command, name, flags) {
  return run(options.python, [join(here, "peers/features.py"), command, "--name", name, ...common(), ...flags]);
}

function common() {
  return ["--work", work, "--images", images, "--threads", options.threads, "--runs", options.runs];
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout);
}

function describe(versions) {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const sharp = JSON.parse(readFileSync(join(here, "../node_modules/sharp/package.json"), "utf8")).version;
  const { node, onnxruntime, python, torch, pillow, numpy } = versions;
  const lines = [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${cpus().length} × ${cpu.model}, ${memory} GiB, ${process.platform} ${process.arch}, ${options.threads} threads; load average ${loadAtStart} at the start`,
    `Versions: Node.js ${node}, onnxruntime-node ${onnxruntime}, sharp ${sharp}; Python ${python}, PyTorch ${torch}, Pillow ${pillow}, NumPy ${numpy}`,
    `Command: node ${relative(process.cwd(), join(here, "run.mjs"))} --mobilenet <file> --squeezenet <file> --images <folder> --rounds ${options.rounds} --runs ${options.runs}`,
  ];
  for (const line of lines) console.log(`- ${line}`);
  console.log("");
  if (Number(loadAtStart) > 0.5) console.error("warning: the machine is busy; these numbers are not to be kept");
}

function read(name) {
  const bytes = readFileSync(join(work, name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

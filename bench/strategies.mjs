/**
 * Runs the strategies of fine-tuning with the same recipe in Rootstock and in PyTorch, and prints two Markdown tables:
 * what both reach, and how long they take. See --help and bench/README.md.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { labelsOf } from "../dist/data/sample.js";
import { imageFolder, loadModel } from "../dist/index.js";
import { rng, shuffle } from "../dist/random.js";
import { runtimeVersion, Session } from "../dist/runtime/session.js";
import { float32 } from "../dist/tensor/tensor.js";
import { featureRows } from "../dist/train/data-rows.js";
import { planRun } from "../dist/train/run-plan.js";
import { unfreezeNetwork } from "../dist/train/unfreeze-network.js";
import { writeSafetensors } from "../dist/weights/safetensors.js";
import { load } from "./numbers.mjs";
import { accuracyTable, mean, timeTable } from "./strategies-tables.mjs";

const HELP = `Usage: node bench/strategies.mjs --assets <folder> --python <python> [options]

Needs the compiled package (npm run build), and a Python with torch, torchvision, pillow and numpy; with scikit-learn
too, the probe is also compared with LogisticRegression:
  python3 -m venv peer && peer/bin/pip install torch torchvision pillow numpy scikit-learn
  node bench/strategies.mjs --assets <folder> --python peer/bin/python

The folder holds models/mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx (or the file of --network folded) and
datasets/<name>/{train,val}/<class>/*.jpg.

  --python <file>    Python of the peer (python3)
  --data <names>     datasets, with commas between them (flowers,hymenoptera)
  --network <name>   bn, with batch normalization, or folded (bn)
  --only <recipes>   of probe, head, last, full, full-augmented (all)
  --seeds <numbers>  one round for each: Rootstock, then each way of PyTorch, the first one changing (0,1,2)
  --epochs <n>       epochs of head, last and full (10)
  --threads <n>      threads of both sides (2)
  --workers <n>      processes of each PyTorch DataLoader (as --threads)
  --nchw             PyTorch with contiguous tensors instead of channels_last, the faster layout for these networks
  --limit <n>        images of each class and split, to try this program out (all)
  --results <file>   write everything measured as JSON, after every run

Counted, on both sides: from the file of the network and the image files to a network with its best weights restored
and measured: listing and decoding images, the frozen part, standardization, the probe that stages start from, compiling,
epochs with a look at the validation set after each, the temperature. Rootstock also hashes every file, writes its feature
cache, and before a head solves the probe as the run's baseline. Start-up is from the start of the process to the end of its
imports. Not counted: the first look at the image files (they are in the page cache), checking the data (check: false),
exporting a file, and the end of the process.

The ways of PyTorch: "every" runs the frozen part in every epoch on images that DataLoader workers decode in every epoch;
"kept" has in memory what the frozen part makes of each image, or the image where nothing is frozen. Both are eager, without
torch.compile. The probe: torch.optim.LBFGS in float64, and scikit-learn where it is there.

The same on both sides: weights, files, splits, resize 256 and crop 224, order of the images, batch size, AdamW, learning rate
of every step, weight decay (none of biases and normalizations), frozen statistics, standardized features, the penalties
that the probe tries, the epoch that is kept (smallest validation loss). Decoders and resizing are each side's own.
full-augmented draws a random resized crop and a flip for every image and epoch; random numbers are each side's own.`;

const { values: options } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    assets: { type: "string" },
    python: { type: "string", default: "python3" },
    data: { type: "string", default: "flowers,hymenoptera" },
    network: { type: "string", default: "bn" },
    only: { type: "string", default: "probe,head,last,full,full-augmented" },
    seeds: { type: "string", default: "0,1,2" },
    epochs: { type: "string", default: "10" },
    threads: { type: "string", default: "2" },
    workers: { type: "string" },
    nchw: { type: "boolean", default: false },
    limit: { type: "string" },
    results: { type: "string" },
  },
});
const networks = {
  bn: "models/mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx",
  folded: "models/mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx",
};
/** What each recipe says besides the number of epochs, and how PyTorch runs it. */
const recipes = {
  probe: { given: { strategy: "probe" }, ways: ["lbfgs", "scikit"] },
  head: { given: { strategy: "head", keepHead: false, augmentation: "none" }, ways: ["every", "kept"] },
  last: { given: { strategy: "last", augmentation: "none" }, ways: ["every", "kept"] },
  full: { given: { strategy: "full", augmentation: "none" }, ways: ["every", "kept"] },
  "full-augmented": {
    given: { strategy: "full", augmentation: [{ name: "random-resized-crop" }, { name: "horizontal-flip" }] },
    ways: ["every"],
  },
};
const chosen = options.only.split(",");
const seeds = options.seeds.split(",").map(Number);
const names = options.data.split(",");
if (options.help || !options.assets || !networks[options.network] || chosen.some((name) => !recipes[name])) {
  (options.help ? console.log : console.error)(HELP);
  process.exit(options.help ? 0 : 2);
}
const self = fileURLToPath(import.meta.url);
const ours = fileURLToPath(new URL("strategies-run.mjs", import.meta.url));
const peer = fileURLToPath(new URL("peers/strategies.py", import.meta.url));
const [epochs, threads] = [Number(options.epochs), Number(options.threads)];
/** Updates of a head in which the learning rate rises at most, as src/train/train-head.ts has it. */
const MOST_WARMUP = 20;
/** Largest difference of features, relative to the root mean square of our own: for the same input, and for a photograph. */
const [SAME_INPUT, SAME_PHOTO] = [1e-3, 0.05];
/** Largest difference of the training loss of the first epoch, relative or absolute: probes and rounding differ. */
const SAME_LOSS = { relative: 0.05, absolute: 0.01 };

const began = performance.now();
const loadAtStart = load();
const work = mkdtempSync(join(tmpdir(), "rootstock-strategies-"));
try {
  const base = await loadModel(join(options.assets, networks[options.network]));
  const versions = python(["versions"]);
  const rows = [];
  for (const name of names) {
    const about = await dataset(name);
    await checkFeatures(base, about);
    for (const recipe of chosen) rows.push({ name, recipe, about, ...problem(base, about, recipe, versions) });
  }
  for (const [round, seed] of seeds.entries()) {
    for (const row of rows) {
      measureRound(row, round, seed);
      if (row.plan.epochs > 0 && !row.plan.augmented) agree(row, seed);
    }
  }
  describe(versions);
  for (const line of [...accuracyTable(rows), "", ...timeTable(rows)]) console.log(line);
  const minutes = ((performance.now() - began) / 60000).toFixed(1);
  console.log(`\nTook ${minutes} minutes; load average ${load()} at the end`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The images that are used, training images first. */
async function dataset(name) {
  const all = await imageFolder(join(options.assets, "datasets", name));
  const seen = new Map();
  const samples = all.samples.filter(({ split, target: [label] }) => {
    const key = `${split} ${label}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return seen.get(key) <= Number(options.limit ?? Number.POSITIVE_INFINITY);
  });
  const data = { ...all, samples };
  const part = (split) => {
    const own = samples.filter((sample) => sample.split === split);
    return { files: own.map(({ file }) => file), labels: Array.from(labelsOf(own)) };
  };
  return { data, shared: { root: all.root, train: part("train"), validation: part("validation") } };
}

/** Ends the program unless both sides compute the same features. */
async function checkFeatures(base, { data, shared }) {
  const { backbone } = planRun(base, data, { strategy: "full" });
  await writeSafetensors(join(work, "network.safetensors"), floatsOf(backbone));
  const input = backbone.inputs[0].name;
  const session = await Session.create(backbone, { threads });
  const count = 2 * 3 * 224 * 224;
  const waves = Float32Array.from({ length: count }, (_, i) => Math.sin(0.001 * i));
  const [output] = Object.values(await session.run({ [input]: float32([2, 3, 224, 224], waves) }));
  await session.release();
  const preprocessing = base.requirePreprocessing();
  const rows = await featureRows(backbone, data, {
    name: "bench",
    preprocessing,
    cache: false,
    threads,
    clock: Date.now,
  });
  const photos = ["train", "validation"].flatMap((split) => [...rows.split(split).features]);
  writeFileSync(join(work, "check.json"), JSON.stringify({ data: shared }));
  python(["check", ...common("check.json")]);
  compare("waves", output.data, SAME_INPUT);
  compare("photos", Float32Array.from(photos), SAME_PHOTO);
}

function floatsOf({ initializers }) {
  return new Map([...initializers].filter(([, { dtype }]) => dtype === "float32"));
}

function compare(what, own, tolerance) {
  const bytes = readFileSync(join(work, `${what}.peer.f32`));
  const other = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  if (own.length !== other.length) throw new Error(`${what}: ${own.length} and ${other.length} values`);
  const scale = Math.sqrt(own.reduce((sum, x) => sum + x * x, 0) / own.length);
  const differences = own.map((x, i) => Math.abs(x - other[i]) / scale).sort();
  const typical = differences[Math.floor(own.length * 0.99)];
  console.error(`check: features of ${what}: difference / rms: 99 % below ${typical.toExponential(1)}`);
  if (!(typical <= tolerance)) throw new Error(`${what}: the networks differ`);
}

/** What PyTorch needs to know of a recipe, all of it from the plan that Rootstock makes itself. */
function problem(base, { data, shared }, name, versions) {
  const { given, ways } = recipes[name];
  const own = name === "probe" ? given : { ...given, epochs, patience: epochs, soup: 1 }; // nothing stops early
  const { recipe, backbone, phases } = planRun(base, data, own);
  const unfreeze = phases[0]?.unfreeze;
  const network =
    unfreeze && unfreeze !== "head" && unfreezeNetwork(backbone, { unfreeze, batchNorm: recipe.batchNorm });
  const count = shared.train.files.length;
  const batchSize = Math.min(recipe.batchSize, count);
  const totalSteps = recipe.epochs * Math.ceil(count / batchSize);
  const mostWarmup = unfreeze === "head" ? MOST_WARMUP : totalSteps;
  const plan = {
    recipe: name,
    model: join(options.assets, networks[options.network]),
    data: shared,
    classes: data.classes,
    options: own,
    parameters: network ? [...network.trainable.parameters.keys()] : [],
    fromProbe: Boolean(network),
    augmented: name === "full-augmented",
    epochs: phases.length * recipe.epochs,
    ...{ batchSize, totalSteps, learningRate: recipe.learningRate, weightDecay: recipe.weightDecay },
    warmupSteps: Math.min(mostWarmup, Math.floor(totalSteps * recipe.warmup)),
  };
  const usable = ways.filter((way) => way !== "scikit" || versions["scikit-learn"]);
  return { plan, ways: usable, results: new Map(["ours", ...usable].map((way) => [way, []])) };
}

/** Runs all sides once, in turn. */
function measureRound({ name, recipe, plan, ways, results }, round, seed) {
  const count = plan.data.train.files.length;
  const orders = Array.from({ length: epochs }, (_, i) => {
    const all = Int32Array.from({ length: count }, (_, j) => j);
    const source = rng(seed).fork("order");
    return Array.from(shuffle(all, source.fork(`epoch ${i + 1}`)));
  });
  writeFileSync(join(work, "plan.json"), JSON.stringify({ ...plan, seed, orders }));
  const sides = ["ours", ...ways];
  const turned = [...sides.slice(round % sides.length), ...sides.slice(0, round % sides.length)];
  for (const side of turned) {
    const result = side === "ours" ? rootstock() : python(["run", "--way", side, ...common("plan.json")]);
    results.get(side).push({ seed, ...result });
    const { startup, prepare, training, total } = result.seconds;
    const times = [startup, prepare, training, total].map((seconds) => seconds.toFixed(2)).join(" ");
    console.error(
      `${name} ${recipe} seed ${seed} ${side}: ${(100 * mean(result.correct)).toFixed(1)} %, loss ${mean(result.losses).toFixed(4)}, best epoch ${result.bestEpoch}; start-up, before the loop, loop, total: ${times} s`,
    );
    keep({ name, recipe, side, seed, ...result });
  }
}

function keep(result) {
  if (options.results) writeFileSync(options.results, `${JSON.stringify(result)}\n`, { flag: "a" });
}

/** Ends the program unless all sides made the same updates, with losses that are close in the first epoch. */
function agree({ name, recipe, results }, seed) {
  const of = (side) => results.get(side).find((result) => result.seed === seed);
  const [own, ...others] = [...results.keys()].map(of);
  for (const other of others) {
    for (const [i, { steps, learningRate }] of own.history.entries()) {
      const theirs = other.history[i];
      if (steps !== theirs.steps || Math.abs(learningRate / theirs.learningRate - 1) > 1e-9)
        throw new Error(`${name} ${recipe}: the schedules differ in epoch ${i + 1}`);
    }
    const [first, second] = [own, other].map(({ history }) => history[0].trainLoss);
    if (!(Math.abs(first - second) <= Math.max(SAME_LOSS.absolute, SAME_LOSS.relative * second)))
      throw new Error(`${name} ${recipe}: the losses of the first epoch differ`);
  }
}

function rootstock() {
  const cache = mkdtempSync(join(work, "cache-"));
  const args = [ours, ...["--work", work, "--plan", "plan.json", "--cache", cache, "--threads", options.threads]];
  try {
    return run(process.execPath, args);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function common(plan) {
  const workers = options.workers ?? options.threads;
  const flags = options.nchw ? ["--nchw"] : [];
  return ["--work", work, "--plan", plan, "--threads", options.threads, "--workers", workers, ...flags];
}

function python(args) {
  return run(options.python, [peer, ...args]);
}

function run(program, args) {
  const given = [...args, "--spawned", String(Date.now())];
  const env = { ...process.env, OMP_NUM_THREADS: options.threads, OPENBLAS_NUM_THREADS: options.threads }; // NumPy's
  const { status, stdout, stderr, error } = spawnSync(program, given, { encoding: "utf8", maxBuffer: 2 ** 28, env });
  if (status !== 0) throw new Error(`${program} ${given.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

function describe({ python: version, torch, torchvision, pillow, "scikit-learn": scikit }) {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const given = process.argv.slice(2).filter((arg) => !arg.includes("/"));
  const command = given.join(" ").replace("--python", "--python <python>").replace("--assets", "--assets <folder>");
  const learn = scikit ? `, scikit-learn ${scikit}` : "";
  const layout = options.nchw ? "NCHW" : "channels_last";
  const lines = [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${cpus().length} × ${cpu.model}, ${memory} GiB, ${process.platform} ${process.arch}, ${threads} threads; load average ${loadAtStart} at the start`,
    `Versions: Node.js ${process.version}, onnxruntime-node ${runtimeVersion()}; Python ${version}, PyTorch ${torch} (${layout}, on the processor), torchvision ${torchvision}, Pillow ${pillow}${learn}`,
    `Network: ${basename(networks[options.network])}; ${epochs} epochs; seeds ${options.seeds}: accuracy is the mean of them with the 95 % interval of that share of the validation images (Wilson), then each seed; differences are of the same images, with 95 % intervals; times are medians of the rounds (lowest to highest)`,
    `Command: node ${relative(process.cwd(), self)} ${command}`,
  ];
  for (const line of lines) console.log(`- ${line}`);
  console.log("");
  if (Number(loadAtStart) > 0.5) console.error("warning: the machine is busy; these times are not to be kept");
}

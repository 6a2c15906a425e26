/**
 * Compares how long it takes to make training images - decode, random resized crop to 224, flip, color jitter,
 * normalize - in Rootstock and in torchvision's usual pipeline on PIL images, one thread each, on the same files, and
 * prints a Markdown table: the JPEG files of `--files` folders as they are, and pictures of a camera's size made of
 * them, 4032x3024 pixels at quality 90. See bench/README.md.
 *
 *   (no command)   measures both sides and both sets in turn, prints the table
 *   measure        one pass over the files on standard input in this process, its result as one line of JSON
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load, median, show } from "./numbers.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    camera: { type: "string", default: "60" }, // pictures of a camera's size; 0 leaves them out
    files: { type: "string", multiple: true, default: [] },
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "5" },
  },
});
const self = fileURLToPath(import.meta.url);
const peer = fileURLToPath(new URL("peers/augment.py", import.meta.url));

if (positionals[0] === "measure") await measure(JSON.parse(readFileSync(0, "utf8")));
else await compare();

async function measure(files) {
  const { decodeFile } = await import("../dist/data/decode-file.js");
  const { useOneThreadPerImage } = await import("../dist/data/decode.js");
  useOneThreadPerImage();
  const preprocessing = {
    version: 1,
    inputSize: [224, 224],
    resize: { kind: "shortest-edge", size: 256 },
    interpolation: "bilinear",
    channels: "RGB",
    layout: "NCHW",
    scale: 1 / 255,
    offset: 0,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  };
  const transforms = [
    { name: "random-resized-crop" },
    { name: "horizontal-flip" },
    { name: "color-jitter", brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  ];
  const views = { augmentation: { version: 1, transforms }, seed: 0, numbers: [1] };
  for (const file of files.slice(0, Math.min(100, files.length / 4))) await decodeFile(file, preprocessing, { views }); // not counted
  const busy = process.cpuUsage();
  const start = performance.now();
  let total = 0;
  for (const file of files) {
    const pixels = await decodeFile(file, preprocessing, { views });
    if (typeof pixels === "string") throw new Error(`${file} ${pixels}`);
    total += pixels[0];
  }
  const { user, system } = process.cpuUsage(busy); // of all threads of the process: the decoder has its own
  const wall = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ cpu: (user + system) / 1e6, wall, images: files.length, finite: !Number.isNaN(total) }));
}

async function compare() {
  const files = options.files.flatMap(listImages);
  if (files.length === 0) throw new Error("--files <folder> is required, once for each folder of JPEG files");
  const folder = mkdtempSync(join(tmpdir(), "rootstock-camera-"));
  try {
    const camera = await makeCameraPictures(files, Number(options.camera), folder);
    measureSets([
      { name: "files as they are", files },
      { name: "camera size", files: camera },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureSets(all) {
  const sets = all.filter(({ files }) => files.length > 0).map((set) => ({ ...set, results: [[], []] }));
  const before = load();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { files, results } of sets) {
      results[0].push(run(process.execPath, [self, "measure"], files));
      results[1].push(run(options.python, [peer], files));
    }
  }
  const [cpu] = cpus();
  console.log(
    `- Machine: ${cpus().length} × ${cpu.model}, ${process.platform} ${process.arch}; load average ${before}`,
  );
  console.log(`- Versions: Node.js ${process.version}; ${sets[0].results[1][0].versions}`);
  console.log(`- ${options.rounds} rounds, one thread on each side; the best round, then the median\n`);
  console.log("| set | per image | Rootstock | torchvision | ratio |");
  console.log("|---|---|--:|--:|--:|");
  for (const { name, files, results } of sets) {
    const size = files.reduce((sum, file) => sum + statSync(file).size, 0) / files.length / 1e6;
    const title = `${name}: ${files.length} of ${show(size)} MB on average`;
    for (const [what, measure] of [
      ["processor time, ms", ({ cpu: seconds, images }) => (seconds * 1000) / images],
      ["wall time, ms", ({ wall, images }) => (wall * 1000) / images],
    ]) {
      const lists = results.map((list) => list.map(measure));
      const cells = lists.map((list) => `${show(Math.min(...list))} (${show(median(list))})`);
      const ratio = Math.min(...lists[1]) / Math.min(...lists[0]);
      console.log(`| ${title} | ${what} | ${cells.join(" | ")} | ${ratio.toFixed(2)} |`);
    }
    const rates = results.map((list) => list.map(({ cpu: seconds, images }) => images / seconds));
    const cells = rates.map((list) => `${Math.max(...list).toFixed(0)} (${median(list).toFixed(0)})`);
    console.log(`| ${title} | images per second and core | ${cells.join(" | ")} | |`);
  }
}

/** Mosaics of 12 x 12 photographs: upscaling alone would leave them without the detail that a camera's pictures have. */
async function makeCameraPictures(files, count, folder) {
  const { default: sharp } = await import("sharp");
  const [width, height, across] = [4032, 3024, 12];
  const paths = [];
  for (let i = 0; i < count; i++) {
    const tiles = Array.from({ length: across ** 2 }, async (_, tile) => ({
      input: await sharp(files[((i * across ** 2 + tile) * 17) % files.length])
        .autoOrient()
        .resize(width / across, height / across, { fit: "cover" })
        .png({ compressionLevel: 0 })
        .toBuffer(),
      left: (width / across) * (tile % across),
      top: (height / across) * Math.floor(tile / across),
    }));
    const path = join(folder, `${i}.jpg`);
    await sharp({ create: { width, height, channels: 3, background: "black" } })
      .composite(await Promise.all(tiles))
      .jpeg({ quality: 90 })
      .toFile(path);
    paths.push(path);
  }
  return paths;
}

function listImages(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function run(program, args, files) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    input: JSON.stringify(files),
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

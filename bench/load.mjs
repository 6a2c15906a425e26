/**
 * Compares how long it takes to build ResNet-50 and to load its 100 MB of weights, in Rootstock and in torchvision, and
 * prints a Markdown table. See bench/README.md.
 *
 *   (no command)     makes the files, measures both sides in turn, prints the table
 *   measure <file>   one load in this process, its result as one line of JSON; the program calls itself so
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load, median, show } from "./numbers.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: "string", default: "python3" }, rounds: { type: "string", default: "5" } },
});
const self = fileURLToPath(import.meta.url);
const peer = fileURLToPath(new URL("peers/load.py", import.meta.url));
const files = ["resnet50.pth", "resnet50-legacy.pth", "resnet50.safetensors"];

if (positionals[0] === "measure") await measure(positionals[1]);
else compare();

async function measure(path) {
  const { findArchitecture } = await import("../dist/models/identify-architecture.js");
  const { loadWeights } = await import("../dist/models/load-weights.js");
  const { openWeights } = await import("../dist/weights/open-weights.js");
  const idle = peakOf();
  const start = performance.now();
  const source = await openWeights(path);
  const { graph } = loadWeights(findArchitecture("resnet50"), source);
  source.close();
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, peak: peakOf(), idle, tensors: graph.initializers.size }));
}

/** Largest resident memory of this process so far, in MiB. */
function peakOf() {
  return process.resourceUsage().maxRSS / 1024;
}

function compare() {
  const work = mkdtempSync(join(tmpdir(), "rootstock-load-"));
  try {
    const versions = run(options.python, [peer, "make", work]);
    const sides = [
      (file) => run(process.execPath, [self, "measure", join(work, file)]),
      (file) => run(options.python, [peer, "measure", join(work, file)]),
    ];
    const results = new Map(files.map((file) => [file, sides.map(() => [])]));
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [file, lists] of results) for (const [i, side] of sides.entries()) lists[i].push(side(file));
    const [cpu] = cpus();
    console.log(
      `- Machine: ${cpus().length} × ${cpu.model}, ${process.platform} ${process.arch}; load average ${load()}`,
    );
    console.log(
      `- Versions: Node.js ${process.version}; Python ${versions.python}, PyTorch ${versions.torch}, torchvision ${versions.torchvision}`,
    );
    console.log(`- Command: node bench/load.mjs --rounds ${options.rounds}\n`);
    console.log("| file | Rootstock, s | torchvision, s | peak memory, MiB | of which before loading |");
    console.log("|---|--:|--:|--:|--:|");
    for (const [file, lists] of results) {
      const seconds = lists.map((list) => list.map((result) => result.seconds));
      const cells = seconds.map(
        (list) => `${show(median(list))} (${show(Math.min(...list))}–${show(Math.max(...list))})`,
      );
      const most = (name) =>
        lists.map((list) => Math.max(...list.map((result) => result[name])).toFixed(0)).join(" / ");
      console.log(`| ${file} | ${cells.join(" | ")} | ${most("peak")} | ${most("idle")} |`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error ?? stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

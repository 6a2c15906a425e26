/** `rootstock cache`: shows what the caches of features and of weights hold, and clears them. */
import { z } from "zod";
import { clearCaches, listCaches } from "../../features/store.ts";
import { clearWeights, listWeights } from "../../weights/cache.ts";
import { cacheFolder, cacheLimit } from "../../weights/cache-folder.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { formatBytes, type Output, table } from "../output.ts";

const about = z.object({
  backbone: z.string(),
  preprocessing: z.object({ inputSize: z.tuple([z.number(), z.number()]) }),
});

export const cache = command({
  summary: "Show or clear the caches: the frozen network's output for images seen before, and downloaded weights.",
  usage: "cache [clear [features|weights|all|<file>]] [options]",
  options: {},
  examples: [
    ["rootstock cache", "where they are, how large, and what is in them"],
    ["rootstock cache clear", "delete the features; the next training run computes them anew"],
    ["rootstock cache clear weights", "delete the weights; they are downloaded again when they are needed"],
  ],
  async run({ positionals, output }) {
    const [action, what, ...more] = positionals;
    if (more.length > 0 || (action !== undefined && action !== "clear"))
      throw new UsageError(`cache takes "clear" or nothing, got ${positionals.join(" ")}.`);
    return { json: action === "clear" ? await clear(what ?? "features", output) : await show(output) };
  },
});

async function clear(what: string, output: Output) {
  const folders = { features: cacheFolder("features"), weights: cacheFolder("weights") };
  if (what !== "features" && what !== "weights" && what !== "all") return await clearFile(what, output);
  let freed = 0;
  if (what !== "weights") freed += report(await clearCaches(folders.features), folders.features, output);
  if (what !== "features") freed += report(await clearWeights(folders.weights), folders.weights, output);
  return { folder: what === "weights" ? folders.weights : folders.features, freed };
}

async function clearFile(file: string, output: Output) {
  const folder = cacheFolder("weights");
  const there = (await listWeights(folder)).map((entry) => entry.file);
  if (!there.includes(file)) {
    const weights = there.length > 0 ? `, or a file of weights: ${there.join(", ")}` : "";
    throw new UsageError(`cache clear takes features, weights or all${weights}; got "${file}".`);
  }
  return { folder, freed: report(await clearWeights(folder, file), folder, output) };
}

function report(freed: number, folder: string, output: Output): number {
  output.result(`cleared ${formatBytes(freed)} in ${folder}`);
  return freed;
}

async function show(output: Output) {
  const folder = cacheFolder("features");
  const entries = await listCaches(folder);
  const maxBytes = cacheLimit();
  const bytes = sum(entries);
  output.result(
    `${folder}  ${formatBytes(bytes)} of at most ${formatBytes(maxBytes)}; the least recently used goes first`,
  );
  const rows = entries.map((entry) => {
    const known = about.safeParse(entry.about).data;
    const name = known ? `${known.backbone} at ${known.preprocessing.inputSize.join("x")}` : entry.folder;
    return [name, formatBytes(entry.bytes), formatTime(entry.lastUsed)];
  });
  for (const line of table([["backbone", "size", "last used"], ...rows])) output.result(`  ${line}`);
  return { folder, bytes, maxBytes, entries, weights: await showWeights(output) };
}

async function showWeights(output: Output) {
  const folder = cacheFolder("weights");
  const entries = await listWeights(folder);
  const bytes = sum(entries);
  output.result(`${folder}  ${formatBytes(bytes)}; kept until "rootstock cache clear weights"`);
  const rows = entries.map((entry) => [
    entry.partial ? `${entry.file} (the first part)` : entry.file,
    formatBytes(entry.bytes),
    formatTime(entry.modified),
  ]);
  for (const line of table([["weights", "size", "since"], ...rows])) output.result(`  ${line}`);
  return { folder, bytes, entries };
}

function sum(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0);
}

/** 2026-02-03 14:05, in UTC. */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

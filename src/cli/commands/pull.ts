/** `rootstock pull`: downloads weights into the cache, before they are needed or for a machine without a network. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CATALOG, findWeights, lookUpWeights, type WeightsSource } from "../../models/catalog.ts";
import { copyWeights, listWeights } from "../../weights/cache.ts";
import { cacheFolder } from "../../weights/cache-folder.ts";
import { fetchWeights } from "../../weights/hub.ts";
import { isAddress, type WeightsFile, weightsFileAt } from "../../weights/weights-file.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { showDownload } from "../open-model.ts";
import { formatBytes, type Output, table } from "../output.ts";

export const pull = command({
  summary: "Download pretrained weights into the cache, checked against their published sums.",
  usage: "pull <name|https://…|hf://owner/repo/path@revision>... [options]",
  options: {
    list: { kind: "flag", help: "list the weights that have a name, and which of them are in the cache" },
    out: { kind: "text", value: "<file|folder>", help: "also copy the file there" },
  },
  examples: [
    ["rootstock pull resnet50", "the weights of a catalog name"],
    [
      "rootstock pull hf://timm/resnet18.a1_in1k/model.safetensors",
      "a file of the Hugging Face hub; HF_TOKEN if needed",
    ],
    ["rootstock pull --list", "what there is"],
  ],
  async run({ positionals, options, output, signal }) {
    if (options.list) {
      if (positionals.length > 0) throw new UsageError(`pull --list takes no names, got ${positionals.join(" ")}.`);
      return { json: { weights: await list(output) } };
    }
    if (positionals.length === 0)
      throw new UsageError("pull requires the name or the address of weights; pull --list shows the names.");
    if (options.out !== undefined && positionals.length > 1)
      throw new UsageError(`pull --out takes one name, got ${positionals.length}.`);
    const records = positionals.map(recordOf); // a wrong name is told before anything is loaded
    const files = [];
    for (const record of records) files.push(await load(record, options.out, output, signal));
    return { json: { files } };
  },
});

/** What a catalog record says beyond the file, where there is one. */
type NamedFile = WeightsFile & { readonly [K in "name" | "license" | "trainedOn"]?: WeightsSource[K] | undefined };

/** The record of a catalog name or of an address. @throws RootstockError BAD_CONFIG */
function recordOf(text: string): NamedFile {
  return lookUpWeights(text) ?? (isAddress(text) ? weightsFileAt(text) : findWeights(text));
}

async function load(record: NamedFile, out: string | undefined, output: Output, signal: AbortSignal) {
  const { file, license, trainedOn } = record;
  const shown = showDownload(file, output);
  const cached = await fetchWeights(record, { ...shown.options, signal }).finally(shown.end);
  const path = out === undefined ? cached : await copyWeights(cached, out);
  const { size: bytes } = await stat(path);
  const entry = (await listWeights(dirname(cached))).find((each) => each.path === cached);
  const unchecked = `no published sum to compare with; its sha256 is ${entry?.sha256 ?? "not known"}`;
  const checked = entry?.checked === undefined ? unchecked : `has ${entry.checked}, as published`;
  output.note(`${shown.started() ? "downloaded" : "from cache"}  ${file}  ${formatBytes(bytes)}, ${checked}`);
  if (license !== undefined) output.note(`license     ${license}; trained on ${trainedOn}`);
  output.result(path);
  const { sha256 } = entry ?? {};
  return {
    name: record.name,
    file,
    path,
    bytes,
    downloaded: shown.started(),
    checked: entry?.checked,
    sha256,
    license,
  };
}

async function list(output: Output) {
  const there = new Set((await listWeights(cacheFolder("weights"))).map(({ partial, file }) => (partial ? "" : file)));
  const weights = CATALOG.map(({ name, publisher, file, bytes, approximateBytes, license }) => ({
    name,
    publisher,
    file,
    bytes: bytes ?? approximateBytes,
    license,
    cached: there.has(file),
  }));
  const rows = weights.map(({ name, publisher, bytes, license, cached }) => [
    name,
    publisher,
    bytes === undefined ? "?" : formatBytes(bytes),
    license,
    cached ? "yes" : "",
  ]);
  for (const line of table([["weights", "publisher", "size", "license", "cached"], ...rows])) output.result(line);
  return weights;
}

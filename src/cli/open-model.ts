/** Opens the model that a command names: a file, a run, a name of the catalog, or an address that is downloaded first. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RootstockError } from "../errors.ts";
import { printable } from "../graph/printable.ts";
import { type LoadModelOptions, loadModel } from "../models/load-model.ts";
import type { Model } from "../models/model.ts";
import { RUN_FILES, RUN_MARK } from "../train/run-folder.ts";
import { readJsonFile } from "../train/runs/read-file.ts";
import type { FetchOptions } from "../weights/hub.ts";
import type { Options, OptionTable } from "./arguments.ts";
import { formatBytes, type Output } from "./output.ts";

/** Options of every command that opens a model. */
export const modelOptions = {
  preprocessing: {
    kind: "text",
    value: "<name|file.json>",
    help: "imagenet, tf, caffe, unit, none or a JSON file, where the model does not say",
  },
  architecture: {
    kind: "text",
    value: "<name>",
    help: "for a file of weights alone: the network that they are of (default: found by their names)",
  },
  "image-size": {
    kind: "number",
    value: "<pixels>",
    min: 1,
    max: 4096,
    whole: true,
    help: "height and width of the input, where the network takes other sizes (default: that of the weights)",
  },
  "state-dict": {
    kind: "text",
    value: "<name>",
    help: "for PyTorch checkpoints: where the weights are, such as model_ema (default: the usual places are searched)",
  },
} as const satisfies OptionTable;

/** What the commands say a model may be. */
export const MODEL_FORMS =
  "an .onnx, .safetensors, .pth, .h5, .keras or model.json file, the folder of a run, a catalog name such as resnet50, or an address";

export interface OpenModelOptions {
  readonly options: Options<typeof modelOptions>;
  readonly labels?: LoadModelOptions["labels"];
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Loads the model, shows a download while it goes on, and tells what a person should know of the file. */
export async function openModel(given: string, { options, labels, output, signal }: OpenModelOptions): Promise<Model> {
  const name = await modelOfRun(given);
  if (name !== given) output.note(`model     ${printable(name)}`);
  const download = showDownload(name, output);
  try {
    const { preprocessing, architecture } = options;
    const { "state-dict": stateDict, "image-size": side } = options;
    const imageSize = side === undefined ? undefined : ([side, side] as const);
    const model = await loadModel(name, {
      preprocessing,
      architecture,
      stateDict,
      imageSize,
      labels,
      download: { ...download.options, signal },
    });
    for (const note of model.notes) output.note(`model     ${printable(note)}`);
    return model;
  } finally {
    download.end();
  }
}

/**
 * The model in a run's folder; any other name as it is.
 * @throws RootstockError BAD_MODEL for a run that has none yet.
 */
async function modelOfRun(name: string): Promise<string> {
  const config = join(name, RUN_FILES.config);
  if (!existsSync(config)) return name;
  const read = await readJsonFile(config);
  const json = read && "json" in read ? read.json : undefined;
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, RUN_MARK)) return name;
  const model = join(name, RUN_FILES.model);
  if (existsSync(model)) return model;
  throw new RootstockError(
    "BAD_MODEL",
    `a model requires a run that is complete, got ${printable(name)} without a ${RUN_FILES.model}. Go on with it first, with --resume ${printable(name)}, or name another model.`,
  );
}

/** A download's line on the terminal. */
export interface ShownDownload {
  readonly options: Pick<FetchOptions, "onWait" | "onProgress">;
  /** Whether bytes came over the network. */
  readonly started: () => boolean;
  readonly end: () => void;
}

/** Shows how far a download is, and the rate of what this call loads. */
export function showDownload(name: string, output: Output): ShownDownload {
  const progress = output.progress(`download ${printable(name)}`, "MB");
  let start: number | undefined;
  return {
    options: {
      onWait: () => output.note(`waiting     another process downloads ${printable(name)}`),
      onProgress: ({ done, total }) => {
        if (start === undefined && done > 0) output.note(`going on    from ${formatBytes(done)}`);
        start ??= done;
        if (total !== undefined) progress.update(megabytes(Math.max(0, done - start)), megabytes(total - start));
      },
    },
    started: () => start !== undefined,
    end: () => progress.end(),
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

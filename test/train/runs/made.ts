/** Folders of runs: real ones, and ones that no run would write. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { imageFolder } from "../../../src/data/image-folder.ts";
import { loadModel } from "../../../src/models/load-model.ts";
import { fineTune } from "../../../src/train/fine-tune.ts";
import type { FineTuneOptions } from "../../../src/train/options.ts";
import { RUN_MARK } from "../../../src/train/run-folder.ts";
import { writeColorImages, writeTinyModel } from "../../models/tiny.ts";

/** Trains a head on colored pictures below `root`, which are made there at first, and writes the run to `root/runs/<id>`. */
export async function realRun(root: string, id: string, options: FineTuneOptions = {}): Promise<string> {
  const [images, file] = [join(root, "images"), join(root, "tiny.onnx")];
  await writeColorImages(images, 12);
  const out = join(root, "runs", id);
  await using model = await loadModel(await writeTinyModel(file));
  await using trained = (
    await fineTune(model, await imageFolder(images), { cache: false, check: false, epochs: 4, ...options, out })
  ).model;
  void trained;
  return out;
}

/** What a run's files hold; JSON unless it is text. */
export type Files = Readonly<Record<string, unknown>>;

export const CONFIG = {
  [RUN_MARK]: 1,
  model: { name: "resnet50.onnx", sha256: "ab" },
  data: "photos",
  recipe: { phases: ["head"], epochs: 20, optimizer: "adamw", learningRate: 0.01 },
  phases: [{ unfreeze: "head", views: 8 }],
};

export const RESULT = {
  version: 1,
  task: "single-label",
  evaluatedOn: "validation",
  metrics: { loss: 0.2, accuracy: 0.9, macroF1: 0.89 },
  intervals: { accuracy: [0.8, 0.95], macroF1: [0.7, 0.93] },
  epochs: 20,
  seconds: { total: 12.5 },
};

/** The environment of a run that began in an hour of one day. */
export function startedAt(hour: number): Files {
  return { startedAt: `2026-03-01T${String(hour).padStart(2, "0")}:00:00.000Z`, cpu: "some", cores: 8 };
}

/** A data.json with so many images of validation, all different from those of another `first`. */
export function dataOf(count: number, first = 0): unknown {
  const samples = Array.from({ length: count }, (_, i) => ({
    path: `${i}.png`,
    target: [i % 2],
    split: "validation",
    sha256: (first + i).toString(16).padStart(64, "0"),
  }));
  return { version: 2, task: "single-label", splitSource: { seed: 0, fraction: 0.2 }, samples };
}

/** Writes a folder with these files; strings and bytes as they are, everything else as JSON. */
export async function writeRun(path: string, files: Files): Promise<string> {
  await mkdir(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    const raw = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(join(path, name), raw ? content : JSON.stringify(content));
  }
  return path;
}

/** A complete run with checkpoints. */
export function complete(hour: number, more: Files = {}): Files {
  return {
    "config.json": CONFIG,
    "environment.json": startedAt(hour),
    "data.json": dataOf(10),
    "metrics.jsonl": '{"epoch":1}\n{"epoch":2}\n',
    "result.json": RESULT,
    "model.onnx": "0123456789",
    ...more,
  };
}

/** Checkpoints by the names that training gives them. */
export const CHECKPOINTS = {
  "checkpoints/0001-000120.safetensors": "state",
  "checkpoints/snapshot-0123456789abcdef.safetensors": "best",
} satisfies Files;

/** The id of a process that has ended. */
export async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid!;
}

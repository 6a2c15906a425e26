/** Which images a run was measured on: numbers of two runs can be compared only where these are the same. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Json } from "../../json.ts";
import { RUN_FILES } from "../run-folder.ts";
import { fieldOf, isFields, textOf } from "./json-fields.ts";
import { readJsonFile } from "./read-file.ts";

/** The images of a run, by what they were used for. */
export interface RunImages {
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
  /** How the split was made, as recorded. */
  readonly splitSource: Json | undefined;
  /** Hash over contents and targets of the images of each split; equal hashes mean the same images. */
  readonly hashes: { readonly train: string; readonly validation: string; readonly test: string };
}

const SPLITS = ["train", "validation", "test"] as const;

/** Reads a run's data.json; undefined where it cannot be read. */
export async function readImages(folder: string): Promise<RunImages | undefined> {
  const read = await readJsonFile(join(folder, RUN_FILES.data));
  const json = read && "json" in read ? read.json : undefined;
  const samples = fieldOf(json, "samples");
  if (!Array.isArray(samples)) return undefined;
  const bySplit = SPLITS.map((split) => linesOf(samples, split));
  const [train = [], validation = [], test = []] = bySplit;
  return {
    counts: { train: train.length, validation: validation.length, test: test.length },
    splitSource: fieldOf(json, "splitSource"),
    hashes: { train: hash(train), validation: hash(validation), test: hash(test) },
  };
}

function linesOf(samples: readonly Json[], split: string): string[] {
  const lines: string[] = [];
  for (const sample of samples)
    if (isFields(sample) && sample["split"] === split)
      lines.push(`${textOf(sample, "sha256") ?? ""} ${JSON.stringify(sample["target"])}`);
  return lines.sort();
}

function hash(lines: readonly string[]): string {
  const hash = createHash("sha256");
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest("hex");
}

/** The measured variants of this machine, kept on disk: what was measured once is chosen again in every later run. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import {
  type Choose,
  type GradientKey,
  keyText,
  VARIANTS,
  type VariantTable,
} from "../autodiff/lowering/fast/choice.ts";
import { runtimeVersion } from "../runtime/session.ts";
import { cacheFolder } from "../weights/cache-folder.ts";
import { writeJson } from "../weights/files.ts";
import { type AutotuneOptions, autotune, keysOf } from "./autotune.ts";

export interface TunedVariantsOptions extends AutotuneOptions {
  /** Folder of the table. @default the cache folder of the platform */
  readonly folder?: string | undefined;
  /** Told how many gradients will be measured, before that begins. */
  readonly onMeasure?: ((count: number) => void) | undefined;
}

const FORMAT = 1;

const record = z.object({
  version: z.literal(FORMAT),
  variants: z.record(z.string(), z.enum([...VARIANTS.dW1x1, ...VARIANTS.dWkxk, ...VARIANTS.dXstrided])),
});

/**
 * The variants for a plan: those of the table on disk, and measurements of what it lacks, which are added to it. The
 * table belongs to this processor, this version of the runtime and its block, so that equal runs stay equal bit for bit
 * once it is there.
 * @param plan makes the plan, asking for each choice.
 * @throws RootstockError CANNOT_WRITE if the table cannot be kept.
 */
export async function tunedVariants(
  plan: (choose: Choose) => void,
  { folder = cacheFolder("autotune"), onMeasure, ...options }: TunedVariantsOptions,
): Promise<VariantTable> {
  const path = join(folder, `${machineName(options.block)}.json`);
  const keys = keysOf(plan);
  const kept = await read(path);
  const missing = keys.filter((key) => !(keyText(key) in kept));
  if (missing.length === 0) return chosen(kept, keys);
  onMeasure?.(missing.length);
  const measured = await autotune(missing, options);
  // Another process may have written while this one measured: what stands there first is what later runs read.
  const all = { ...measured, ...(await read(path)) };
  await writeJson(path, { version: FORMAT, variants: all });
  return chosen(all, keys);
}

/** The part of a table that a plan asks for. */
function chosen(table: VariantTable, keys: readonly GradientKey[]): VariantTable {
  return Object.fromEntries(keys.map(keyText).map((key) => [key, table[key]!]));
}

/** A table that cannot be read is measured anew. */
async function read(path: string): Promise<VariantTable> {
  try {
    return record.parse(JSON.parse(await readFile(path, "utf8"))).variants;
  } catch {
    return {};
  }
}

/** Processor, number of its cores, runtime and block, as a file name. */
function machineName(block: number): string {
  const models = cpus().map(({ model }) => model);
  const text = JSON.stringify([models[0] ?? "unknown", models.length, process.arch, block]);
  return `onnxruntime-${runtimeVersion()}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

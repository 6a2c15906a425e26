/** The split of an earlier run, read from its data.json and used again: image by image, by content. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { listed, messageOf, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { count, named } from "../dataset-notes.ts";
import { systemProblem } from "../inspect.ts";
import type { Dataset, Sample, Split } from "../sample.ts";
import { unitsOf } from "./groups.ts";

/** The largest record that is read, in bytes: about a million images. */
const MAX_BYTES = 2 ** 28;

/** What a record says of the images of a run. */
export interface SavedSplit {
  /** Where it was read, as given. */
  readonly from: string;
  readonly classes: readonly string[];
  readonly samples: readonly { readonly path: string; readonly sha256: string; readonly split: Split }[];
}

const sample = z.object({
  path: z.string().max(65_536),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  split: z.enum(["train", "validation", "test"]),
});
const record = z.object({
  version: z.union([z.literal(1), z.literal(2)]),
  classes: z.array(z.string()).max(1_000_000),
  samples: z.array(sample).min(1),
});

/**
 * Reads the split of a run.
 * @param path The folder of a run, or its data.json.
 * @throws RootstockError BAD_DATA if there is none, if it is larger than 256 MiB, or is no such record.
 */
export async function savedSplit(path: string): Promise<SavedSplit> {
  const shown = printable(path);
  const expected = `Expected the folder of a run, such as runs/flowers, or its data.json.`;
  let text: string;
  try {
    const file = (await stat(path)).isDirectory() ? join(path, "data.json") : path;
    const { size } = await stat(file);
    if (size > MAX_BYTES)
      throw new RootstockError("BAD_DATA", `a saved split requires at most ${MAX_BYTES} bytes, ${shown} has ${size}.`);
    text = await readFile(file, "utf8");
  } catch (cause) {
    const problem = systemProblem(cause);
    if (problem === undefined) throw cause;
    throw new RootstockError("BAD_DATA", `the saved split of ${shown} ${problem}. ${expected}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RootstockError("BAD_DATA", `the saved split of ${shown} is no JSON: ${messageOf(cause)}. ${expected}`, {
      cause,
    });
  }
  const result = record.safeParse(json);
  if (result.success) return { from: path, classes: result.data.classes, samples: result.data.samples };
  const faults = result.error.issues.map(
    ({ path: at, message }) => `${at.map(String).join(".") || "the value"}: ${message}`,
  );
  throw new RootstockError("BAD_DATA", `the saved split of ${shown} cannot be used: ${listed(faults, 3)}. ${expected}`);
}

/**
 * Returns the samples in the splits of the record.
 *
 * An image is found by its content; of several records of one content, the one with its path counts. An image that is
 * not in the record goes where its group or an image it belongs together with is, else it stays where the data put it:
 * train, unless their folders or table say otherwise. New and missing images are reported.
 */
export function applySavedSplit(
  samples: readonly Sample[],
  saved: SavedSplit,
  { classes, together }: { readonly classes: readonly string[]; readonly together: readonly (readonly number[])[] },
): Pick<Dataset, "samples" | "splitSource" | "notes"> {
  const known = new Map<string, { readonly first: Split; readonly byPath: Map<string, Split> }>();
  for (const { path, sha256, split } of saved.samples) {
    const entry = known.get(sha256) ?? { first: split, byPath: new Map<string, Split>() };
    known.set(sha256, entry);
    entry.byPath.set(path, split);
  }
  const recorded = samples.map(({ sha256, path }) => {
    const entry = known.get(sha256);
    return entry?.byPath.get(path) ?? entry?.first;
  });
  const units = unitsOf(samples, together);
  const splitsOfUnit = new Map<number, Set<Split>>();
  for (const [i, split] of recorded.entries()) {
    if (split === undefined) continue;
    const unit = units[i]!;
    splitsOfUnit.set(unit, (splitsOfUnit.get(unit) ?? new Set()).add(split));
  }
  const assigned = samples.map((item, i): Sample => {
    const [ofUnit] = splitsOfUnit.get(units[i]!) ?? [];
    const split = recorded[i] ?? ofUnit ?? item.split;
    return split === item.split ? item : { ...item, split };
  });
  return {
    samples: assigned,
    splitSource: "saved",
    notes: notesOn({ samples: assigned, recorded, saved, classes, splitsOfUnit }),
  };
}

function notesOn({
  samples,
  recorded,
  saved,
  classes,
  splitsOfUnit,
}: {
  readonly samples: readonly Sample[];
  readonly recorded: readonly (Split | undefined)[];
  readonly saved: SavedSplit;
  readonly classes: readonly string[];
  readonly splitsOfUnit: ReadonlyMap<number, ReadonlySet<Split>>;
}): readonly string[] {
  const from = printable(saved.from);
  const notes: string[] = [];
  const fresh = samples.filter((_, i) => recorded[i] === undefined);
  if (fresh.length === samples.length)
    throw new RootstockError(
      "BAD_DATA",
      `the saved split of ${from} knows none of the ${samples.length} images: their contents are others. Give the run of these data, or leave splits out.`,
    );
  if (fresh.length > 0) {
    const to = [...new Set(fresh.map(({ split }) => split))].join(", ");
    notes.push(
      `${count(fresh.length, "image")} not in the split of ${from}, put into ${to}: ${named(fresh.map(({ path }) => path))}.`,
    );
  }
  const present = new Set(samples.map(({ sha256 }) => sha256));
  const gone = saved.samples.filter(({ sha256 }) => !present.has(sha256)).map(({ path }) => path);
  if (gone.length > 0)
    notes.push(`${count(gone.length, "image")} of the split of ${from} gone or changed: ${named(gone)}.`);
  const divided = [...splitsOfUnit.values()].filter(({ size }) => size > 1).length;
  if (divided > 0)
    notes.push(`The split of ${from} divides ${count(divided, "group")} of images that belong together; it is kept.`);
  if (classes.join("\0") !== saved.classes.join("\0"))
    notes.push(`The classes were ${named(saved.classes)} in ${from}, and are ${named(classes)} here.`);
  return notes;
}

/** Whether a run that goes on has the images that it began with; what has changed is named, image by image. */
import { count } from "../data/dataset-notes.ts";
import type { Manifest } from "../data/sample.ts";
import { listed } from "../errors.ts";
import { printable } from "../graph/printable.ts";

type Item = Manifest["samples"][number];

/** Images that a message names. */
const NAMED = 3;

/**
 * What of the images is not as a record says, or undefined if all is the same: their contents, targets, splits, groups,
 * weights and order, and the task and the classes. Names may be others, as those of a folder that was moved.
 * @param record A run's data.json, of any content.
 */
export function dataChanges(
  record: unknown,
  { task, classes, samples }: Omit<Manifest, "version">,
): string | undefined {
  const saved = savedOf(record);
  if (!saved) return "the record is no list of images";
  if (JSON.stringify(saved.task) !== JSON.stringify(task)) return `the task was ${shown(saved.task)} and is ${task}`;
  if (JSON.stringify(saved.classes) !== JSON.stringify(classes))
    return `the classes were ${shown(saved.classes)} and are ${shown(classes)}`;
  if (JSON.stringify(saved.samples.map(unnamed)) === JSON.stringify(samples.map(unnamed))) return undefined;
  const changes = changesOf(saved.samples, samples);
  if (changes.length === 0) return "the images are the same, but in another order: their names or places have changed";
  const differ = changes.length === 1 ? "differs" : "differ";
  return `${count(changes.length, "image")} ${differ} (there were ${saved.samples.length}, now ${samples.length}): ${listed(changes, NAMED)}`;
}

interface SavedData {
  readonly task: unknown;
  readonly classes: unknown;
  readonly samples: readonly Partial<Item>[];
}

function savedOf(record: unknown): SavedData | undefined {
  if (typeof record !== "object" || record === null) return undefined;
  const { task, classes, samples }: Partial<Record<keyof SavedData, unknown>> = record;
  const isItem = (item: unknown): item is Partial<Item> => typeof item === "object" && item !== null;
  return Array.isArray(samples) && samples.every(isItem) ? { task, classes, samples } : undefined;
}

/** All that decides a result. */
function unnamed({ target, split, sha256, group, weight }: Partial<Item>): unknown {
  return [target, split, sha256, group, weight];
}

/** One phrase for each image that is not as it was: those of one name belong together, then those of one content. */
function changesOf(saved: readonly Partial<Item>[], now: readonly Item[]): string[] {
  const byName = pairs(saved, now, ({ path }) => path);
  const byContent = pairs(byName.missing, byName.added, ({ sha256 }) => sha256);
  return [
    ...[...byName.same, ...byContent.same].flatMap(([was, is]) => changeOf(was, is)),
    ...byContent.missing.map((was) => `${shown(was.path)} is missing`),
    ...byContent.added.map(({ path }) => `${shown(path)} is new`),
  ];
}

function pairs<A extends Partial<Item>>(
  saved: readonly A[],
  now: readonly Item[],
  key: (item: Partial<Item>) => unknown,
) {
  const waiting = new Map<unknown, A[]>();
  for (const item of saved) {
    const alike = waiting.get(key(item));
    if (alike) alike.push(item);
    else waiting.set(key(item), [item]);
  }
  for (const alike of waiting.values()) alike.reverse(); // the first is taken first
  const same: [A, Item][] = [];
  const added: Item[] = [];
  for (const item of now) {
    const was = waiting.get(key(item))?.pop();
    if (was) same.push([was, item]);
    else added.push(item);
  }
  return { same, added, missing: [...waiting.values()].flat() };
}

function changeOf(was: Partial<Item>, is: Item): string[] {
  const name = shown(is.path);
  if (was.sha256 !== is.sha256) return [`${name} has another content`];
  const differing = (["target", "split", "group", "weight"] as const).find(
    (key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]),
  );
  if (differing === undefined) return [];
  return [`${name} had the ${differing} ${shown(was[differing])} and has ${shown(is[differing])}`];
}

/** A value of a file that anybody may have written, short and on one line. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "none");
  return printable(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

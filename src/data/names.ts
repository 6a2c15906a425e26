/** What file names mean and how they are ordered and shown. */
import type { Split } from "./sample.ts";

const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  "__macosx",
  "thumbs.db",
  "ehthumbs.db",
  "desktop.ini",
  "icon\r",
  "$recycle.bin",
  "system volume information",
  "@eadir",
]);

const SPLIT_FOLDERS: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["val", "validation"],
  ["valid", "validation"],
  ["validation", "validation"],
  ["test", "test"],
]);

/** Whether a name is one that people do not see or that their system made: ".x", "Thumbs.db", "__MACOSX" and the like. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || SYSTEM_NAMES.has(name.toLowerCase());
}

/** The split that a folder of this name holds (train, val, valid, validation, test, in any case), or undefined. */
export function splitNamed(folder: string): Split | undefined {
  return SPLIT_FOLDERS.get(folder.toLowerCase());
}

/** Compares by UTF-16 code units: the same order on every platform and in every language. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

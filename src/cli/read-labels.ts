/** Reads class names from a file: a JSON list, or one name per line. */
import { readFile } from "node:fs/promises";
import { messageOf, RootstockError } from "../errors.ts";

/** @throws RootstockError BAD_CONFIG if the file cannot be read, or holds JSON that is not a list of texts. */
export async function readLabels(path: string): Promise<string[]> {
  try {
    const text = await readFile(path, "utf8");
    if (!text.trimStart().startsWith("[")) return text.split(/\r?\n/).filter((line) => line.trim() !== "");
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item): item is string => typeof item === "string")) return list;
    throw new RootstockError("BAD_CONFIG", "the JSON list must hold texts only");
  } catch (cause) {
    throw new RootstockError("BAD_CONFIG", `cannot read labels from ${path}: ${messageOf(cause)}.`, { cause });
  }
}

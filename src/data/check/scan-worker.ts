/** What runs in a scanning thread: takes a few files at a time, and says what is in them. */
import { useOneThreadPerImage } from "../decode.ts";
import type { ImageSource } from "../sample.ts";
import { type Scanned, scanBeside } from "./scan-file.ts";

useOneThreadPerImage();

/** Scans files, two at a time: while the decoder works on one, in a thread of its own, this thread measures the other. */
export async function scanTask(files: readonly ImageSource[]): Promise<readonly Scanned[]> {
  const results: Scanned[] = [];
  for (let i = 0; i < files.length; i += 2) results.push(...(await Promise.all(files.slice(i, i + 2).map(scanBeside))));
  return results;
}

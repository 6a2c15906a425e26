/** Names of the files of checkpoints: their order is that in time. */

export const ENDING = ".safetensors";
/** A checkpoint: digits in groups. */
export const CHECKPOINT = /^\d+(?:-\d+)*\.safetensors$/;
/** What belongs to some of them. */
export const SNAPSHOT = /^snapshot-[0-9a-f]{16}\.safetensors$/;

/** The file of the snapshot with this sum. */
export function snapshotFile(sha256: string): string {
  return `snapshot-${sha256.slice(0, 16)}${ENDING}`;
}

/** Compares names of checkpoints group by group, as numbers. */
export function byTime(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.slice(0, -ENDING.length).split("-").map(BigInt));
  for (let i = 0; i < Math.min(left!.length, right!.length); i++) {
    if (left![i] !== right![i]) return left![i]! < right![i]! ? -1 : 1;
  }
  return left!.length - right!.length || (a < b ? -1 : 1);
}

/** Small and read-only disks for tests: a mount that only one command and what it starts can see. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

/** Ways to a namespace of one's own, the first that works here is used. */
const WAYS: readonly (readonly string[])[] = [
  ["unshare", "-m"], // root
  ["unshare", "-rm"], // where users may have namespaces
  ["sudo", "-n", "unshare", "-m"],
];

const MOUNT = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"';

/** A command with an empty disk of a size such as "1m" mounted at a folder; the disk is gone afterwards. */
function withDisk(way: readonly string[], size: string, folder: string, command: readonly string[]) {
  const [program, ...args] = [...way, "sh", "-c", MOUNT, size, folder, ...command];
  return { program: program!, args };
}

function onDisk(...given: Parameters<typeof withDisk>) {
  const { program, args } = withDisk(...given);
  return spawnSync(program, args, { encoding: "utf8", timeout: 60_000 });
}

const found = WAYS.find((way) => onDisk(way, "64k", "/tmp", ["true"]).status === 0);

/** Why tests that need a disk of their own cannot run here, or undefined if they can. */
export const noDisk = found ? undefined : "neither root, user namespaces nor sudo can mount a disk here";

/** Runs Node.js with a disk of `size` mounted at `folder`, and returns what it printed: a value for each line. */
export function printedOnDisk(size: string, folder: string, ...args: readonly string[]): unknown[] {
  const { status, stdout, stderr } = onDisk(found!, size, folder, [process.execPath, ...args]);
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return linesOf(stdout);
}

/** The same for programs that take longer, without blocking the tests. */
export async function programOnDisk(size: string, folder: string, ...args: readonly string[]): Promise<unknown[]> {
  const { program, args: all } = withDisk(found!, size, folder, [process.execPath, ...args]);
  const { stdout } = await promisify(execFile)(program, all, { timeout: 240_000 });
  return linesOf(stdout);
}

function linesOf(text: string): unknown[] {
  return text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

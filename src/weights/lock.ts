/**
 * A lock between processes: a file whose text changes while its owner lives. Waiters watch the text with their own
 * clock, so that neither the clocks of two machines nor the file times of a network disk have to agree.
 */
import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { RootstockError } from "../errors.ts";
import { cannotWrite } from "./files.ts";
import { isRunning } from "./is-running.ts";

/** A lock that this process holds. */
export interface Lock extends AsyncDisposable {
  /** Fires if another process took the lock over, because this one seemed to be dead. */
  readonly lost: AbortSignal;
}

export interface LockOptions {
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Called once if another process holds the lock. */
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds between two changes of the text. @default 1000 */
  readonly beatMs?: number | undefined;
  /** Milliseconds without a change after which an owner is dead, whatever its process id says. @default 20000 */
  readonly patienceMs?: number | undefined;
}

/**
 * Waits for a lock and takes it. Its owner is dead, and the lock is taken over, when its text has not changed for
 * `patienceMs`, or for three beats if no process of this machine has its id.
 * @throws RootstockError ABORTED, or CANNOT_WRITE if the file cannot be made.
 */
export async function acquireLock(
  path: string,
  { signal, onWait, beatMs = 1000, patienceMs = 20_000 }: LockOptions = {},
): Promise<Lock> {
  const owner = `${process.pid} ${hostname()} ${randomBytes(8).toString("hex")}`;
  let seen = { text: "", since: performance.now() };
  let waiting = false;
  for (;;) {
    if (signal?.aborted) throw new RootstockError("ABORTED", `stopped while another process holds ${path}.`);
    if (await create(path, textOf(owner, 0))) return hold(path, owner, beatMs);
    if (!waiting) onWait?.();
    waiting = true;
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) continue; // released meanwhile
    if (text !== seen.text) seen = { text, since: performance.now() };
    const idle = performance.now() - seen.since;
    if (idle > patienceMs || (idle > 3 * beatMs && isDead(text))) {
      if (await takeOver(path, owner, beatMs)) return hold(path, owner, beatMs);
    }
    await wait(Math.min(beatMs / 4, 250), undefined, { signal }).catch(() => {});
  }
}

/** Whether a lock file names a process of this machine that runs. It need not be a look into another machine. */
export async function isLocked(path: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text !== undefined && !isDead(text);
}

/** The owner, and a number of fixed width that counts its beats. */
function textOf(owner: string, beat: number): string {
  return `${owner} ${String(beat).padStart(10, "0")}\n`;
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // errors of node:fs carry a code
    throw cannotWrite(path, error);
  }
}

/** Whether the owner was a process of this machine and is gone. */
function isDead(text: string): boolean {
  const [pid, host] = text.split(" ");
  return host === hostname() && /^\d+$/.test(pid ?? "") && !isRunning(Number(pid));
}

/** Puts this owner's text in place of a dead one's. Of several that do so the last one has the lock. */
async function takeOver(path: string, owner: string, beatMs: number): Promise<boolean> {
  const mine = `${path}-${owner.split(" ").at(-1)}`;
  await writeFile(mine, textOf(owner, 0));
  await rename(mine, path).catch(async (error: unknown) => {
    await rm(mine, { force: true });
    throw cannotWrite(path, error);
  });
  await wait(beatMs / 2);
  return (await readFile(path, "utf8").catch(() => "")).startsWith(owner);
}

function hold(path: string, owner: string, beatMs: number): Lock {
  const lost = new AbortController();
  let beats = 0;
  let beating = Promise.resolve();
  const beat = async (): Promise<void> => {
    const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    try {
      // Read and write through one handle: a file that was put in its place meanwhile is not touched.
      const text = await file?.readFile("utf8");
      if (text?.startsWith(owner)) await file?.write(textOf(owner, ++beats), 0);
      else lost.abort();
    } finally {
      await file?.close();
    }
  };
  const timer = setInterval(() => {
    beating = beating.then(beat).catch(() => {}); // a disk that fails for a moment
  }, beatMs);
  timer.unref();
  return {
    lost: lost.signal,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await beating;
      const text = await readFile(path, "utf8").catch(() => "");
      if (text.startsWith(owner)) await rm(path, { force: true });
    },
  };
}

/**
 * A folder of checkpoints, of which the newest good one is found again whatever happened: files appear whole, under
 * their names, on the disk, snapshots before the checkpoint that names them; old ones go only after that.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { invariant, listed, messageOf, RootstockError } from "../../errors.ts";
import type { Parameters } from "../../models/head.ts";
import { cannotWrite, removeAbandoned, writeAtomically } from "../../weights/files.ts";
import {
  encodeCheckpoint,
  encodeSnapshot,
  isSnapshot,
  peekCheckpoint,
  readCheckpoint,
  readSnapshot,
  type Saved,
  type SnapshotReference,
} from "./checkpoint-file.ts";
import { byTime, CHECKPOINT, ENDING, SNAPSHOT, snapshotFile } from "./file-names.ts";

export interface CheckpointStoreOptions {
  /** Checkpoints that stay, the newest ones; 1 or more. While one is written there is one more. @default 2 */
  readonly keep?: number | undefined;
}

/** A checkpoint that could not be used. */
export interface SkippedCheckpoint {
  readonly file: string;
  /** For people. */
  readonly reason: string;
}

/** A snapshot that could not be used. */
export interface LostSnapshot {
  /** As the checkpoint calls it. */
  readonly name: string;
  /** For people. */
  readonly reason: string;
}

/** A checkpoint as it was read. */
export interface Loaded extends Saved {
  readonly file: string;
  /** Newer ones that could not be used, the newest first. They stay where they are. */
  readonly skipped: readonly SkippedCheckpoint[];
  /** Snapshots that it names and that are not among its `snapshots`, as they cannot be read. */
  readonly lost: readonly LostSnapshot[];
}

export interface LatestOptions {
  /** Whether a checkpoint is of use without the snapshot of this name. @default none is */
  readonly mayLack?: ((name: string) => boolean) | undefined;
}

/** The checkpoints of one run. One process at a time may save; any may read. */
export class CheckpointStore {
  readonly #folder: string;
  readonly #keep: number;
  /** Files of checkpoints that this store wrote, or read without fault. */
  readonly #good = new Set<string>();
  /** Files of checkpoints that could not be read. */
  readonly #bad = new Set<string>();
  readonly #written = new WeakMap<Parameters, string>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(folder: string, keep: number) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /**
   * Opens a folder, which is made if needed, and removes what processes that were killed left half written.
   * @throws RootstockError CANNOT_WRITE if it cannot be made, BAD_CONFIG
   */
  static async open(folder: string, { keep = 2 }: CheckpointStoreOptions = {}): Promise<CheckpointStore> {
    if (!Number.isSafeInteger(keep) || keep < 1)
      throw new RootstockError("BAD_CONFIG", `keep requires a whole number of checkpoints from 1, got ${keep}.`);
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw cannotWrite(folder, cause);
    });
    await removeAbandoned(folder);
    return new CheckpointStore(folder, keep);
  }

  /**
   * Resolves when the checkpoint is on the disk; the arrays must not change until then. One of the same name is
   * replaced. A set of parameters among the snapshots is written once, as long as it is the same object. When saving
   * fails, the checkpoints before stay as they were.
   * @throws RootstockError CANNOT_WRITE, or BAD_CONFIG for a state that JSON cannot hold.
   */
  save(saved: Saved): Promise<void> {
    const turn = this.#saving.then(() => this.#save(saved));
    this.#saving = turn.catch(() => {}); // the caller hears of it
    return turn;
  }

  /**
   * Reads the newest checkpoint that is whole, with its snapshots; undefined if there is none at all. Where none is, the
   * newest one that only lacks what it may lack.
   * @throws RootstockError BAD_MODEL if there are some and none can be used.
   */
  async latest({ mayLack = () => false }: LatestOptions = {}): Promise<Loaded | undefined> {
    const skipped: SkippedCheckpoint[] = [];
    let bearable: Loaded | undefined;
    for (const name of await this.#checkpoints()) {
      const file = join(this.#folder, name);
      try {
        const loaded = { ...this.#read(name, mayLack), skipped: [...skipped] };
        if (loaded.lost.length === 0) return this.#chosen(loaded);
        bearable ??= loaded;
        skipped.push({ file, reason: loaded.lost.map(({ reason }) => reason).join(" ") });
      } catch (error) {
        skipped.push({ file, reason: messageOf(error) });
      }
      this.#good.delete(name);
      this.#bad.add(name);
    }
    if (bearable) return this.#chosen(bearable);
    if (skipped.length === 0) return undefined;
    const reasons = listed(skipped.map(({ reason }) => reason.replace(/\.$/, "")));
    throw new RootstockError(
      "BAD_MODEL",
      `no checkpoint in ${this.#folder} can be used: ${reasons}. Put the damaged files back if there is a copy of them. Otherwise start the run again: into another folder, or into this one when it is deleted.`,
    );
  }

  #chosen(loaded: Loaded): Loaded {
    const name = basename(loaded.file);
    this.#good.add(name);
    this.#bad.delete(name);
    return loaded;
  }

  /** @throws RootstockError if the checkpoint, or a snapshot that it may not lack, cannot be read. */
  #read(file: string, mayLack: (name: string) => boolean): Loaded {
    const path = join(this.#folder, file);
    const { snapshots: references, ...content } = readCheckpoint(path);
    const snapshots = new Map<string, Parameters>();
    const lost: LostSnapshot[] = [];
    for (const reference of references) {
      try {
        snapshots.set(reference.name, this.#readSnapshot(reference));
      } catch (error) {
        if (!mayLack(reference.name)) throw error;
        lost.push({ name: reference.name, reason: messageOf(error) });
      }
    }
    return { ...content, name: file.slice(0, -ENDING.length), snapshots, file: path, skipped: [], lost };
  }

  async #save({ name, state, tensors, snapshots }: Saved): Promise<void> {
    const file = name + ENDING;
    invariant(CHECKPOINT.test(file), () => `a checkpoint cannot be named "${name}"`);
    const path = join(this.#folder, file);
    const fresh: string[] = [];
    try {
      const references: SnapshotReference[] = [];
      for (const [key, parameters] of snapshots)
        references.push({ name: key, sha256: await this.#writeSnapshot(parameters, fresh) });
      const { chunks } = encodeCheckpoint({ state, tensors, snapshots: references });
      if (this.#bad.has(file)) await this.#putAside(file);
      await writeAtomically(path, chunks);
    } catch (error) {
      for (const left of fresh) await rm(left, { force: true }).catch(() => {}); // what went wrong first counts
      throw this.#explained(name, error);
    }
    this.#good.add(file);
    await this.#removeOld();
  }

  /** Writes a snapshot unless it is there, notes the file if it is new, and returns its sum. */
  async #writeSnapshot(parameters: Parameters, fresh: string[]): Promise<string> {
    const names = new Set(await readdir(this.#folder).catch(() => []));
    const known = this.#written.get(parameters);
    if (known !== undefined && names.has(snapshotFile(known))) return known;
    const { chunks, sha256 } = encodeSnapshot(parameters);
    const path = join(this.#folder, snapshotFile(sha256));
    await writeAtomically(path, chunks); // also where it was: it may be damaged
    if (!names.has(snapshotFile(sha256))) fresh.push(path);
    this.#written.set(parameters, sha256);
    return sha256;
  }

  #readSnapshot({ name, sha256 }: SnapshotReference): Parameters {
    try {
      const parameters = readSnapshot(join(this.#folder, snapshotFile(sha256)), sha256);
      this.#written.set(parameters, sha256);
      return parameters;
    } catch (cause) {
      const code = cause instanceof RootstockError ? cause.code : "BAD_MODEL";
      throw new RootstockError(code, `its snapshot "${name}" cannot be used: ${messageOf(cause)}`, { cause });
    }
  }

  /** Keeps a file that could not be read from being replaced: a newer release may be able to. */
  async #putAside(file: string): Promise<void> {
    const path = join(this.#folder, file);
    await rename(path, `${path}.unreadable`).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT") throw cannotWrite(path, cause);
    });
    this.#bad.delete(file);
  }

  /** Removes checkpoints behind the newest good ones, then snapshots that none of the others names; no other file. */
  async #removeOld(): Promise<void> {
    const needed = new Set<string>();
    let kept = 0;
    for (const file of await this.#checkpoints()) {
      const path = join(this.#folder, file);
      const references = peekCheckpoint(path);
      if (kept >= this.#keep && references !== undefined && !this.#bad.has(file)) {
        await rm(path, { force: true }).catch(() => {}); // the next save tries again
        this.#good.delete(file);
        continue;
      }
      if (this.#good.has(file)) kept++;
      for (const { sha256 } of references ?? []) needed.add(snapshotFile(sha256));
    }
    for (const file of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, file);
      if (SNAPSHOT.test(file) && !needed.has(file) && isSnapshot(path)) await rm(path, { force: true }).catch(() => {});
    }
  }

  /** Names of the files of checkpoints, the newest first. */
  async #checkpoints(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((cause: unknown) => {
      throw new RootstockError("BAD_DATA", `${this.#folder} cannot be listed: ${messageOf(cause)}.`, { cause });
    });
    return names.filter((name) => CHECKPOINT.test(name)).sort((a, b) => byTime(b, a));
  }

  #explained(name: string, error: unknown): unknown {
    if (!(error instanceof RootstockError) || error.code !== "CANNOT_WRITE") return error;
    const last = [...this.#good].sort(byTime).at(-1);
    const before = last === undefined ? "" : ` The one before, ${join(this.#folder, last)}, is as it was.`;
    return new RootstockError("CANNOT_WRITE", `checkpoint ${name} was not saved: ${error.message}${before}`, {
      cause: error,
    });
  }
}

/** Reads a pickle's bytes in order, a block at a time, and counts what it was made to do. */
import { RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";

const BLOCK_BYTES = 2 ** 16;
const LONGEST_LINE = 2 ** 16;

/** Limits on one pickle file, all of its pickles together. */
const MAX_WORK = 2 ** 22;
const MAX_BYTES = 2 ** 30;

/** The bytes of one or several pickles. What it returns may be kept. */
export interface PickleReader {
  /** Offset of the next byte in the source. */
  readonly position: number;
  byte(): number;
  /** The next bytes. */
  bytes(length: number): Uint8Array;
  /** Text up to the next line feed, which is skipped. */
  line(): string;
  /** Counts steps, so that a small pickle cannot cause unbounded work. @throws RootstockError BAD_MODEL */
  work(steps: number): void;
  /** Makes the error for this pickle at this position. */
  error(problem: string): RootstockError;
}

/** Makes a reader from `start`. */
export function pickleReader(source: ByteSource, start = 0): PickleReader {
  let block: Uint8Array = new Uint8Array();
  let blockStart = start;
  let at = 0;
  let steps = 0;
  let kept = 0;
  const position = (): number => blockStart + at;
  const error = (problem: string): RootstockError =>
    new RootstockError("BAD_MODEL", `${source.name} holds no readable PyTorch data: ${problem} (byte ${position()}).`);
  const keep = (length: number): void => {
    kept += length;
    if (kept > MAX_BYTES) throw error(`its pickle holds more than ${MAX_BYTES} bytes besides tensors`);
  };
  const need = (length: number): void => {
    if (at + length <= block.length) return;
    const left = source.size - position();
    if (length > left) throw error(`its pickle is cut off; ${length} bytes are required and ${left} are left`);
    const next = source.read(position(), Math.min(left, Math.max(length, BLOCK_BYTES)));
    blockStart = position();
    block = next;
    at = 0;
  };
  return {
    get position() {
      return position();
    },
    byte() {
      need(1);
      return block[at++]!;
    },
    bytes(length) {
      keep(length);
      need(length);
      at += length;
      return block.subarray(at - length, at);
    },
    line() {
      let text = "";
      for (;;) {
        need(1);
        const byte = block[at++]!;
        keep(1);
        if (byte === 10) return text.replace(/\r$/, "");
        text += String.fromCharCode(byte);
        if (text.length > LONGEST_LINE) throw error(`a line in its pickle has more than ${LONGEST_LINE} characters`);
      }
    },
    work(more) {
      steps += more;
      if (steps > MAX_WORK) throw error(`its pickle takes more than ${MAX_WORK} steps`);
    },
    error,
  };
}

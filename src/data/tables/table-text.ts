/** The text of a file of any size, piece by piece, where it is UTF-8; advice where it is something else. */
import { createReadStream } from "node:fs";
import { RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";

/** First bytes of what people take for a table, and what to do about it. */
const OTHERS: readonly (readonly [start: string, advice: string])[] = [
  ["\xff\xfe", "is UTF-16 text. Save it as UTF-8"],
  ["\xfe\xff", "is UTF-16 text. Save it as UTF-8"],
  ["PK\x03\x04", "is a spreadsheet or an archive, not text. Save the sheet as CSV"],
  ["\xd0\xcf\x11\xe0", "is a spreadsheet, not text. Save the sheet as CSV"],
  ["\x1f\x8b", "is compressed. Unpack it first"],
  ["PAR1", "is a Parquet file. Save it as CSV or JSON Lines"],
];

/**
 * Yields the text of a UTF-8 file without its byte order mark, in pieces of some 64 KiB.
 * @throws RootstockError BAD_DATA if the file is in another encoding, or is no text.
 */
export async function* textOf(file: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true }); // drops the mark
  let bytes = 0;
  let lines = 1;
  const decoded = (piece?: Uint8Array): string => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw unreadable(file, `is not UTF-8 text near line ${lines}. Save it as UTF-8`, cause);
    }
  };
  for await (const chunk of createReadStream(file)) {
    const piece: Uint8Array = chunk; // a stream without an encoding gives bytes
    if (bytes === 0) checkStart(file, piece);
    bytes += piece.length;
    const text = decoded(piece);
    if (text.includes("\0")) throw unreadable(file, "has zero characters: it is UTF-16 or no text. Save it as UTF-8");
    lines += text.split("\n").length - 1;
    if (text !== "") yield text;
  }
  const last = decoded();
  if (last !== "") yield last;
}

function checkStart(file: string, piece: Uint8Array): void {
  const start = String.fromCharCode(...piece.subarray(0, 4));
  const found = OTHERS.find(([magic]) => start.startsWith(magic));
  if (found) throw unreadable(file, found[1]);
}

function unreadable(file: string, problem: string, cause?: unknown): RootstockError {
  return new RootstockError("BAD_DATA", `${printable(file)} ${problem}.`, { cause });
}

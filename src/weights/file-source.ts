/** A file as a source of bytes, read by offset: weights of any size take only the memory of what is asked for. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { messageOf, RootstockError } from "../errors.ts";
import { type ByteSource, checkRange } from "./byte-source.ts";

/** One read asks the system for at most this many bytes; some systems refuse more than 2^31. */
const LARGEST_READ = 2 ** 30;

/**
 * Opens a file for reading by offset. Close it when its tensors have been read.
 * @throws RootstockError BAD_MODEL if it does not exist, is a folder, is empty, or may not be read.
 */
export function fileSource(path: string): ByteSource {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe would wait for its writer
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const info = fstatSync(file);
  if (!info.isFile() || info.size === 0) {
    closeSync(file);
    throw new RootstockError(
      "BAD_MODEL",
      info.isDirectory()
        ? `${path} is a folder; a weights file is required. Name the file in it.`
        : info.isFile()
          ? `${path} is empty (0 bytes); a weights file is required. Fetch it again.`
          : `${path} is not a plain file; a weights file is required.`,
    );
  }
  let isOpen = true;
  return {
    name: path,
    size: info.size,
    read(offset, length) {
      checkRange(this, offset, length);
      const bytes = new Uint8Array(length);
      try {
        fill(file, bytes, offset, path);
      } catch (cause) {
        throw cause instanceof RootstockError ? cause : unreadable(path, cause);
      }
      return bytes;
    },
    close() {
      if (isOpen) closeSync(file); // a second time, the number could be another file's
      isOpen = false;
    },
  };
}

/** Reads until `bytes` is full, in place. */
function fill(file: number, bytes: Uint8Array, offset: number, path: string): void {
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(file, bytes, done, Math.min(bytes.length - done, LARGEST_READ), offset + done);
    if (got === 0) throw new RootstockError("BAD_MODEL", `${path} became shorter while it was read. Try again.`);
    done += got;
  }
}

function unreadable(path: string, cause: unknown): RootstockError {
  return new RootstockError("BAD_MODEL", `${path} cannot be read: ${messageOf(cause)}.`, { cause });
}

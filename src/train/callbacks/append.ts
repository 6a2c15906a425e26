/** Adding to a file that is there: what was added survives the end of the process, and of the machine where asked. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { cannotWrite } from "../../weights/files.ts";

/**
 * Adds to the end of a file. One that somebody took away is not made again: it would begin in the middle.
 * @param durable whether to return only when the disk has it, not the system alone.
 * @throws RootstockError CANNOT_WRITE
 */
export async function append(
  path: string,
  content: Uint8Array | string,
  { durable }: { readonly durable: boolean },
): Promise<void> {
  try {
    const handle = await open(path, constants.O_WRONLY | constants.O_APPEND);
    try {
      await handle.writeFile(content);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw cannotWrite(path, cause, Buffer.byteLength(content));
  }
}

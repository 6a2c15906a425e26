/** Reads an ONNX file from disk, with the weights that it keeps beside it. */
import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import { type GraphFile, loadGraph } from "../graph/load.ts";

/** The graph and the metadata of an ONNX file. @throws RootstockError BAD_MODEL if it cannot be read. */
export async function readOnnx(path: string): Promise<GraphFile> {
  return loadGraph(await readModelFile(path), { name: basename(path), readExternal: (file) => readBeside(path, file) });
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) {
      const what = info.isDirectory() ? "a folder" : "not a regular file";
      throw new RootstockError("BAD_MODEL", `${path} is ${what}; an .onnx file is required.`);
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof RootstockError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT"; // errors of node:fs carry a code
    throw new RootstockError(
      "BAD_MODEL",
      missing ? `no model file at ${path}.` : `cannot read ${path}: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

function readBeside(path: string, file: string): Uint8Array {
  try {
    const target = join(dirname(path), file);
    // A link is followed, since model hubs keep files so; a pipe or a device would never end.
    if (!statSync(target).isFile()) throw new Error("it is not a regular file");
    return readFileSync(target);
  } catch (cause) {
    throw new RootstockError(
      "BAD_MODEL",
      `${basename(path)} keeps weights in "${file}" beside it, which cannot be read: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

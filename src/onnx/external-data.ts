/** Weights that an ONNX file keeps in files beside it: resolved into the messages before decoding tensors. */

import { RootstockError } from "../errors.ts";
import { DATA_LOCATION } from "./attribute-kind.ts";
import type { GraphProto } from "./onnx-pb.ts";

/** Returns the bytes of a file beside the model, as a view; the given name is a plain relative path. */
export type ReadExternal = (location: string) => Uint8Array;

/**
 * Replaces every external reference by a view of the bytes that `read` returns, in place.
 * @throws RootstockError BAD_MODEL if a reference leaves the model's folder or its file's bounds.
 */
export function resolveExternalData(graph: GraphProto, read: ReadExternal): void {
  const files = new Map<string, Uint8Array>();
  for (const tensor of graph.initializer) {
    if (tensor.dataLocation !== DATA_LOCATION.external) continue;
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
    const location = entries.get("location") ?? "";
    checkLocation(location, tensor.name);
    const bytes = files.get(location) ?? read(location);
    files.set(location, bytes);
    const offset = Number(entries.get("offset") ?? 0);
    const length = Number(entries.get("length") ?? bytes.length - offset);
    if (
      !(
        Number.isSafeInteger(offset) &&
        Number.isSafeInteger(length) &&
        offset >= 0 &&
        length >= 0 &&
        offset + length <= bytes.length
      )
    ) {
      throw new RootstockError(
        "BAD_MODEL",
        `tensor "${tensor.name}" requires bytes ${offset} to ${offset + length} of "${location}", which has ${bytes.length}. The file may be truncated.`,
      );
    }
    tensor.rawData = bytes.subarray(offset, offset + length);
    tensor.externalData = [];
    tensor.dataLocation = DATA_LOCATION.embedded;
  }
}

/** A location is a relative path inside the model's folder, with forward slashes (ONNX external data specification). */
function checkLocation(location: string, tensorName: string): void {
  const parts = location.split(/[/\\]/);
  if (location === "" || /^([/\\]|[A-Za-z]:)/.test(location) || parts.includes("..") || location.includes("\0")) {
    throw new RootstockError(
      "BAD_MODEL",
      `tensor "${tensorName}" refers to external data at "${location}", which is outside the model's folder. Refused.`,
    );
  }
}

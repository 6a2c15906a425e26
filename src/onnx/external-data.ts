/** Weights that an ONNX file keeps in files beside it: resolved when reading, moved out when writing. */

import { create } from "@bufbuild/protobuf";
import { RootstockError } from "../errors.ts";
import { DATA_LOCATION } from "./attribute-kind.ts";
import { type GraphProto, StringStringEntryProtoSchema } from "./onnx-pb.ts";

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

/** Tensors below this many bytes stay in the model file. */
const SMALL = 1024;
/** Offsets are multiples of a page, so that a runtime can map the weights into memory. */
const PAGE = 4096;

/**
 * Moves the data of every large tensor out of the messages, in place.
 * @param location where the data will be, relative to the model's folder.
 * @returns the contents of that file, as chunks to be written in order.
 * @throws RootstockError BAD_MODEL if `location` leaves the folder.
 */
export function moveToExternalData(graph: GraphProto, location: string): Uint8Array[] {
  checkLocation(location, "(weights to save)");
  const chunks: Uint8Array[] = [];
  let end = 0;
  for (const tensor of graph.initializer) {
    if (tensor.rawData.length < SMALL) continue;
    const padding = (PAGE - (end % PAGE)) % PAGE;
    if (padding > 0) chunks.push(new Uint8Array(padding));
    chunks.push(tensor.rawData);
    const entries = { location, offset: end + padding, length: tensor.rawData.length };
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    );
    tensor.dataLocation = DATA_LOCATION.external;
    end += padding + tensor.rawData.length;
    tensor.rawData = new Uint8Array();
  }
  return chunks;
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

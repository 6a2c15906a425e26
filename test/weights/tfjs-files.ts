/** Writes TensorFlow.js layers models for tests. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesOf, type Tensor } from "../../src/tensor/tensor.ts";

/** A weight of the manifest. `tensor` holds the elements as stored. */
export interface TfjsWeight {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype?: string;
  readonly quantization?: object;
}

/** Writes model.json and its files of weights, the bytes cut into equal parts, and returns the folder. */
export async function writeTfjs(
  folder: string,
  topology: unknown,
  weights: readonly TfjsWeight[],
  { shards = 1, edit = (json: TfjsJson): unknown => json } = {},
): Promise<string> {
  const bytes = Buffer.concat(weights.map(({ tensor }) => bytesOf(tensor)));
  const length = Math.ceil(bytes.length / shards);
  const paths = Array.from({ length: shards }, (_, i) => `group1-shard${i + 1}of${shards}.bin`);
  for (const [i, path] of paths.entries())
    await writeFile(join(folder, path), bytes.subarray(i * length, (i + 1) * length));
  const manifest = weights.map(({ name, tensor, dtype = tensor.dtype, quantization }) => ({
    name,
    shape: tensor.shape,
    dtype,
    ...(quantization && { quantization }),
  }));
  const json = { format: "layers-model", modelTopology: topology, weightsManifest: [{ paths, weights: manifest }] };
  await writeFile(join(folder, "model.json"), JSON.stringify(edit(json)));
  return folder;
}

/** The contents of model.json. */
export interface TfjsJson {
  format: string;
  modelTopology: unknown;
  weightsManifest: { paths: string[]; weights: { name: string; shape: readonly number[]; dtype: string }[] }[];
}

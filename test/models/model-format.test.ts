import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatOfModel } from "../../src/models/model-format.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeTinyModel } from "./tiny.ts";

test("a file's first bytes say how it is read, not its name", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "model.bin");
  const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  const files: readonly (readonly [Uint8Array, string])[] = [
    [Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]), "weights"],
    [Buffer.from("\x80\x02\x8a\x0al\xfc", "latin1"), "weights"],
    [Buffer.from("version https://git-lfs.github.com/spec/v1"), "onnx"],
    [Buffer.alloc(0), "onnx"],
    [Buffer.from("{}"), "onnx"],
  ];
  for (const [bytes, format] of files) {
    await writeFile(path, bytes);
    expect(await formatOfModel(path), bytes.toString()).toBe(format);
  }
  await writeTinyModel(path);
  expect(await formatOfModel(path)).toBe("onnx");
});

test("what is no file is left to the reader of ONNX files, which says so", async () => {
  const folder = await temporaryFolder();
  expect(await formatOfModel(folder)).toBe("onnx");
  expect(await formatOfModel(join(folder, "none"))).toBe("onnx");
});

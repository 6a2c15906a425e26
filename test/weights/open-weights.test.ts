import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openWeights } from "../../src/weights/open-weights.ts";
import { temporaryFolder } from "../data/made.ts";
import { goldenPath, zipOf } from "./golden.ts";

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

const darknet = Buffer.alloc(200, 7);
darknet.set([0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0], 0);
const tar = Buffer.alloc(1024);
tar.write("ustar", 257);
const leveldb = Buffer.alloc(100, 1);
leveldb.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], 92);

describe("refuses, by the contents whatever the name is,", () => {
  test.each<[string, string, Uint8Array | string, string]>([
    [
      "an ONNX model",
      "a.pth",
      Buffer.from("\x08\x08\x12\x07pytorch", "latin1"),
      "it is an ONNX model, weights and graph in one",
    ],
    ["a web page", "a.safetensors", "<!DOCTYPE html><title>404</title>", "it is a web page, such as the error page"],
    ["a web page with a mark", "a.pth", "\ufeff \n<html></html>", "it is a web page"],
    ["a Git LFS pointer", "a.pth", "version https://git-lfs.github.com/spec/v1\noid", "Run `git lfs pull`"],
    ["a gzip file", "a.pth.gz", gzipSync("weights"), "compressed with gzip"],
    ["a tar archive", "a.pth.tar", tar, "it is a tar archive"],
    ["a TensorFlow checkpoint's index", "model.ckpt.index", leveldb, "part of a TensorFlow checkpoint"],
    ["a TensorFlow checkpoint's data", "m.data-00000-of-00001", Buffer.alloc(64, 3), "part of a TensorFlow checkpoint"],
    [
      "a TensorFlow checkpoint's list",
      "checkpoint",
      'model_checkpoint_path: "m"',
      "the list of a TensorFlow checkpoint",
    ],
    ["a TensorFlow.js model", "model.json", '{"modelTopology": {}}', "it is a TensorFlow.js model"],
    ["a Keras topology", "config.json", '{"class_name": "Functional", "config": {}}', "without weights"],
    ["JSON", "a.json", '{"a": 1}', 'JSON without a "weight_map"'],
    ["JSON that is cut off", "a.json", '{"weight_map": {"a": "b', "cut off or damaged"],
    ["an index that nests too deeply", "a.json", `{"weight_map":${"[".repeat(2 ** 22)}`, "cut off or damaged"],
    ["an index of too many values", "a.json", `{"weight_map":[${"[],".repeat(2 ** 21)}[]]}`, "cut off or damaged"],
    ["Darknet weights", "yolo.weights", darknet, "Darknet weights file"],
    ["a TensorFlow Lite model", "a.tflite", "\x1c\0\0\0TFL3", "TensorFlow Lite model"],
    ["a NumPy array", "a.npy", Buffer.from("\x93NUMPY\x01", "latin1"), "single NumPy array"],
    ["NumPy arrays", "a.npz", zipOf([{ name: "a.npy", data: "x" }]), "a zip archive of NumPy arrays"],
    ["a zip archive", "a.zip", zipOf([{ name: "a.txt", data: "x" }]), "1 files, none of which PyTorch or Keras wrote"],
    ["text", "a.pth", "hello", "it is a text file"],
    ["zeros", "a.pth", Buffer.alloc(5000), "starts with zeros only"],
    ["noise", "a.pth", Buffer.alloc(99, 0xee), "of no known format (first bytes ee ee"],
    ["nothing", "a.pth", "", "is empty (0 bytes)"],
  ])("%s", async (_what, name, content, message) => {
    const opened = openWeights(await file(name, content));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: "BAD_MODEL" });
  });

  test("a folder", async () => {
    const folder = join(await temporaryFolder(), "weights");
    await mkdir(folder);
    await expect(openWeights(folder)).rejects.toThrow("is a folder; a weights file is required");
  });

  test("a file that does not exist", async () => {
    await expect(openWeights("nowhere/weights.pth")).rejects.toThrow(/nowhere.weights\.pth cannot be read: ENOENT/);
  });
});

test("looks at the contents, not at the name", async () => {
  const content = await readFile(goldenPath("kinds.safetensors"));
  const source = await openWeights(await file("weights.pth", content));
  expect(source.format).toBe("safetensors");
  source.close();
  source.close();
});

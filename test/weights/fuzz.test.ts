/** Damaged files of every format: whatever the bytes are, the answer is tensors or one clear error, soon. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RootstockError } from "../../src/errors.ts";
import { type Rng, rng } from "../../src/random.ts";
import { type ByteSource, checkRange } from "../../src/weights/byte-source.ts";
import { openWeightsIn } from "../../src/weights/open-weights.ts";
import { assets, withAssets } from "../assets.ts";
import { goldenPath } from "./golden.ts";

/** A source over bytes that are changed in place between two openings. */
function sourceOf(name: string, bytes: Uint8Array, size: number): ByteSource {
  return {
    name,
    size,
    read(offset, length) {
      checkRange(this, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    close() {},
  };
}

/** Formats keep what matters at their start, their end, or throughout. */
function position(random: Rng, length: number): number {
  const place = random.next();
  if (place < 0.4) return Math.floor(random.next() * Math.min(length, 4096));
  return place < 0.7
    ? length - 1 - Math.floor(random.next() * Math.min(length, 8192))
    : Math.floor(random.next() * length);
}

/** Changes some bytes, in place, and returns what undoes it. */
function damage(bytes: Uint8Array, random: Rng): () => void {
  const before: [at: number, byte: number][] = [];
  for (let changes = 1 + Math.floor(random.next() * 6); changes > 0; changes--) {
    const at = position(random, bytes.length);
    const run = random.next() < 0.2 ? 8 : 1;
    const kind = random.next();
    for (let i = at; i < Math.min(at + run, bytes.length); i++) {
      before.push([i, bytes[i]!]);
      const flipped = bytes[i]! ^ (1 << Math.floor(random.next() * 8));
      bytes[i] = kind < 0.25 ? 255 : kind < 0.4 ? 0 : kind < 0.7 ? flipped : Math.floor(random.next() * 256);
    }
  }
  return () => {
    for (const [at, byte] of before.reverse()) bytes[at] = byte;
  };
}

/** Opens the file `rounds` times, each time damaged otherwise, and reads some of its tensors. */
function fuzz(path: string, rounds: number): { readonly refused: number; readonly slowest: number } {
  const bytes = readFileSync(path);
  const random = rng(7);
  let refused = 0;
  let slowest = 0;
  for (let round = 0; round < rounds; round++) {
    const undo = damage(bytes, random);
    const size = random.next() < 0.1 ? Math.floor(random.next() * bytes.length) : bytes.length;
    const start = performance.now();
    try {
      const source = openWeightsIn(sourceOf("damaged", bytes, size));
      for (let i = 0; i < 3; i++) source.read(source.names[Math.floor(random.next() * source.names.length)]!);
      source.close();
    } catch (error) {
      refused++;
      const isOurs =
        error instanceof RootstockError && error.code === "BAD_MODEL" && !(error.cause instanceof RangeError);
      if (!isOurs) throw new Error(`round ${round} of ${path}`, { cause: error });
    }
    slowest = Math.max(slowest, performance.now() - start);
    undo();
  }
  return { refused, slowest };
}

test.each([
  ...["kinds.pth", "kinds-legacy.pth", "kinds-compressed.pth", "checkpoint.pth", "arrays-protocol4.pkl"],
  ...["kinds.safetensors", "kinds.h5", "many.h5", "keras2-model.h5", "keras3-latest.weights.h5"],
])("%s, damaged in 300 ways", (name) => {
  const { refused, slowest } = fuzz(goldenPath(name), 300);
  expect(refused).toBeGreaterThan(30);
  expect(slowest).toBeLessThan(1000);
});

withAssets("real files, damaged in 2000 ways each", () => {
  test.each([
    "squeezenet1_1/squeezenet1_1.safetensors",
    "resnet20_cifar10/resnet20-12fca82f.th",
    "detectors/fastestdet/shufflenetv2_backbone.pth",
    "keras-h5/pretrainedResnet.h5",
  ])("%s", (name) => {
    const { refused, slowest } = fuzz(join(assets ?? "", "models", name), 2000);
    expect(refused).toBeGreaterThan(200);
    expect(slowest).toBeLessThan(1000);
  });
});

import { expect, test } from "vitest";
import { decodeSegment, encodeSegment } from "../../src/features/segment.ts";
import { joinChunks } from "../../src/onnx/encode.ts";

const key = (digit: string): string => digit.repeat(64);
const rows = new Map([
  [key("a"), Float32Array.of(1, 2, 3)],
  [key("b"), Float32Array.of(-0.5, Number.MIN_VALUE, 1e38)],
]);
const bytes = joinChunks(encodeSegment(rows, 3));

test("returns the rows that were written, whatever the alignment of the bytes", () => {
  for (const shift of [0, 1, 2, 3]) {
    const moved = new Uint8Array(bytes.length + shift).subarray(shift);
    moved.set(bytes);
    expect(decodeSegment(moved, 3)).toEqual(rows);
  }
});

test("an empty segment has no rows", () => {
  expect(decodeSegment(joinChunks(encodeSegment(new Map(), 3)), 3)).toEqual(new Map());
});

test("every truncation is found", () => {
  for (let length = 0; length < bytes.length; length++)
    expect(decodeSegment(bytes.slice(0, length), 3)).toBeUndefined();
});

test("every changed byte is found", () => {
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i]! ^= 0x10;
    expect(decodeSegment(damaged, 3)).toBeUndefined();
  }
});

test("a segment of another width, or a longer file, is not used", () => {
  expect(decodeSegment(bytes, 4)).toBeUndefined();
  expect(decodeSegment(joinChunks([bytes, Uint8Array.of(0)]), 3)).toBeUndefined();
});

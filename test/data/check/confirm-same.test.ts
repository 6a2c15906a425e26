import { expect, test } from "vitest";
import { FineSquares } from "../../../src/data/check/confirm-same.ts";
import { TURNS } from "../../../src/data/check/perceptual-hash.ts";
import { temporaryFolder } from "../made.ts";
import { drawn, editing, jpeg, writePictures } from "./made-pictures.ts";

const [asItIs, mirrored] = [TURNS[0]!, TURNS[1]!];
const board = drawn("board", 240, 240);

test("confirms a copy of low quality, of another size, and a mirrored one", async () => {
  const sources = [
    await jpeg(board, 92),
    await jpeg(board, 15),
    await editing(board).resize(120, 120).jpeg().toBuffer(),
    await editing(board).flop().jpeg().toBuffer(),
  ];
  const squares = new FineSquares(sources);
  expect(await squares.same(0, 1, asItIs, true)).toBe(true);
  expect(await squares.same(0, 2, asItIs, false)).toBe(true);
  expect(await squares.same(0, 3, mirrored, true)).toBe(true);
  expect(await squares.same(0, 3, asItIs, true)).toBe(false);
});

test("does not confirm a board on which a small pale piece was moved", async () => {
  const withPiece = (left: number, top: number) => {
    const data = board.data.slice();
    for (let y = top; y < top + 9; y++)
      for (let x = left; x < left + 9; x++)
        for (let c = 0; c < 3; c++) data[3 * (y * 240 + x) + c] = (board.data[3 * (y * 240 + x) + c]! + 60) % 256;
    return { ...board, data };
  };
  const squares = new FineSquares([await jpeg(withPiece(40, 50)), await jpeg(withPiece(160, 130))]);
  expect(await squares.same(0, 1, asItIs, true)).toBe(false);
});

test("does not confirm what can no longer be read", async () => {
  const root = await temporaryFolder();
  await writePictures(root, { "a.jpg": await jpeg(board) });
  const squares = new FineSquares([`${root}/a.jpg`, `${root}/gone.jpg`]);
  expect(await squares.same(0, 1, asItIs, true)).toBe(false);
});

/** A lamp of 12 x 12 pixels on the board, in a color of the luma 120. */
async function withLamp(lamp: readonly [number, number, number]): Promise<Uint8Array> {
  const data = board.data.slice();
  for (let y = 100; y < 112; y++) for (let x = 60; x < 72; x++) data.set(lamp, 3 * (y * 240 + x));
  return await jpeg({ ...board, data });
}

test("does not confirm pictures that differ in the color of something small", async () => {
  const [red, green] = [await withLamp([255, 62, 62]), await withLamp([30, 180, 48])]; // of one luma
  const squares = new FineSquares([red, green, await withLamp([255, 62, 62])]);
  expect(await squares.same(0, 1, asItIs, true)).toBe(false);
  expect(await squares.same(0, 2, asItIs, true)).toBe(true);
});

test("confirms a gray copy of a colored picture, but not one that has color in one place", async () => {
  const gray = { ...board, data: board.data.slice() };
  for (let i = 0; i < gray.data.length; i += 3) {
    const [r, g, b] = [board.data[i]!, board.data[i + 1]!, board.data[i + 2]!];
    gray.data.fill(Math.round(0.299 * r + 0.587 * g + 0.114 * b), i, i + 3);
  }
  const lit = { ...gray, data: gray.data.slice() };
  for (let y = 100; y < 108; y++) {
    for (let x = 60; x < 68; x++) {
      const at = 3 * (y * 240 + x);
      const level = Math.min(190, Math.max(70, gray.data[at]!));
      lit.data.set([level + 60, level - 30, level], at);
    }
  }
  const squares = new FineSquares([await jpeg(board), await jpeg(gray), await jpeg(lit)]);
  expect(await squares.same(0, 1, asItIs, false)).toBe(true);
  expect(await squares.same(1, 2, asItIs, false)).toBe(false);
});

test("does not confirm pictures that are too plain to tell: a disc on white, and its copy", async () => {
  const data = new Uint8Array(3 * 120 * 120).fill(255);
  for (let y = 0; y < 120; y++)
    for (let x = 0; x < 120; x++) if ((x - 60) ** 2 + (y - 60) ** 2 < 900) data.set([200, 40, 40], 3 * (y * 120 + x));
  const disc = { width: 120, height: 120, data };
  const squares = new FineSquares([await jpeg(disc), await jpeg(disc, 60)]);
  expect(await squares.same(0, 1, asItIs, true)).toBe(false);
});

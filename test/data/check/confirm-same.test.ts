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

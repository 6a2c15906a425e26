import { expect, test } from "vitest";
import { ONE } from "../../../src/models/architectures/initializers.ts";
import {
  channelsFirst,
  channelsLast,
  firstToken,
  reshape,
  tokensOf,
  transpose,
  withToken,
} from "../../../src/models/architectures/tokens.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { compute } from "./modern.ts";

/** Two images whose pixels say where they are: image, channel, row, column. */
const image = float32(
  [2, 3, 2, 4],
  [0, 1].flatMap((n) => [0, 1, 2].flatMap((c) => [0, 1].flatMap((y) => [0, 1, 2, 3].map((x) => at(n, c, y, x))))),
);

function at(n: number, c: number, y: number, x: number): number {
  return 1000 * n + 100 * c + 10 * y + x;
}

test("channels go last and come back, for each image", async () => {
  const last = [0, 1].flatMap((n) =>
    [0, 1].flatMap((y) => [0, 1, 2, 3].flatMap((x) => [0, 1, 2].map((c) => at(n, c, y, x)))),
  );
  expect(await compute(image, (l) => channelsLast(l, l.image))).toEqual(last);
  expect(await compute(image, (l) => channelsFirst(l, channelsLast(l, l.image)))).toEqual([...image.data]);
});

test("tokens are the positions row by row", async () => {
  const tokens = await compute(image, (l) => tokensOf(l, l.image));
  expect(tokens.slice(0, 6)).toEqual([0, 100, 200, 1, 101, 201]);
  expect(tokens.slice(4 * 3, 5 * 3)).toEqual([10, 110, 210]);
  expect(tokens.slice(8 * 3, 9 * 3)).toEqual([1000, 1100, 1200]);
});

test("axes are reshaped and transposed without the batch", async () => {
  const swapped = await compute(image, (l) => transpose(l, reshape(l, l.image, [3, 8]), [1, 0]));
  expect(swapped).toEqual(await compute(image, (l) => tokensOf(l, l.image)));
});

test("a token is put in front of every image's list, and read there", async () => {
  const weights = { token: float32([1, 1, 3], [7, 8, 9]) };
  const list = await compute(
    image,
    (l) => withToken(l, l.parameter("token", [1, 1, 3], "embedding", ONE), tokensOf(l, l.image)),
    weights,
  );
  expect(list.slice(0, 6)).toEqual([7, 8, 9, 0, 100, 200]);
  expect(list.slice(9 * 3, 9 * 3 + 6)).toEqual([7, 8, 9, 1000, 1100, 1200]);
  expect(await compute(image, (l) => firstToken(l, tokensOf(l, l.image)))).toEqual([0, 100, 200, 1000, 1100, 1200]);
});

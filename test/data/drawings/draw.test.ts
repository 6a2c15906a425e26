import { expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import { DRAWN_CLASSES } from "../../../src/data/drawings/class-forms.ts";
import { drawExample, drawScene } from "../../../src/data/drawings/draw.ts";
import { sniffImage } from "../../../src/data/sniff.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("equal arguments give equal bytes, also of many drawn at once", async () => {
  const once = [hex(await drawScene(7, 3, 48)), hex(await drawExample(7, "gear", 3, 48))];
  const jobs = Array.from({ length: 8 }, async (_, i) =>
    i % 2 === 0 ? hex(await drawScene(7, 3, 48)) : hex(await drawExample(7, "gear", 3, 48)),
  );
  expect(new Set(await Promise.all(jobs))).toEqual(new Set(once));
});

test("another seed, index or class gives another picture", async () => {
  const drawings = await Promise.all([
    drawScene(1, 0, 48),
    drawScene(1, 1, 48),
    drawScene(2, 0, 48),
    drawScene(-1, 0, 48),
    ...DRAWN_CLASSES.map((name) => drawExample(1, name, 0, 48)),
    drawExample(1, "star", 1, 48),
  ]);
  expect(new Set(drawings.map(hex)).size).toBe(drawings.length);
});

test.each([16, 97, 160, 1024])("is a JPEG of %i pixels each side", async (size) => {
  for (const bytes of [await drawScene(3, 5, size), await drawExample(3, "moon", 5, size)]) {
    expect(sniffImage(bytes)).toEqual({ format: "jpeg" });
    const { width, height } = await decodeImage(bytes);
    expect([width, height]).toEqual([size, size]);
  }
});

test("a size unless given is 160, and other sizes show the same picture", async () => {
  const [normal, large] = await Promise.all([drawExample(4, "leaf", 2), drawExample(4, "leaf", 2, 320)]);
  const [a, b] = [await decodeImage(normal), await decodeImage(large)];
  expect(a.width).toBe(160);
  let difference = 0;
  for (let y = 0; y < 160; y += 4)
    for (let x = 0; x < 160; x += 4)
      difference += Math.abs(a.data[3 * (160 * y + x) + 1]! - b.data[3 * (320 * 2 * y + 2 * x) + 1]!) / 1600;
  expect(difference).toBeLessThan(30);
});

test.each([
  [() => drawScene(1, 0, 15), /size requires a whole number from 16 to 1024, got 15\./],
  [() => drawScene(1, 0, 1025), /size requires a whole number from 16 to 1024, got 1025\./],
  [() => drawScene(1, 0, 60.5), /size requires .* got 60\.5\./],
  [() => drawScene(1, -1), /index requires a whole number from 0, got -1\./],
  [() => drawScene(0.5, 1), /seed requires a whole number, got 0\.5\./],
  [() => drawScene(Number.NaN, 1), /seed requires a whole number, got NaN\./],
  [
    () => drawExample(1, "stars" as "star", 0),
    /className requires one of arrow, .* got "stars"\. Did you mean "star"\?/,
  ],
])("refuses what it cannot draw: %#", async (call, message) => {
  await expect(call()).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringMatching(message) });
});

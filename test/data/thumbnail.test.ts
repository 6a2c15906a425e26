import { describe, expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode.ts";
import { thumbnailOf } from "../../src/data/thumbnail.ts";
import { drawn, editing, jpeg } from "./check/made-pictures.ts";

describe("thumbnailOf", () => {
  test("shrinks to the size asked for, and tells what the header says", async () => {
    const bytes = await jpeg(drawn(1, 640, 400));
    const made = await thumbnailOf(bytes, { size: 128 });
    expect(made).toMatchObject({
      facts: {
        format: "jpeg",
        width: 640,
        height: 400,
        orientation: 1,
        channels: 3,
        alpha: false,
        bits: 8,
        cmyk: false,
        frames: 1,
      },
      image: { width: 128, height: 80 },
    });
  });

  test("never enlarges", async () => {
    expect(await thumbnailOf(await jpeg(drawn(2, 40, 30)))).toMatchObject({ image: { width: 40, height: 30 } });
  });

  test("has the grey level of the whole picture, within one level", async () => {
    const bytes = await jpeg(drawn(3, 900, 700));
    const [whole, small] = [await decodeImage(bytes), await thumbnailOf(bytes)];
    if ("problem" in small) throw new Error(small.problem);
    const mean = (data: Uint8Array): number => data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean(small.image.data) - mean(whole.data))).toBeLessThan(1);
  });

  test("stands a picture upright, and gives its upright size", async () => {
    const bytes = await editing(drawn(4, 80, 60))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const made = await thumbnailOf(bytes);
    expect(made).toMatchObject({
      facts: { width: 60, height: 80, orientation: 6 },
      image: { width: 60, height: 80 },
    });
  });

  test("puts transparency on white and says so", async () => {
    const clear = { create: { width: 9, height: 7, channels: 4 as const, background: { r: 0, g: 0, b: 0, alpha: 0 } } };
    const sharp = (await import("sharp")).default;
    const made = await thumbnailOf(await sharp(clear).png().toBuffer());
    if ("problem" in made) throw new Error(made.problem);
    expect(made.facts).toMatchObject({ alpha: true, channels: 4, format: "png" });
    expect(made.image.data.every((value) => value === 255)).toBe(true);
  });

  test("says what is wrong with a file that is cut off, too large, or no picture", async () => {
    const whole = await jpeg(drawn(5, 300, 200));
    expect(await thumbnailOf(whole.subarray(0, whole.length / 2))).toEqual({
      problem: "is cut off or damaged: it cannot be decoded",
    });
    expect(await thumbnailOf(whole, { maxPixels: 59_999 })).toMatchObject({
      problem: expect.stringContaining("59999 pixels"),
    });
    expect(await thumbnailOf(new TextEncoder().encode("<html></html>"))).toMatchObject({
      problem: expect.stringContaining("HTML"),
    });
  });
});

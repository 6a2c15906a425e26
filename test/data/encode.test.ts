import { expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode.ts";
import { encodeJpeg, encodePng, jpegUrl } from "../../src/data/encode.ts";
import { drawn } from "./check/made-pictures.ts";

test("a PNG has exactly the pixels", async () => {
  const image = drawn(1, 31, 17);
  const decoded = await decodeImage(await encodePng(image));
  expect([decoded.width, decoded.height]).toEqual([31, 17]);
  expect(Buffer.from(decoded.data).equals(Buffer.from(image.data))).toBe(true);
});

test("a JPEG has about the pixels, closer with more quality", async () => {
  const image = drawn(2, 64, 48);
  const errorAt = async (quality: number): Promise<number> => {
    const { data } = await decodeImage(await encodeJpeg(image, { quality }));
    return data.reduce((sum, value, i) => sum + Math.abs(value - image.data[i]!), 0) / data.length;
  };
  const [coarse, fine] = [await errorAt(20), await errorAt(95)];
  expect(fine).toBeLessThan(coarse);
  expect(fine).toBeLessThan(16);
});

test("a data URL has the bytes of the JPEG", async () => {
  const image = drawn(3, 20, 20);
  const url = await jpegUrl(image);
  expect(url.startsWith("data:image/jpeg;base64,")).toBe(true);
  expect(Buffer.from(url.split(",")[1]!, "base64").equals(Buffer.from(await encodeJpeg(image)))).toBe(true);
});

test("refuses pixels that do not fill the picture", async () => {
  await expect(encodePng({ width: 4, height: 4, data: new Uint8Array(47) })).rejects.toThrow(
    /4 x 4 pixels in 47 bytes/,
  );
});

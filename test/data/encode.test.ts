import { expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode.ts";
import { encodeJpeg, encodePng, jpegUrl, svgToJpeg } from "../../src/data/encode.ts";
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

const HALVES =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 2 1"><rect width="1" height="1" fill="#c00"/></svg>';

test("a drawing has the size that it gives itself, over white", async () => {
  const { width, height, data } = await decodeImage(await svgToJpeg(HALVES, { quality: 95 }));
  expect([width, height]).toEqual([40, 20]);
  const at = (x: number, y: number): readonly number[] => [...data.subarray(3 * (y * 40 + x), 3 * (y * 40 + x) + 3)];
  for (const [c, wanted] of [204, 0, 0].entries()) expect(Math.abs(at(5, 10)[c]! - wanted)).toBeLessThan(12);
  for (const value of at(35, 10)) expect(value).toBeGreaterThan(245);
});

test("a drawing can be blurred, and a blur too small to see is none", async () => {
  const edge = async (blur: number): Promise<number> => {
    const { data } = await decodeImage(await svgToJpeg(HALVES, { quality: 95, blur }));
    return data[3 * (10 * 40 + 23) + 1]!; // three pixels into the white
  };
  expect(await edge(0)).toBeGreaterThan(235);
  expect(await edge(4)).toBeLessThan(220);
  expect(await svgToJpeg(HALVES, { blur: 0.2 })).toEqual(await svgToJpeg(HALVES));
});

test("a drawing cannot bring in files from outside", async () => {
  const outside =
    '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><image href="file:///etc/hostname" width="8" height="8"/></svg>';
  const { data } = await decodeImage(await svgToJpeg(outside));
  expect(Math.min(...data)).toBeGreaterThan(250);
});

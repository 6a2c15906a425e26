import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { sniffImage } from "../../src/data/sniff.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("sniffImage", () => {
  test.each(["jpeg", "png", "gif", "webp", "tiff", "avif"] as const)("recognizes %s", async (format) => {
    const image = sharp({ create: { width: 16, height: 16, channels: 3, background: "red" } });
    expect(sniffImage(await image.toFormat(format).toBuffer())).toEqual({ format });
  });

  test.each([
    ["", "is empty (0 bytes)"],
    ["<!DOCTYPE html><html>", "is not an image (looks like HTML)"],
    ["\xef\xbb\xbf \n<!-- saved --><HTML>", "is not an image (looks like HTML)"],
    ["<?xml version='1.0'?><annotation>", "is not an image (looks like XML)"],
    ['{"error": 404}', "is not an image (looks like JSON)"],
    ["no such file\n", "is not an image (looks like text)"],
    ["\xff\xfeh\0i\0", "is not an image (looks like text)"],
    [
      "version https://git-lfs.github.com/spec/v1\n",
      "is not an image (looks like a Git LFS pointer: run git lfs pull)",
    ],
    ["PK\x03\x04....", "is not an image (looks like a zip archive)"],
    ["\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "is not an image (looks like a video)"],
    ["RIFF....AVI LIST", "is not an image (looks like a video)"],
    ["\0\x05\x16\x07\0\x02\0\0Mac OS X", "is not an image (looks like macOS metadata of another file)"],
    ["\0".repeat(100), "is not an image (starts with zeros only: a failed copy)"],
    ["\x93\x01\x02\x03\x04", "is not an image of a known format (first bytes 93 01 02 03)"],
    ["BM\x36\x10\0\0\0\0\0\0\x36", "is a BMP file, which is not supported; convert it to PNG or JPEG"],
    ["\0\0\0\x1cftypheic\0\0\0\0mif1heic", "is a HEIC photograph, which is not supported; convert it to PNG or JPEG"],
    ["\0\0\0\x0cJXL \r\n", "is a JPEG XL file, which is not supported; convert it to PNG or JPEG"],
    ["%PDF-1.7", "is a PDF document, which is not supported; convert it to PNG or JPEG"],
    ["P6\n2 2\n255\n", "is a netpbm file (PNM), which is not supported; convert it to PNG or JPEG"],
  ])("explains %j", (text, problem) => {
    expect(sniffImage(bytes(text))).toEqual({ problem });
  });

  test.each([
    "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "<?xml version='1.0'?>\n<!-- x --><svg>",
    "\xef\xbb\xbf<!DOCTYPE svg PUBLIC><svg>",
    " <!-- a --> <!-- b -->\n<SVG width='1'>",
  ])("refuses a vector drawing: %j", (text) => {
    const problem = "is an SVG drawing, which is not supported; convert it to PNG or JPEG";
    expect(sniffImage(bytes(text))).toEqual({ problem });
  });

  test("takes AVIF by any of its brands, and a short or lying brand box without harm", () => {
    expect(sniffImage(bytes("\0\0\0\x1cftypmif1\0\0\0\0mif1avif"))).toEqual({ format: "avif" });
    expect(sniffImage(bytes("\0\0\xff\xffftyp"))).toHaveProperty("problem");
    expect(sniffImage(bytes("\0\0\0\0ftypavif"))).toEqual({ format: "avif" });
  });

  test("is quick on hostile markup", () => {
    for (const part of ["<!--", "<?xml", "<!---->", "<", " "]) {
      expect(sniffImage(bytes(part.repeat(1_000_000)))).toHaveProperty("problem");
    }
  });

  test("calls text that is cut inside a character text", () => {
    expect(sniffImage(Buffer.from("é".repeat(4000)).subarray(0, 4097))).toEqual({
      problem: "is not an image (looks like text)",
    });
  });
});

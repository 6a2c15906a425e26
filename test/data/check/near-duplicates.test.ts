import { describe, expect, test } from "vitest";
import { alikePairs, type Comparable, type Confirm } from "../../../src/data/check/near-duplicates.ts";
import { TURNS } from "../../../src/data/check/perceptual-hash.ts";
import { scanBytes } from "../../../src/data/check/scan-file.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { drawn, editing, jpeg } from "./made-pictures.ts";

const yes: Confirm = async () => true;

async function comparable(bytes: Uint8Array): Promise<NonNullable<Comparable>> {
  const scanned = await scanBytes(bytes);
  if ("defect" in scanned) throw new Error(scanned.problem);
  return { ...scanned.signature, width: scanned.facts.width, height: scanned.facts.height };
}

const original = drawn("original", 200, 150);
const edits: Readonly<Record<string, (image: Image) => Promise<Uint8Array>>> = {
  "of quality 20": (image) => jpeg(image, 20),
  "as WebP": (image) => editing(image).webp({ quality: 60 }).toBuffer(),
  "of half the size": (image) => editing(image).resize(100, 75).jpeg().toBuffer(),
  stretched: (image) => editing(image).resize(224, 224, { fit: "fill" }).jpeg().toBuffer(),
  mirrored: (image) => editing(image).flop().jpeg().toBuffer(),
  "upside down": (image) => editing(image).flip().jpeg().toBuffer(),
  "turned by 90 degrees": (image) => editing(image).rotate(90).jpeg().toBuffer(),
  "turned by 180 degrees": (image) => editing(image).rotate(180).jpeg().toBuffer(),
  darker: (image) => editing(image).modulate({ brightness: 0.85 }).jpeg().toBuffer(),
  "stored on its side": (image) => editing(image).rotate(-90).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
};

describe("alikePairs", () => {
  test.each(Object.keys(edits))("finds a copy that is %s", async (name) => {
    const pictures = [await comparable(await jpeg(original)), await comparable(await edits[name]!(original))];
    const pairs = await alikePairs(pictures, yes);
    expect(pairs).toMatchObject([{ a: 0, b: 1, likeness: "same" }]);
  });

  test("finds a gray copy of a picture with pale colors", async () => {
    const pale = await editing(original).modulate({ saturation: 0.3 }).jpeg().toBuffer();
    const gray = await editing(original).modulate({ saturation: 0.3 }).grayscale().jpeg({ quality: 40 }).toBuffer();
    const pictures = [await comparable(pale), await comparable(gray)];
    expect(await alikePairs(pictures, yes)).toMatchObject([{ likeness: "same" }]);
  });

  test("says how a copy was turned", async () => {
    const first = await comparable(await jpeg(original));
    const turnOf = async (name: string): Promise<unknown> =>
      (await alikePairs([first, await comparable(await edits[name]!(original))], yes))[0]?.turn;
    expect(await turnOf("of quality 20")).toBe("as it is");
    expect(await turnOf("mirrored")).toBe("mirrored");
    expect(await turnOf("upside down")).toBe("upside down");
    expect(await turnOf("turned by 90 degrees")).toBe("turned");
    expect(await turnOf("stored on its side")).toBe("as it is");
  });

  test("finds nothing among different pictures, nor among those without content", async () => {
    const different = await Promise.all(Array.from({ length: 60 }, async (_, i) => comparable(await jpeg(drawn(i)))));
    const plain = { width: 90, height: 90, data: new Uint8Array(3 * 8100).fill(120) };
    const blank = await comparable(await jpeg(plain));
    expect(await alikePairs([...different, blank, blank, undefined, undefined], yes)).toEqual([]);
  });

  test("tells pictures of one shape and another color apart", async () => {
    const recolored = { ...original, data: original.data.slice() };
    for (let i = 0; i < recolored.data.length; i += 3) {
      const [r, g, b] = [original.data[i]!, original.data[i + 1]!, original.data[i + 2]!];
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      // The opposite color of the same luma, as far as it fits into 8 bits.
      recolored.data.set(
        [r, g, b].map((value) => Math.min(255, Math.max(0, Math.round(2 * luma - value)))),
        i,
      );
    }
    expect(
      await alikePairs([await comparable(await jpeg(original)), await comparable(await jpeg(recolored))], yes),
    ).toEqual([]);
  });

  test("calls a picture in which something was moved similar, not the same", async () => {
    const moved = { ...original, data: original.data.slice() };
    for (let y = 60; y < 75; y++)
      for (let x = 90; x < 105; x++)
        moved.data.set(
          [255, 255, 255].map((v, c) => v - original.data[3 * (y * 200 + x) + c]!),
          3 * (y * 200 + x),
        );
    const pictures = [await comparable(await jpeg(original)), await comparable(await jpeg(moved))];
    expect(await alikePairs(pictures, yes)).toMatchObject([{ likeness: "similar" }]);
  });

  test("calls similar what is not confirmed, and asks only a few times for one picture", async () => {
    const copy = await comparable(await jpeg(original));
    let asked = 0;
    const no: Confirm = async () => {
      asked++;
      return false;
    };
    const pairs = await alikePairs(
      Array.from({ length: 30 }, () => copy),
      no,
    );
    expect(pairs).toHaveLength((30 * 29) / 2);
    expect(pairs.every(({ likeness }) => likeness === "similar")).toBe(true);
    expect(asked).toBeLessThanOrEqual(30 * 8);
  });

  test("asks once for each further copy of one picture", async () => {
    const copy = await comparable(await jpeg(original));
    let asked = 0;
    const pairs = await alikePairs(
      Array.from({ length: 50 }, () => copy),
      async () => ++asked > 0,
    );
    expect(pairs).toHaveLength(49);
    expect(asked).toBe(49);
  });

  test("compares every copy with the first picture, and follows no chain", async () => {
    const copy = await comparable(await jpeg(original));
    const asked: string[] = [];
    const pairs = await alikePairs([copy, copy, copy, copy], async (a, b) => {
      asked.push(`${a} ${b}`);
      return b !== 2; // 2 is like 1, but it is not like 0
    });
    expect(asked).toEqual(["0 1", "0 2", "0 3"]);
    expect(pairs.map(({ a, b, likeness }) => `${a} ${b} ${likeness}`)).toEqual([
      "0 1 same",
      "0 2 similar",
      "1 2 similar",
      "0 3 same",
      "2 3 similar",
    ]);
  });

  test("says of every copy how it differs from the first, not from the one it was found by", async () => {
    const pictures = await Promise.all(
      ["mirrored", "mirrored", "of half the size"].map(async (name) => comparable(await edits[name]!(original))),
    );
    const turns = async (list: readonly Comparable[]) =>
      (await alikePairs(list, yes)).map(({ a, b, turn }) => [a, b, turn]);
    expect(await turns([await comparable(await jpeg(original)), ...pictures])).toEqual([
      [0, 1, "mirrored"],
      [0, 2, "mirrored"],
      [0, 3, "as it is"],
    ]);
  });

  test("takes a symmetric picture for upright", async () => {
    const half = drawn("half", 100, 150);
    const data = new Uint8Array(3 * 200 * 150);
    for (let i = 0; i < 200 * 150; i++) {
      const [x, y] = [i % 200, Math.floor(i / 200)];
      const from = 3 * (y * 100 + Math.min(x, 199 - x));
      data.set(half.data.subarray(from, from + 3), 3 * i);
    }
    const symmetric = { width: 200, height: 150, data };
    const pictures = [await comparable(await jpeg(symmetric)), await comparable(await edits["mirrored"]!(symmetric))];
    expect(await alikePairs(pictures, yes)).toMatchObject([{ likeness: "same", turn: "as it is" }]);
  });

  test("finds turned copies only where they may be, and as similar where they cannot be the same", async () => {
    const pictures = [await comparable(await jpeg(original)), await comparable(await edits["mirrored"]!(original))];
    expect(await alikePairs(pictures, yes, { turns: TURNS.slice(0, 1) })).toEqual([]);
    expect(await alikePairs(pictures, yes, { mayBeTurned: () => false })).toMatchObject([
      { likeness: "similar", turn: "mirrored" },
    ]);
  });
});

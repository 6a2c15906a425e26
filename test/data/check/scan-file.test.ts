import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Defect, isCutOff, scanBytes, scanFile } from "../../../src/data/check/scan-file.ts";
import { assets, withAssets } from "../../assets.ts";
import { drawn, editing, jpeg } from "./made-pictures.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("scanBytes", () => {
  test("describes a picture", async () => {
    const scanned = await scanBytes(await jpeg(drawn(1)));
    expect(scanned).toMatchObject({ facts: { format: "jpeg", width: 160, height: 120 } });
    if ("defect" in scanned) throw new Error(scanned.problem);
    expect(scanned.signature.grey).toHaveLength(1024);
    expect(scanned.signature.color).toHaveLength(128);
    expect(scanned.measures.contrast).toBeGreaterThan(20);
  });

  test.each<[string, Uint8Array, Defect]>([
    ["nothing", new Uint8Array(0), "empty"],
    ["a page", bytesOf("<!doctype html><title>404</title>"), "not-an-image"],
    ["text", bytesOf("to do: pictures"), "not-an-image"],
    ["zeros", new Uint8Array(5000), "not-an-image"],
    ["a drawing", bytesOf('<svg xmlns="http://www.w3.org/2000/svg"></svg>'), "unsupported"],
  ])("tells %s", async (_, bytes, defect) => {
    expect(await scanBytes(bytes)).toMatchObject({ defect });
  });

  test.each(["jpeg", "png", "gif", "webp"] as const)(
    "tells a %s file that is cut off from one that is damaged",
    async (format) => {
      const whole = await editing(drawn(2, 200, 160))
        .toFormat(format)
        .toBuffer();
      expect(isCutOff(whole, format)).toBe(false);
      for (const share of [0.3, 0.6, 0.9]) {
        const cut = await scanBytes(whole.subarray(0, Math.floor(share * whole.length)));
        expect(cut).toMatchObject({ defect: "truncated" });
      }
      const damaged = Uint8Array.from(whole);
      damaged.fill(0xff, 30, whole.length - 40);
      expect(await scanBytes(damaged)).toMatchObject({ defect: "damaged" });
    },
  );

  test("refuses more pixels than allowed by the header alone", async () => {
    expect(await scanBytes(await jpeg(drawn(3)), 1000)).toMatchObject({ defect: "too-large" });
  });
});

test("scanFile says that a file is not there", async () => {
  expect(await scanFile("/nowhere/at/all.jpg")).toEqual({ defect: "unreadable", problem: "does not exist" });
});

withAssets("every messy file (skipped without ../shared/assets)", () => {
  const folder = join(assets!, "messy/formats");
  const expected = JSON.parse(readFileSync(join(assets!, "messy/formats.expected.json"), "utf8")) as Record<
    string,
    { strictDecode?: string; uprightWidth?: number; uprightHeight?: number; orientation?: number }
  >;
  test.each(readdirSync(folder))("%s", async (name) => {
    const scanned = await scanFile(join(folder, name));
    const truth = expected[name];
    expect(truth).toBeDefined();
    if ("defect" in scanned) {
      expect(truth).toSatisfy(
        ({ strictDecode }: { strictDecode?: string }) => strictDecode !== "ok" || name.endsWith(".svg"),
      );
    } else {
      expect(truth!.strictDecode).toBe("ok");
      expect([scanned.facts.width, scanned.facts.height]).toEqual([truth!.uprightWidth, truth!.uprightHeight]);
    }
  });
});

import { describe, expect, test } from "vitest";
import { temperatureIn, thresholdsIn } from "../../src/models/trained-metadata.ts";

const of = (key: string, text: string) => new Map([[key, text]]);

describe("thresholds", () => {
  test("are a list of numbers between 0 and 1, or nothing", () => {
    expect(thresholdsIn(of("thresholds", "[0.5, 0.01, 0.999]"), "m.onnx")).toEqual([0.5, 0.01, 0.999]);
    expect(thresholdsIn(new Map(), "m.onnx")).toBeUndefined();
  });

  test.each(["", "{", "0.5", "[]", "[0]", "[1]", "[-0.1]", '["0.5"]', "[null]", "[1e999]", '{"0": 0.5, "length": 1}'])(
    "of %j are refused",
    (text) => {
      expect(() => thresholdsIn(of("thresholds", text), "m.onnx")).toThrow(
        expect.objectContaining({
          code: "BAD_MODEL",
          message: expect.stringMatching(
            /^metadata "thresholds" of m\.onnx requires a JSON list of numbers between 0 and 1, got "/,
          ),
        }),
      );
    },
  );

  test("that are long are not repeated in the message, nor what a terminal would obey", () => {
    const message = (text: string): string => {
      try {
        thresholdsIn(of("thresholds", text), "m.onnx");
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error("was accepted");
    };
    expect(message(`[${"2,".repeat(1e5)}2]`).length).toBeLessThan(250);
    expect(message("\u001b[2J\n")).toMatch(/^[^\p{Cc}]*$/u);
    expect(message("[".repeat(1e5)).length).toBeLessThan(250);
  });
});

describe("a temperature", () => {
  test("is a number above 0, or nothing", () => {
    expect(temperatureIn(of("temperature", "1.25"), "m.onnx")).toBe(1.25);
    expect(temperatureIn(new Map(), "m.onnx")).toBeUndefined();
  });

  test.each(["", "0", "-1", "1e999", "NaN", '"1"', "[1]", "null"])("of %j is refused", (text) => {
    expect(() => temperatureIn(of("temperature", text), "m.onnx")).toThrow(
      expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining("a number above 0, got ") }),
    );
  });
});

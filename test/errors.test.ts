import { describe, expect, test } from "vitest";
import { invariant, listed, messageOf, RootstockError } from "../src/errors.ts";

describe("RootstockError", () => {
  test("carries code, message, name and cause", () => {
    const cause = new Error("disk full");
    const error = new RootstockError("BAD_CACHE", "the feature cache cannot be written.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      code: "BAD_CACHE",
      message: "the feature cache cannot be written.",
      name: "RootstockError",
      cause,
    });
  });

  test("has no cause unless one is given", () => {
    expect("cause" in new RootstockError("BAD_DATA", "no images.")).toBe(false);
  });

  test("prints its name and message", () => {
    expect(String(new RootstockError("BAD_DATA", "no images."))).toBe("RootstockError: no images.");
  });
});

describe("invariant", () => {
  test("passes what holds, without building the message", () => {
    const message = () => {
      throw new Error("built");
    };
    for (const condition of [true, 1, "x", {}]) expect(() => invariant(condition, message)).not.toThrow();
  });

  test.each([false, 0, "", null, undefined])("throws INTERNAL on %j and asks for a report", (condition) => {
    expect(() => invariant(condition, () => "slot is missing")).toThrow(
      expect.objectContaining({
        code: "INTERNAL",
        message: "internal: slot is missing. This is a fault of Rootstock: please report it.",
      }),
    );
  });

  test("narrows the type of what it checks", () => {
    const value = [1, 2].find((item) => item > 1);
    invariant(value !== undefined, () => "no value");
    expect(value.toFixed(1)).toBe("2.0");
  });
});

describe("listed", () => {
  test.each([
    [[], ""],
    [["a"], "a"],
    [["a", "b", "c", "d", "e"], "a, b, c, d, e"],
    [["a", "b", "c", "d", "e", "f"], "a, b, c, d, e and 1 more"],
    [Array.from({ length: 1000 }, (_, i) => `n${i}`), "n0, n1, n2, n3, n4 and 995 more"],
  ])("shows at most five items, case %#", (items, expected) => {
    expect(listed(items)).toBe(expected);
  });

  test("takes another limit", () => {
    expect(listed(["a", "b", "c"], 2)).toBe("a, b and 1 more");
    expect(listed(["a", "b", "c"], 3)).toBe("a, b, c");
  });
});

describe("messageOf", () => {
  test.each([
    [new Error("broken"), "broken"],
    [new RootstockError("ABORTED", "stopped."), "stopped."],
    ["text", "text"],
    [42, "42"],
    [undefined, "undefined"],
    [null, "null"],
  ])("reads the message of %s", (value, expected) => {
    expect(messageOf(value)).toBe(expected);
  });
});

import { expect, test } from "vitest";
import { z } from "zod";
import { restored } from "../../../src/train/callbacks/restored.ts";

const schema = z.strictObject({ count: z.int() });

test("a state that fits is given back; another one is an error that says what does not fit", () => {
  expect(restored("me", schema, { count: 3 })).toEqual({ count: 3 });
  expect(() => restored("me", schema, { count: "3" })).toThrow(
    expect.objectContaining({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/^me cannot go on .*count.*Continue the run with the version/),
    }),
  );
});

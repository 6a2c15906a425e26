import { describe, expect, test } from "vitest";
import { checkUpdate, zeroSlots } from "../../src/optim/optimizer.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { OPTIMIZERS } from "../../src/optim/table.ts";

describe("zeroSlots", () => {
  test("makes one array of zeros per slot", () => {
    expect(zeroSlots(OPTIMIZERS.adam.create(), 3)).toEqual([new Float32Array(3), new Float32Array(3)]);
    expect(zeroSlots(sgd({ momentum: 0 }), 3)).toEqual([]);
  });

  test("gives every slot its own memory", () => {
    const [first, second] = zeroSlots(OPTIMIZERS.adam.create(), 1);
    first![0] = 1;
    expect(second![0]).toBe(0);
  });
});

describe("checkUpdate", () => {
  const three = new Float32Array(3);

  test("accepts arrays of one length, also of none", () => {
    expect(() => checkUpdate(sgd(), three, three, [three])).not.toThrow();
    expect(() => checkUpdate(sgd(), new Float32Array(0), new Float32Array(0), [new Float32Array(0)])).not.toThrow();
  });

  test.each([
    { fault: "a short gradient", gradient: new Float32Array(2), slots: [three] },
    { fault: "a missing slot", gradient: three, slots: [] },
    { fault: "a slot too many", gradient: three, slots: [three, three] },
    { fault: "a long slot", gradient: three, slots: [new Float32Array(4)] },
  ])("refuses $fault and says what it got", ({ gradient, slots }) => {
    const sizes = slots.map((slot) => slot.length);
    expect(() => checkUpdate(sgd(), three, gradient, slots)).toThrow(
      expect.objectContaining({
        code: "SHAPE_MISMATCH",
        message:
          "sgd requires a gradient and 1 slots of 3 elements, like the parameter; " +
          `got a gradient of ${gradient.length} and slots of [${sizes}].`,
      }),
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { openTorchLegacy } from "../../src/weights/torch-legacy.ts";
import { expectTensors, goldenPath, goldenTensors } from "./golden.ts";

const EXPECTED = goldenTensors("torch.json");

test.each(["kinds-legacy.pth", "module-legacy.pth", "arrays-protocol2.pkl", "arrays-protocol4.pkl"])(
  "reads %s as PyTorch and NumPy do",
  async (name) => {
    const source = await openWeights(goldenPath(name));
    expectTensors(source, EXPECTED[name]!);
    source.close();
  },
);

describe("refused", () => {
  const bytes = readFileSync(goldenPath("kinds-legacy.pth"));
  const open = (changed: Uint8Array): unknown => openTorchLegacy(memorySource("w.pth", changed));

  test("every truncation, before a tensor is read", () => {
    for (let length = 1; length < bytes.length; length += 3)
      expect(() => open(bytes.subarray(0, length)), `${length} bytes`).toThrow(/cut off|truncated|refers to/);
  });

  test("a storage of another size than its tensors say", () => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(24n);
    const at = bytes.indexOf(count, bytes.length / 2);
    expect(at).toBeGreaterThan(0);
    const changed = Buffer.from(bytes);
    changed[at]! = 23;
    expect(() => open(changed)).toThrow(/has 23 elements instead of 24/);
  });

  test("another protocol of the container", () => {
    const changed = Buffer.from(bytes);
    const at = changed.indexOf(Buffer.of(0xe9, 0x03)); // 1001
    changed[at] = 0xea;
    expect(() => open(changed)).toThrow("protocol 1001 is required, got 1002");
  });

  test("an attack, without running it", async () => {
    await expect(openWeights(goldenPath("attack.pkl"))).rejects.toThrow(/it calls (posix|nt)\.system/);
  });

  test("tensors of a plain pickle that lacks their storage", () => {
    const id = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQ";
    const pickle = `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(${id}K\x00K\x01\x85K\x01\x85\x89}tRs.`;
    const source = openTorchLegacy(memorySource("w.pkl", Buffer.from(pickle, "latin1")));
    expect(() => source.read("w")).toThrow('is a plain pickle and lacks storage "0"');
  });
});

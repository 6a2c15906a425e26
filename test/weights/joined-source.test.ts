import { expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { joinedSource } from "../../src/weights/joined-source.ts";

const parts = [[1, 2, 3], [], [4], [5, 6, 7, 8]].map((bytes) => memorySource("part", Uint8Array.from(bytes)));

test("reads every range as from one file", () => {
  const whole = joinedSource(parts, "whole");
  expect(whole).toMatchObject({ name: "whole", size: 8 });
  for (let from = 0; from <= 8; from++)
    for (let to = from; to <= 8; to++)
      expect([...whole.read(from, to - from)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(from, to));
});

test("refuses what is beyond the end, for one part too", () => {
  for (const source of [joinedSource(parts, "whole"), joinedSource([parts[3]!], "whole"), joinedSource([], "whole")])
    expect(() => source.read(source.size, 1)).toThrow(/^whole refers to 1 bytes/);
});

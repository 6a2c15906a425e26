import { expect, test } from "vitest";
import { isTeachableMachine, readTeachableMachine } from "../../../src/models/importers/teachable-machine.ts";

const metadata = { packageName: "@teachablemachine/image", labels: ["a", "b"], imageSize: 96, tmVersion: "2.4.5" };

test("reads labels and size; pixels become x / 127 - 1", () => {
  const { labels, preprocessing } = readTeachableMachine(metadata, "metadata.json");
  expect(labels).toEqual(["a", "b"]);
  expect(preprocessing).toMatchObject({ inputSize: [96, 96], scale: 1 / 127, offset: -1, layout: "NCHW" });
  const { imageSize: _old, ...early } = metadata; // the first versions did not write it
  expect(readTeachableMachine(early, "metadata.json").preprocessing.inputSize).toEqual([224, 224]);
});

test("other metadata is none of Teachable Machine's, and damaged one is refused", () => {
  expect(isTeachableMachine(metadata)).toBe(true);
  for (const json of [null, [], {}, { ...metadata, packageName: "@teachablemachine/pose" }])
    expect(isTeachableMachine(json)).toBe(false);
  for (const change of [{ labels: [] }, { labels: "ab" }, { imageSize: 0 }, { imageSize: 1e9 }])
    expect(() => readTeachableMachine({ ...metadata, ...change }, "metadata.json")).toThrow(
      expect.objectContaining({ code: "BAD_MODEL" }),
    );
});

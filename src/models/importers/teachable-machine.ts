/**
 * What Teachable Machine writes beside an exported image model: class names, and by its origin how pixels become the
 * input (googlecreativelab/teachablemachine-community, libraries/image: utils/canvas.ts cropTo, utils/tf.ts capture).
 */
import { z } from "zod";
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import { checkJson } from "../../weights/json-text.ts";

/** What the metadata says. */
export interface TeachableMachine {
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
}

const metadata = z.object({
  packageName: z.literal("@teachablemachine/image"),
  labels: z.array(z.string()).min(1).max(10_000),
  imageSize: z.int().min(1).max(8192).default(224),
});

/** Whether JSON is the metadata of an image model of Teachable Machine. */
export function isTeachableMachine(json: unknown): boolean {
  return metadata.pick({ packageName: true }).safeParse(json).success;
}

/**
 * Reads metadata.json. The center square is scaled to the image size, and pixels are divided by 127, less 1: so the
 * library does, where its examples for Python divide by 127.5.
 * @throws RootstockError BAD_MODEL naming the field that does not fit.
 */
export function readTeachableMachine(json: unknown, where: string): TeachableMachine {
  const { labels, imageSize } = checkJson(metadata, json, where);
  return {
    labels,
    preprocessing: {
      version: 1,
      inputSize: [imageSize, imageSize],
      resize: { kind: "center-square" },
      interpolation: "bilinear",
      channels: "RGB",
      layout: "NCHW",
      scale: 1 / 127,
      offset: -1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
  };
}

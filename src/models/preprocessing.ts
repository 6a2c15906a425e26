/** Finds how a model wants its pixels: from its own metadata, from a configuration beside it, or from a named choice. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import { type Preprocessing, preprocessingSchema } from "../transforms/preprocessing.ts";
import { fromHuggingFace } from "./hugging-face.ts";
import type { InputShape } from "./image-input.ts";
import { checkRecord, side, triple } from "./record.ts";

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const BASE = {
  version: 1,
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1,
  offset: 0,
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;

/** The preprocessings that can be chosen by name, with what each does to the pixels and who uses it. */
export const NAMED_PREPROCESSING = {
  imagenet: {
    about: "RGB, x/255, ImageNet mean and std (torchvision, timm, most of PyTorch)",
    values: { ...BASE, scale: 1 / 255, ...IMAGENET },
  },
  tf: {
    about: "RGB, x/127.5 - 1 (Keras MobileNet, Inception, Xception, TensorFlow)",
    values: { ...BASE, scale: 1 / 127.5, offset: -1 },
  },
  caffe: {
    about: "BGR, x - [103.939, 116.779, 123.68] (Keras VGG and ResNet, Caffe)",
    values: { ...BASE, channels: "BGR", mean: [103.939, 116.779, 123.68] },
  },
  unit: { about: "RGB, x/255 (Keras models trained with rescale=1/255)", values: { ...BASE, scale: 1 / 255 } },
  none: { about: "RGB, 0 to 255 unchanged (the model normalizes its input itself)", values: BASE },
} as const satisfies Record<string, { about: string; values: Omit<Preprocessing, "inputSize" | "resize"> }>;

export type PreprocessingName = keyof typeof NAMED_PREPROCESSING;

const amount = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(\.\d+)?\/\d+(\.\d+)?$/)
    .transform(fraction),
]);

/** The `preprocessing` record of converted model files: sizes, then (pixel * scale + offset - mean) / std. */
const plainRecord = z
  .strictObject({
    layout: z.enum(["NCHW", "NHWC"]).default("NCHW"),
    channels: z.enum(["RGB", "BGR"]).default("RGB"),
    resize: z.union([side, z.tuple([side, side])]).optional(),
    resize_short: side.optional(),
    crop: side.optional(),
    center_square_crop: z.boolean().optional(),
    interpolation: z.enum(["nearest", "bilinear", "bicubic", "lanczos", "box"]).default("bilinear"),
    scale: amount.default(1),
    offset: amount.default(0),
    mean: triple.default([0, 0, 0]),
    std: triple.default([1, 1, 1]),
    /** Order in which mean and std are given; that of `channels` if absent. */
    mean_order: z.enum(["RGB", "BGR"]).optional(),
  })
  .refine(
    ({ crop, resize, resize_short: short }) => crop === undefined || (short !== undefined && resize === undefined),
    {
      path: ["crop"],
      message: 'requires "resize_short" and no "resize"',
    },
  )
  .refine(({ center_square_crop: square, resize_short: short }) => !square || short === undefined, {
    path: ["center_square_crop"],
    message: 'cannot go together with "resize_short"',
  });

/**
 * Reads a preprocessing from JSON text: the versioned record, the plain record of converted files, or a Hugging Face
 * preprocessor configuration.
 * @param where the file or metadata key, for messages.
 * @throws RootstockError BAD_CONFIG naming the field that does not fit.
 */
export function parsePreprocessing(text: string, where: string, input: InputShape): Preprocessing {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RootstockError("BAD_CONFIG", `${where} requires JSON with a preprocessing, got text that is not JSON.`, {
      cause,
    });
  }
  const keys = typeof json === "object" && json !== null ? Object.keys(json) : [];
  if (keys.includes("version")) return checkRecord(preprocessingSchema, json, where);
  if (keys.some((key) => /^(do_|image_|resample|crop_size|feature_extractor_type|image_processor_type)/.test(key))) {
    return checkRecord(preprocessingSchema, fromHuggingFace(json, where, input), where);
  }
  return fromPlainRecord(checkRecord(plainRecord, json, where), where, input);
}

/** A named preprocessing at the size that the model's input declares; shorter side to 8/7 of it, then center crop. */
export function namedPreprocessing(name: PreprocessingName, input: InputShape): Preprocessing {
  const { layout } = input;
  const { height = input.width ?? 224, width = input.height ?? 224 } = input;
  return { ...NAMED_PREPROCESSING[name].values, layout, inputSize: [height, width], resize: cropped(height, width) };
}

/** The same preprocessing for an input of another size: the picture is resized in proportion before it is cropped. */
export function atImageSize(preprocessing: Preprocessing, size: readonly [number, number]): Preprocessing {
  const { inputSize, resize } = preprocessing;
  const factor = Math.max(...size) / Math.max(...inputSize);
  const scaled =
    resize.kind === "shortest-edge" ? { ...resize, size: Math.max(1, Math.round(resize.size * factor)) } : resize;
  return { ...preprocessing, inputSize: size, resize: scaled };
}

/**
 * Checks that a preprocessing produces what the model's input declares.
 * @throws RootstockError BAD_CONFIG with both sizes.
 */
export function checkInputShape(preprocessing: Preprocessing, input: InputShape, where: string): Preprocessing {
  const [height, width] = preprocessing.inputSize;
  const { layout } = preprocessing;
  if ((input.height ?? height) !== height || (input.width ?? width) !== width || layout !== input.layout) {
    const declared = `${input.height ?? "any"}x${input.width ?? "any"} ${input.layout}`;
    throw new RootstockError(
      "BAD_CONFIG",
      `the preprocessing from ${where} makes ${height}x${width} ${layout}, the model's input is ${declared}.`,
    );
  }
  return preprocessing;
}

/** The error for a model that says nothing about its input: it lists the choices. */
export function unknownPreprocessing(model: string): RootstockError {
  const choices = Object.entries(NAMED_PREPROCESSING).map(
    ([name, { about }]) => `  --preprocessing ${name.padEnd(9)} ${about}`,
  );
  return new RootstockError(
    "BAD_CONFIG",
    [
      `${model} does not say how its input is made from pixels, and a wrong guess costs accuracy without a warning. Choose:`,
      ...choices,
      "  --preprocessing <file.json>  a record of your own (docs/preprocessing.md), or a preprocessor_config.json",
    ].join("\n"),
  );
}

function fromPlainRecord(record: z.infer<typeof plainRecord>, where: string, input: InputShape): Preprocessing {
  const { channels, layout, interpolation, scale, offset, mean_order: order = channels } = record;
  const inOrder = (values: readonly [number, number, number]): [number, number, number] =>
    order === channels ? [...values] : [values[2], values[1], values[0]];
  const values = {
    version: 1,
    channels,
    layout,
    interpolation,
    scale,
    offset,
    mean: inOrder(record.mean),
    std: inOrder(record.std),
  } as const;
  const size = record.crop ?? record.resize ?? [input.height, input.width];
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (height === undefined || width === undefined) {
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} requires "resize" or "crop": the model's input has no fixed size.`,
    );
  }
  const how = (): Preprocessing["resize"] => {
    if (record.resize_short !== undefined) return { kind: "shortest-edge", size: record.resize_short };
    return { kind: record.center_square_crop ? "center-square" : "stretch" };
  };
  return checkRecord(preprocessingSchema, { ...values, inputSize: [height, width], resize: how() }, where);
}

/** torchvision's usual sizing: 256 for an input of 224. */
function cropped(height: number, width: number): Preprocessing["resize"] {
  return { kind: "shortest-edge", size: Math.round((Math.max(height, width) * 8) / 7) };
}

function fraction(text: string): number {
  const [numerator, denominator] = text.split("/").map(Number);
  return numerator! / denominator!;
}

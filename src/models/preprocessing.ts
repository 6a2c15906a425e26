/** Finds how a model wants its pixels: from its own metadata, from a configuration beside it, or from a named choice. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import { type Preprocessing, preprocessingSchema } from "../transforms/preprocessing.ts";

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
  none: { about: "RGB, 0 to 255 unchanged (the model normalizes its input itself)", values: BASE },
} as const satisfies Record<string, { about: string; values: Omit<Preprocessing, "inputSize" | "resize"> }>;

export type PreprocessingName = keyof typeof NAMED_PREPROCESSING;

/** Height, width and layout that a model's input declares; a size is undefined where it is symbolic. */
export interface InputShape {
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly layout: "NCHW" | "NHWC";
}

/** The largest side that a preprocessing may ask for; the same limit as the versioned schema has. */
const side = z.int().min(1).max(8192);
const amount = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(\.\d+)?\/\d+(\.\d+)?$/)
    .transform(fraction),
]);
const triple = z.tuple([z.number(), z.number(), z.number()]);

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

interface HuggingFaceSize {
  /** Length of the shorter side. */
  readonly edge?: number;
  readonly box?: readonly [height: number, width: number];
}

/** What Rootstock reads of Hugging Face's preprocessor_config.json (ViTImageProcessor and its relatives). */
const huggingFace = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_center_crop: z.boolean().default(false),
  do_rescale: z.boolean().default(true),
  do_normalize: z.boolean().optional(),
  do_pad: z.literal(false, "padding is not supported").optional(),
  do_flip_channel_order: z.boolean().default(false),
  /** A whole number is a shorter side for processors that crop, and a square for the others. */
  size: z.union([
    side.transform((edge): HuggingFaceSize => ({ edge, box: [edge, edge] })),
    z.strictObject({ shortest_edge: side }).transform((size): HuggingFaceSize => ({ edge: size.shortest_edge })),
    z
      .strictObject({ height: side, width: side })
      .transform(({ height, width }): HuggingFaceSize => ({ box: [height, width] })),
  ]),
  crop_size: z
    .union([side, z.strictObject({ height: side, width: side })])
    .transform((crop) => (typeof crop === "number" ? ([crop, crop] as const) : ([crop.height, crop.width] as const)))
    .optional(),
  /** Null, which ConvNextImageProcessor reads as 224/256, is not the same as absent. */
  crop_pct: z.number().positive().max(1).nullish(),
  resample: z.int().min(0).max(4).default(2),
  rescale_factor: z.number().default(1 / 255),
  /** EfficientNetImageProcessor: rescales to [-1, 1], and divides by std a second time. */
  rescale_offset: z.boolean().default(false),
  include_top: z.boolean().default(false),
  image_mean: triple.optional(),
  image_std: triple.optional(),
});

type HuggingFace = z.infer<typeof huggingFace>;

/** Pillow's numbers for resampling filters, which Hugging Face stores. */
const PILLOW_FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box"] as const;

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
  if (keys.includes("version")) return check(preprocessingSchema, json, where);
  if (keys.some((key) => /^(do_|image_|resample|crop_size|feature_extractor_type|image_processor_type)/.test(key))) {
    return fromHuggingFace(check(huggingFace, withoutNulls(json), where), where, input);
  }
  return fromPlainRecord(check(plainRecord, json, where), where, input);
}

/** A named preprocessing at the size that the model's input declares; shorter side to 8/7 of it, then center crop. */
export function namedPreprocessing(name: PreprocessingName, input: InputShape): Preprocessing {
  const { layout } = input;
  const { height = input.width ?? 224, width = input.height ?? 224 } = input;
  return { ...NAMED_PREPROCESSING[name].values, layout, inputSize: [height, width], resize: cropped(height, width) };
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
  return check(preprocessingSchema, { ...values, inputSize: [height, width], resize: how() }, where);
}

function fromHuggingFace(config: HuggingFace, where: string, input: InputShape): Preprocessing {
  const { image_mean: mean, image_std: std, include_top: twice } = config;
  const normalizes = config.do_normalize ?? mean !== undefined; // processors that never normalize write neither
  if (normalizes && (!mean || !std)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} requires "image_mean" and "image_std": its pixels are normalized.`,
    );
  }
  return check(
    preprocessingSchema,
    {
      version: 1,
      ...sizingOf(config, where, input),
      interpolation: PILLOW_FILTERS[config.resample],
      channels: config.do_flip_channel_order ? "BGR" : "RGB",
      layout: input.layout,
      scale: config.do_rescale ? config.rescale_factor : 1,
      offset: config.do_rescale && config.rescale_offset ? -1 : 0,
      mean: normalizes ? mean : [0, 0, 0],
      std: normalizes ? std?.map((value) => (twice ? value * value : value)) : [1, 1, 1],
    },
    where,
  );
}

/** The input's size and how pictures are brought to it, by the rules of Hugging Face's processors. */
function sizingOf(config: HuggingFace, where: string, input: InputShape): Pick<Preprocessing, "inputSize" | "resize"> {
  const { crop_pct: cropPct, do_center_crop: crops } = config;
  const { edge, box } = config.size;
  // ConvNextImageProcessor has a crop_pct and no crop size: it crops below 384 and stretches from there on.
  if (cropPct !== undefined && !crops && edge !== undefined) {
    const inputSize = [edge, edge] as const;
    return edge < 384
      ? shortestEdge(inputSize, edge / (cropPct ?? 224 / 256))
      : { inputSize, resize: { kind: "stretch" } };
  }
  if (!crops && box) return { inputSize: box, resize: { kind: "stretch" } };
  const [height, width] = (crops ? config.crop_size : undefined) ?? [input.height ?? edge, input.width ?? edge];
  if (height === undefined || width === undefined) {
    throw new RootstockError("BAD_CONFIG", `${where} requires "crop_size": the model's input has no fixed size.`);
  }
  const inputSize = [height, width] as const;
  const fits = edge === undefined && box?.[0] === height && box[1] === width && !cropPct;
  if (fits) return { inputSize, resize: { kind: "stretch" } };
  // DeiT's and BEiT's processors stretch to a square before they crop; the networks were evaluated with the aspect kept.
  const short = edge ?? Math.min(...(box ?? inputSize));
  return shortestEdge(inputSize, (short * (isLevit(config) ? 256 / 224 : 1)) / (cropPct ?? 1));
}

function shortestEdge(inputSize: readonly [number, number], size: number): Pick<Preprocessing, "inputSize" | "resize"> {
  return { inputSize, resize: { kind: "shortest-edge", size: Math.floor(size) } };
}

/** LevitImageProcessor multiplies the size by 256/224, which only its name says. */
function isLevit({ image_processor_type: type, feature_extractor_type: oldType = "" }: HuggingFace): boolean {
  return /^Levit/.test(type ?? oldType);
}

/** The record with null fields left out, which newer processors write for what they do not use; crop_pct keeps its null. */
function withoutNulls(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  const plain = (fields: object): [string, unknown][] =>
    Object.entries(fields).filter(([name, value]) => value !== null || name === "crop_pct");
  return Object.fromEntries(
    plain(json).map(([name, value]) => [
      name,
      name === "size" && typeof value === "object" ? Object.fromEntries(plain(value as object)) : value,
    ]), // null was left out
  );
}

/** torchvision's usual sizing: 256 for an input of 224. */
function cropped(height: number, width: number): Preprocessing["resize"] {
  return { kind: "shortest-edge", size: Math.round((Math.max(height, width) * 8) / 7) };
}

function fraction(text: string): number {
  const [numerator, denominator] = text.split("/").map(Number);
  return numerator! / denominator!;
}

function check<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const reasons = result.error.issues
    .map(({ path, message }) => `${path.join(".") || "the record"}: ${message}`)
    .join("; ");
  throw new RootstockError("BAD_CONFIG", `${where} is not a preprocessing that can be used: ${reasons}.`);
}

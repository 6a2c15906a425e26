/** Hugging Face's preprocessor_config.json → a preprocessing: what each image processor does, field by field. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { InputShape } from "./image-input.ts";
import { checkRecord, side, triple } from "./record.ts";

interface HuggingFaceSize {
  /** Length of the shorter side. */
  readonly edge?: number;
  readonly box?: readonly [height: number, width: number];
}

/** What Rootstock reads of Hugging Face's preprocessor_config.json (ViTImageProcessor and its relatives). */
const huggingFace = z.object({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.literal(true, "pictures that are not resized are not supported").default(true),
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
 * The preprocessing record that a processor's configuration describes, to be checked by the versioned schema.
 * @throws RootstockError BAD_CONFIG naming a field that is not supported or not there.
 */
export function fromHuggingFace(json: unknown, where: string, input: InputShape): unknown {
  const config = checkRecord(huggingFace, withoutNulls(json), where);
  const { image_mean: mean, image_std: std, include_top: twice } = config;
  const normalizes = config.do_normalize ?? mean !== undefined; // processors that never normalize write neither
  if (normalizes && (!mean || !std)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} requires "image_mean" and "image_std": its pixels are normalized.`,
    );
  }
  return {
    version: 1,
    ...sizingOf(config, where, input),
    interpolation: PILLOW_FILTERS[config.resample],
    channels: config.do_flip_channel_order ? "BGR" : "RGB",
    layout: input.layout,
    scale: config.do_rescale ? config.rescale_factor : 1,
    offset: config.do_rescale && config.rescale_offset ? -1 : 0,
    mean: normalizes ? mean : [0, 0, 0],
    std: normalizes ? std?.map((value) => (twice ? value * value : value)) : [1, 1, 1],
  };
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

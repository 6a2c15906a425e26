import { describe, expect, test } from "vitest";
import type { InputShape } from "../../src/models/image-input.ts";
import {
  checkInputShape,
  NAMED_PREPROCESSING,
  namedPreprocessing,
  type PreprocessingName,
  parsePreprocessing,
  unknownPreprocessing,
} from "../../src/models/preprocessing.ts";
import { preprocess } from "../../src/transforms/preprocess.ts";
import { type Preprocessing, preprocessingSchema } from "../../src/transforms/preprocessing.ts";

const INPUT: InputShape = { height: 224, width: 224, layout: "NCHW" };
const ANY: InputShape = { height: undefined, width: undefined, layout: "NCHW" };
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

const parse = (record: unknown, input = INPUT): Preprocessing =>
  parsePreprocessing(typeof record === "string" ? record : JSON.stringify(record), "config.json", input);

function refusal(record: unknown, input = INPUT): string {
  try {
    parse(record, input);
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError", code: "BAD_CONFIG" });
    return (error as Error).message;
  }
  throw new Error("was accepted");
}

/** A preprocessing with these fields; the others as ImageNet's. */
const imagenet = (fields: Partial<Preprocessing> = {}): Preprocessing => ({
  version: 1,
  inputSize: [224, 224],
  resize: { kind: "shortest-edge", size: 256 },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1 / 255,
  offset: 0,
  mean: MEAN,
  std: STD,
  ...fields,
});

describe("the plain record", () => {
  const full = { resize_short: 256, crop: 224, scale: "1/255", mean: MEAN, std: STD };

  test("with a shorter side and a crop is the usual ImageNet preprocessing", () => {
    expect(parse(full)).toEqual(imagenet());
  });

  test("may stretch to a square, or to height and width", () => {
    expect(parse({ resize: 96 })).toMatchObject({ inputSize: [96, 96], resize: { kind: "stretch" } });
    expect(parse({ resize: [96, 160] })).toMatchObject({ inputSize: [96, 160], resize: { kind: "stretch" } });
  });

  test("may take the center square", () => {
    expect(parse({ resize: 224, center_square_crop: true }).resize).toEqual({ kind: "center-square" });
    expect(parse({ resize: 224, center_square_crop: false }).resize).toEqual({ kind: "stretch" });
  });

  test("takes sizes that it does not name from the model's input", () => {
    const input: InputShape = { height: 120, width: 200, layout: "NCHW" };
    expect(parse({ scale: "1/255" }, input)).toMatchObject({ inputSize: [120, 200], resize: { kind: "stretch" } });
    expect(parse({ resize_short: 256 })).toMatchObject({ inputSize: [224, 224], resize: { size: 256 } });
    expect(refusal({ scale: "1/255" }, ANY)).toBe(
      'config.json requires "resize" or "crop": the model\'s input has no fixed size.',
    );
    expect(refusal({}, { ...ANY, height: 224 })).toContain('requires "resize" or "crop"');
  });

  test("reads numbers that are written as fractions", () => {
    expect(parse({ scale: "1/127.5", offset: -1 })).toMatchObject({ scale: 1 / 127.5, offset: -1 });
    expect(parse({ scale: "2/510" }).scale).toBe(1 / 255);
    for (const scale of ["1/", "/255", "1:255", "a/b", "1/2/3", "", "0x1/2", " 1/255"])
      expect(refusal({ scale })).toContain("scale: ");
    for (const scale of ["1/0", "0/5", 0]) expect(refusal({ scale })).toContain("scale: ");
  });

  test("reverses mean and std that are given in the other order of channels", () => {
    const record = { ...full, channels: "BGR" };
    expect(parse({ ...record, mean_order: "RGB" })).toMatchObject({
      mean: [...MEAN].reverse(),
      std: [...STD].reverse(),
    });
    expect(parse({ ...record, mean_order: "BGR" })).toMatchObject({ mean: [...MEAN], std: [...STD] });
    expect(parse(record)).toMatchObject({ channels: "BGR", mean: [...MEAN], std: [...STD] });
    expect(parse({ ...full, mean_order: "BGR" })).toMatchObject({ channels: "RGB", mean: [...MEAN].reverse() });
  });

  test("in either order makes the same pixels", () => {
    const image = { width: 1, height: 1, data: Uint8Array.of(200, 100, 50) };
    const record = { resize: 1, channels: "BGR", mean: [1, 2, 3], std: [1, 2, 4] };
    const pixels = (fields: object): number[] => [...preprocess(image, parse({ ...record, ...fields }))];
    expect(pixels({ mean_order: "BGR" })).toEqual([49, 49, 49.25]);
    expect(pixels({ mean: [3, 2, 1], std: [4, 2, 1], mean_order: "RGB" })).toEqual([49, 49, 49.25]);
  });

  test.each([
    ["an unknown key", { ...full, resise: 3 }, "resise"],
    ["a crop without a shorter side", { crop: 224 }, "crop: "],
    ["a crop after stretching", { resize: 256, crop: 224 }, "crop: "],
    [
      "two ways to bring it to size",
      { resize_short: 256, crop: 224, center_square_crop: true },
      "center_square_crop: ",
    ],
    ["a size of zero", { resize: 0 }, "resize: "],
    ["a huge size", { resize: 8193 }, "resize: "],
    ["a huge crop", { resize_short: 256, crop: 1e9 }, "crop: "],
    ["a size with a fraction", { resize_short: 256.5 }, "resize_short: "],
    ["a std of zero", { ...full, std: [1, 0, 1] }, "std.1: "],
    ["two means", { ...full, mean: [0, 0] }, "mean: "],
    ["a mean of text", { ...full, mean: [0, "0", 0] }, "mean.1: "],
    ["an unknown interpolation", { ...full, interpolation: "cubic" }, "interpolation: "],
    ["an unknown order of channels", { ...full, channels: "GRB" }, "channels: "],
    ["an unknown layout", { ...full, layout: "HWC" }, "layout: "],
  ])("refuses %s and names the field", (_, record, field) => {
    const message = refusal(record);
    expect(message).toMatch(/^config\.json is not a preprocessing that can be used: /);
    expect(message).toContain(field);
  });

  test("names all fields that do not fit at once", () => {
    const message = refusal({ resize: -1, channels: "X", std: [0] });
    for (const field of ["resize: ", "channels: ", "std: "]) expect(message).toContain(field);
  });
});

describe("text that is no record", () => {
  test.each(["", "{", "imagenet", '{"scale": NaN}', '{"scale": Infinity}'])(
    "such as %j is refused as no JSON",
    (text) => {
      expect(refusal(text)).toBe("config.json requires JSON with a preprocessing, got text that is not JSON.");
    },
  );

  test.each(["null", "[]", "3", '"imagenet"'])("such as %s is refused", (text) => {
    expect(refusal(text)).toContain("the record: ");
  });

  test("such as a number beyond all doubles is refused", () => {
    expect(refusal('{"resize": 224, "offset": 1e999}')).toContain("offset: ");
    expect(refusal('{"resize": 224, "mean": [0, 0, -1e999]}')).toContain("mean.2: ");
  });
});

describe("the versioned record", () => {
  test("is read back as it was written", () => {
    for (const name of Object.keys(NAMED_PREPROCESSING) as PreprocessingName[]) {
      const record = namedPreprocessing(name, INPUT);
      expect(parse(record)).toEqual(record);
    }
  });

  test.each([
    ["a later version", { version: 2 }, "version: "],
    ["an unknown key", { extra: 1 }, "extra"],
    ["a missing size", { inputSize: undefined }, "inputSize: "],
    ["a huge size", { inputSize: [224, 10_000] }, "inputSize.1: "],
    ["a std of zero", { std: [1, 1, 0] }, "std.2: "],
    ["a scale of zero", { scale: 0 }, "scale: "],
    ["an unknown way to resize", { resize: { kind: "pad" } }, "resize.kind: "],
    ["a shorter side of zero", { resize: { kind: "shortest-edge", size: 0 } }, "resize.size: "],
  ])("with %s is refused with the field's name", (_, fields, field) => {
    expect(refusal({ ...imagenet(), ...fields })).toContain(field);
  });
});

describe("Hugging Face's configuration", () => {
  const normalized = { do_normalize: true, image_mean: MEAN, image_std: STD };
  const half = { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

  test("of ViT stretches to the size", () => {
    const config = {
      ...half,
      do_resize: true,
      do_rescale: true,
      image_processor_type: "ViTImageProcessor",
      resample: 2,
      rescale_factor: 0.00392156862745098,
      size: { height: 224, width: 224 },
    };
    const wanted = imagenet({ resize: { kind: "stretch" }, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    expect(parse(config)).toEqual(wanted);
    expect(parse({ ...config, size: 224, image_processor_type: undefined })).toEqual(wanted); // the older form
    expect(parse({ ...config, size: { height: 160, width: 320 } }).inputSize).toEqual([160, 320]);
  });

  test("of a processor that writes null for what it does not use is the same", () => {
    const config = {
      ...normalized,
      crop_size: null,
      do_center_crop: null,
      do_convert_rgb: null,
      do_pad: null,
      image_processor_type: "ViTImageProcessorFast",
      resample: 3,
      size: { height: 224, width: 224, shortest_edge: null },
    };
    expect(parse(config)).toEqual(imagenet({ resize: { kind: "stretch" }, interpolation: "bicubic" }));
  });

  // ConvNextImageProcessor.resize: below 384 the shorter side becomes int(shortest_edge / crop_pct), then a crop of
  // shortest_edge; from 384 on the picture is stretched. A crop_pct of null stands for 224 / 256.
  test.each([
    [224, 0.875, { kind: "shortest-edge", size: 256 }],
    [224, null, { kind: "shortest-edge", size: 256 }],
    [224, 0.95, { kind: "shortest-edge", size: 235 }],
    [224, 1, { kind: "shortest-edge", size: 224 }],
    [288, 0.875, { kind: "shortest-edge", size: 329 }],
    [384, 0.875, { kind: "stretch" }],
    [384, null, { kind: "stretch" }],
    [512, 1, { kind: "stretch" }],
  ])("of ResNet and ConvNeXt at %d with crop_pct %s resizes as its processor does", (edge, crop_pct, resize) => {
    const config = { ...normalized, crop_pct, image_processor_type: "ConvNextImageProcessor", resample: 3 };
    const wanted = imagenet({
      inputSize: [edge, edge],
      resize: resize as Preprocessing["resize"],
      interpolation: "bicubic",
    });
    for (const input of [ANY, { ...INPUT, height: edge, width: edge }]) {
      expect(parse({ ...config, size: { shortest_edge: edge } }, input)).toEqual(wanted);
      expect(parse({ ...config, size: edge }, input)).toEqual(wanted); // the older form
    }
  });

  test("of PoolFormer divides by crop_pct before it crops to crop_size", () => {
    const config = {
      ...normalized,
      crop_pct: 0.9,
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      resample: 3,
      size: { shortest_edge: 224 },
    };
    expect(parse(config)).toEqual(imagenet({ resize: { kind: "shortest-edge", size: 248 }, interpolation: "bicubic" }));
    expect(parse({ ...config, size: { height: 224, width: 224 } }).resize).toEqual({
      kind: "shortest-edge",
      size: 248,
    });
  });

  test("of MobileNetV2 brings the shorter side to 256 and crops 224", () => {
    const config = {
      ...half,
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      image_processor_type: "MobileNetV2ImageProcessor",
      resample: 2,
      size: { shortest_edge: 256 },
    };
    expect(parse(config)).toEqual(imagenet({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }));
  });

  test("of DeiT keeps the aspect ratio before it crops, as its paper's evaluation does", () => {
    const config = { ...normalized, crop_size: 224, do_center_crop: true, resample: 3 };
    const wanted = imagenet({ interpolation: "bicubic" });
    expect(parse({ ...config, feature_extractor_type: "DeiTFeatureExtractor", size: 256 })).toEqual(wanted);
    expect(parse({ ...config, size: { height: 256, width: 256 } })).toEqual(wanted);
  });

  test("of a crop as large as the stretched size stretches", () => {
    const config = { ...normalized, crop_size: { height: 224, width: 224 }, do_center_crop: true };
    expect(parse({ ...config, size: { height: 224, width: 224 } }).resize).toEqual({ kind: "stretch" });
  });

  test("of CLIP brings the shorter side to the size of the crop", () => {
    const config = {
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      do_convert_rgb: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "CLIPFeatureExtractor",
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
      resample: 3,
      size: { shortest_edge: 224 },
    };
    const wanted = imagenet({
      resize: { kind: "shortest-edge", size: 224 },
      interpolation: "bicubic",
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    });
    expect(parse(config)).toEqual(wanted);
    expect(parse({ ...config, crop_size: 224, size: 224 })).toEqual(wanted);
  });

  test("of LeViT multiplies the shorter side by 256/224", () => {
    const config = { ...normalized, crop_size: 224, do_center_crop: true, size: { shortest_edge: 224 } };
    expect(parse({ ...config, image_processor_type: "LevitImageProcessor" }).resize).toEqual({
      kind: "shortest-edge",
      size: 256,
    });
  });

  test("of MobileViT asks for BGR and does not normalize", () => {
    const config = { crop_size: 256, do_center_crop: true, do_flip_channel_order: true, resample: 2, size: 288 };
    const wanted = { channels: "BGR", mean: [0, 0, 0], std: [1, 1, 1], inputSize: [256, 256] };
    expect(parse(config)).toMatchObject({ ...wanted, resize: { kind: "shortest-edge", size: 288 }, scale: 1 / 255 });
  });

  test("of EfficientNet may rescale to [-1, 1] and divide by std twice", () => {
    const config = { ...half, size: { height: 224, width: 224 }, resample: 0, rescale_factor: 1 / 127.5 };
    expect(parse({ ...config, rescale_offset: true })).toMatchObject({ scale: 1 / 127.5, offset: -1 });
    expect(parse({ ...config, include_top: true })).toMatchObject({
      interpolation: "nearest",
      std: [0.25, 0.25, 0.25],
    });
  });

  test("may leave out rescaling and normalizing", () => {
    const config = { do_normalize: false, do_rescale: false, image_mean: MEAN, image_std: STD, size: 224 };
    expect(parse(config)).toMatchObject({ scale: 1, mean: [0, 0, 0], std: [1, 1, 1] });
  });

  test("knows Pillow's filters by number", () => {
    const names = [0, 1, 2, 3, 4].map((resample) => parse({ ...normalized, size: 224, resample }).interpolation);
    expect(names).toEqual(["nearest", "lanczos", "bilinear", "bicubic", "box"]);
  });

  test("takes the size of a picture that is not cropped from the model's input", () => {
    const config = { ...normalized, size: { shortest_edge: 256 } };
    const input = { ...INPUT, width: 320 };
    expect(parse(config, input)).toMatchObject({ inputSize: [224, 320], resize: { kind: "shortest-edge", size: 256 } });
    expect(refusal({ ...normalized, do_center_crop: true, size: { height: 256, width: 256 } }, ANY)).toContain(
      "crop_size",
    );
  });

  test("of a model with channels last has its layout", () => {
    expect(parse({ ...normalized, size: 224 }, { ...INPUT, layout: "NHWC" }).layout).toBe("NHWC");
  });

  test.each([
    ["no size", { ...normalized, do_resize: true }, "size: "],
    ["the longer side's size", { ...normalized, size: { longest_edge: 224 } }, "size"],
    ["a height without a width", { ...normalized, size: { height: 224 } }, "size"],
    ["a huge size", { ...normalized, size: 100_000 }, "size"],
    ["a huge size after crop_pct", { ...normalized, size: 383, crop_pct: 0.01 }, "resize.size: "],
    ["an unknown filter", { ...normalized, size: 224, resample: 5 }, "resample: "],
    ["a crop_pct beyond 1", { ...normalized, size: 224, crop_pct: 1.5 }, "crop_pct: "],
    ["a std of zero", { ...normalized, size: 224, image_std: [0, 1, 1] }, "std.0: "],
    ["padding", { ...normalized, size: 224, do_pad: true }, "do_pad: "],
    [
      "one mean for a gray picture",
      { do_normalize: true, size: 224, image_mean: [0.5], image_std: [0.5] },
      "image_mean: ",
    ],
    ["no mean although it normalizes", { do_normalize: true, size: 224 }, "image_mean"],
    ["text for a switch", { ...normalized, size: 224, do_rescale: "yes" }, "do_rescale: "],
  ])("with %s is refused with the field's name", (_, config, field) => {
    expect(refusal(config)).toContain(field);
  });
});

describe("named preprocessings", () => {
  test("have the constants of their frameworks", () => {
    const values = (name: PreprocessingName): unknown => {
      const { scale, offset, mean, std, channels } = namedPreprocessing(name, INPUT);
      return { scale, offset, mean, std, channels };
    };
    const plain = { offset: 0, mean: [0, 0, 0], std: [1, 1, 1], channels: "RGB" };
    expect(values("imagenet")).toEqual({ ...plain, scale: 1 / 255, mean: MEAN, std: STD });
    expect(values("tf")).toEqual({ ...plain, scale: 1 / 127.5, offset: -1 });
    expect(values("caffe")).toEqual({ ...plain, scale: 1, mean: [103.939, 116.779, 123.68], channels: "BGR" });
    expect(values("none")).toEqual({ ...plain, scale: 1 });
  });

  test("take size and layout from the model's input, 224 where it has none", () => {
    expect(namedPreprocessing("imagenet", INPUT)).toEqual(imagenet());
    expect(namedPreprocessing("tf", ANY).inputSize).toEqual([224, 224]);
    const wide: InputShape = { height: 96, width: 160, layout: "NHWC" };
    expect(namedPreprocessing("tf", wide)).toMatchObject({
      inputSize: [96, 160],
      resize: { kind: "shortest-edge", size: 183 },
      layout: "NHWC",
    });
    expect(namedPreprocessing("tf", { ...ANY, height: 96 }).inputSize).toEqual([96, 96]);
    expect(namedPreprocessing("tf", { ...ANY, width: 96 }).inputSize).toEqual([96, 96]);
  });

  test("satisfy the schema", () => {
    for (const name of Object.keys(NAMED_PREPROCESSING) as PreprocessingName[]) {
      expect(preprocessingSchema.safeParse(namedPreprocessing(name, ANY)).success).toBe(true);
    }
  });
});

describe("checkInputShape", () => {
  test("returns a preprocessing that fits, symbolic sizes included", () => {
    const preprocessing = imagenet();
    expect(checkInputShape(preprocessing, INPUT, "x")).toBe(preprocessing);
    expect(checkInputShape(preprocessing, ANY, "x")).toBe(preprocessing);
  });

  test.each([
    [{ ...INPUT, height: 299 }, "299x224 NCHW"],
    [{ ...INPUT, width: 299 }, "224x299 NCHW"],
    [{ ...ANY, height: 192 }, "192xany NCHW"],
    [{ ...INPUT, layout: "NHWC" as const }, "224x224 NHWC"],
  ])("refuses one for another input with both sizes", (input, declared) => {
    expect(() => checkInputShape(imagenet(), input, "the caller")).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message: `the preprocessing from the caller makes 224x224 NCHW, the model's input is ${declared}.`,
      }),
    );
  });
});

test("the error for an unknown preprocessing lists every choice and what it does", () => {
  const error = unknownPreprocessing("my.onnx");
  expect(error.code).toBe("BAD_CONFIG");
  expect(error.message).toMatch(/^my\.onnx does not say how its input is made from pixels/);
  for (const [name, { about }] of Object.entries(NAMED_PREPROCESSING)) {
    expect(error.message).toContain(`--preprocessing ${name}`);
    expect(error.message).toContain(about);
  }
  expect(error.message).toContain("preprocessor_config.json");
});

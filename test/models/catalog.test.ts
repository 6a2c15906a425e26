/** The records of the catalog, and which of them a name means. */
import { describe, expect, test } from "vitest";
import { ARCHITECTURES } from "../../src/models/architectures/table.ts";
import { PUBLISHERS } from "../../src/models/catalog/weights-source.ts";
import { CATALOG, findWeights, lookUpWeights, type WeightsSource } from "../../src/models/catalog.ts";
import { preprocessingSchema } from "../../src/transforms/preprocessing.ts";
import { checksumFault } from "../../src/weights/checksum.ts";
import { checkWeightsFile, parseHubPath } from "../../src/weights/weights-file.ts";

/** Distinct values that occur more than once. */
function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

describe.each(CATALOG.map((source) => [source.name, source] as const))("%s", (_name, source: WeightsSource) => {
  test("is named by model and tag, in lower case", () => {
    expect(source.name).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/);
    expect(source.name.split(".")[0]).toBe(source.model);
    for (const alias of source.aliases) expect(alias).toMatch(/^[a-z0-9_-]+$/);
  });

  test("has a file that can be fetched and checked", () => {
    expect(() => checkWeightsFile(source)).not.toThrow();
    expect(checksumFault(source.hash)).toBeUndefined();
    const hub = parseHubPath(source.url);
    if (hub) expect(hub.revision).toMatch(/^[0-9a-f]{40}$/);
    else expect(new URL(source.url).protocol).toBe("https:");
    if (source.hash.kind === "sha256-prefix") expect(source.file).toContain(`-${source.hash.value}.`);
    expect(source.file).toMatch(/\.(pth|h5|safetensors)$/);
  });

  test("has sizes that fit each other", () => {
    const bytes = source.bytes ?? source.approximateBytes;
    expect(source.parameters).toBeGreaterThan(1e5);
    // Two bytes for a float16, four for a float32; names and statistics come on top.
    if (bytes !== undefined) {
      expect(bytes / source.parameters).toBeGreaterThan(1.99);
      expect(bytes / source.parameters).toBeLessThan(4.3);
    }
    if (source.multiplyAdds !== undefined) {
      expect(source.multiplyAdds).toBeGreaterThan(5e7);
      expect(source.multiplyAdds).toBeLessThan(1e11);
    }
  });

  test("has a preprocessing that parses, for which its accuracy was published", () => {
    expect(preprocessingSchema.parse(source.preprocessing)).toEqual(source.preprocessing);
    const { accuracy, preprocessing } = source;
    const [height, width] = preprocessing.inputSize;
    if (preprocessing.resize.kind === "shortest-edge")
      expect(preprocessing.resize.size).toBeGreaterThanOrEqual(Math.max(height, width));
    if (!accuracy) return;
    expect([accuracy.imageSize, accuracy.imageSize]).toEqual([height, width]);
    expect(accuracy.top1).toBeGreaterThan(0.5);
    expect(accuracy.top1).toBeLessThan(accuracy.top5 ?? 1);
    expect(accuracy.top5 ?? 0.9).toBeLessThan(1);
  });

  test("says what it gives, on which terms, and where that stands", () => {
    expect(source.numClasses).toBe(source.task === "classification" ? 1000 : 0);
    if (source.accuracy) expect(source.accuracy.of).toBe(source.task === "features" ? "linear classifier" : "network");
    expect(["Apache-2.0", "MIT", "CC-BY-4.0", "CC-BY-NC-4.0", "not stated"]).toContain(source.license);
    expect(source.trainedOn).not.toBe("");
    expect(source.references.length).toBeGreaterThan(1);
    for (const page of source.references) expect(new URL(page).protocol).toBe("https:");
  });

  test("names an architecture, with as many parameters", () => {
    expect(Object.keys(ARCHITECTURES)).toContain(source.architecture);
    const built = Object.entries(ARCHITECTURES).find(([architecture]) => architecture === source.architecture)?.[1];
    if (!built || source.task === "features") return;
    const { parameters } = built.build({ inputSize: source.preprocessing.inputSize });
    const counted = parameters.filter(({ kind }) => source.publisher === "keras" || !kind.startsWith("running-"));
    const sizes = counted.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(source.parameters);
  });

  test("is found by its name alone, and with its publisher before or behind it", () => {
    const { name, publisher } = source;
    for (const text of [name, name.toUpperCase(), `${publisher}/${name}`, `${name}@${publisher}`])
      expect(findWeights(text)).toBe(source);
  });
});

test("no two records share a name, a file or an address", () => {
  for (const key of ["name", "file", "url"] as const)
    expect(repeated(CATALOG.map((source) => source[key].toLowerCase()))).toEqual([]);
});

test("every model of a publisher has one default, and no alias means two of its models", () => {
  for (const publisher of PUBLISHERS) {
    const sources = CATALOG.filter((source) => source.publisher === publisher);
    expect(sources.length).toBeGreaterThan(0);
    const models = [...new Set(sources.map(({ model }) => model))];
    expect(sources.filter(({ isDefault }) => isDefault).map(({ model }) => model)).toEqual(models);
    const aliases = models.flatMap((model) => sources.find((source) => source.model === model)!.aliases);
    expect(repeated([...models, ...aliases])).toEqual([]);
  }
});

test("every ImageNet entry of torchvision's smaller networks is there", () => {
  const torchvision = CATALOG.filter(({ publisher, name }) => publisher === "torchvision" && !name.includes("swag"));
  expect(torchvision).toHaveLength(45);
  expect(torchvision.filter(({ name }) => name.endsWith("_v2"))).toHaveLength(10);
  expect(CATALOG.filter(({ publisher }) => publisher === "timm").length).toBeGreaterThan(20);
});

test.each([
  ["resnet50", "resnet50.imagenet1k_v2"],
  ["resnet18", "resnet18.imagenet1k_v1"],
  ["ResNet50", "resnet50.imagenet1k_v2"],
  ["ResNet50_Weights.IMAGENET1K_V1", "resnet50.imagenet1k_v1"],
  ["ResNet50_Weights.DEFAULT", "resnet50.imagenet1k_v2"],
  ["ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1", "vit_b_16.imagenet1k_swag_e2e_v1"],
  ["vit_b_16", "vit_b_16.imagenet1k_v1"],
  ["resnet50@keras", "resnet50.imagenet"],
  ["keras/vgg16", "vgg16.imagenet"],
  ["vgg16.imagenet_notop", "vgg16.imagenet_notop"],
  ["MobileNetV2@keras", "mobilenet_v2.imagenet"],
  ["resnet50@timm", "resnet50.a1_in1k"],
  ["timm/resnet50.a1_in1k", "resnet50.a1_in1k"],
  ["hf:timm/resnet50.a1_in1k", "resnet50.a1_in1k"],
  ["hf-hub:timm/convnext_tiny.fb_in1k", "convnext_tiny.fb_in1k"],
  ["convnext_tiny@timm", "convnext_tiny.in12k_ft_in1k"],
  ["mobilenetv4_conv_small", "mobilenetv4_conv_small.e2400_r224_in1k"],
  ["dinov2_vits14", "dinov2_vits14.lvd142m"],
  ["vit_base_patch14_dinov2.lvd142m", "dinov2_vitb14.lvd142m"],
])("%s means %s", (name, expected) => {
  expect(findWeights(name).name).toBe(expected);
});

test.each([
  ["resnet5", /no weights named "resnet5"\. Did you mean resnet50/],
  ["efficentnet_b0", /Did you mean efficientnet_b0/],
  ["resnet50.a2_in1k", /no weights "resnet50\.a2_in1k"\. Of this model it has .*resnet50\.a1_in1k \(timm\)/],
  ["resnet18@keras", /no weights "resnet18@keras"\. Of this model it has .*imagenet1k_v1 \(torchvision\)/],
  ["resnet50@pytorch", /requires one of torchvision, timm, dinov2, keras as its publisher, got "pytorch"/],
  ["resnt50.a1_in1k", /Did you mean .*resnet50\.a1_in1k/],
  ["", /no weights named ""/],
  ["a/b/c@d@e", /no weights named/],
  ["__proto__", /no weights named/],
  ["x".repeat(1_000_000), /no weights named "x{80}"/],
  ["\u001b[31mresnet50", /no weights named "\\u001b\[31mresnet50"/],
])("wrong name %# is an error that says what there is", (name, message) => {
  expect(() => findWeights(name)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringMatching(message) }),
  );
  expect(lookUpWeights(name)).toBeUndefined();
});

/** The catalog: which pretrained weights there are, and which of them a name means. */
import { listed, RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import { DINOV2 } from "./catalog/dinov2.ts";
import { KERAS } from "./catalog/keras.ts";
import { TIMM } from "./catalog/timm.ts";
import { TORCHVISION } from "./catalog/torchvision.ts";
import { PUBLISHERS, type Publisher, type WeightsSource } from "./catalog/weights-source.ts";

export type { WeightsSource };

/** All weights, by publisher in the order in which a bare model name looks for them. */
export const CATALOG: readonly WeightsSource[] = [...TORCHVISION, ...TIMM, ...DINOV2, ...KERAS];

/**
 * Returns the weights that a name means:
 * - `resnet50`: the default weights of the first publisher that has the model (torchvision, timm, dinov2, keras);
 * - `resnet50@keras` or `keras/resnet50`: the default weights of one publisher;
 * - `resnet50.a1_in1k`, `resnet50.imagenet1k_v1`: model and tag, as timm and torchvision write them;
 * - `timm/resnet50.a1_in1k`, also with `hf:` before it, and `ResNet50_Weights.IMAGENET1K_V2`, in either case.
 * The default of torchvision is its newest recipe, that of timm the one that timm loads for the model's name.
 * @throws RootstockError BAD_CONFIG with the nearest names if the catalog has none of that name.
 */
export function findWeights(name: string): WeightsSource {
  const found = lookUpWeights(name);
  if (found) return found;
  throw new RootstockError("BAD_CONFIG", `${problemOf(name)} rootstock pull --list shows all.`);
}

/** Returns the weights that a name means, as `findWeights` reads it, or undefined. */
export function lookUpWeights(name: string): WeightsSource | undefined {
  const { model, tag, publisher } = read(name);
  const candidates = ofPublisher(publisher).filter((source) => isModel(source, model));
  return tag === undefined
    ? candidates.find(({ isDefault }) => isDefault)
    : candidates.find((source) => source.name === `${source.model}.${tag}`);
}

/** What can be told apart in a name. */
interface Query {
  readonly model: string;
  readonly tag?: string | undefined;
  readonly publisher?: string | undefined;
}

/** Longer names are not read: there are none. */
const MAX_LENGTH = 200;

function read(text: string): Query {
  const plain = text
    .slice(0, MAX_LENGTH)
    .toLowerCase()
    .trim()
    .replace(/^(hf|hf-hub|hf_hub):(\/\/)?/, "");
  const [, before, rest = "", after] = /^(?:([^/@]*)\/)?([^/@]*)(?:@([^/@]*))?$/.exec(plain) ?? [
    undefined,
    undefined,
    plain,
  ];
  const dot = rest.indexOf(".");
  const [model, tag] = dot < 0 ? [rest, undefined] : [rest.slice(0, dot), rest.slice(dot + 1)];
  return {
    model: model.replace(/_weights$/, ""), // torchvision's enumerations: ResNet50_Weights
    tag: tag === "default" ? undefined : tag,
    publisher: before ?? after,
  };
}

function isModel({ model, aliases }: WeightsSource, name: string): boolean {
  return model === name || aliases.includes(name);
}

function ofPublisher(publisher: string | undefined): readonly WeightsSource[] {
  return publisher === undefined ? CATALOG : CATALOG.filter((source) => source.publisher === publisher);
}

/** What is wrong with a name, most specific first, and what is near it. */
function problemOf(name: string): string {
  const { model, tag, publisher } = read(name);
  const shown = JSON.stringify(name.slice(0, 80));
  if (publisher !== undefined && !PUBLISHERS.includes(publisher as Publisher)) {
    return `${shown} requires one of ${PUBLISHERS.join(", ")} as its publisher, got ${JSON.stringify(publisher.slice(0, 80))}.`;
  }
  const ofModel = CATALOG.filter((source) => isModel(source, model));
  if (ofModel.length > 0) {
    const names = ofModel.map((source) => `${source.name} (${source.publisher})`);
    return `the catalog has no weights ${shown}. Of this model it has ${listed(names)}.`;
  }
  const wanted = tag === undefined ? model : `${model}.${tag}`;
  const near = nearest(wanted, namesFor(publisher, tag !== undefined));
  const close = near.length > 0 ? near : nearest(model, namesFor(publisher, false));
  const ranked = close.toSorted((a, b) => Number(b.startsWith(model)) - Number(a.startsWith(model)));
  const hint = ranked.length > 0 ? ` Did you mean ${listed(ranked)}?` : "";
  return `the catalog has no weights named ${shown}.${hint}`;
}

function namesFor(publisher: string | undefined, withTags: boolean): string[] {
  const names = ofPublisher(publisher).flatMap(({ name, model, aliases }) => (withTags ? [name] : [model, ...aliases]));
  return [...new Set(names)];
}

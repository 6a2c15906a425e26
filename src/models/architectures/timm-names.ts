/** What timm calls the parameters of networks that are built here with the names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import type { Network } from "./network.ts";

/** The beginning of a name, and what timm has in its place. */
type Rename = readonly [RegExp, string];

/** The parts of an inverted residual by their place in torchvision's sequence: with a widening convolution, */
const WIDENING: readonly Rename[] = [
  [/^0[.]0/, "conv_pw"],
  [/^0[.]1/, "bn1"],
  [/^1[.]0/, "conv_dw"],
  [/^1[.]1/, "bn2"],
  [/^2[.]fc1/, "se.conv_reduce"],
  [/^2[.]fc2/, "se.conv_expand"],
  [/^3[.]0/, "conv_pwl"],
  [/^3[.]1/, "bn3"],
];

/** and without. */
const PLAIN: readonly Rename[] = [
  [/^0[.]0/, "conv_dw"],
  [/^0[.]1/, "bn1"],
  [/^1[.]fc1/, "se.conv_reduce"],
  [/^1[.]fc2/, "se.conv_expand"],
  [/^2[.]0/, "conv_pw"],
  [/^2[.]1/, "bn2"],
];

const CONVNEXT_BLOCK: readonly Rename[] = [
  [/^layer_scale/, "gamma"],
  [/^block[.]0/, "conv_dw"],
  [/^block[.]2/, "norm"],
  [/^block[.]3/, "mlp.fc1"],
  [/^block[.]5/, "mlp.fc2"],
];

/**
 * Names of a network's parameters in timm's checkpoints, by the names here; undefined where timm has no network with the
 * same arithmetic and other names. Elements and order are the same; timm's scales of ConvNeXt are [c] and not [c, 1, 1].
 */
export function timmNames({ architecture, parameters }: Network): ReadonlyMap<Value, Value> | undefined {
  const names = parameters.map(({ name }) => name);
  if (/^efficientnet_b\d$/.test(architecture)) return new Map(names.map((name) => [name, efficientnet(name, names)]));
  if (/^convnext_/.test(architecture)) return new Map(names.map((name) => [name, convnext(name)]));
  return undefined;
}

function efficientnet(name: Value, names: readonly Value[]): Value {
  const top = Math.max(...names.map((own) => Number(/^features[.](\d+)/.exec(own)?.[1] ?? 0)));
  const [, block, index, rest] = /^(features[.](\d+)[.]\d+[.]block)[.](.*)$/.exec(name) ?? [];
  if (block !== undefined && index !== undefined && rest !== undefined) {
    const widens = names.includes(`${block}.3.0.weight`);
    const within = block.replace(/^features[.]\d+/, `blocks.${Number(index) - 1}`).replace(/[.]block$/, "");
    return `${within}.${renamed(rest, widens ? WIDENING : PLAIN)}`;
  }
  return renamed(name, [
    [/^features[.]0[.]0/, "conv_stem"],
    [/^features[.]0[.]1/, "bn1"],
    [new RegExp(`^features[.]${top}[.]0`), "conv_head"],
    [new RegExp(`^features[.]${top}[.]1`), "bn2"],
    [/^classifier[.]1/, "classifier"],
  ]);
}

function convnext(name: Value): Value {
  const [, part, inner, rest] = /^features[.](\d+)[.](\d+)[.](.*)$/.exec(name) ?? [];
  if (part === undefined || rest === undefined)
    return renamed(name, [
      [/^classifier[.]0/, "head.norm"],
      [/^classifier[.]2/, "head.fc"],
    ]);
  const stage = Math.floor((Number(part) - 1) / 2);
  if (part === "0") return `stem.${inner}.${rest}`;
  if (Number(part) % 2 === 0) return `stages.${Number(part) / 2}.downsample.${inner}.${rest}`;
  return `stages.${stage}.blocks.${inner}.${renamed(rest, CONVNEXT_BLOCK)}`;
}

/** The name with the first beginning that fits replaced. */
function renamed(name: string, renames: readonly Rename[]): string {
  const found = renames.find(([beginning]) => beginning.test(name));
  return found ? name.replace(found[0], found[1]) : name;
}

/** What timm calls the parameters of networks that are built here with the names of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { EFFICIENTNET_CONFIGS } from "./efficientnet.ts";
import { numberedParts, type ResidualNames, TIMM_ATTENTION, timmParts } from "./inverted-residual.ts";
import { MOBILENET_V2_BLOCKS, mobilenetV2Parts } from "./mobilenet-v2.ts";
import type { Network } from "./network.ts";

/** The beginning of a name, whole parts of it, and what timm has in its place. */
type Rename = readonly [own: string, timm: string];

const CONVNEXT_BLOCK: readonly Rename[] = [
  ["layer_scale", "gamma"],
  ["block.0", "conv_dw"],
  ["block.2", "norm"],
  ["block.3", "mlp.fc1"],
  ["block.5", "mlp.fc2"],
];

const SWIN_BLOCK: readonly Rename[] = [
  ["mlp.0", "mlp.fc1"],
  ["mlp.3", "mlp.fc2"],
];

/**
 * Names of a network's parameters in timm's checkpoints, by the names here; undefined where timm has no network with the
 * same arithmetic and other names. Elements are the same; timm's scales of ConvNeXt are [c] and not [c, 1, 1], and its
 * Swin lists normalizations in front of the layers that halve the resolution.
 */
export function timmNames({ architecture, parameters }: Network): ReadonlyMap<Value, Value> | undefined {
  const rename = renamingOf(architecture);
  return rename && new Map(parameters.map(({ name }) => [name, rename(name)]));
}

function renamingOf(architecture: string): ((name: Value) => Value) | undefined {
  if (architecture === "mobilenet_v2") return mobilenetV2();
  // The names of its table.
  if (/^efficientnet_b\d$/.test(architecture)) return efficientnet(architecture as keyof typeof EFFICIENTNET_CONFIGS);
  if (architecture.startsWith("convnext_")) return convnext;
  if (architecture.startsWith("swin_")) return swin;
  return undefined;
}

function mobilenetV2(): (name: Value) => Value {
  let index = 1;
  const blocks = MOBILENET_V2_BLOCKS.flatMap(({ expansion, count }, stage) =>
    Array.from({ length: count }, (_, j) =>
      residual(mobilenetV2Parts(`features.${index++}.conv`), `blocks.${stage}.${j}`, expansion > 1),
    ).flat(),
  );
  return byLayer([...blocks, ...ends(index)]);
}

function efficientnet(architecture: keyof typeof EFFICIENTNET_CONFIGS): (name: Value) => Value {
  const { stages } = EFFICIENTNET_CONFIGS[architecture];
  const blocks = stages.flatMap(([, expansion, , , , depth], stage) =>
    Array.from({ length: depth }, (_, j) =>
      residual(numberedParts(`features.${stage + 1}.${j}.block`, true), `blocks.${stage}.${j}`, expansion > 1),
    ).flat(),
  );
  return byLayer([...blocks, ...ends(stages.length + 1)]);
}

/** The layers of an inverted residual. */
function residual(parts: (widens: boolean) => ResidualNames, timm: string, widens: boolean): Rename[] {
  const own = layersOf(parts(widens), ["fc1", "fc2"]);
  const others = layersOf(timmParts(timm)(widens), TIMM_ATTENTION);
  return own.map((layer, i) => [layer, others[i]!]);
}

function layersOf({ widen, depthwise, attention, narrow }: ResidualNames, within: readonly string[]): string[] {
  return [...(widen ?? []), ...depthwise, ...within.map((name) => `${attention}.${name}`), ...narrow];
}

/** What is in front of the blocks of a mobile network and behind them: the convolution features.`top` and the classifier. */
function ends(top: number): Rename[] {
  return [
    ["features.0.0", "conv_stem"],
    ["features.0.1", "bn1"],
    [`features.${top}.0`, "conv_head"],
    [`features.${top}.1`, "bn2"],
    ["classifier.1", "classifier"],
  ];
}

/** Replaces the layer's name and keeps the parameter's. */
function byLayer(renames: readonly Rename[]): (name: Value) => Value {
  const layers = new Map(renames);
  return (name) => {
    const end = name.lastIndexOf(".");
    const layer = name.slice(0, end);
    return `${layers.get(layer) ?? layer}${name.slice(end)}`;
  };
}

function convnext(name: Value): Value {
  const [, part, inner, rest] = /^features[.](\d+)[.](\d+)[.](.*)$/.exec(name) ?? [];
  if (part === undefined || rest === undefined)
    return renamed(name, [
      ["classifier.0", "head.norm"],
      ["classifier.2", "head.fc"],
    ]);
  if (part === "0") return `stem.${inner}.${rest}`;
  if (Number(part) % 2 === 0) return `stages.${Number(part) / 2}.downsample.${inner}.${rest}`;
  return `stages.${(Number(part) - 1) / 2}.blocks.${inner}.${renamed(rest, CONVNEXT_BLOCK)}`;
}

function swin(name: Value): Value {
  const [, part, block, rest] = /^features[.](\d+)[.](?:(\d+)[.])?(.*)$/.exec(name) ?? [];
  if (part === undefined || rest === undefined) return renamed(name, [["head", "head.fc"]]);
  if (part === "0") return `patch_embed.${block === "0" ? "proj" : "norm"}.${rest}`;
  if (Number(part) % 2 === 0) return `layers.${Number(part) / 2}.downsample.${rest}`;
  return `layers.${(Number(part) - 1) / 2}.blocks.${block}.${renamed(rest, SWIN_BLOCK)}`;
}

/** The name with the first beginning that fits replaced. */
function renamed(name: string, renames: readonly Rename[]): string {
  const found = renames.find(([own]) => name === own || name.startsWith(`${own}.`));
  return found ? found[1] + name.slice(found[0].length) : name;
}

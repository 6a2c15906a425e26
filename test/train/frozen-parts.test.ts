/** What does not train stays as it was, to the last bit of the exported file. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { trainingBackbone, unfreezeNetwork } from "../../src/train/unfreeze-network.ts";
import { assets, withAssets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";

let data: Dataset;
let norm: Model;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-frozen-"));
  data = await imageFolder(await writeColorImages(join(root, "images"), 3));
  norm = await loadModel(await writeTinyModel(join(root, "norm.onnx"), { norm: true }));
});

/** Names of the running statistics of a graph. */
function statisticsOf({ nodes }: Graph): readonly Value[] {
  return nodes.filter(({ op }) => op === "BatchNormalization").flatMap(({ inputs }) => inputs.slice(3, 5));
}

function bytesOf(graph: Graph, name: Value): string | undefined {
  const data = graph.initializers.get(name)?.data;
  return data && Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
}

/** What of the pretrained file training may change, what it has changed, and what the exported file holds. */
async function comparedAfter(base: Model, options: FineTuneOptions & { readonly unfreeze: string }) {
  const out = join(await temporaryFolder(), "run");
  const common = { cache: false, check: false, keepHead: false, augmentation: "none" } as const;
  const run = await fineTune(base, data, { ...common, epochs: 1, batchSize: 4, learningRate: 0.01, ...options, out });
  await run.model.release();
  await using exported = await loadModel(join(out, "model.onnx"));
  const names = [...base.graph.initializers.keys()];
  const kept = names.filter((name) => exported.graph.initializers.has(name));
  const { unfreeze } = options;
  return {
    trains:
      unfreeze === "head"
        ? []
        : [
            ...unfreezeNetwork(trainingBackbone({ base, cut: run.cut }), {
              unfreeze,
              batchNorm: "freeze",
            }).trainable.parameters.keys(),
          ],
    changed: kept.filter((name) => bytesOf(exported.graph, name) !== bytesOf(base.graph, name)),
    gone: names.filter((name) => !exported.graph.initializers.has(name)),
    statistics: statisticsOf(exported.graph),
  };
}

const PARTS = ["head", "last", "all"] as const;

describe("a small network with a normalization: what trains changes, and nothing else does", () => {
  test.each(PARTS)("unfreeze %s", async (unfreeze) => {
    const { trains, changed, gone, statistics } = await comparedAfter(norm, { unfreeze });
    expect(statistics).toEqual(["norm.mean", "norm.var"]); // the normalization is still one, with its statistics
    expect(changed.toSorted()).toEqual(trains.toSorted());
    expect(changed).toHaveLength({ head: 0, last: 3, all: 5 }[unfreeze]);
    expect(gone).toEqual(["weight_3", "weight_4"]); // the old classifier
  });

  test("but statistics that follow the batches do change", async () => {
    const { changed } = await comparedAfter(norm, { unfreeze: "last", batchNorm: "train" });
    expect(changed).toEqual(expect.arrayContaining(["norm.mean", "norm.var"]));
  });
});

withAssets("MobileNetV2 with 52 normalizations: what trains changes, and nothing else does", () => {
  test.each(["last", "all"] as const)(
    "unfreeze %s",
    async (unfreeze) => {
      const base = await loadModel(join(assets!, "models", "mobilenetv2_1.0_bn", "mobilenetv2_1.0_bn_backbone.onnx"));
      const { trains, changed, gone, statistics } = await comparedAfter(base, { unfreeze });
      expect(statistics.length).toBeGreaterThan(100);
      expect(statistics).toEqual(statisticsOf(base.graph));
      expect(changed.toSorted()).toEqual(trains.toSorted());
      expect(changed.length).toBeGreaterThan(30);
      expect(gone).toEqual([]);
    },
    120_000,
  );
});

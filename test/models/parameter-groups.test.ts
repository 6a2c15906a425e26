import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import type { Architecture } from "../../src/models/architectures/architecture.ts";
import { withWeights } from "../../src/models/architectures/network.ts";
import { swin } from "../../src/models/architectures/swin.ts";
import { vit } from "../../src/models/architectures/vit.ts";
import { backboneGraph, findCut } from "../../src/models/backbone.ts";
import { HEAD } from "../../src/models/head.ts";
import { layerWiseRates, parameterGroups } from "../../src/models/parameter-groups.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { stagesOf } from "../../src/models/stages.ts";
import { trainableGraph } from "../../src/models/trainable-graph.ts";
import { unfreeze } from "../../src/models/unfreeze.ts";
import { formulaWeights } from "./architectures/golden.ts";
import { invertedNetwork, residualNetwork, transformer } from "./networks.ts";

const namesOf = (graph: Graph): string[] => parametersOf(graph).map(({ name }) => name);

function backboneOf(design: Architecture): Graph {
  const network = design.build();
  const graph = withWeights(network, formulaWeights(network, 1));
  return backboneGraph(graph, findCut(graph));
}

describe("parameterGroups", () => {
  test.each([
    ["residual", residualNetwork()],
    ["inverted", invertedNetwork()],
    ["swin_t", backboneOf(swin("swin_t"))],
  ])("are the stages of a network whose resolution falls: %s", (_name, graph) => {
    expect(parameterGroups(graph)).toEqual(stagesOf(graph).map(({ parameters }) => parameters));
  });

  test.each([3, 4, 5, 12])("are the %i blocks of a transformer, behind its embedding", (blocks) => {
    const graph = transformer(blocks);
    const groups = parameterGroups(graph);
    expect(groups[0]).toEqual(["patch.weight", "cls_token", "pos_embed"]);
    expect(groups).toHaveLength(blocks + 1);
    for (const [i, names] of groups.slice(1).entries())
      expect(names.filter((name) => !name.startsWith(`blocks.${i}.`))).toEqual(
        i === blocks - 1 ? ["norm.weight", "norm.bias"] : [],
      );
    expect(groups.flat()).toEqual(namesOf(graph));
  });

  test("are the blocks of a published vision transformer", () => {
    const groups = parameterGroups(backboneOf(vit("vit_tiny_patch16_224")));
    expect(groups.map((names) => names.length)).toEqual([4, ...new Array<number>(11).fill(12), 14]);
    expect(groups.slice(1).every((names, i) => names[0] === `blocks.${i}.norm1.weight`)).toBe(true);
  });
});

describe("layerWiseRates", () => {
  const graph = residualNetwork();

  test("are 1 in the last stage and fall by the decay with each one before; the head has its own", () => {
    const rates = layerWiseRates(graph, [...namesOf(graph), HEAD.weight, HEAD.bias], 0.5, 10);
    expect(rates.get("layer2.1.conv2.weight")).toBe(1);
    expect(rates.get("layer2.0.conv1.weight")).toBe(1);
    expect(rates.get("layer1.0.conv1.weight")).toBe(0.5);
    expect(rates.get("bn1.bias")).toBe(0.25);
    expect(rates.get(HEAD.weight)).toBe(10);
    expect(rates.get(HEAD.bias)).toBe(10);
    expect(rates.size).toBe(32);
  });

  test("do not depend on how much trains, and keep the order of what is asked", () => {
    const rates = layerWiseRates(graph, [HEAD.bias, "layer1.0.conv1.weight"], 0.7);
    expect([...rates]).toEqual([
      [HEAD.bias, 1],
      ["layer1.0.conv1.weight", 0.7],
    ]);
  });

  test("fall with every block of a transformer", () => {
    const rates = layerWiseRates(transformer(12), ["blocks.11.fc1.weight", "blocks.0.fc1.weight", "pos_embed"], 0.9);
    expect([...rates.values()]).toEqual([1, 0.9 ** 11, 0.9 ** 12]);
  });

  test("know what `trainableGraph` gives by its names", () => {
    const { backbone, parameters } = trainableGraph(graph, unfreeze(graph, "all"));
    const rates = layerWiseRates(backbone, parameters.keys(), 0.5, 99);
    expect(new Set(rates.values())).toEqual(new Set([0.25, 0.5, 1]));
  });

  test("are all 1 without a decay", () => {
    expect(new Set(layerWiseRates(graph, namesOf(graph), 1).values())).toEqual(new Set([1]));
  });

  test.each([0, -0.5, 1.1, Number.NaN])("refuse a decay of %d", (decay) => {
    expect(() => layerWiseRates(graph, [], decay)).toThrow(
      new RangeError(`layerWiseRates: decay must be in (0, 1], got ${decay}.`),
    );
  });

  test.each([0, Number.POSITIVE_INFINITY])("refuse a rate of the head of %d", (headRate) => {
    expect(() => layerWiseRates(graph, [], 0.5, headRate)).toThrow(
      new RangeError(`layerWiseRates: headRate must be in (0, infinity), got ${headRate}.`),
    );
  });
});

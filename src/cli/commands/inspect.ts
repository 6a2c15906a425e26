/** `rootstock inspect`: what a model file contains, where it would be cut, and what could be trained. */
import { BUILT_IN_RULES, ruleOf } from "../../autodiff/check.ts";
import { messageOf } from "../../errors.ts";
import { formatShape, type Graph } from "../../graph/graph.ts";
import { inferTypes } from "../../graph/infer-types.ts";
import { printGraph } from "../../graph/print.ts";
import { printable } from "../../graph/printable.ts";
import { backboneGraph, type Cut, findCut } from "../../models/backbone.ts";
import type { Model } from "../../models/model.ts";
import { type Stage, stagesOf } from "../../models/stages.ts";
import { trainingForm } from "../../models/training-form.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { describePreprocessing } from "../../transforms/preprocessing.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { modelOptions, openModel } from "../open-model.ts";
import { formatBytes, type Output } from "../output.ts";

export const inspect = command({
  summary: "Show what a model file contains, where it would be cut, and what could be trained.",
  usage: "inspect <model> [options]",
  options: {
    cut: { kind: "text", value: "<value>", help: "show the cut at this value instead of the one that is found" },
    graph: { kind: "flag", help: "print every node" },
    ...modelOptions,
  },
  examples: [
    ["rootstock inspect mobilenetv2.onnx", "an overview"],
    ["rootstock inspect mobilenetv2.onnx --graph", "every node with its shapes"],
  ],
  async run({ positionals, options, output, signal }) {
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) throw new UsageError("inspect requires one model file.");
    await using model = await openModel(path, { options, output, signal });
    const { graph } = model;
    const report = {
      ...describeGraph(graph),
      metadata: Object.fromEntries(model.metadata),
      labels: model.labels?.length,
      preprocessing: model.preprocessing,
      preprocessingSource: model.preprocessingSource,
    };
    const cut = tryCut(model, options.cut);
    for (const { name, dtype, shape } of report.inputs)
      line(output, `input       "${name}" ${dtype} ${formatShape(shape)}`);
    for (const { name, dtype, shape } of report.outputs)
      line(output, `output      "${name}" ${dtype} ${formatShape(shape)}`);
    line(
      output,
      `parameters  ${report.parameters.toLocaleString("en")} in ${report.tensors} tensors (${formatBytes(report.parameterBytes)})`,
    );
    line(
      output,
      `operators   ${Object.entries(report.operators)
        .map(([op, count]) => `${op} ${count}`)
        .join(", ")}`,
    );
    line(
      output,
      `pixels      ${model.preprocessing ? `${describePreprocessing(model.preprocessing)} (from ${model.preprocessingSource})` : "the model does not say; pass --preprocessing"}`,
    );
    line(output, `labels      ${model.labels ? model.labels.length : "none"}`);
    line(output, report.batchNorm);
    reportCut(cut, output);
    if (options.graph) output.result(printGraph(graph));
    return { json: { ...report, ...("error" in cut ? { cut: undefined, cutError: cut.error } : cut) } };
  },
});

/** One line of the report: a name from the file cannot start another. */
function line(output: Output, text: string): void {
  output.result(printable(text));
}

interface CutReport {
  readonly cut: Cut;
  /** Parameters before and after the cut. */
  readonly frozen: number;
  readonly replaced: number;
  /** Operators before the cut that have no gradient rule: they can only be frozen. */
  readonly withoutRule: readonly string[];
  /** What `train --unfreeze last:N` counts, the last one last. */
  readonly stages: readonly Stage[];
}

function tryCut({ graph, preprocessing }: Model, at: string | undefined): CutReport | { readonly error: string } {
  try {
    const cut = findCut(graph, at);
    const backbone = backboneGraph(graph, cut);
    const frozen = countParameters(backbone);
    const withoutRule = [
      ...new Set(backbone.nodes.filter((node) => !ruleOf(node, BUILT_IN_RULES)).map(({ op }) => op)),
    ].sort();
    const stages = stagesOf(trainingForm(backbone, preprocessing?.inputSize));
    return { cut, frozen, replaced: countParameters(graph) - frozen, withoutRule, stages };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function reportCut(report: CutReport | { readonly error: string }, output: Output): void {
  if ("error" in report) {
    line(output, `cut         none found: ${report.error}`);
    return;
  }
  const { cut, frozen, replaced, withoutRule, stages } = report;
  const old = cut.classifier
    ? `; the old classifier is ${cut.classifier.op} "${cut.classifier.name}" (${cut.numClasses} classes)`
    : "";
  line(output, `cut         at "${cut.value}" ${formatShape(cut.shape)}: ${cut.width} features per image${old}`);
  line(
    output,
    `            ${frozen.toLocaleString("en")} parameters before it stay frozen, ${replaced.toLocaleString("en")} after it are replaced`,
  );
  line(
    output,
    `trainable   a new head${withoutRule.length > 0 ? `; not before the cut: no gradient rule for ${withoutRule.join(", ")}` : ", and every layer before the cut"}`,
  );
  for (const [i, { description }] of stages.entries())
    line(output, `${i === 0 ? "stages      " : "            "}${description}`);
}

function describeGraph(graph: Graph) {
  const types = inferTypes(graph);
  const operators = new Map<string, number>();
  for (const { op } of graph.nodes) operators.set(op, (operators.get(op) ?? 0) + 1);
  const floats = [...graph.initializers.values()].filter(({ dtype }) => isFloat(dtype));
  const folded = !operators.has("BatchNormalization") && (operators.get("Conv") ?? 0) > 3;
  return {
    opset: graph.opsets.get(""),
    inputs: graph.inputs,
    outputs: graph.outputs.map((output) => ({ ...output, ...types.get(output.name) })),
    nodes: graph.nodes.length,
    operators: Object.fromEntries([...operators].sort(([a], [b]) => (a < b ? -1 : 1))),
    parameters: countParameters(graph),
    parameterBytes: floats.reduce((sum, { data }) => sum + data.byteLength, 0),
    tensors: floats.length,
    batchNorm: folded
      ? "batch norm  none in the file: folded into the convolutions, or never there"
      : `batch norm  ${operators.get("BatchNormalization") ?? 0} separate nodes`,
  };
}

/** Elements of all float initializers but the running statistics of BatchNormalization, which are no parameters. */
function countParameters({ nodes, initializers }: Graph): number {
  const norms = nodes.filter(({ op, domain }) => op === "BatchNormalization" && domain === "");
  const statistics = new Set(norms.flatMap(({ inputs }) => inputs.slice(3, 5)));
  return [...initializers]
    .filter(([name, { dtype }]) => isFloat(dtype) && !statistics.has(name))
    .reduce((sum, [, { data }]) => sum + data.length, 0);
}

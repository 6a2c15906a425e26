/** `rootstock preview`: contact sheets of what the network will see. */
import { mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { encodePng } from "../../data/encode.ts";
import { openDataset } from "../../data/open-dataset.ts";
import { bySplit } from "../../data/sample.ts";
import { namedPreprocessing } from "../../models/preprocessing.ts";
import { previewPage, previewRows, previewSheet } from "../../report/preview.ts";
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import { chooseAugmentation } from "../../transforms/presets.ts";
import { writeAtomically } from "../../weights/files.ts";
import { UsageError } from "../arguments.ts";
import { augmentOption, readAugment } from "../augment-option.ts";
import { command } from "../command.ts";
import { dataOptions, datasetOptions, splitOptions } from "../data-options.ts";
import { modelOptions, type OpenModelOptions, openModel } from "../open-model.ts";
import { reportDataset, reportFailed } from "../report-dataset.ts";

/** What an unknown network is taken to see: most pretrained ones do. */
const USUAL_SIDE = 224;

export const preview = command({
  summary: "Draw what the network will see: clean and augmented images of each class, and each transform by itself.",
  usage: "preview <data> [options]",
  options: {
    model: {
      kind: "text",
      value: "<model>",
      help: "show its input size and crop (default 224 x 224 as ImageNet networks see it)",
    },
    ...augmentOption,
    "per-class": {
      kind: "number",
      value: "<n>",
      min: 1,
      max: 20,
      whole: true,
      help: "images of each class (default 2)",
    },
    views: { kind: "number", value: "<n>", min: 1, max: 20, whole: true, help: "random views of each (default 6)" },
    seed: { kind: "number", value: "<n>", min: 0, whole: true, help: "decides images and draws (default 0)" },
    out: {
      kind: "text",
      value: "<dir>",
      help: "folder for preview.png and preview.html, outside of the images (default preview)",
    },
    ...dataOptions,
    ...splitOptions,
    ...modelOptions,
  },
  examples: [
    ["rootstock preview photos", "the augmentation that train would choose"],
    ["rootstock preview photos --augment strong --model model.onnx", "another one, as this network sees it"],
    ["rootstock preview photos --augment mine.json --out sheets", "transforms of one's own"],
  ],
  async run({ positionals, options, output, signal }) {
    const [root, ...more] = positionals;
    if (root === undefined || more.length > 0)
      throw new UsageError(
        `preview requires one dataset, got ${positionals.length === 0 ? "none" : positionals.join(" ")}.`,
      );
    const asked = await readAugment(options.augment);
    const { seed = 0, out = "preview" } = options;
    await checkOutside(out, root);
    if (options.val !== undefined) await checkOutside(out, options.val);
    const preprocessing = await preprocessingOf(options, { output, signal });
    const dataset = await openDataset(root, { ...datasetOptions(options), seed, signal });
    reportDataset(dataset, output);
    const samples = bySplit(dataset, "train").length;
    const { classes, task } = dataset;
    const { augmentation, reasons } = chooseAugmentation(asked, { samples, classes, task });
    for (const reason of reasons) output.note(reason);
    const shown = {
      ...{ preprocessing, augmentation, reasons, seed },
      ...{ perClass: options["per-class"], views: options.views },
    };
    const rows = await previewRows(dataset, shown);
    reportFailed(rows.failed, output);
    await mkdir(out, { recursive: true });
    const files = { png: join(out, "preview.png"), html: join(out, "preview.html") };
    await writeAtomically(files.png, [await encodePng(previewSheet(rows))]);
    await writeAtomically(files.html, [Buffer.from(await previewPage(dataset, rows, shown))]);
    output.result(`sheet     ${files.png}`);
    output.result(`page      ${files.html}`);
    return { json: { ...files, augmentation, reasons, failed: rows.failed } };
  },
});

/**
 * Sheets in a folder of images would be images of it.
 * @throws UsageError with a place outside.
 */
async function checkOutside(out: string, root: string): Promise<void> {
  const folder = await stat(root).catch(() => undefined);
  if (!folder?.isDirectory()) return; // a table names its images; what is not there is told by the reader
  const [inner, outer] = [await realPlace(resolve(out)), await realpath(root)];
  if (inner !== outer && !inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)) return;
  const beside = relative(await realpath("."), join(dirname(outer), "preview"));
  throw new UsageError(
    `--out requires a folder outside of the images in ${root}, where the sheets would be taken for images, got ${out}. Use --out ${beside}.`,
  );
}

/** The real path of a place of which only a part may be there. */
async function realPlace(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  return dirname(path) === path ? path : join(await realPlace(dirname(path)), basename(path));
}

async function preprocessingOf(
  { model: name, ...options }: { readonly model?: string | undefined } & OpenModelOptions["options"],
  rest: Pick<OpenModelOptions, "output" | "signal">,
): Promise<Preprocessing> {
  if (name === undefined) {
    const side = options["image-size"] ?? USUAL_SIDE;
    return namedPreprocessing("imagenet", { layout: "NCHW", height: side, width: side });
  }
  await using model = await openModel(name, { options, ...rest });
  return model.requirePreprocessing();
}

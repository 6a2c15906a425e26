/** What a network will see of a dataset: clean and augmented images of each class, and each transform by itself. */
import { decodeFile } from "../data/decode-file.ts";
import { bySplit, type Dataset, type Sample, sourceOf } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { rng, shuffle } from "../random.ts";
import type { Image } from "../transforms/image.ts";
import { asPixels, describePreprocessing, type Preprocessing } from "../transforms/preprocessing.ts";
import type { Augmentation } from "../transforms/transform.ts";
import { contactSheet } from "./contact-sheet.ts";
import { type Html, html, page } from "./html.ts";
import { FIGURE_STYLE, imageFigure } from "./picture-figures.ts";

export interface PreviewOptions {
  readonly preprocessing: Preprocessing;
  readonly augmentation: Augmentation;
  /** Why the augmentation is what it is, one sentence each. @default [] */
  readonly reasons?: readonly string[] | undefined;
  /** Decides which images are shown and what is drawn: with a run's seed, the views of its first epochs. @default 0 */
  readonly seed?: number | undefined;
  /** Images of each class. @default 2 */
  readonly perClass?: number | undefined;
  /** Random views beside each clean image. @default 6 */
  readonly views?: number | undefined;
}

/** One image in several views. */
export interface PreviewRow {
  /** The class, or the transform. */
  readonly title: string;
  readonly path: string;
  /** The clean image first. */
  readonly views: readonly Image[];
}

export interface Preview {
  /** Images of each class in clean and random views, as training will see them. */
  readonly classes: readonly PreviewRow[];
  /** One image under each transform of the augmentation by itself. */
  readonly transforms: readonly PreviewRow[];
  /** Files that could not be shown; the reason reads on from the name. */
  readonly failed: readonly { readonly file: string; readonly error: string }[];
}

/** Classes shown, evenly spread over all of them. */
const MOST_CLASSES = 20;
/** Random views of a transform by itself. */
const ALONE = 4;

/**
 * Makes the rows of a preview. The pixels are exactly those that the network gets, before scaling and normalizing.
 * @throws RootstockError BAD_DATA if no image can be shown; BAD_CONFIG for an augmentation that cannot be.
 */
export async function previewRows(
  dataset: Dataset,
  { preprocessing, augmentation, seed = 0, perClass = 2, views = 6 }: PreviewOptions,
): Promise<Preview> {
  const failed: { file: string; error: string }[] = [];
  const rowsOf = async (samples: readonly Titled[], used: Augmentation, count: number): Promise<PreviewRow[]> => {
    const rows: PreviewRow[] = [];
    for (const { title, sample } of samples) {
      const numbers = Array.from({ length: count + 1 }, (_, view) => view);
      const decoded = await viewsOf(sample, preprocessing, { augmentation: used, seed, numbers });
      if (typeof decoded === "string") failed.push({ file: sample.file, error: decoded });
      else rows.push({ title, path: sample.path, views: decoded });
    }
    return rows;
  };
  const chosen = chooseSamples(dataset, perClass, seed);
  const classes = await rowsOf(chosen, augmentation, augmentation.transforms.length > 0 ? views : 0);
  if (classes.length === 0) {
    const why = failed[0] === undefined ? "there are none for training" : `${failed[0].file} ${failed[0].error}`;
    throw new RootstockError("BAD_DATA", `a preview of ${dataset.root} requires an image that can be read: ${why}.`);
  }
  const first = chosen.find(({ sample }) => sample.path === classes[0]!.path)!.sample;
  const transforms: PreviewRow[] = [];
  for (const spec of augmentation.transforms) {
    const titled = [{ title: `${spec.name} ${optionsText(spec)}`.trim(), sample: first }];
    transforms.push(...(await rowsOf(titled, { version: 1, transforms: [spec] }, ALONE)));
  }
  return { classes, transforms, failed };
}

/** Returns the rows as one picture, a row of views under another. */
export function previewSheet({ classes, transforms }: Preview): Image {
  const rows = [...classes, ...transforms];
  const columns = rows.reduce((most, row) => Math.max(most, row.views.length), 0);
  const { width, height } = rows[0]!.views[0]!;
  const blank: Image = { width, height, data: new Uint8Array(3 * width * height).fill(128) };
  const filled = rows.flatMap(({ views }) => Array.from({ length: columns }, (_, i) => views[i] ?? blank));
  return contactSheet(filled, { columns });
}

/** Returns the rows as a page of their own. */
export async function previewPage(
  dataset: Dataset,
  preview: Preview,
  { preprocessing, augmentation, reasons = [], seed = 0 }: PreviewOptions,
): Promise<string> {
  const body = html`<header><h1>What the network will see of ${dataset.root}</h1>
<p>${describePreprocessing(preprocessing)}</p>
${reasons.map((reason) => html`<p>${reason}</p>`)}
<p class="soft">Seed ${seed}. The first image of a row is the one that validation, testing and prediction see: they are never augmented.</p></header>
<h2>By class</h2>
${await rowsHtml(preview.classes)}
${preview.transforms.length > 0 && html`<h2>By transform</h2>`}
${await rowsHtml(preview.transforms)}
<h2>As a file</h2><pre>${JSON.stringify(augmentation, undefined, 2)}</pre>`;
  return page({ title: `Preview of ${dataset.root}`, style: FIGURE_STYLE + STYLE, body });
}

async function rowsHtml(rows: readonly PreviewRow[]): Promise<readonly Html[]> {
  const made: Html[] = [];
  for (const { title, path, views } of rows) {
    const figures: Html[] = [];
    for (const [i, image] of views.entries()) figures.push(await imageFigure(image, i === 0 ? path : `view ${i}`));
    made.push(html`<h3>${title}</h3><div class="figures">${figures}</div>
`);
  }
  return made;
}

const STYLE = "pre { white-space: pre-wrap; font-size: 12px; }";

interface Titled {
  readonly title: string;
  readonly sample: Sample;
}

/** Some training images of each class, by seed; of a regression, images spread over the values of its first target. */
function chooseSamples(dataset: Dataset, perClass: number, seed: number): readonly Titled[] {
  const { task, classes } = dataset;
  const train = bySplit(dataset, "train");
  const valued = (sample: Sample): Titled => ({
    title: sample.target.map((value, i) => `${classes[i]} ${value}`).join(", "),
    sample,
  });
  if (task === "regression") {
    const byValue = [...train].sort((a, b) => a.target[0]! - b.target[0]!);
    return spread(byValue, 4 * perClass).map(valued);
  }
  const shown = spread([...classes.keys()], MOST_CLASSES);
  return shown.flatMap((label) => {
    const members = train.filter(({ target }) => target.includes(label));
    const drawn = shuffle([...members], rng(seed).fork(`preview ${label}`)).slice(0, perClass);
    return drawn.map((sample) => ({ title: sample.target.map((i) => classes[i]!).join(", "), sample }));
  });
}

/** At most `count` of the items, evenly spaced, the first and the last among them. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  const step = count > 1 ? (items.length - 1) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => items[Math.round(i * step)]!);
}

/** The views of an image as pixels: an input of the network that is neither scaled nor normalized is one grey level each. */
async function viewsOf(
  sample: Sample,
  preprocessing: Preprocessing,
  views: { readonly augmentation: Augmentation; readonly seed: number; readonly numbers: readonly number[] },
): Promise<readonly Image[] | string> {
  const decoded = await decodeFile(sourceOf(sample), asPixels(preprocessing), { sha256: sample.sha256, views });
  if (typeof decoded === "string") return decoded;
  const [height, width] = preprocessing.inputSize;
  const size = 3 * height * width;
  return views.numbers.map((_, i) => ({
    width,
    height,
    data: Uint8Array.from(decoded.subarray(i * size, (i + 1) * size)),
  }));
}

function optionsText({ name, ...options }: { readonly name: string }): string {
  return Object.entries(options)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
    .join(", ");
}

/** The report of a check as a page of its own: what was found, with the pictures it was found in. */
import type { ClassCount, DatasetReport, Finding, ReportedFile } from "../data/check/dataset-report.ts";
import { type Dataset, type ImageSource, sourceOf } from "../data/sample.ts";
import { type Html, html, page } from "./html.ts";
import { FIGURE_STYLE, fileFigure, together } from "./picture-figures.ts";

/** Groups of pictures shown for a finding, pictures of a group, and pictures of a whole page, at most. */
const SHOWN = { groups: 24, members: 6, page: 400 } as const;
/** Classes shown in the table. */
const SHOWN_CLASSES = 200;

/** Returns the page. The dataset is asked for images in memory; files are read again for their thumbnails. */
export async function checkPage(report: DatasetReport, dataset: Dataset): Promise<string> {
  const sources = new Map(dataset.samples.map((sample) => [sample.file, sourceOf(sample)]));
  const budget = { left: SHOWN.page };
  const sections: Html[] = [];
  for (const finding of report.findings) sections.push(await section(finding, sources, budget));
  return page({
    title: `Check of ${report.root}`,
    style: STYLE + FIGURE_STYLE,
    body: html`<header><h1>Check of ${report.root}</h1>
<p>${summaryOf(report)}</p>
${tally(report)}</header>
${report.classes.length > 0 && classTable(report)}
<h2>Findings</h2>
${sections.length > 0 ? sections : html`<p>Nothing was found.</p>`}`,
  });
}

/** "500 images (500 JPEG, median sides 216 and 288 pixels)". */
export function summaryOf({ images, undecodable, formats, medianSize }: DatasetReport): string {
  const kinds = Object.entries(formats).map(([format, count]) => `${count} ${format.toUpperCase()}`);
  const facts = [
    ...kinds,
    ...(undecodable > 0 ? [`${undecodable} that cannot be read`] : []),
    ...(medianSize ? [`median sides ${medianSize.shorter} and ${medianSize.longer} pixels`] : []),
  ];
  return `${images} image${images === 1 ? "" : "s"}${facts.length > 0 ? `: ${facts.join(", ")}` : ""}.`;
}

function tally({ findings }: DatasetReport): Html {
  const count = (severity: Finding["severity"]): number =>
    findings.filter((entry) => entry.severity === severity).length;
  const part = (severity: Finding["severity"], noun: string): Html => {
    const number = count(severity);
    return html`<span class="${severity}">${number} ${number === 1 ? noun : `${noun}s`}</span> `;
  };
  return html`<p class="tally">${[part("error", "error"), part("warning", "warning"), part("info", "note")]}</p>`;
}

function classTable({ classes, task }: DatasetReport): Html {
  const splits = (["train", "validation", "test"] as const).filter((split) =>
    classes.some((entry) => entry[split] > 0),
  );
  const largest = classes.reduce((most, entry) => splits.reduce((top, split) => Math.max(top, entry[split]), most), 1);
  const shown = classes.slice(0, SHOWN_CLASSES);
  const row = (
    entry: ClassCount,
  ): Html => html`<tr><td>${entry.name}</td>${splits.map((split) => cell(entry[split], largest))}</tr>
`;
  return html`<h2>${task === "multi-label" ? "Labels" : "Classes"}</h2>
<table><thead><tr><th>name</th>${splits.map((split) => html`<th class="number">${split}</th>`)}</tr></thead>
<tbody>${shown.map(row)}</tbody></table>
${classes.length > shown.length && html`<p class="soft">and ${classes.length - shown.length} more</p>`}`;
}

function cell(count: number, largest: number): Html {
  const width = ((100 * count) / largest).toFixed(1);
  return html`<td class="number bar">${count}<div style="width:${width}%"></div></td>`;
}

async function section(
  { kind, severity, message, advice, files, groups }: Finding,
  sources: ReadonlyMap<string, ImageSource>,
  budget: { left: number },
): Promise<Html> {
  const all = groups ?? files.map((file) => [file]);
  const boxes: Html[] = [];
  for (const members of all.slice(0, SHOWN.groups)) {
    const shown = members.slice(0, Math.min(SHOWN.members, budget.left));
    if (shown.length === 0) break;
    budget.left -= shown.length;
    const figures: Html[] = [];
    for (const file of shown) figures.push(await figureOf(file, sources));
    const rest = members.length - shown.length;
    if (rest > 0) figures.push(html`<p class="soft">and ${rest} more</p>`);
    boxes.push(groups ? together(figures) : html`${figures}`);
  }
  const left = all.length - boxes.length;
  return html`<section class="${severity}"><h3>${message}</h3>
<p class="soft">${severity} · ${kind}</p>
${advice !== "" && html`<p>${advice}</p>`}
${boxes.length > 0 && html`<div class="figures">${boxes}</div>`}
${left > 0 && html`<p class="soft">and ${left} more (all are in --json)</p>`}
</section>
`;
}

function figureOf({ path, file, detail }: ReportedFile, sources: ReadonlyMap<string, ImageSource>): Promise<Html> {
  return fileFigure(sources.get(file) ?? file, path, detail);
}

const STYLE = `
.tally span { margin-right: 1rem; font-weight: 600; } .tally .error { color: var(--error); } .tally .warning { color: var(--warning); } .tally .info { color: var(--info); }
section { margin: 1rem 0; padding: .6rem .9rem; border: 1px solid var(--line); border-left: 4px solid var(--info); border-radius: 6px; }
section.error { border-left-color: var(--error); } section.warning { border-left-color: var(--warning); }
td.bar { min-width: 7rem; } td.bar div { height: 4px; margin-left: auto; background: var(--accent); border-radius: 2px; }
`;

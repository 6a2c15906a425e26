/**
 * Reads a table of many images and says what it took, as one line of JSON: `node test/data/large-table.mjs [rows]`.
 *
 * Every row has a file of its own with content of its own, in 100 folders: a small picture, and a number after its end.
 * Every tenth row has a defect: no such file, or no label. Groups of five images over 50 classes make the draw the
 * general one, not the quick one of plain classes. Needs dist.
 */
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { imageTable } from "../../../dist/data/tables/image-table.js";

const rows = Number(process.argv[2] ?? 100_000);
const folder = await mkdtemp(join(tmpdir(), "rootstock-large-"));
try {
  await makeFiles();
  await makeTable();
  const rssBefore = process.memoryUsage().rss;
  const started = performance.now();
  const data = await imageTable(join(folder, "table.csv"), { seed: 1, test: 0.1 });
  const seconds = (performance.now() - started) / 1000;
  const counts = Object.fromEntries(
    ["train", "validation", "test"].map((split) => [split, data.samples.filter((s) => s.split === split).length]),
  );
  const divided = new Map();
  for (const { group, split } of data.samples) divided.set(group, (divided.get(group) ?? new Set()).add(split));
  console.log(
    JSON.stringify({
      rows,
      seconds: Number(seconds.toFixed(2)),
      maxRssMB: Math.round(process.resourceUsage().maxRSS / 1024),
      rssBeforeMB: Math.round(rssBefore / 2 ** 20),
      samples: data.samples.length,
      skipped: data.skipped.length,
      ...counts,
      groupsDivided: [...divided].filter(([group, splits]) => group !== undefined && splits.size > 1).length,
      notes: data.notes.length,
    }),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

function pathOf(row) {
  return `images/${row % 100}/picture-${String(row).padStart(7, "0")}.png`;
}

async function makeFiles() {
  const pictures = [];
  for (let f = 0; f < 100; f++) {
    await mkdir(join(folder, "images", String(f)), { recursive: true });
    const background = { r: f, g: 255 - f, b: (f * 37) % 256 };
    const png = await sharp({ create: { width: 32, height: 32, channels: 3, background } })
      .png()
      .toBuffer();
    pictures.push(png);
  }
  for (let first = 0; first < rows; first += 200) {
    const part = Array.from({ length: Math.min(200, rows - first) }, (_, i) => first + i);
    await Promise.all(
      part.map((row) =>
        writeFile(join(folder, pathOf(row)), Buffer.concat([pictures[row % 100], Buffer.from(`${row}`)])),
      ),
    );
  }
}

async function makeTable() {
  const file = await open(join(folder, "table.csv"), "w");
  await file.write("image,label,group,weight,comment\n");
  let text = "";
  for (let row = 0; row < rows; row++) {
    const defect = row % 10 === 9;
    const path = defect && row % 20 === 9 ? `images/missing-${row}.png` : pathOf(row);
    const label = defect && row % 20 === 19 ? "" : `class ${row % 50}`;
    text += `${path},${label},patient ${Math.floor(row / 5)},1.5,"a comment, quoted"\n`;
    if (text.length > 2 ** 20) {
      await file.write(text);
      text = "";
    }
  }
  await file.write(text);
  await file.close();
}

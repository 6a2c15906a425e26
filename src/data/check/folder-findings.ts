/** Findings about the folders of a dataset: what is hidden there, what is empty, what stands deeper than expected. */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { count, named } from "../dataset-notes.ts";
import { readLayout } from "../layout.ts";
import type { Dataset } from "../sample.ts";
import { walk } from "../walk.ts";
import type { Finding, ReportedFile } from "./dataset-report.ts";

/** What the folders of a dataset say. */
export interface FolderFindings {
  readonly findings: readonly Finding[];
  /** Class folders without usable images. */
  readonly empty: readonly string[];
}

const IMAGE_NAMES = new Set([".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".avif", ".bmp"]);

/** Looks at the folders of a dataset that was read from class folders; a table, or a list in memory, has none. */
export async function folderFindings(dataset: Dataset): Promise<FolderFindings> {
  const { root, samples, skipped } = dataset;
  if (!isInClassFolders(dataset) || !(await isFolder(root))) return { findings: [], empty: [] };
  const found = await walk(root);
  const layout = readLayout(root, found, "evaluate");
  const left = new Set(skipped.map(({ file }) => file));
  const used = new Set(layout.placed.flatMap(({ path, file }) => (left.has(file) ? [] : foldersOf(path))));
  const empty = layout.folders.map(({ path }) => path).filter((path) => !used.has(path));
  const classDepth = layout.kind === "splits" ? 2 : 1;
  const inner = new Map<string, number>();
  for (const { path } of samples) {
    const folders = foldersOf(path);
    const deepest = folders.at(-1);
    if (folders.length > classDepth && deepest !== undefined) inner.set(deepest, (inner.get(deepest) ?? 0) + 1);
  }
  const findings: Finding[] = [
    ...layout.notes.map(
      (message): Finding => ({ kind: "folder-names", severity: "warning", message, advice: "", files: [] }),
    ),
    ...(await hiddenFindings(root, found.hidden)),
  ];
  const strays = layout.strays.filter(({ file }) => !left.has(file));
  if (strays.length > 0)
    findings.push({
      kind: "other-file",
      severity: "info",
      message: `${count(strays.length, "file")} outside the class folders.`,
      advice: "",
      files: strays,
    });
  if (inner.size > 0)
    findings.push({
      kind: "subfolders",
      severity: "info",
      message: `${count(inner.size, "subfolder")} of class folders: ${named([...inner].map(([path, images]) => `${path} (${images})`))}.`,
      advice: "Their images belong to the class of the folder above.",
      files: [],
    });
  return { findings, empty };
}

/** Whether the class of every sample is a folder of its path. */
function isInClassFolders({ task, samples, classes }: Dataset): boolean {
  if (task !== "single-label" || samples.length === 0) return false;
  return samples.every(({ path, content, target: [label] }) => {
    return content === undefined && path.normalize("NFC").split("/").slice(0, -1).includes(classes[label!]!);
  });
}

async function hiddenFindings(root: string, hidden: readonly string[]): Promise<readonly Finding[]> {
  if (hidden.length === 0) return [];
  const files: ReportedFile[] = [];
  let withImages = 0;
  for (const path of hidden) {
    const file = join(root, path);
    const images = await imagesIn(file);
    if (images > 0) withImages++;
    files.push({ path, file, detail: images > 0 ? `a folder with ${count(images, "image")}` : undefined });
  }
  return [
    {
      kind: "hidden",
      severity: withImages > 0 ? "warning" : "info",
      message: `Hidden and system files are ignored: ${hidden.length}${withImages > 0 ? `, ${withImages} of them folders with images` : ""}.`,
      advice: withImages > 0 ? "Remove it, such as .ipynb_checkpoints: other programs take it for a class." : "",
      files,
    },
  ];
}

/** Number of files in a folder that are named like images; 0 for a file. */
async function imagesIn(folder: string): Promise<number> {
  try {
    return (await readdir(folder)).filter((name) => IMAGE_NAMES.has(extname(name).toLowerCase())).length;
  } catch {
    return 0; // a file, or closed to us
  }
}

/** "a/b" and "a" for "a/b/1.jpg", the outermost first. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

async function isFolder(root: string): Promise<boolean> {
  try {
    return (await stat(root)).isDirectory();
  } catch {
    return false;
  }
}

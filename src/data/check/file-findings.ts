/** Findings about single files: what cannot be read, what is read otherwise than its name or its camera says. */
import { extname } from "node:path";
import { count } from "../dataset-notes.ts";
import { describeReasons, rowOfReason } from "../tables/row-reason.ts";
import type { Finding, FindingKind, ReportedFile, Severity } from "./dataset-report.ts";
import type { Defect, Scanned, ScannedPicture } from "./scan-file.ts";

/** A file, what scanning found in it, and why the reader left it out, if it did. */
export interface ScannedFile extends ReportedFile {
  readonly scanned: Scanned;
  readonly skipped?: string | undefined;
}

/** Formats by what their names end in; false for image formats that are not read. */
const EXTENSIONS: Readonly<Record<string, string | false>> = {
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".jpe": "jpeg",
  ".jfif": "jpeg",
  ".png": "png",
  ".gif": "gif",
  ".webp": "webp",
  ".tif": "tiff",
  ".tiff": "tiff",
  ".avif": "avif",
  ".bmp": false,
  ".heic": false,
  ".heif": false,
  ".svg": false,
};

const DEFECTS: Readonly<
  Record<Defect, { readonly kind: FindingKind; readonly what: string; readonly advice: string }>
> = {
  empty: { kind: "empty-file", what: "with nothing in it", advice: "Copy it anew, or remove it." },
  "not-an-image": {
    kind: "not-an-image",
    what: "named as an image that is something else",
    advice: "A download that failed leaves an error page: fetch it anew, or remove it.",
  },
  unsupported: {
    kind: "unsupported-format",
    what: "in a format that is not read",
    advice: "Convert it to PNG or JPEG.",
  },
  truncated: { kind: "truncated", what: "cut off", advice: "Copy or download it anew, or remove it." },
  damaged: { kind: "damaged", what: "damaged", advice: "Copy it anew, save it with an image editor, or remove it." },
  "too-large": { kind: "too-large", what: "with too many pixels", advice: "Make it smaller." },
  unreadable: { kind: "unreadable", what: "that cannot be opened", advice: "Check the path and its permissions." },
};

/** Findings about files that cannot be used. All are left out of training, which is why they are errors. */
export function defectFindings(files: readonly ScannedFile[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [defect, { kind, what, advice }] of Object.entries(DEFECTS)) {
    const those = files.filter(
      (file) => "defect" in file.scanned && file.scanned.defect === defect && isMeant(file) && !isRowFault(file),
    );
    const lines = those.map(({ path, file, scanned, skipped }) => {
      return { path, file, detail: "problem" in scanned ? scanned.problem : skipped };
    });
    const message = `${count(those.length, "file")} ${what}.`;
    if (those.length > 0)
      findings.push({
        kind,
        severity: "error",
        message,
        advice,
        files: lines,
        quarantine: lines.map(({ file }) => file),
      });
  }
  return [...findings, ...otherFileFindings(files)];
}

/** Whether a file was meant to be an image: the reader took it for one, or its name says so. */
function isMeant({ path, skipped }: ScannedFile): boolean {
  if (skipped === undefined || rowOfReason(skipped) !== undefined) return true;
  if (skipped.startsWith("is a link to a folder") || skipped.startsWith("is not a regular file")) return false;
  const extension = extname(path).toLowerCase();
  return extension in EXTENSIONS || skipped === "does not exist";
}

/** Whether a row of a table was left out for what it says, not for what its file is. */
function isRowFault({ scanned, skipped }: ScannedFile): boolean {
  const row = skipped === undefined ? undefined : rowOfReason(skipped);
  return row !== undefined && !("problem" in scanned && scanned.problem === row.problem);
}

/** A finding about the rows of a table that are lost for what they say. */
function rowFindings(files: readonly ScannedFile[]): readonly Finding[] {
  const rows = files.filter(isRowFault);
  const used = files.filter(({ skipped }) => skipped === undefined).length;
  const reasons = describeReasons(rows.map(({ path, skipped }) => ({ reason: skipped!, name: path })));
  return finding(
    "row-skipped",
    "warning",
    rows.map(({ path, file, skipped: detail }) => ({ path, file, detail })),
    (n) => `${n} of ${count(n + used, "row")} ${n === 1 ? "is" : "are"} not used: ${reasons}.`,
    "Correct these rows, or remove them from the table.",
  );
}

function otherFileFindings(given: readonly ScannedFile[]): readonly Finding[] {
  const files = given.filter((file) => !isRowFault(file));
  const skipped = files.filter((file) => file.skipped !== undefined && "defect" in file.scanned && !isMeant(file));
  const usable = files.filter((file) => file.skipped !== undefined && !("defect" in file.scanned));
  const reported = ({ path, file, skipped: detail }: ScannedFile): ReportedFile => ({ path, file, detail });
  return [
    ...rowFindings(given),
    ...finding(
      "stray-image",
      "warning",
      usable.map(reported),
      (n) => `${count(n, "picture")} that no class takes.`,
      "Move it into its class folder, or away.",
    ),
    ...finding("other-file", "info", skipped.map(reported), (n) => `${count(n, "other file")} among the images.`, ""),
  ];
}

/** Findings about what the headers of usable pictures say. */
export function headerFindings(files: readonly ScannedFile[]): readonly Finding[] {
  const pictures = files.flatMap((file) =>
    "defect" in file.scanned || file.skipped !== undefined ? [] : [{ file, picture: file.scanned }],
  );
  const those = (detail: (picture: ScannedPicture, path: string) => string | undefined): readonly ReportedFile[] =>
    pictures.flatMap(({ file: { path, file }, picture }) => {
      const text = detail(picture, path);
      return text === undefined ? [] : [{ path, file, detail: text }];
    });
  return [
    ...finding(
      "wrong-extension",
      "info",
      those(({ facts: { format } }, path) => {
        const named = EXTENSIONS[extname(path).toLowerCase()];
        return named === undefined || named === format ? undefined : `is ${format.toUpperCase()}`;
      }),
      (n) => `${count(n, "file")} of another format than the name says.`,
      "Nothing needs to be done: files are read by their content. Other programs may refuse them.",
    ),
    ...finding(
      "exif-rotation",
      "info",
      those(({ facts: { orientation } }) => (orientation === 1 ? undefined : `EXIF orientation ${orientation}`)),
      (n) => `${count(n, "picture")} stored on the side or mirrored, to be shown upright by the EXIF orientation.`,
      "Nothing needs to be done: the orientation is applied in training, prediction and export alike. Programs that ignore it see them turned.",
    ),
    ...finding(
      "converted-colors",
      "info",
      those(({ facts: { cmyk, bits } }) => (cmyk ? "CMYK" : bits > 8 ? `${bits} bits a channel` : undefined)),
      (n) => `${count(n, "picture")} in CMYK or with more than 8 bits a channel.`,
      "Nothing needs to be done: they are converted to 8-bit RGB.",
    ),
    ...finding(
      "transparency",
      "info",
      those(({ facts: { alpha } }) => (alpha ? "alpha channel" : undefined)),
      (n) => `${count(n, "picture")} with an alpha channel.`,
      "Transparent parts are shown on white. Check that this is the background you want.",
    ),
    ...finding(
      "animation",
      "info",
      those(({ facts: { frames } }) => (frames > 1 ? `${frames} frames` : undefined)),
      (n) => `${count(n, "picture")} with more than one frame or page.`,
      "Only the first is used. Save others as files of their own, with one group, if you need them.",
    ),
    ...finding(
      "decomposed-name",
      "info",
      those((_, path) => (path === path.normalize("NFC") ? undefined : "decomposed Unicode (NFD)")),
      (n) => `${count(n, "file name")} with letters and accents stored apart, as macOS does.`,
      "They are read as they are; a table must spell such a name in the same way.",
    ),
  ];
}

function finding(
  kind: FindingKind,
  severity: Severity,
  files: readonly ReportedFile[],
  message: (count: number) => string,
  advice: string,
): readonly Finding[] {
  return files.length === 0 ? [] : [{ kind, severity, message: message(files.length), advice, files }];
}

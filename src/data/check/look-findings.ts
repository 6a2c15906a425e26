/** Findings about how pictures look: too small, too long, nothing to see. Thresholds are for pictures of 256 pixels a side. */

import { count } from "../dataset-notes.ts";
import { LARGE_PIXELS } from "../decode-task.ts";
import type { Finding, FindingKind, ReportedFile, Severity } from "./dataset-report.ts";
import type { ScannedFile } from "./file-findings.ts";
import type { ScannedPicture } from "./scan-file.ts";

/**
 * Where a picture becomes suspicious. Chosen so that of 3,101 photographs in eight datasets (flowers, insects, cats and
 * dogs, hands, blood cells, a driving simulator, raccoons, chess) none is flagged but one of aspect 3.4; the nearest
 * values that occur there are given.
 */
export const LOOKS = {
  /** Shorter side in pixels below which a picture is tiny: enlarged sevenfold for a network of 224. Nearest: 93. */
  tinySide: 32,
  /** Longer side by shorter side above which a square crop keeps less than a third. Nearest: 2.9. */
  aspect: 3,
  /** Standard deviation of the grey levels below which nothing is to be seen. Nearest: 11.7. */
  blankContrast: 2,
  /** Entropy of the grey levels in bits below which a picture has few of them: a placeholder, a drawing. Nearest: 2.4. */
  fewLevels: 1.5,
  /** Grey level that 99 % of the pixels of a dark picture stay below. Nearest: 80. */
  dark: 50,
  /** Grey level that 99 % of the pixels of a bright picture stay above. Nearest: 152. */
  bright: 205,
  /**
   * Sharpness of a blurred picture. Of photographs blurred by a Gaussian of 3 pixels nine in ten are below, of 4 pixels
   * nearly all; of 8,800 photographs as they are none.
   */
  blurred: 0.028,
} as const;

/** Share of a dataset above which a look is its nature, such as the size of digits, and no fault of single pictures. */
const COMMON = 0.1;
/** Below this many pictures, common means nothing. */
const FEW = 20;

interface Look {
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly what: string;
  readonly advice: string;
  /** Whether a list of files to remove has them. */
  readonly remove?: boolean;
  /** What is to be said of a picture that has the look. */
  detail(picture: ScannedPicture): string | undefined;
}

const LOOK_TABLE: readonly Look[] = [
  {
    kind: "blank",
    severity: "warning",
    what: "of one color: nothing is to be seen",
    advice: "Remove them: a network learns to connect the color with the class.",
    remove: true,
    detail: ({ measures }) => (isBlank(measures) ? `grey level ${measures.brightness.toFixed(0)} all over` : undefined),
  },
  {
    kind: "few-levels",
    severity: "info",
    what: "with hardly any grey levels",
    advice: "Look whether they are placeholders (“image not found”), drawings or screenshots among photographs.",
    detail: ({ measures }) =>
      measures.entropy < LOOKS.fewLevels && !isBlank(measures)
        ? `entropy ${measures.entropy.toFixed(1)} bits`
        : undefined,
  },
  {
    kind: "dark",
    severity: "warning",
    what: "so dark that hardly anything is to be seen",
    advice: "Look at them; remove those that a person cannot recognize.",
    detail: ({ measures }) =>
      measures.brightest < LOOKS.dark && !isBlank(measures) ? `99 % below grey level ${measures.brightest}` : undefined,
  },
  {
    kind: "bright",
    severity: "warning",
    what: "so bright that hardly anything is to be seen",
    advice: "Look at them; remove those that a person cannot recognize.",
    detail: ({ measures }) =>
      measures.darkest > LOOKS.bright && !isBlank(measures) ? `99 % above grey level ${measures.darkest}` : undefined,
  },
  {
    kind: "blurred",
    severity: "warning",
    what: "without a sharp part",
    advice: "Look at them; keep those whose kind you want to recognize out of focus, too.",
    detail: ({ measures, facts }) => {
      const judged = Math.min(facts.width, facts.height) >= LOOKS.tinySide && !isBlank(measures);
      return judged && measures.sharpness < LOOKS.blurred ? `sharpness ${measures.sharpness.toFixed(3)}` : undefined;
    },
  },
  {
    kind: "tiny",
    severity: "warning",
    what: "tiny",
    advice:
      "Pretrained networks see them enlarged and blurred. Use larger originals, or a network trained on small pictures.",
    detail: ({ facts: { width, height } }) =>
      Math.min(width, height) < LOOKS.tinySide ? `${width} × ${height}` : undefined,
  },
  {
    kind: "huge",
    severity: "info",
    what: "of more than 34 megapixels",
    advice: "They are read one at a time, which is slow. Smaller copies train as well.",
    detail: ({ facts: { width, height } }) => (width * height > LARGE_PIXELS ? `${width} × ${height}` : undefined),
  },
  {
    kind: "odd-aspect",
    severity: "warning",
    what: "more than three times as long as wide, or as wide as long",
    advice: "A square crop shows a third or less of them. Crop them around their subject, or resize without cropping.",
    detail: ({ facts: { width, height } }) =>
      Math.max(width, height) > LOOKS.aspect * Math.min(width, height) ? `${width} × ${height}` : undefined,
  },
];

function isBlank({ contrast }: ScannedPicture["measures"]): boolean {
  return contrast < LOOKS.blankContrast;
}

/** Findings about looks. A look of many pictures is one info, since it is what they are. */
export function lookFindings(files: readonly ScannedFile[]): readonly Finding[] {
  const pictures = files.flatMap((file) =>
    "defect" in file.scanned || file.skipped !== undefined ? [] : [{ file, picture: file.scanned }],
  );
  return LOOK_TABLE.flatMap(({ kind, severity, what, advice, remove, detail }) => {
    const those: ReportedFile[] = [];
    for (const { file, picture } of pictures) {
      const text = detail(picture);
      if (text !== undefined) those.push({ path: file.path, file: file.file, detail: text });
    }
    if (those.length === 0) return [];
    const message = `${count(those.length, "picture")} ${what}.`;
    const nature = kind !== "blank" && those.length > Math.max(FEW, COMMON * pictures.length);
    if (nature)
      return [{ kind, severity: "info", message, advice: `So many that it is their nature. ${advice}`, files: those }];
    return [
      {
        kind,
        severity,
        message,
        advice,
        files: those,
        ...(remove ? { quarantine: those.map(({ file }) => file) } : {}),
      },
    ];
  });
}

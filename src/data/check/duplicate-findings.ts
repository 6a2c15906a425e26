/** Findings about pictures that are there more than once: in two splits, in two classes, or plainly twice. */
import { mirrorable } from "../../transforms/mirrorable.ts";
import { count } from "../dataset-notes.ts";
import { DisjointSets } from "../disjoint-sets.ts";
import { type Dataset, type Sample, sourceOf } from "../sample.ts";
import { FineSquares } from "./confirm-same.ts";
import type { DuplicateCluster, Finding, ReportedFile } from "./dataset-report.ts";
import { type AlikePair, alikePairs } from "./near-duplicates.ts";
import { TURNS } from "./perceptual-hash.ts";
import type { Scanned } from "./scan-file.ts";

/** Which samples are alike. */
export interface Alike {
  readonly clusters: readonly DuplicateCluster[];
  /** Samples of one scene, in sets that contain whole clusters; at least one pair in each is "similar". */
  readonly scenes: readonly (readonly number[])[];
  /** For samples that are turned copies: how they differ from the first of their cluster. */
  readonly turned: ReadonlyMap<number, AlikePair["turn"]>;
}

/**
 * Most different files that are one picture. More of them, or a scene that is more than a fifth of a dataset, are what a
 * fixed camera or a drawing program makes: pictures differ in what is too small to see here, which may be the classes.
 */
const MOST_COPIES = 10;
const LARGEST_SCENE = { share: 0.2, ofAtLeast: 20 } as const;

/** Finds what is alike among the samples of a dataset; `scanned` has one entry for each. */
export async function findAlike(
  { samples, classes }: Pick<Dataset, "samples" | "classes">,
  scanned: readonly Scanned[],
): Promise<Alike> {
  const contents = new Map<string, number[]>();
  for (const [i, { sha256 }] of samples.entries()) {
    const equal = contents.get(sha256);
    if (equal) equal.push(i);
    else contents.set(sha256, [i]);
  }
  const equals = [...contents.values()]; // ascending by their first
  const unique = equals.map(([first]) => first!);
  const pictures = unique.map((i) => {
    const picture = scanned[i]!;
    if ("defect" in picture) return undefined;
    return { ...picture.signature, width: picture.facts.width, height: picture.facts.height };
  });
  const fine = new FineSquares(unique.map((i) => sourceOf(samples[i]!)));
  const targets = unique.map((i) => samples[i]!.target.join());
  const pairs = await alikePairs(pictures, (a, b, turn, oneSize) => fine.same(a, b, turn, oneSize), {
    turns: mirrorable(classes).mirrorable ? TURNS : TURNS.slice(0, 1),
    mayBeTurned: (a, b) => targets[a] === targets[b],
  });
  const isCopy = copyTest(pairs, unique.length);
  const sets = new DisjointSets(samples.length);
  for (const [first, ...others] of equals) for (const other of others) sets.join(first!, other);
  const turned = new Map<number, AlikePair["turn"]>();
  for (const { a, b, turn } of pairs.filter(isCopy)) {
    sets.join(unique[a]!, unique[b]!);
    if (turn !== "as it is") for (const i of equals[b]!) turned.set(i, turn);
  }
  const clusters = sets.sets().map((members): DuplicateCluster => {
    const exact = members.every((i) => samples[i]!.sha256 === samples[members[0]!]!.sha256);
    return { samples: members, kind: exact ? "exact" : "near" };
  });
  const similar = pairs.filter((pair) => !isCopy(pair));
  for (const { a, b } of similar) sets.join(unique[a]!, unique[b]!);
  const scenic = new Set(similar.map(({ a }) => sets.root(unique[a]!)));
  return { clusters, scenes: sets.sets().filter(([i]) => scenic.has(sets.root(i!))), turned };
}

/** Returns what tells the pairs that are copies from those that are of one scene. */
function copyTest(pairs: readonly AlikePair[], pictureCount: number): (pair: AlikePair) => boolean {
  const [copies, scenes] = [new DisjointSets(pictureCount), new DisjointSets(pictureCount)];
  for (const { a, b, likeness } of pairs) {
    scenes.join(a, b);
    if (likeness === "same") copies.join(a, b);
  }
  const [copySizes, sceneSizes] = [copies, scenes].map(
    (sets) => new Map(sets.sets().map((members) => [members[0]!, members.length])),
  );
  const largest =
    pictureCount < LARGEST_SCENE.ofAtLeast ? Number.POSITIVE_INFINITY : LARGEST_SCENE.share * pictureCount;
  return ({ a, likeness }) =>
    likeness === "same" &&
    copySizes!.get(copies.root(a))! <= MOST_COPIES &&
    sceneSizes!.get(scenes.root(a))! <= largest;
}

/** Findings about copies. Splits that were drawn here cannot leak: they are drawn anew with copies kept together. */
export function duplicateFindings(dataset: Dataset, alike: Alike): readonly Finding[] {
  const { samples, splitSource } = dataset;
  const divided = typeof splitSource === "string" && new Set(samples.map(({ split }) => split)).size > 1;
  const describe = (members: readonly number[], exact: boolean): readonly ReportedFile[] =>
    members.map((i) => ({
      path: samples[i]!.path,
      file: samples[i]!.file,
      detail: detailOf(dataset, i, divided, exact ? undefined : alike.turned.get(i)),
    }));
  const inSplits = (members: readonly number[]): number => new Set(members.map((i) => samples[i]!.split)).size;
  const leaks: DuplicateCluster[] = [];
  const conflicts: DuplicateCluster[] = [];
  const repeats: DuplicateCluster[] = [];
  for (const cluster of alike.clusters) {
    const leaking = divided && inSplits(cluster.samples) > 1;
    const conflicting = new Set(cluster.samples.map((i) => samples[i]!.target.join())).size > 1;
    if (leaking) leaks.push(cluster);
    if (conflicting) conflicts.push(cluster);
    if (!leaking && !conflicting) repeats.push(cluster);
  }
  const groups = (clusters: readonly DuplicateCluster[]) =>
    clusters.map(({ samples: members, kind }) => describe(members, kind === "exact"));
  const filesOf = (indices: readonly number[]): readonly string[] => indices.map((i) => samples[i]!.file);
  const scenes = alike.scenes.filter((members) => !divided || inSplits(members) > 1);
  return [
    ...grouped(groups(leaks), {
      kind: "leak",
      severity: "error",
      message: `${pictures(leaks)} in more than one split: what was learned by heart is tested.`,
      advice: "Remove the copies from the training images (--quarantine-list names them), or split anew.",
      quarantine: leaks.flatMap(({ samples: members }) => filesOf(leakingCopies(samples, members))),
    }),
    ...groupLeaks(dataset, divided),
    ...grouped(groups(conflicts), {
      kind: "label-conflict",
      severity: "warning",
      message: `${pictures(conflicts)} with different ${dataset.task === "regression" ? "values" : "labels"}.`,
      advice: "Decide which is right and remove the others: a network cannot learn both.",
      quarantine: conflicts.flatMap(({ samples: members }) => filesOf(members)),
    }),
    ...grouped(groups(repeats), {
      kind: "duplicates",
      severity: "info",
      message: `${pictures(repeats)} more than once with the same ${dataset.task === "regression" ? "values" : "labels"}${divided ? ", in one split" : ""}.`,
      advice: "A copy counts as often as it is there. A split that is drawn keeps copies on one side.",
      quarantine: repeats.flatMap(({ samples: members }) => filesOf(members.slice(1))),
    }),
    ...grouped(
      scenes.map((members) => describe(members, true)),
      divided
        ? {
            kind: "similar-across-splits",
            severity: "warning",
            message: `${count(scenes.length, "scene")} with very similar pictures in more than one split, such as bursts, frames of a video or of a fixed camera.`,
            advice:
              "Scores on them are too good. Give such pictures one group (a table has a column for it) and split by groups.",
          }
        : {
            kind: "similar",
            severity: "info",
            message: `${count(scenes.length, "scene")} with very similar pictures, such as bursts, frames of a video or of a fixed camera.`,
            advice:
              "Give such pictures one group (a table has a column for it), so that a split keeps them on one side.",
          },
    ),
  ];
}

function grouped(
  groups: readonly (readonly ReportedFile[])[],
  finding: Omit<Finding, "files" | "groups">,
): readonly Finding[] {
  return groups.length === 0 ? [] : [{ ...finding, files: groups.flat(), groups }];
}

/** "3 pictures (2 of them copies that were changed)". */
function pictures(clusters: readonly DuplicateCluster[]): string {
  const near = clusters.filter(({ kind }) => kind === "near").length;
  const what = count(clusters.length, "picture");
  if (near === 0) return what;
  return near === clusters.length
    ? `${what}, saved anew, resized or mirrored,`
    : `${what} (${near} saved anew, resized or mirrored)`;
}

/** The copies to remove so that one split is left: those in train where others are there, else those in validation. */
function leakingCopies(samples: readonly Sample[], members: readonly number[]): readonly number[] {
  const kept = (["test", "validation", "train"] as const).find((split) =>
    members.some((i) => samples[i]!.split === split),
  );
  return members.filter((i) => samples[i]!.split !== kept);
}

function groupLeaks({ samples }: Dataset, divided: boolean): readonly Finding[] {
  if (!divided) return [];
  const byGroup = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (sample.group === undefined) continue;
    const members = byGroup.get(sample.group);
    if (members) members.push(sample);
    else byGroup.set(sample.group, [sample]);
  }
  const leaking = [...byGroup.values()].filter((members) => new Set(members.map(({ split }) => split)).size > 1);
  return grouped(
    leaking.map((members) =>
      members.map(({ path, file, split, group }) => ({ path, file, detail: `group ${group}, ${split}` })),
    ),
    {
      kind: "group-leak",
      severity: "error",
      message: `${count(leaking.length, "group")} in more than one split.`,
      advice: "Images of one group (a patient, a video) belong into one split: split anew by groups.",
    },
  );
}

function detailOf(
  { samples, classes, task }: Dataset,
  i: number,
  divided: boolean,
  turn: AlikePair["turn"] | undefined,
): string {
  const { target, split } = samples[i]!;
  const label =
    task === "regression" ? target.join(", ") : target.map((index) => classes[index]!).join("+") || "no label";
  return [label, ...(divided ? [split] : []), ...(turn ? [turn] : [])].join(", ");
}

/** Findings about pictures that are there more than once: in two splits, in two classes, or plainly twice. */
import { count } from "../dataset-notes.ts";
import { type Dataset, type Sample, sourceOf } from "../sample.ts";
import { FineSquares } from "./confirm-same.ts";
import type { DuplicateCluster, Finding, ReportedFile } from "./dataset-report.ts";
import { DisjointSets } from "./disjoint-sets.ts";
import { type AlikePair, alikePairs } from "./near-duplicates.ts";
import type { Scanned } from "./scan-file.ts";

/** Which samples are alike. */
export interface Alike {
  readonly clusters: readonly DuplicateCluster[];
  /** Samples of one scene, in sets that contain whole clusters; at least one pair in each is "similar". */
  readonly scenes: readonly (readonly number[])[];
  /** For samples that are copies: how they differ from the one they were found by. */
  readonly turned: ReadonlyMap<number, AlikePair["turn"]>;
}

/** Finds what is alike among samples; `scanned` has one entry for each. */
export async function findAlike(samples: readonly Sample[], scanned: readonly Scanned[]): Promise<Alike> {
  const first = new Map<string, number>(); // by content
  const sets = new DisjointSets(samples.length);
  const unique: number[] = [];
  for (const [i, { sha256 }] of samples.entries()) {
    const earlier = first.get(sha256);
    if (earlier !== undefined) sets.join(earlier, i);
    else {
      first.set(sha256, i);
      unique.push(i);
    }
  }
  const pictures = unique.map((i) => {
    const picture = scanned[i]!;
    if ("defect" in picture) return undefined;
    return { ...picture.signature, width: picture.facts.width, height: picture.facts.height };
  });
  const fine = new FineSquares(unique.map((i) => sourceOf(samples[i]!)));
  const found = await alikePairs(pictures, (a, b, turn, oneSize) => fine.same(a, b, turn, oneSize));
  const pairs = found.map((pair) => ({ ...pair, a: unique[pair.a]!, b: unique[pair.b]! }));
  const turned = new Map<number, AlikePair["turn"]>();
  for (const { a, b, likeness, turn } of pairs) {
    if (likeness !== "same") continue;
    sets.join(a, b);
    if (turn !== "as it is") turned.set(b, turn);
  }
  const clusters = sets.sets().map((members): DuplicateCluster => {
    const exact = members.every((i) => samples[i]!.sha256 === samples[members[0]!]!.sha256);
    return { samples: members, kind: exact ? "exact" : "near" };
  });
  const similar = pairs.filter(({ likeness }) => likeness === "similar");
  for (const { a, b } of similar) sets.join(a, b);
  const scenic = new Set(similar.map(({ a }) => sets.root(a)));
  return { clusters, scenes: sets.sets().filter(([i]) => scenic.has(sets.root(i!))), turned };
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
            message: `${count(scenes.length, "scene")} with very similar pictures in more than one split, such as bursts or frames of a video.`,
            advice:
              "Scores on them are too good. Give such pictures one group (a table has a column for it) and split by groups.",
          }
        : {
            kind: "similar",
            severity: "info",
            message: `${count(scenes.length, "scene")} with very similar pictures, such as bursts or frames of a video.`,
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

/** `rootstock runs`: lists training runs, lays them side by side, and deletes what nobody needs. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "../../graph/printable.ts";
import { type Comparison, compareRuns, type Row } from "../../train/runs/compare-runs.ts";
import type { Setting } from "../../train/runs/flatten.ts";
import { listRuns, measureOf, type RunList, sortRuns } from "../../train/runs/list-runs.ts";
import type { RunSummary } from "../../train/runs/load-run.ts";
import { type Interval, isShare, type Measure } from "../../train/runs/measures.ts";
import { type PrunePlan, planPrune, prune } from "../../train/runs/prune-runs.ts";
import { type Options, type OptionTable, UsageError } from "../arguments.ts";
import { type CommandResult, command } from "../command.ts";
import { formatValue } from "../format-value.ts";
import { formatBytes, formatPercent, formatSeconds, type Output, table } from "../output.ts";

/** Where `rootstock train` puts runs unless it is told otherwise. */
const USUAL = "runs";
/** Characters of a cell; the whole text is in --json. */
const CELL = 32;
/** Runs of which a plan names the files that are not its own. */
const NAMED = 5;

const runsOptions = {
  sort: {
    kind: "text",
    value: "<measure>",
    help: "list: the best first by a measure, such as accuracy or loss (default: the newest first)",
  },
  keep: {
    kind: "number",
    value: "<n>",
    min: 1,
    whole: true,
    help: "prune: all complete runs but the n newest, or with --sort the n best; and what older runs left unfinished",
  },
  incomplete: { kind: "flag", help: "prune: runs without a result that have no checkpoints to go on from" },
  checkpoints: { kind: "flag", help: "prune: checkpoints of complete runs; their models and records stay" },
  yes: { kind: "flag", help: "prune: delete; without it, only what would go is shown" },
} as const satisfies OptionTable;

type RunsOptions = Options<typeof runsOptions>;

export const runs = command({
  summary:
    "List training runs, compare their settings and measures, or delete those that nobody needs. The folder is runs unless another one is named.",
  usage: "runs [folder] | runs compare <run> <run> … | runs prune [folder] --keep <n> [options]",
  options: runsOptions,
  examples: [
    ["rootstock runs", "every run in runs/, the newest first"],
    ["rootstock runs --sort accuracy", "the best first"],
    ["rootstock runs compare runs/first runs/second", "which settings differ, and whether the measures do"],
    ["rootstock runs prune --keep 10", "what would go, and how many bytes; the same with --yes deletes it"],
    [
      "rootstock runs prune --incomplete --checkpoints --yes",
      "leftovers of runs that ended early, and old checkpoints",
    ],
  ],
  async run({ positionals, options, output, signal }): Promise<CommandResult> {
    const [action, ...rest] = positionals;
    checkOptions(action, options);
    if (action === "compare") return { json: await compare(rest, output) };
    const more = action === "prune" ? rest.slice(1) : rest;
    if (more.length > 0)
      throw new UsageError(`runs takes one folder, compare or prune; got ${positionals.map(printable).join(" ")}.`);
    const folder = action === "prune" ? rest[0] : action;
    const list = await listed(folder, signal);
    checkSort(options.sort, list.runs);
    return action === "prune" ? await pruneListed(list, options, output) : { json: show(list, options.sort, output) };
  },
});

/** @throws UsageError for an option of another action, and for pruning without saying what. */
function checkOptions(action: string | undefined, options: RunsOptions): void {
  const { sort, keep, incomplete, checkpoints, yes } = options;
  const pruning = { keep: keep !== undefined, incomplete, checkpoints, yes };
  const given = Object.entries(pruning).flatMap(([name, is]) => (is ? [`--${name}`] : []));
  if (action === "prune") {
    if (keep === undefined && !incomplete && !checkpoints)
      throw new UsageError("runs prune requires what may go: --keep <n>, --incomplete or --checkpoints, or several.");
    if (sort !== undefined && keep === undefined)
      throw new UsageError("--sort with runs prune says which runs --keep keeps: it requires --keep <n>.");
  } else if (given.length > 0) throw new UsageError(`${given.join(", ")} requires runs prune.`);
  else if (action === "compare" && sort !== undefined)
    throw new UsageError("--sort requires a list: runs compare shows runs in the order in which they are named.");
}

async function listed(folder: string | undefined, signal: AbortSignal): Promise<RunList> {
  if (folder === undefined && !(await exists(USUAL))) return { folder: USUAL, runs: [], links: [] };
  return await listRuns(folder ?? USUAL, { signal });
}

/** @throws UsageError for a measure that no run has. */
function checkSort(sort: string | undefined, found: readonly RunSummary[]): void {
  if (sort === undefined || found.length === 0 || found.some((run) => measureOf(run, sort))) return;
  const names = [...new Set(found.flatMap(({ measures }) => measures.map(({ name }) => name)))];
  const known = names.length > 0 ? `Measured were: ${names.map(printable).join(", ")}.` : "No run has a result yet.";
  throw new UsageError(`--sort requires a measure of these runs, got "${sort}". ${known}`);
}

function show(list: RunList, sort: string | undefined, output: Output): unknown {
  const found = sortRuns(list.runs, sort);
  const bytes = found.reduce((sum, run) => sum + run.bytes, 0);
  const header = ["run", "started", "state", "data", "model", "strategy", "measure (95 % interval)", "epochs", "time"];
  const rows = found.map((run) => {
    const measure = sort === undefined ? run.measures[0] : measureOf(run, sort);
    return [
      cell(run.id),
      run.startedAt?.slice(0, 16).replace("T", " ") ?? "–",
      run.state,
      cell(run.data),
      cell(run.model),
      cell(run.strategy),
      measure ? `${cell(measure.name)} ${formatMeasure(measure)}` : "–",
      run.epochs === undefined ? "–" : String(run.epochs),
      run.seconds === undefined ? "–" : formatSeconds(run.seconds),
      formatBytes(run.bytes),
    ];
  });
  if (found.length > 0) for (const line of table([[...header, "size"], ...rows])) output.result(line);
  for (const { id, problems } of found) for (const problem of problems) output.warn(`${cell(id)}: ${problem}`);
  const interrupted = found.find(({ state }) => state === "interrupted");
  if (interrupted) {
    const command = interrupted.task === "distill" ? "distill" : "train";
    output.note(`an interrupted run goes on with: rootstock ${command} --resume ${quoted(interrupted.path)}`);
  }
  if (list.links.length > 0)
    output.note(`${count(list.links.length, "link")} not followed: ${shortened(list.links).join(", ")}`);
  output.note(
    found.length > 0
      ? `${count(found.length, "run")} in ${list.folder}, ${formatBytes(bytes)}`
      : `no runs in ${list.folder}: rootstock train puts them there`,
  );
  return { folder: list.folder, bytes, runs: found, links: list.links };
}

async function compare(names: readonly string[], output: Output): Promise<unknown> {
  if (names.length < 2)
    throw new UsageError(`runs compare requires the folders of two or more runs, got ${names.length || "none"}.`);
  const paths = await Promise.all(names.map(placeOf));
  const comparison = await compareRuns(paths);
  const { labels, settings, measures, warnings } = comparison;
  const header = (what: string): string[] => [what, ...labels.map((label) => cell(label))];
  output.result(settings.length > 0 ? "settings that differ" : "settings  the same in all runs");
  if (settings.length > 0) showTable([header("setting"), ...settings.map((row) => settingCells(row))], output);
  output.result();
  output.result(measures.length > 0 ? "measures, with their 95 % intervals" : "measures  none: no run has a result");
  if (measures.length > 0) showTable([header("measure"), ...measureRows(comparison)], output);
  for (const warning of warnings) output.warn(printable(warning));
  return comparison;
}

function settingCells({ name, values }: Row<Setting>): string[] {
  return [cell(name), ...values.map((value) => (value === undefined ? "–" : cell(String(value))))];
}

function measureRows({ measures, runs }: Comparison): string[][] {
  const own = (name: string, of: (run: RunSummary) => string | undefined): string[] => [
    name,
    ...runs.map((run) => of(run) ?? "–"),
  ];
  return [
    ...measures.map(({ name, values }) => [cell(name), ...values.map((value) => (value ? formatMeasure(value) : "–"))]),
    own("measured on", ({ evaluatedOn }) => evaluatedOn && cell(evaluatedOn)),
    own("epochs", ({ epochs }) => epochs?.toString()),
    own("time", ({ seconds }) => (seconds === undefined ? undefined : formatSeconds(seconds))),
    own("size", ({ bytes }) => formatBytes(bytes)),
  ];
}

async function pruneListed(list: RunList, options: RunsOptions, output: Output): Promise<CommandResult> {
  const plan = await planPrune(list, options);
  showPlan(plan, output);
  const { folder, bytes } = plan;
  const items = plan.items.map(({ run: { id, path, state }, ...item }) => ({ id, path, state, ...item }));
  const spared = plan.spared.map(({ run: { id, path, state }, reason }) => ({ id, path, state, reason }));
  if (!options.yes || items.length === 0) {
    if (items.length > 0) output.note("nothing is deleted yet: the same command with --yes does it");
    return { json: { folder, deleted: false, bytes, items, spared } };
  }
  const pruned = await prune(plan);
  const freed = pruned.reduce((sum, item) => sum + item.bytes, 0);
  const failed = pruned.filter(({ problem }) => problem !== undefined);
  for (const { run, problem } of failed) output.warn(`${cell(run.id)} ${problem}`);
  output.result(`freed     ${formatBytes(freed)} in ${folder}`);
  const outcome = pruned.map(({ run: { id, path }, ...rest }) => ({ id, path, ...rest }));
  return { json: { folder, deleted: true, bytes: freed, items, spared, pruned: outcome }, failed: failed.length > 0 };
}

function showPlan({ folder, items, spared, bytes }: PrunePlan, output: Output): void {
  const rows = items.map(({ run, what, files, ...item }) => [
    cell(run.id),
    run.state,
    what === "run" ? "the whole run" : "checkpoints",
    count(files.length, "file"),
    formatBytes(item.bytes),
  ]);
  if (items.length > 0) showTable([["run", "state", "what goes", "files", "size"], ...rows], output);
  for (const { run, foreign } of items.filter((item) => item.foreign.length > 0).slice(0, NAMED))
    output.note(`  ${cell(run.id)} keeps what no run writes: ${shortened(foreign).join(", ")}`);
  for (const { run, reason } of spared) output.note(`  ${cell(run.id)} stays: it ${printable(reason)}`);
  output.result(
    items.length > 0
      ? `to delete ${formatBytes(bytes)} of ${count(items.length, "run")} in ${folder}`
      : `nothing to delete in ${folder}`,
  );
}

function showTable(rows: readonly (readonly string[])[], output: Output): void {
  for (const line of table(rows)) output.result(`  ${line}`);
}

/** 97.4 % (95.1 to 98.6), or 0.1234 (0.11 to 0.15). */
function formatMeasure({ name, value, interval }: Measure): string {
  const share = isShare(name);
  const range = ([low, high]: Interval): string =>
    share ? `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}` : `${formatValue(low)} to ${formatValue(high)}`;
  return (share ? formatPercent(value) : formatValue(value)) + (interval ? ` (${range(interval)})` : "");
}

/** A text that fits into a table, whatever is in it. */
function cell(text: string | undefined): string {
  if (text === undefined) return "–";
  const characters = [...printable(text)];
  return characters.length > CELL ? `${characters.slice(0, CELL - 1).join("")}…` : characters.join("");
}

/** A path as it can be pasted into a shell. */
function quoted(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `"${printable(path)}"`;
}

function shortened(names: readonly string[]): string[] {
  const shown = names.slice(0, NAMED).map(cell);
  return names.length > NAMED ? [...shown, `and ${names.length - NAMED} more`] : shown;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** A run by its path, or by its name in the usual folder. */
async function placeOf(name: string): Promise<string> {
  const usual = join(USUAL, name);
  return !(await exists(name)) && (await exists(usual)) ? usual : name;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

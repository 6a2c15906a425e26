/** The checks behind test/architecture.test.ts: functions from sources to sentences about what is wrong. */
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { asNode, asNodes, globalsOf, importsOf, parse } from "./ast.ts";

/** A file by its path below src (or test), with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Which modules, or which globals, may be used where. */
export interface UseRule {
  /** Matches a module specifier or a dotted global such as "process.stdout". */
  readonly pattern: RegExp;
  /** Whether a file, by its path below src, may use it. */
  readonly allowed: (path: string) => boolean;
  /** Where it may be used, to end the sentence "… is for". */
  readonly place: string;
}

/** Why a source file, or a folder (ending in "/"), has no test file at the mirrored path. */
export interface MirrorException {
  readonly path: string;
  /** Test file below test/ that covers it instead. */
  readonly testedBy: string;
  readonly reason: string;
}

/** Matches modules of Node.js, with or without the prefix "node:". */
export const NODE_MODULE = new RegExp(`^(node:.*|(${builtinModules.join("|").replaceAll("/", "\\/")})(\\/.*)?)$`);

/** Imports that go up or sideways in the layer table, imports that leave src, and folders missing from the table. */
export function layerFaults(files: readonly SourceFile[], layers: readonly (readonly string[])[]): string[] {
  const ranks = new Map(layers.flatMap((row, rank) => row.map((name) => [name, rank] as const)));
  return files.flatMap(({ path, text }) => {
    const from = topOf(path);
    const rank = ranks.get(from);
    if (rank === undefined) return [`${from} (with ${path}) is not in the layer table`];
    return importsOf(text).flatMap((specifier) => {
      if (!specifier.startsWith(".")) return [];
      const target = posix.join(posix.dirname(path), specifier);
      const to = topOf(target);
      if (from === to) return [];
      return (ranks.get(to) ?? Number.POSITIVE_INFINITY) < rank ? [] : [`${path} must not import ${specifier}`];
    });
  });
}

/** Imports of modules in places where a rule does not allow them. */
export function importFaults(files: readonly SourceFile[], rules: readonly UseRule[]): string[] {
  return faultsOfUse(files, rules, (text) => importsOf(text));
}

/** Uses of globals in places where a rule does not allow them. */
export function globalFaults(files: readonly SourceFile[], rules: readonly UseRule[]): string[] {
  return faultsOfUse(files, rules, (text) => [...globalsOf(text)]);
}

/**
 * Source files without a test at the mirrored path that no exception explains, and exceptions that explain nothing.
 * Generated files (*-pb.ts), the public index.ts, and files with types alone need no test.
 */
export function mirrorFaults(
  sources: readonly SourceFile[],
  tests: readonly string[],
  exceptions: readonly MirrorException[],
): string[] {
  const known = new Set(tests);
  const covers = (exception: MirrorException, path: string) =>
    exception.path.endsWith("/") ? path.startsWith(exception.path) : path === exception.path;
  const untested = sources
    .filter(({ path, text }) => path !== "index.ts" && !path.endsWith("-pb.ts") && !hasOnlyTypes(text))
    .map(({ path }) => path)
    .filter((path) => !known.has(path.replace(/\.ts$/, ".test.ts")));
  return [
    ...untested
      .filter((path) => !exceptions.some((exception) => covers(exception, path)))
      .map((path) => `src/${path} needs test/${path.replace(/\.ts$/, ".test.ts")}`),
    ...exceptions
      .filter((exception) => !untested.some((path) => covers(exception, path)))
      .map(({ path }) => `the exception for ${path} is not needed`),
    ...exceptions
      .filter(({ testedBy }) => !known.has(testedBy))
      .map(({ path, testedBy }) => `the exception for ${path} names test/${testedBy}, which does not exist`),
  ];
}

/** Whether a source declares types alone, so that nothing of it runs. */
export function hasOnlyTypes(text: string): boolean {
  return asNodes(parse(text).body).every((statement) => {
    if (statement.type === "ImportDeclaration") return statement.importKind === "type";
    if (statement.type !== "ExportNamedDeclaration") return isTypeDeclaration(statement);
    return statement.exportKind === "type" || isTypeDeclaration(statement.declaration);
  });
}

function isTypeDeclaration(node: unknown): boolean {
  return /^TS(Interface|TypeAlias)Declaration$/.test(asNode(node)?.type ?? "");
}

function faultsOfUse(
  files: readonly SourceFile[],
  rules: readonly UseRule[],
  uses: (text: string) => readonly string[],
): string[] {
  return files.flatMap(({ path, text }) => {
    const broken = rules.filter((rule) => !rule.allowed(path));
    if (broken.length === 0) return [];
    return uses(text).flatMap((use) =>
      broken.filter((rule) => rule.pattern.test(use)).map((rule) => `${path} uses ${use}, which is for ${rule.place}`),
    );
  });
}

function topOf(path: string): string {
  return path.split("/")[0]!;
}

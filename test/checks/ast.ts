/** Reads TypeScript sources as syntax trees, for the checks of this folder; Vite's parser understands TypeScript. */
import { parseAst } from "vitest/node";

/** A node of the syntax tree (ESTree with TypeScript's additions): the fields that the checks read, if it has them. */
export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly arguments?: unknown;
  readonly body?: unknown;
  readonly callee?: unknown;
  readonly computed?: unknown;
  readonly declaration?: unknown;
  readonly exportKind?: unknown;
  readonly expression?: unknown;
  readonly id?: unknown;
  readonly importKind?: unknown;
  readonly init?: unknown;
  readonly key?: unknown;
  readonly left?: unknown;
  readonly members?: unknown;
  readonly name?: unknown;
  readonly object?: unknown;
  readonly params?: unknown;
  readonly properties?: unknown;
  readonly property?: unknown;
  readonly quasis?: unknown;
  readonly right?: unknown;
  readonly shorthand?: unknown;
  readonly source?: unknown;
  readonly typeAnnotation?: unknown;
  readonly typeName?: unknown;
  readonly value?: unknown;
}

/** The syntax tree of a TypeScript source. */
export function parse(text: string): AstNode {
  return parseAst(text, { lang: "ts" });
}

/** The value itself if it is a node, of the given type if one is asked for. */
export function asNode(value: unknown, type?: string): AstNode | undefined {
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  return type === undefined || value.type === type ? (value as AstNode) : undefined; // what has a type is a node
}

/** The nodes in a list, or in a list of one. */
export function asNodes(value: unknown): AstNode[] {
  return (Array.isArray(value) ? value : [value]).flatMap((item) => asNode(item) ?? []);
}

/** The nodes below `node` and itself, without names that only say which property is meant (`a.NAME`, `{ NAME: … }`). */
export function* walk(node: AstNode): Generator<AstNode> {
  yield node;
  for (const [key, child] of Object.entries(node)) {
    if ((key === "property" || key === "key") && !node.computed && !node.shorthand) continue;
    for (const item of asNodes(child)) yield* walk(item);
  }
}

/** The kinds of nodes that name a module in `source` or `expression`. */
const IMPORTS = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
  "TSExternalModuleReference",
]);

/** Every module specifier of a source, whether imported, re-exported, imported as a type, dynamically, or required. */
export function importsOf(text: string): string[] {
  return [...walk(parse(text))].flatMap((node) => {
    if (IMPORTS.has(node.type)) return textOf(node.source ?? node.expression) ?? [];
    const required = node.type === "CallExpression" && /(^|\.)require(\.resolve)?$/.test(dotted(node.callee));
    return required ? (textOf(asNodes(node.arguments)[0]) ?? []) : [];
  });
}

/**
 * The globals that a source uses, as dotted names: "console", "process.stdout", "Math.random", "new Date()".
 * Local variables of the same name count too.
 */
export function globalsOf(text: string): Set<string> {
  const found = new Set<string>();
  for (const node of walk(parse(text))) {
    if (node.type === "Identifier" || node.type === "MemberExpression") found.add(dotted(node));
    if (node.type === "NewExpression" && asNodes(node.arguments).length === 0)
      found.add(`new ${dotted(node.callee)}()`);
    if (node.type === "VariableDeclarator") {
      for (const property of asNodes(asNode(node.id, "ObjectPattern")?.properties)) {
        found.add(`${dotted(node.init)}.${dotted(property.key)}`);
      }
    }
  }
  return found;
}

/** "a.b.c" for names and chains of members, without a leading "globalThis."; "" for anything else. */
export function dotted(value: unknown): string {
  const node = asNode(value);
  if (node?.type === "Identifier") return String(node.name);
  if (node?.type !== "MemberExpression") return "";
  const property = node.computed ? textOf(node.property) : dotted(node.property);
  return `${dotted(node.object)}.${property ?? ""}`.replace(/^globalThis\./, "");
}

/** The value of a string literal, or of a template without expressions. */
function textOf(value: unknown): string | undefined {
  const node = asNode(value);
  if (node?.type === "Literal") return String(node.value);
  const parts = node?.quasis as { readonly value: { readonly cooked: string } }[] | undefined; // of a template
  return parts?.length === 1 ? parts[0]?.value.cooked : undefined;
}

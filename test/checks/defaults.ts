/** The check behind test/defaults.test.ts: what a doc comment calls the default is the default. */
import type { SourceFile } from "./architecture.ts";
import { type AstNode, asNode, asNodes, dotted, parse, walk } from "./ast.ts";

/** What is documented about a property: `said` follows @default, if there is one. */
interface Documented {
  readonly type: string;
  readonly property: string;
  readonly said: string | undefined;
}

/** A property that is destructured with a default from one of several types. */
interface Destructured {
  readonly path: string;
  readonly types: readonly string[];
  readonly property: string;
  /** Source text of the default, as written and, for a constant of the same file, as what it stands for. */
  readonly values: readonly string[];
}

/**
 * Compares `@default x` in the doc comments of option types with the defaults where such options are destructured.
 *
 * Reports defaults that differ, and defaults of types named *Options that no comment mentions. An option that is only
 * handed on must name the default of an option of the same name. Words instead of a value ("the number of cores") stand for a computed default.
 */
export function defaultFaults(files: readonly SourceFile[]): string[] {
  const trees = files.map(({ path, text }) => ({ path, text, nodes: [...walk(parse(text))] }));
  const documented = trees.flatMap(({ text, nodes }) => nodes.flatMap((node) => documentedIn(node, text)));
  const destructured = trees.flatMap((tree) => destructuredIn(tree.path, tree.text, tree.nodes));
  return documented.flatMap(({ type, property, said }) => {
    const named = destructured.filter((entry) => entry.property === property);
    const own = named.filter((entry) => entry.types.includes(type));
    if (own.length > 0) {
      return own.flatMap(({ path, values }) => {
        if (said === undefined ? !type.endsWith("Options") : values.some((value) => same(said, value))) return [];
        const is = `${path}: ${type}.${property} is ${values[0]} by default`;
        return [said === undefined ? `${is} and does not say so` : `${is}, its comment says ${said}`];
      });
    }
    if (said === undefined || !isValue(said) || named.some(({ values }) => values.some((value) => same(said, value)))) {
      return [];
    }
    return [`${type}.${property} says @default ${said}, and nothing destructures it with that default`];
  });
}

function documentedIn(node: AstNode, text: string): Documented[] {
  if (!/^TS(Interface|TypeAlias)Declaration$/.test(node.type)) return [];
  const body = asNode(node.body) ?? asNode(node.typeAnnotation, "TSTypeLiteral");
  if (body === undefined) return [];
  const members = asNodes(body.body ?? body.members);
  return members.map((member, i) => {
    const comment = text.slice(members[i - 1]?.end ?? body.start, member.start);
    const said = /@default\s+(.*?)\s*(?:\*\/|\n)/.exec(comment)?.[1];
    return { type: dotted(node.id), property: dotted(member.key), said };
  });
}

function destructuredIn(path: string, text: string, nodes: readonly AstNode[]): Destructured[] {
  return typedPatterns(nodes).flatMap(({ pattern, annotation }) => {
    const references = [...walk(annotation)].filter((node) => node.type === "TSTypeReference");
    const types = references.map((node) => dotted(node.typeName));
    return asNodes(pattern.properties).flatMap((property) => {
      const right = asNode(asNode(property.value, "AssignmentPattern")?.right);
      if (right === undefined) return [];
      const values = [right, ...meaningOf(right, nodes)].map((node) => text.slice(node.start, node.end));
      return [{ path, types, property: dotted(property.key), values }];
    });
  });
}

/** Object patterns with their types: `{ a }: T`, or `const { a } = options` in a function with `options: T`. */
function typedPatterns(nodes: readonly AstNode[]): { readonly pattern: AstNode; readonly annotation: AstNode }[] {
  const direct = nodes.flatMap((pattern) => {
    const annotation = pattern.type === "ObjectPattern" ? asNode(pattern.typeAnnotation) : undefined;
    return annotation === undefined ? [] : [{ pattern, annotation }];
  });
  const named = nodes.flatMap((node) =>
    asNodes(node.params).flatMap((parameter) => {
      const name = asNode(parameter.left) ?? parameter; // the left of a parameter with a default
      const annotation = name.type === "Identifier" ? asNode(name.typeAnnotation) : undefined;
      if (annotation === undefined) return [];
      return [...walk(node)].flatMap((inner) => {
        const pattern = inner.type === "VariableDeclarator" ? asNode(inner.id, "ObjectPattern") : undefined;
        return pattern !== undefined && dotted(inner.init) === name.name ? [{ pattern, annotation }] : [];
      });
    }),
  );
  return [...direct, ...named.filter(({ pattern }) => pattern.typeAnnotation == null)];
}

/** What a constant of the same file stands for. */
function meaningOf(expression: AstNode, nodes: readonly AstNode[]): AstNode[] {
  if (expression.type !== "Identifier") return [];
  const declared = nodes.find((node) => node.type === "VariableDeclarator" && dotted(node.id) === expression.name);
  const value = asNode(declared?.init);
  return asNodes(value?.type === "TSAsExpression" ? value.expression : value);
}

function same(said: string, value: string): boolean {
  const [a, b] = [plain(said), plain(value)];
  return a === b || (a !== "" && Number(a) === Number(b.replaceAll("_", ""))) || !(isValue(said) || isValue(value));
}

function plain(text: string): string {
  return text.replaceAll(/[`\s]/g, "");
}

/** Whether text is a value: a number, a string, a name, or a list of them; not words, and nothing computed. */
function isValue(text: string): boolean {
  return /^(-?[\w.+-]+|"[^"]*"|\[[^\]]*\]|\{[^}]*\})$/.test(text.replaceAll("`", ""));
}

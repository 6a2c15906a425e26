/** Writes HTML so that no text can become markup: a tagged template that escapes whatever is put into it. */
import { printable } from "../graph/printable.ts";

/** Markup that was made by `html`, and is put into other markup as it is. */
export interface Html {
  readonly markup: string;
}

/** What may be put into a template: text and numbers are escaped; lists are joined; false and undefined are nothing. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/** Objects that `html` made, so that no other object passes for markup. */
const MADE = new WeakSet<object>();

/**
 * Returns markup. A value may stand where text stands, or in an attribute between double quotes; nowhere else.
 * @example html`<p title="${name}">${name}</p>`
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return made(parts.reduce((text, part, i) => text + markupOf(values[i - 1]) + part));
}

/** Returns text with the characters of HTML, and those that change how a line is shown, made harmless. */
export function escapeHtml(text: string): string {
  return printable(text.replace(/[\ud800-\udfff]/gu, "\ufffd")).replace(
    /[&<>"'`]/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  if (isList(value)) return value.map(markupOf).join("");
  if (!MADE.has(value)) throw new TypeError("html requires text, numbers or markup made by html, got another object.");
  return value.markup;
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value);
}

function made(markup: string): Html {
  const result: Html = { markup };
  MADE.add(result);
  return result;
}

/** What a page consists of. */
export interface PageOptions {
  readonly title: string;
  /** Style rules of this page, after the common ones: written by us, never by data. @default "" */
  readonly style?: string | undefined;
  readonly body: Html;
}

/**
 * Returns a whole page that needs nothing from anywhere: no scripts, pictures as `data:` URLs, light or dark as the
 * reader's system is. A policy in the page forbids everything else, whatever the body says.
 */
export function page({ title, style = "", body }: PageOptions): string {
  const css = made(STYLE + style);
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${css}</style>
</head>
<body>
${body}
</body>
</html>
`.markup;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1d2127; --soft: #626b76; --line: #d9dde2; --back: #ffffff; --panel: #f5f6f8;
  --accent: #2f6f4f; --error: #b3261e; --warning: #8a5a00; --info: #3a5f8a; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7eb; --soft: #9aa4b0; --line: #363c44; --back: #16191d;
  --panel: #1f242a; --accent: #6fbf93; --error: #ff8a80; --warning: #f0b85a; --info: #8ab4e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 72rem; color: var(--text); background: var(--back);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .2rem; } p { margin: .2rem 0; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; } th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line);
  text-align: left; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
@media print { :root { --text: #000; --back: #fff; --panel: #fff; --soft: #444; --line: #bbb; } body { padding: 0; max-width: none; }
  section, figure, tr { break-inside: avoid; } }
`;

import { describe, expect, test } from "vitest";
import { escapeHtml, html, page } from "../../src/report/html.ts";
import { HOSTILE } from "./hostile-names.ts";

describe("html", () => {
  test("keeps markup of its own and escapes everything else", () => {
    const name = '<b title="x">';
    expect(html`<p title="${name}">${name}${html`<i>${1}</i>`}${[name, 2]}${undefined}${false}</p>`.markup).toBe(
      '<p title="&#60;b title=&#34;x&#34;&#62;">&#60;b title=&#34;x&#34;&#62;<i>1</i>&#60;b title=&#34;x&#34;&#62;2</p>',
    );
  });

  test("refuses an object that only looks like markup, as data from JSON could", () => {
    const forged = JSON.parse('{ "markup": "<script>1</script>" }') as { markup: string };
    expect(() => html`<p>${forged}</p>`).toThrow(TypeError);
  });

  test.each(HOSTILE)("makes %j harmless", (name) => {
    const text = escapeHtml(name);
    expect(text).not.toMatch(/[<>"'`\p{Cc}\p{Cf}\p{Cs}\p{Zl}]/u);
    expect(text.replace(/&#\d+;/g, "")).not.toContain("&");
  });
});

describe("page", () => {
  const text = page({ title: HOSTILE[0]!, body: html`<p>${HOSTILE}</p>` });

  /** What a browser takes for markup. */
  const tags = [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag);

  test("has no script, and a policy that would stop one", () => {
    expect(tags.filter((tag) => !/^<\/?(!doctype|html|head|meta|title|style|body|p)\b/.test(tag))).toEqual([]);
    expect(text).toContain("default-src &#39;none&#39;; img-src data:;");
    expect(text.indexOf("Content-Security-Policy")).toBeLessThan(text.indexOf("<title>"));
    expect(text).toContain("<title>&#60;script&#62;");
  });

  test("asks nothing of other places", () => {
    expect(tags.filter((tag) => /\b(?:src|href|srcset|action)=/.test(tag))).toEqual([]);
    expect(text.slice(text.indexOf("<style>"), text.indexOf("</style>"))).not.toMatch(/@import|url\(/);
  });

  test("follows the reader's colors, and prints", () => {
    expect(text).toContain("prefers-color-scheme: dark");
    expect(text).toContain("@media print");
  });
});

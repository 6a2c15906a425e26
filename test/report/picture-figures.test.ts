import { expect, test } from "vitest";
import { html } from "../../src/report/html.ts";
import { fileFigure, imageFigure, SHOWN_SIDE, together } from "../../src/report/picture-figures.ts";
import { drawn, jpeg } from "../data/check/made-pictures.ts";

test("a file becomes a small JPEG in the page, with its caption", async () => {
  const { markup } = await fileFigure(await jpeg(drawn(1, 640, 320)), "a <b>.jpg", "cat & dog");
  expect(markup).toContain(`width="${SHOWN_SIDE}" height="80"`);
  expect(markup).toMatch(/src="data:image\/jpeg;base64,[A-Za-z0-9+/=]+"/);
  expect(markup).toContain("a &#60;b&#62;.jpg");
  expect(markup).toContain("cat &#38; dog");
  expect(markup.length).toBeLessThan(20_000);
});

test("a file that cannot be shown says so", async () => {
  expect((await fileFigure("/nowhere/a.jpg", "a.jpg")).markup).toContain("no picture");
  expect((await fileFigure(new Uint8Array(0), "a.jpg")).markup).toContain("no picture");
});

test("pixels are shown in their own size, groups in one box", async () => {
  const figure = await imageFigure(drawn(2, 30, 20), "one");
  expect(figure.markup).toContain('width="30" height="20"');
  expect(html`${together([figure, figure])}`.markup.match(/<figure>/g)).toHaveLength(2);
});

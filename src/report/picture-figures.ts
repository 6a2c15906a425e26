/** Pictures in a page: small, with a line below each, side by side where they belong together. */
import { jpegUrl } from "../data/encode.ts";
import { readBounded } from "../data/inspect.ts";
import type { ImageSource } from "../data/sample.ts";
import { thumbnailOf } from "../data/thumbnail.ts";
import type { Image } from "../transforms/image.ts";
import { type Html, html } from "./html.ts";

/** Longest side of a picture in a page, in pixels. */
export const SHOWN_SIDE = 160;

/** Returns a figure of a file: its picture if it can be decoded, made small, and a caption. */
export async function fileFigure(source: ImageSource, caption: string, detail = ""): Promise<Html> {
  const read = readBounded(source);
  const decoded = "problem" in read ? read : await thumbnailOf(read.content, { size: SHOWN_SIDE });
  if ("problem" in decoded) return figure(html`<div class="none">no picture</div>`, caption, detail);
  return await imageFigure(decoded.image, caption, detail);
}

/** Returns a figure of pixels as they are, with a caption. */
export async function imageFigure(image: Image, caption: string, detail = ""): Promise<Html> {
  const url = await jpegUrl(image);
  const picture = html`<img src="${url}" width="${image.width}" height="${image.height}" alt="${caption}">`;
  return figure(picture, caption, detail);
}

function figure(picture: Html, caption: string, detail: string): Html {
  const more = detail === "" ? undefined : html`<br><span class="soft">${detail}</span>`;
  return html`<figure>${picture}<figcaption>${caption}${more}</figcaption></figure>`;
}

/** Returns figures in one box: they belong together. */
export function together(figures: readonly Html[]): Html {
  return html`<div class="together">${figures}</div>`;
}

/** Style rules for figures. */
export const FIGURE_STYLE = `
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: .6rem 0; align-items: flex-start; }
.together { display: flex; flex-wrap: wrap; gap: .5rem; padding: .5rem; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
figure { margin: 0; width: ${SHOWN_SIDE}px; font-size: 12px; line-height: 1.3; }
figure img { display: block; max-width: 100%; height: auto; border-radius: 3px; }
.none { width: 100%; height: 90px; display: grid; place-items: center; border: 1px dashed var(--line); color: var(--soft); border-radius: 3px; }
`;

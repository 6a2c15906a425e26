/** Many pictures -> one picture: a grid to look at. */
import type { Image } from "../transforms/image.ts";

/** How pictures are laid out. */
export interface ContactSheetOptions {
  /** Pictures in a row. @default 8 */
  readonly columns?: number | undefined;
  /** Pixels between pictures, and around them. @default 4 */
  readonly gap?: number | undefined;
  /** Grey level between and around pictures, 0 to 255. @default 128 */
  readonly background?: number | undefined;
}

/** The largest sheet, in pixels: 2^26, 201 MB of RGB. */
const MOST_PIXELS = 2 ** 26;

/**
 * Returns a grid of pictures, row by row. All cells have the size of the largest width and height; a smaller picture
 * stands in the middle of its cell, with its pixels as they are.
 * @throws RangeError without pictures, for a number of columns below 1, or for a sheet of more than 67 megapixels.
 */
export function contactSheet(
  images: readonly Image[],
  { columns = 8, gap = 4, background = 128 }: ContactSheetOptions = {},
): Image {
  if (images.length === 0 || !(Number.isInteger(columns) && columns >= 1) || !(Number.isInteger(gap) && gap >= 0))
    throw new RangeError(
      `contactSheet requires pictures, at least 1 column and a gap of whole pixels, got ${images.length}, ${columns} and ${gap}.`,
    );
  const cellWidth = images.reduce((most, { width }) => Math.max(most, width), 0);
  const cellHeight = images.reduce((most, { height }) => Math.max(most, height), 0);
  const across = Math.min(columns, images.length);
  const width = gap + across * (cellWidth + gap);
  const height = gap + Math.ceil(images.length / across) * (cellHeight + gap);
  if (width * height > MOST_PIXELS)
    throw new RangeError(
      `contactSheet requires a sheet of at most ${MOST_PIXELS} pixels, got ${width} x ${height}. Use fewer or smaller pictures.`,
    );
  const data = new Uint8Array(3 * width * height).fill(background);
  for (const [i, image] of images.entries()) {
    const left = gap + (i % across) * (cellWidth + gap) + ((cellWidth - image.width) >> 1);
    const top = gap + Math.floor(i / across) * (cellHeight + gap) + ((cellHeight - image.height) >> 1);
    for (let y = 0; y < image.height; y++)
      data.set(image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width), 3 * ((top + y) * width + left));
  }
  return { width, height, data };
}

/** A decoded picture: what the decoder makes and every transform takes. */

/** A picture of `width` x `height` pixels; `data` holds R, G, B, 8 bits each, row by row, 3 * width * height bytes. */
export interface Image {
  /** Pixels from left to right, at least 1. */
  readonly width: number;
  /** Pixels from top to bottom, at least 1. */
  readonly height: number;
  /** Interleaved sRGB values, [height, width, 3]. */
  readonly data: Uint8Array;
}

/** A rectangle of whole pixels, [left, left + width) x [top, top + height). */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

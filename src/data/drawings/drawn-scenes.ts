/** Many unlabelled scenes, drawn a few at a time while they are taken. */
import { checkKeys } from "../../transforms/known-options.ts";
import { checkSize, checkWhole, DRAWING_SIZE, drawScene } from "./draw.ts";
import { DRAWN_AT_A_TIME } from "./drawn-examples.ts";

/** The most pictures of one collection. */
export const MAX_DRAWINGS = 1_000_000;

/** An encoded image in memory, with a name that says how it was made. */
export interface NamedImage {
  /** Such as drawn/0/000017: the seed and the index. */
  readonly name: string;
  /** A JPEG file. */
  readonly bytes: Uint8Array;
}

/** Which scenes are drawn. */
export interface SceneOptions {
  /** How many, 1 to 1,000,000. */
  readonly count: number;
  /** A whole number. @default 0 */
  readonly seed?: number | undefined;
  /** Width and height in pixels, 16 to 1024; 160 unless given. @default DRAWING_SIZE */
  readonly size?: number | undefined;
  /** Index of the first one, so that a collection can go on where it was left. @default 0 */
  readonly first?: number | undefined;
}

const SCENE_KEYS: Readonly<Record<keyof SceneOptions, true>> = { count: true, seed: true, size: true, first: true };

/**
 * Draws unlabelled scenes in the order of their indices, as they are asked for; a few are drawn ahead, and no more than
 * these are in memory.
 * @throws RootstockError BAD_CONFIG, when called.
 */
export function drawnScenes(options: SceneOptions): AsyncGenerator<NamedImage, void, undefined> {
  return scenes(checked(options));
}

type Chosen = Required<{ readonly [Key in keyof SceneOptions]: number }>;

function checked(options: SceneOptions): Chosen {
  checkKeys("drawnScenes", options, SCENE_KEYS);
  const { count, seed = 0, size = DRAWING_SIZE, first = 0 } = options;
  checkWhole("count", count, [1, MAX_DRAWINGS]);
  checkWhole("first", first, [0, Number.MAX_SAFE_INTEGER - MAX_DRAWINGS]);
  checkWhole("seed", seed, [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  checkSize(size);
  return { count, seed, size, first };
}

async function* scenes({ count, seed, size, first }: Chosen): AsyncGenerator<NamedImage, void, undefined> {
  const underWay: Promise<NamedImage>[] = [];
  const start = async (index: number): Promise<NamedImage> => ({
    name: `drawn/${seed}/${String(index).padStart(6, "0")}`,
    bytes: await drawScene(seed, index, size),
  });
  try {
    for (let next = 0; next < count || underWay.length > 0; ) {
      for (; next < count && underWay.length < DRAWN_AT_A_TIME; next++) underWay.push(start(first + next));
      yield await underWay.shift()!;
    }
  } finally {
    await Promise.allSettled(underWay); // whoever stops early leaves nothing running
  }
}

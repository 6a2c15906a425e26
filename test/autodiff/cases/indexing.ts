/** Cases of the gradient rules of operators that pick, place, join and split elements. */
import type { Case } from "./case.ts";

export const INDEXING: readonly Case[] = [];

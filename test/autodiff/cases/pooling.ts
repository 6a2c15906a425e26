/** Cases of the gradient rules of pooling. */
import type { Case } from "./case.ts";

export const POOLING: readonly Case[] = [];

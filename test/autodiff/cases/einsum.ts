/** Cases of the gradient rule of Einsum. */
import { string } from "../../../src/graph/attributes.ts";
import { type Case, type Input, x } from "./case.ts";

const einsum = (equation: string, ...inputs: readonly Input[]): Case => ({
  op: "Einsum",
  inputs,
  attributes: { equation: string(equation) },
});

export const EINSUM: readonly Case[] = [
  einsum("ij->ji", x(2, 3)),
  einsum("ij->i", x(2, 3)),
  einsum("ij->", x(2, 3)),
  einsum("ji", x(2, 3)),
  einsum("...ij->...ji", x(2, 3, 4)),
  einsum("b...->...", x(2, 3, 2)),
  einsum("ij,jk->ik", x(2, 3), x(3, 4)),
  einsum("ij , jk", x(2, 3), x(3, 4)),
  einsum("bhid,bhjd->bhij", x(2, 2, 3, 4), x(2, 2, 5, 4)),
  einsum("bhij,bhjd->bhid", x(2, 2, 3, 5), x(2, 2, 5, 4)),
  einsum("i,j->ij", x(2), x(3)),
  einsum("i,i->", x(3), x(3)),
  einsum("ij,kj->k", x(2, 3), x(4, 3)),
  einsum("ij,ij->ij", x(2, 3), x(2, 3)),
  einsum("nchw,c->nchw", x(2, 3, 2, 2), x(3)),
  einsum("bhwc,hkc->bhwk", x(2, 3, 2, 4), x(3, 5, 4)),
  einsum("ij,k->i", x(2, 3), x(4)),
  einsum("...ij,...jk->...ik", x(2, 2, 3), x(1, 3, 2)),
  einsum("...ij,jk", x(2, 2, 3), x(3, 2)),
  einsum("...i,...i->...", x(2, 1, 3), x(2, 4, 3)),
  einsum("ij,jk->ik", x(2, 3), x(1, 4)),
  einsum("ij,jk->ijk", x(2, 1), x(3, 4)),
  einsum("ij,jk,kl->il", x(2, 3), x(3, 4), x(4, 2)),
  einsum("ij,j,i->", x(2, 3), x(3), x(2)),
];

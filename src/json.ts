/** JSON values as a type: what run records, manifests and metadata are made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Version of this package, written into run records and exported files. */
export const VERSION = "0.1.0";

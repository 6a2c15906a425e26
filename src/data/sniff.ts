/** Tells a file's format from its first bytes, since names lie: photographs arrive as HTML error pages, videos and empty files. */

/** The formats that are decoded. */
export type ImageFormat = "jpeg" | "png" | "gif" | "webp" | "tiff" | "avif";

/** How many bytes from the start of a file `sniffImage` looks at. */
export const SNIFFED_BYTES = 4096;

/** A format that can be decoded, or why the file cannot be; the problem reads on from the file's name. */
export type Sniffed = { readonly format: ImageFormat } | { readonly problem: string };

/**
 * Returns the image format of a file that starts with `bytes` (the whole file, or its first `SNIFFED_BYTES`).
 * Only the header is checked: a file that is cut off or damaged further on is found when it is decoded.
 */
export function sniffImage(bytes: Uint8Array): Sniffed {
  const head = bytes.subarray(0, SNIFFED_BYTES);
  if (head.length === 0) return { problem: "is empty (0 bytes)" };
  const text = latin1(head);
  if (text.startsWith("ftyp", 4)) return sniffContainer(brandsOf(text));
  for (const [magic, format] of FORMATS) if (matches(text, magic)) return { format };
  for (const [magic, name] of UNSUPPORTED) if (matches(text, magic)) return unsupported(name);
  for (const [magic, name] of OTHERS)
    if (matches(text, magic)) return { problem: `is not an image (looks like ${name})` };
  return sniffRest(head, text);
}

/** Strings to find at offsets, all of them; one character for each byte. */
type Magic = { readonly [offset: number]: string };
type Table<T> = readonly (readonly [Magic, T])[];

const FORMATS: Table<ImageFormat> = [
  [{ 0: "\xff\xd8\xff" }, "jpeg"],
  [{ 0: "\x89PNG\r\n\x1a\n" }, "png"],
  [{ 0: "GIF87a" }, "gif"],
  [{ 0: "GIF89a" }, "gif"],
  [{ 0: "RIFF", 8: "WEBP" }, "webp"],
  [{ 0: "II*\0" }, "tiff"],
  [{ 0: "MM\0*" }, "tiff"],
  [{ 0: "II+\0" }, "tiff"], // BigTIFF
  [{ 0: "MM\0+" }, "tiff"],
];

const UNSUPPORTED: Table<string> = [
  [{ 0: "BM", 6: "\0\0\0\0" }, "a BMP file"],
  [{ 0: "\0\0\x01\0" }, "an icon (ICO)"],
  [{ 0: "8BPS" }, "a Photoshop file (PSD)"],
  [{ 0: "\xff\x0a" }, "a JPEG XL file"],
  [{ 0: "\0\0\0\x0cJXL " }, "a JPEG XL file"],
  [{ 0: "\0\0\0\x0cjP  " }, "a JPEG 2000 file"],
  [{ 0: "\xff\x4f\xff\x51" }, "a JPEG 2000 file"],
  [{ 0: "%PDF-" }, "a PDF document"],
  [{ 0: "%!PS" }, "a PostScript file"],
  [{ 0: "\xc5\xd0\xd3\xc6" }, "a PostScript file"],
  ...["P1", "P2", "P3", "P4", "P5", "P6", "P7"].map((name) => [{ 0: `${name}\n` }, "a netpbm file (PNM)"] as const),
  [{ 0: "v/1\x01" }, "an OpenEXR file"],
  [{ 0: "#?RADIANCE" }, "a Radiance HDR file"],
  [{ 0: "DDS " }, "a DirectDraw file (DDS)"],
];

const OTHERS: Table<string> = [
  [{ 0: "version https://git-lfs" }, "a Git LFS pointer: run git lfs pull"],
  [{ 0: "PK\x03\x04" }, "a zip archive"],
  [{ 0: "\x1f\x8b" }, "a gzip file"],
  [{ 0: "7z\xbc\xaf" }, "a 7z archive"],
  [{ 0: "Rar!" }, "a RAR archive"],
  [{ 0: "RIFF", 8: "AVI " }, "a video"],
  [{ 0: "RIFF", 8: "WAVE" }, "a sound"],
  [{ 0: "\x1aE\xdf\xa3" }, "a video"], // Matroska, WebM
  [{ 0: "\0\0\x01\xba" }, "a video"], // MPEG
  [{ 4: "moov" }, "a video"], // QuickTime without ftyp
  [{ 0: "OggS" }, "a sound or video"],
  [{ 0: "ID3" }, "a sound"],
  [{ 0: "\0\x05\x16\x07" }, "macOS metadata of another file"], // AppleDouble
  [{ 0: "\x7fELF" }, "a program"],
  [{ 0: "MZ" }, "a program"],
  [{ 0: "SQLite format 3" }, "a database"],
];

function matches(text: string, magic: Magic): boolean {
  return Object.entries(magic).every(([offset, part]) => text.startsWith(part, Number(offset)));
}

function unsupported(name: string): Sniffed {
  return { problem: `is ${name}, which is not supported; convert it to PNG or JPEG` };
}

/** ISO media files (ISO/IEC 14496-12): AVIF, HEIC, camera raw and videos differ in their brands. */
function sniffContainer(brands: readonly string[]): Sniffed {
  const has = (...names: readonly string[]): boolean => names.some((name) => brands.includes(name));
  if (has("avif", "avis")) return { format: "avif" };
  if (has("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")) return unsupported("a HEIC photograph");
  if (has("crx ")) return unsupported("a camera raw file (CR3)");
  return { problem: "is not an image (looks like a video)" };
}

/** The major and the compatible brands of an `ftyp` box. */
function brandsOf(text: string): readonly string[] {
  const end = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length);
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text.slice(at, at + 4));
  return brands;
}

function sniffRest(head: Uint8Array, text: string): Sniffed {
  if (head.every((byte) => byte === 0)) return { problem: "is not an image (starts with zeros only: a failed copy)" };
  const looks = (what: string): Sniffed => ({ problem: `is not an image (looks like ${what})` });
  const start = withoutComments(text.replace(/^\xef\xbb\xbf/, "").trimStart()).toLowerCase();
  if (/^<(?:svg|!doctype svg)\b/.test(start)) return unsupported("an SVG drawing");
  if (start.startsWith("<?xml")) return start.includes("<svg") ? unsupported("an SVG drawing") : looks("XML");
  if (/^<(?:!doctype\s+html|html|head|body)\b/.test(start)) return looks("HTML");
  const utf16 = text.startsWith("\xff\xfe") || text.startsWith("\xfe\xff");
  if (utf16 || isText(head)) return looks(/^[{[]/.test(start) ? "JSON" : "text");
  const first = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return { problem: `is not an image of a known format (first bytes ${first})` };
}

function withoutComments(markup: string): string {
  let rest = markup;
  while (rest.startsWith("<!--") && rest.includes("-->")) rest = rest.slice(rest.indexOf("-->") + 3).trimStart();
  return rest;
}

function isText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }); // the last character may be cut
    return true;
  } catch {
    return false;
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

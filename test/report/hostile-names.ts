/** Names that files can have, and that should never become markup. */
export const HOSTILE: readonly string[] = [
  "<script>alert(1)</script>.jpg",
  '"><img src=x onerror=alert(1)>.jpg',
  "' onmouseover='alert(1)",
  "`alert(1)`",
  "a&lt;b&amp;c.jpg",
  "</figcaption></section><h1>hi</h1>",
  "javascript:alert(1)",
  "\u202egpj.exe",
  "line\nbreak\u2028and\u0000zero",
  "\ud83d half a face",
  "]]><!--",
  'style="background:url(https://example.com)"',
];

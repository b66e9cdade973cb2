/** Whether an Accept header (RFC 9110) allows the media type; none allows everything. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const [type] = mediaType.split('/');
  const ranges = header.split(',').map(readRange);
  /* The most specific matching range decides, so that `application/json;q=0, *\/*` refuses JSON. */
  for (const range of [mediaType, `${type}/*`, '*/*']) {
    const found = ranges.find(({ name }) => name === range);
    if (found) return found.quality > 0;
  }
  return false;
}

function readRange(text: string): { name: string; quality: number } {
  const [name = '', ...parameters] = text.toLowerCase().split(';');
  const q = parameters
    .map((part) => /^\s*q\s*=\s*([\d.]+)\s*$/.exec(part)?.[1])
    .find((value) => value !== undefined);
  return { name: name.trim(), quality: q === undefined ? 1 : Number(q) };
}

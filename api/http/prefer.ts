/** Longest wait a client can ask for, in seconds. */
const MAX_WAIT_SECONDS = 30;

/** One preference after RFC 7240: `token [ = token | quoted-string ] *( ; parameter )`. */
const preference =
  /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*"))?\s*(?:;.*)?$/;

/** Unclosed quotes make splitting quadratic, so an over-long header is ignored like one that cannot be parsed. */
const MAX_LENGTH = 1_000;

/** Splits at commas outside of quotes. */
const preferencesOf = (header: string): string[] =>
  header.length > MAX_LENGTH ? [] : (header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"|")+/g) ?? []);

/**
 * Seconds to wait after `Prefer: wait=N` (RFC 7240), capped at 30; undefined without one. Of several the first counts;
 * what cannot be parsed is ignored, as the standard says.
 */
export function parseWait(header: string | undefined): number | undefined {
  for (const text of preferencesOf(header ?? '')) {
    const [, name, value = ''] = preference.exec(text) ?? [];
    if (name?.toLowerCase() !== 'wait') continue;
    const seconds = value.replace(/^"(.*)"$/, '$1');
    return /^\d{1,10}$/.test(seconds) ? Math.min(Number(seconds), MAX_WAIT_SECONDS) : undefined;
  }
  return undefined;
}

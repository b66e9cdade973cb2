/*
 * One line of text as people type and paste it, read the same way at HTTP, in signals, files and on the command line.
 * Invisible characters that slip in are dropped; those that make a text read otherwise than it is are refused.
 */

/** Control characters, line separators, direction overrides and tags have no place in one line. */
const unprintable = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]/u;
/** Runs of them, for readers that take a text without them instead of refusing it. */
export const unprintables = new RegExp(`${unprintable.source}+`, 'gu');

/** Format characters show nothing: zero width, direction marks, soft hyphens. */
const invisible = /(?![\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}])\p{Cf}/gu;

/** Joiners that shape letters: behind a mark (virama) or an Arabic letter and before another letter, as names have them. */
const joiner = /(?<=[\p{M}\p{Script=Arabic}])[\u200C\u200D](?=[\p{L}\p{M}])/gu;

/** What a person sees of a text: without invisible characters, outer white space dropped, Unicode NFC. */
export const cleanLine = (text: string): string => {
  const joined = new Set([...text.matchAll(joiner)].map(({ index }) => index));
  return text
    .replace(invisible, (character, index: number) => (joined.has(index) ? character : ''))
    .trim()
    .normalize('NFC');
};

/** Why a cleaned text is not one line of 1 to `maximum` characters (code points); undefined when it is. */
export function refuseLine(text: string, maximum: number): string | undefined {
  if (!text.isWellFormed()) return 'expected well-formed Unicode';
  if (unprintable.test(text)) return 'expected one line without control characters';
  if (text === '') return 'expected at least 1 character';
  return lengthOf(text) > maximum ? `expected at most ${maximum} characters` : undefined;
}

/** Characters as JSON Schema counts them: code points. */
const lengthOf = (text: string): number => Array.from(text).length;

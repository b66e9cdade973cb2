/**
 * Names of acts: the same act has the same one in every run that hears of it. An update has an id of its own; a signal
 * has none, so it is named by the run that first heard of it (Temporal's reset keeps that), what it says, and which of its
 * equals it is. At most 255 characters of printable ASCII.
 */
export const actIdOfUpdate = (updateId: string): string =>
  /^[\x21-\x7E]{1,200}$/.test(updateId) ? updateId : `update-${digest(updateId)}`;

/** Names the signals of one order as they come: `firstRunId` is the run that first heard of them. */
export function signalActIds(firstRunId: string): (name: string, act: object) => string {
  const counts = new Map<string, number>();
  return (name, act) => {
    const content = JSON.stringify(act);
    const count = (counts.get(`${name} ${content}`) ?? 0) + 1;
    counts.set(`${name} ${content}`, count);
    return `signal-${firstRunId}-${name}-${digest(content)}-${count}`;
  };
}

/** 106 bits of a text, plainly computed: workflow code has no hash functions. Tells apart, is no secret. */
const digest = (text: string): string =>
  [0, 1].map((seed) => half(text, seed).toString(36).padStart(11, '0')).join('');

/** cyrb53, by bryc (public domain). */
function half(text: string, seed: number): number {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

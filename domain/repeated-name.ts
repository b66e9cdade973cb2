/** Strings, and what opens, ends or divides objects and arrays; the rest of well-formed JSON tells nothing of names. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The first name that an object of well-formed JSON has twice; undefined when there is none. `JSON.parse` keeps the last
 * one silently, and other readers the first: what such a text means is nobody's to say (RFC 8259, 4).
 */
export function repeatedName(json: string): string | undefined {
  /* One entry for each open object or array: an object's names so far. */
  const open: (Set<string> | undefined)[] = [];
  let previous = '';
  for (const [part] of json.matchAll(token)) {
    if (part === '{') open.push(new Set());
    else if (part === '[') open.push(undefined);
    else if (part === '}' || part === ']') open.pop();
    else if (part === ':') {
      const name = JSON.parse(previous) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
    previous = part;
  }
  return undefined;
}

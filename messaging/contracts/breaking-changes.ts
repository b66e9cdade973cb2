import type { JsonSchema } from './event-contract.ts';

/**
 * What in `current` would break somebody who relies on `baseline`, one sentence each; empty when nothing does.
 *
 * Both directions count: consumers built on the baseline read new messages, and consumers built on the current schema
 * read old ones, which wait in queues, dead letters and replays. So a field may be added only as optional, and what
 * stands stays as it is: no removing, renaming, retyping, making optional or required, narrowing or widening.
 */
export function breakingChanges(baseline: JsonSchema, current: JsonSchema, path = ''): string[] {
  const at = path === '' ? 'the event' : path;
  return [
    ...fieldChanges(baseline, current, path),
    ...childChanges(baseline, current, path),
    ...enumChanges(baseline, current, at),
    ...keywordChanges(baseline, current, at),
  ];
}

function fieldChanges(baseline: JsonSchema, current: JsonSchema, path: string): string[] {
  const [before, after] = [baseline.properties ?? {}, current.properties ?? {}];
  const [wasRequired, isRequired] = [new Set(baseline.required), new Set(current.required)];
  const name = (field: string) => [path, field].filter(Boolean).join('.');
  const removed = Object.keys(before).filter((field) => !(field in after));
  const loosened = [...wasRequired].filter((field) => field in after && !isRequired.has(field));
  const tightened = [...isRequired].filter((field) => !wasRequired.has(field));
  return [
    ...removed.map((field) => `${name(field)} was removed (or renamed)`),
    ...loosened.map((field) => `${name(field)} may be absent now, and consumers rely on it`),
    ...tightened.map((field) => `${name(field)} is required now, and older messages may lack it`),
    ...Object.entries(before).flatMap(([field, schema]) =>
      after[field] === undefined ? [] : breakingChanges(schema, after[field], name(field)),
    ),
  ];
}

function childChanges(baseline: JsonSchema, current: JsonSchema, path: string): string[] {
  if (baseline.items === undefined || current.items === undefined) return [];
  return breakingChanges(baseline.items, current.items, `${path}[]`);
}

function enumChanges(baseline: JsonSchema, current: JsonSchema, at: string): string[] {
  if (baseline.enum === undefined || current.enum === undefined) return [];
  const [before, after] = [new Set(baseline.enum), new Set(current.enum)];
  const gone = [...before].filter((value) => !after.has(value));
  const added = [...after].filter((value) => !before.has(value));
  return [
    ...gone.map((value) => `${at} no longer allows ${JSON.stringify(value)}: older messages may carry it`),
    ...added.map((value) => `${at} allows ${JSON.stringify(value)} now: consumers do not know it`),
  ];
}

/** Compared above, or said to people only. Any other keyword must stay as it was. */
const free = ['properties', 'required', 'description', 'examples', 'title', '$schema'];

function keywordChanges(baseline: JsonSchema, current: JsonSchema, at: string): string[] {
  const keywords = new Set([...Object.keys(baseline), ...Object.keys(current)]);
  const bothHave = (keyword: string) => baseline[keyword] !== undefined && current[keyword] !== undefined;
  return [...keywords]
    .filter((keyword) => !free.includes(keyword))
    .filter((keyword) => !(['items', 'enum'].includes(keyword) && bothHave(keyword)))
    .filter((keyword) => text(baseline[keyword]) !== text(current[keyword]))
    .map((keyword) => `${at}: ${keyword} was ${text(baseline[keyword])}, is ${text(current[keyword])}`);
}

const text = (value: unknown): string => JSON.stringify(value) ?? 'absent';

/** The same over all event types; a type that is gone breaks its consumers, a new one nobody. */
export function breakingContractChanges(
  baseline: Readonly<Record<string, JsonSchema>>,
  current: Readonly<Record<string, JsonSchema>>,
): string[] {
  return Object.entries(baseline).flatMap(([eventType, before]) => {
    const after = current[eventType];
    if (after === undefined) return [`${eventType} was removed`];
    return breakingChanges(before, after).map((change) => `${eventType}: ${change}`);
  });
}

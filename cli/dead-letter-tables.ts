import Table from 'cli-table3';
import type { DeadLetterGroup, DeadLetterSummary } from '../domain/dead-letters.ts';
import { ageText, cut, plain } from './text.ts';

export interface ListAnswer {
  total: number;
  groups: (DeadLetterGroup & { oldestAgeSeconds: number })[];
  messages: DeadLetterSummary[];
  nextCursor?: string;
}

export type LetterAnswer = DeadLetterSummary & {
  headers: Record<string, unknown>;
  properties: Record<string, unknown>;
  body: unknown;
  size: number;
};

export function listText({ total, groups, messages, nextCursor }: ListAnswer): string {
  if (total === 0 && groups.length === 0) return 'No dead letters.';
  const kinds = new Table({ ...plain, head: ['queue', 'fingerprint', 'open', 'oldest', 'reason', 'error'] });
  for (const group of groups) {
    const open = group.replaying > 0 ? `${group.open} (+${group.replaying} in replay)` : String(group.open);
    const age = ageText(group.oldestAgeSeconds);
    kinds.push([group.queue, group.fingerprint, open, age, group.reason, cut(group.error, 60)]);
  }
  const each = new Table({ ...plain, head: ['id', 'queue', 'type', 'order', 'attempts', 'failed last'] });
  for (const letter of messages) {
    const { id, queue, type, orderId, attempts, lastFailedAtUtc } = letter;
    each.push([id, queue, cut(type, 32), orderId, String(attempts), lastFailedAtUtc]);
  }
  const more = nextCursor === undefined ? [] : [`More: --cursor ${nextCursor}`];
  return [`${total} open`, kinds.toString(), each.toString(), ...more].join('\n\n');
}

export function letterText(letter: LetterAnswer): string {
  const { headers, properties, body, ...facts } = letter;
  const table = new Table(plain);
  for (const [name, value] of Object.entries(facts)) table.push([name, String(value)]);
  const parts = Object.entries({ properties, headers, body });
  return [
    table.toString(),
    ...parts.map(([name, part]) => `${name}:\n${JSON.stringify(part, null, 2)}`),
  ].join('\n\n');
}

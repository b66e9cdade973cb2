import type { DeadLetterGroup, DeadLetterSummary } from '../domain/dead-letters.ts';
import { factsText, tableText } from './table.ts';
import { ageText, cut } from './text.ts';

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
  const kinds = tableText(
    [
      { name: 'queue' },
      { name: 'fingerprint', kind: 'whole' },
      { name: 'open' },
      { name: 'oldest', kind: 'optional' },
      { name: 'reason', kind: 'optional' },
      { name: 'error' },
    ],
    groups.map(({ queue, fingerprint, open, replaying, oldestAgeSeconds, reason, error }) => [
      queue,
      fingerprint,
      replaying > 0 ? `${open} (+${replaying} in replay)` : String(open),
      ageText(oldestAgeSeconds),
      reason,
      cut(error, 60),
    ]),
  );
  const each = tableText(
    [
      { name: 'id', kind: 'whole' },
      { name: 'queue' },
      { name: 'type', kind: 'optional' },
      { name: 'order', kind: 'order' },
      { name: 'attempts', kind: 'optional' },
      { name: 'failed last' },
    ],
    messages.map(({ id, queue, type, orderId, attempts, lastFailedAtUtc }) => [
      id,
      queue,
      cut(type, 32),
      orderId,
      String(attempts),
      lastFailedAtUtc,
    ]),
  );
  const more = nextCursor === undefined ? [] : [`More: --cursor ${nextCursor}`];
  return [`${total} open`, kinds, each, ...more].join('\n\n');
}

export function letterText(letter: LetterAnswer): string {
  const { headers, properties, body, ...facts } = letter;
  const table = factsText(Object.entries(facts).map(([name, value]) => [name, String(value)] as const));
  const parts = Object.entries({ properties, headers, body });
  return [table, ...parts.map(([name, part]) => `${name}:\n${JSON.stringify(part, null, 2)}`)].join('\n\n');
}

import { parameterTypes } from './parameter-types.ts';
import type { Row } from './statement.ts';

/** Columns that statements return and that are no parameters. */
const computed = [
  'AppLock',
  'Available',
  'Babelfish',
  'ClosedOrders',
  'DatabaseId',
  'Endpoints',
  'EventSequence',
  'Letters',
  'Messages',
  'Newest',
  'OldEvents',
  'Oldest',
  'OldMessages',
  'OpenLetters',
  'PreviousEventId',
  'ReplayingLetters',
  'Reserved',
  'SetAside',
  'SetAsideAtUtc',
  'Snapshot',
  'TableId',
  'Units',
];

const spelling = new Map(
  [...Object.keys(parameterTypes), ...computed].map((name) => [name.toLowerCase(), name] as const),
);

/**
 * Rows with their columns spelled as in the migrations. Identifiers are case-insensitive, and not every server that
 * speaks TDS returns them as they were written.
 */
export function canonicalRows(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [spelling.get(name.toLowerCase()) ?? name, value]),
    ),
  );
}

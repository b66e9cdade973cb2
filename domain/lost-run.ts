import type { OrderStatus } from './order.ts';

/** How a run closes that has not come to its order's end. */
const lost = new Set(['TERMINATED', 'TIMED_OUT', 'FAILED']);

/** A run as Temporal describes it. */
export interface DescribedRun {
  closedAs?: string | undefined;
  /** The order's status as the run shows it: beyond `received` something was reserved, and later charged. */
  status?: OrderStatus | undefined;
}

/** The run has closed without having come to its order's end. */
export const isLost = ({ closedAs }: DescribedRun): boolean => closedAs !== undefined && lost.has(closedAs);

/** Acts that are safe on an order that SQL has no row of: only where nothing was done for it yet. */
export const mayStartAgain = (run: DescribedRun): boolean => isLost(run) && run.status === 'received';

/** What became of an order that SQL has no row of, for operators. */
export function unrecordedText({ closedAs, status }: DescribedRun): string {
  const how = closedAs ? `Temporal closed its run (${closedAs})` : 'Its run is open';
  if (status !== 'received') {
    return `${how}, which had come to ${status}, and SQL has no row of it: SQL is behind; act on nothing before it is back`;
  }
  return closedAs
    ? `${how} before SQL had taken it; nothing was reserved or charged`
    : `${how} and SQL has not taken it; nothing is reserved or charged, and it goes on by itself once SQL takes it`;
}

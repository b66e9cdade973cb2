import { TechnicalFailure } from '../domain/failures.ts';
import type { OrderRow } from '../ports/store/orders.ts';
import type { ActivityDeps } from './deps.ts';

/** What reading a provider's list may take of an attempt that takes effect afterwards. */
export const SHARE_OF_ATTEMPT = 0.5;

/** The shop's clock and the provider's need not agree. */
const CLOCKS_DIFFER_MS = 10 * 60 * 1_000;

/** An order's effects at a provider that none of its rows knows. */
export interface StrangersOf {
  order: OrderRow;
  /** The provider's id of every one that a row of the order knows. */
  known: readonly string[];
  /** What reading the list may take. */
  forMs: number;
  timeoutMs(): number;
}

/** For people, who look them up. */
export const namesOf = (ids: readonly string[]): string => ids.slice(0, 10).join(', ');

interface WholeList<Item> {
  order: Pick<OrderRow, 'orderId' | 'createdAtUtc'>;
  /** What is listed, for people. */
  what: string;
  forMs: number;
  /** One page from the order's creation on; `after`: where the next one begins, absent at the end. */
  page(from: { sinceUtc: string; after: string | undefined }): Promise<{ items: Item[]; after?: string }>;
}

/**
 * A provider's list from the order's creation on, to its end: what people have done there is in it, however it was done.
 * A list that is not read to its end in time says nothing: it fails technically, and nothing may be sent.
 * What is done there while it is read is not seen.
 */
export async function readWholeList<Item>(
  { clock }: ActivityDeps,
  { order: { orderId, createdAtUtc }, what, forMs, page }: WholeList<Item>,
): Promise<Item[]> {
  const sinceUtc = new Date(Date.parse(createdAtUtc) - CLOCKS_DIFFER_MS).toISOString();
  const nowMs = () => Date.parse(clock.nowUtc());
  const untilMs = nowMs() + forMs;
  const found: Item[] = [];
  let after: string | undefined;
  for (let pages = 0; pages === 0 || after !== undefined; pages += 1) {
    if (nowMs() >= untilMs) {
      const message = `${what} since ${sinceUtc} could not be read to their end (${pages} pages in ${forMs} ms), so nothing was sent for order ${orderId}: somebody may have acted for it there`;
      throw new TechnicalFailure('ProviderUnavailable', message);
    }
    const read = await page({ sinceUtc, after });
    found.push(...read.items);
    after = read.after;
  }
  return found;
}

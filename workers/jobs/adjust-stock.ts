import { markStockRequest } from '../../ports/store/stock-requests.ts';
import type { ProductId } from '../../domain/ids.ts';
import { describeStockRefusal, type StockAdjustment } from '../../domain/stock.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { auditOf } from './import-catalog.ts';

/** Keys of the command line are apart from those of API callers. */
const callerId = 'command:catalog-adjust';

/**
 * Adds units to a product's stock on hand, or takes them away, with an audit row under `product:<id>`, once for each
 * key: a repeated call answers the stock as it is now. Throws an Error for an unknown product, where less than what is
 * reserved, or too much, would be left, and for a key that stands for another adjustment; nothing is changed then, nor
 * by a dry run, whose transaction is rolled back.
 */
export async function adjustStock(input: {
  store: Pick<Store, 'transaction'>;
  productId: ProductId;
  by: number;
  key: string;
  actor: string;
  reason: string;
  dryRun?: true;
  clock: Clock;
}): Promise<StockAdjustment & { repeated: boolean }> {
  const { store, productId, by, key: idempotencyKey, clock } = input;
  let found: (StockAdjustment & { repeated: boolean }) | undefined;
  const adjusting = store.transaction(async (tx) => {
    const change = { productId, by };
    const nowUtc = clock.nowUtc();
    const request = await markStockRequest(tx, { callerId, idempotencyKey, change, nowUtc });
    if (request === 'reused') throw new Error(`The key "${idempotencyKey}" was used for another adjustment`);
    const repeated = request === 'repeated';
    const stock = await tx.inventory.adjust({ productId, by: repeated ? 0 : by });
    if (!stock) throw new Error(`Product ${productId} is not in the catalog`);
    if (stock.refusal) throw new Error(describeStockRefusal(productId, { ...stock, refusal: stock.refusal }));
    if (!repeated) {
      await tx.audit.append({
        ...auditOf(input, productId),
        step: 'stock',
        from: `${stock.from} on hand`,
        to: `${stock.to} on hand`,
      });
    }
    found = { ...stock, repeated };
    if (input.dryRun) throw new Error('A dry run is rolled back');
    return found;
  });
  return adjusting.catch((error: unknown) => {
    if (input.dryRun && found) return found;
    throw error;
  });
}

import { productSubject, type AuditEntry } from '../../domain/audit.ts';
import type { ProductId } from '../../domain/ids.ts';
import { formatAmount } from '../../domain/money.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StockAdjustment, StockRow, Store, StoreTransaction } from '../../ports/store.ts';
import { mostUnits, refuse, type CatalogLine } from './catalog-csv.ts';

export interface ImportReport {
  added: number;
  changed: number;
  unchanged: number;
}

/** Most products that one import writes: it is one transaction, and others wait for its locks. */
const mostChanges = 2_000;

/**
 * Makes the catalog's products as the lines say, in one transaction with an audit row for each product that changes;
 * products that no line names stay. All or nothing: throws, naming each line, where a stock would be less than what is
 * reserved. Running it again changes nothing. With `dryRun` it only checks.
 */
export async function importCatalog(input: {
  store: Pick<Store, 'upkeep' | 'transaction'>;
  lines: readonly CatalogLine[];
  actor: string;
  reason: string;
  clock: Clock;
  dryRun?: boolean | undefined;
}): Promise<ImportReport> {
  const { store, lines, dryRun } = input;
  const present = new Map((await store.upkeep.stock()).map((row) => [row.productId, row]));
  const changes = lines.filter((line) => differs(line, present.get(line.productId))).sort(byProduct);
  const added = changes.filter(({ productId }) => !present.has(productId)).length;
  if (changes.length > mostChanges) {
    refuse([`${changes.length} products change, at most ${mostChanges} at once: split the file`]);
  }
  refuse(
    changes.flatMap((line) => {
      const reserved = present.get(line.productId)?.reserved ?? 0;
      return line.onHand !== undefined && line.onHand < reserved
        ? [belowReserved(line, line.onHand, reserved)]
        : [];
    }),
  );
  if (!dryRun) await store.transaction((tx) => writeLines(tx, { ...input, changes, present }));
  return { added, changed: changes.length - added, unchanged: lines.length - changes.length };
}

const differs = (line: CatalogLine, row: StockRow | undefined): boolean =>
  row === undefined ||
  line.name !== row.name ||
  line.price.amountMinor !== row.price.amountMinor ||
  line.price.currency !== row.price.currency ||
  (line.onHand !== undefined && line.onHand !== row.onHand);

async function writeLines(
  tx: StoreTransaction,
  input: {
    changes: readonly CatalogLine[];
    present: ReadonlyMap<ProductId, StockRow>;
    actor: string;
    reason: string;
    clock: Clock;
  },
): Promise<void> {
  for (const line of input.changes) {
    const { productId, name, price } = line;
    const before = input.present.get(productId);
    await tx.inventory.putProduct({ productId, name, price });
    // By 0 where the stock stays: it is read under the product's lock.
    const stock = await tx.inventory.adjust({
      productId,
      ...(line.onHand === undefined ? { by: 0 } : { to: line.onHand }),
    });
    if (!stock) throw new Error(`Product ${productId} is not in the store right after it was put there`);
    if (!stock.adjusted) refuse([belowReserved(line, stock.to, stock.reserved)]);
    await tx.audit.append({
      ...auditOf(input, productId),
      step: 'catalog',
      from: before ? `${described(before)}, ${stock.from} on hand` : '',
      to: `${described(line)}, ${stock.to} on hand`,
    });
  }
}

/**
 * Adds units to a product's stock on hand, or takes them away, with an audit row under `product:<id>`. Throws an
 * Error for an unknown product and where less than what is reserved, or too much, would be left. Not
 * idempotent: each call counts.
 */
export async function adjustStock(input: {
  store: Pick<Store, 'transaction'>;
  productId: ProductId;
  by: number;
  actor: string;
  reason: string;
  clock: Clock;
}): Promise<StockAdjustment> {
  const { store, productId, by } = input;
  return store.transaction(async (tx) => {
    const stock = await tx.inventory.adjust({ productId, by });
    if (!stock) throw new Error(`Product ${productId} is not in the catalog`);
    if (!stock.adjusted) {
      throw new Error(
        `Product ${productId} has ${stock.from} units on hand, ${stock.reserved} of them reserved: expected at least ` +
          `${stock.reserved - stock.from}, came ${by}`,
      );
    }
    if (stock.to > mostUnits) throw new Error(`Product ${productId}: at most ${mostUnits} units on hand`);
    await tx.audit.append({
      ...auditOf(input, productId),
      step: 'stock',
      from: `${stock.from} on hand`,
      to: `${stock.to} on hand`,
    });
    return stock;
  });
}

const auditOf = (
  { actor, reason, clock }: { actor: string; reason: string; clock: Clock },
  id: ProductId,
): Omit<AuditEntry, 'step' | 'from' | 'to'> => ({
  subject: productSubject(id),
  actor,
  reason,
  causingEventId: '',
  workflowId: '',
  runId: '',
  occurredAtUtc: clock.nowUtc(),
});

const belowReserved = ({ line, productId }: CatalogLine, onHand: number, reserved: number): string =>
  `line ${line}: onHand ${onHand} of ${productId} is less than the ${reserved} units that orders have reserved`;

const described = ({ name, price }: Pick<StockRow, 'name' | 'price'>): string =>
  `${name}, ${formatAmount(price)} ${price.currency}`;

/** The one order in which products are locked. */
const byProduct = (a: CatalogLine, b: CatalogLine): number => (a.productId < b.productId ? -1 : 1);

import { productSubject, type AuditEntry } from '../../domain/audit.ts';
import type { ProductId } from '../../domain/ids.ts';
import { formatAmount, refusePrice } from '../../domain/money.ts';
import { changedStock, describeStockRefusal, type StockChange } from '../../domain/stock.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StockRow, Store, StoreTransaction } from '../../ports/store.ts';
import type { CatalogLine } from './catalog-csv.ts';

export interface ImportReport {
  added: number;
  changed: number;
  unchanged: number;
  /** Stock that changes, also of products that are added. */
  stock: { productId: ProductId; from: number; to: number }[];
  /** Lines whose stock stays as it is, or which change nothing at all, and why. */
  refused: { line: number; productId: ProductId; reason: string }[];
}

/** Products that one transaction writes: others wait for its locks. */
const atOnce = 500;

/**
 * Makes the catalog's products as the lines say, with an audit row for each product that changes; products that no line
 * names stay, and so does what a line leaves empty. The stock of a product that exists changes only where the line asks
 * for another one than it expects and the store still has what it expects; other lines are refused and listed, while
 * their names and prices apply. 500 products a transaction: after an interruption run it again, what stands is left
 * alone. With `dryRun` it writes nothing and says the same.
 */
export async function importCatalog(input: {
  store: Pick<Store, 'upkeep' | 'transaction'>;
  lines: readonly CatalogLine[];
  actor: string;
  reason: string;
  clock: Clock;
  dryRun?: boolean | undefined;
}): Promise<ImportReport> {
  const { store, dryRun } = input;
  const lines = [...input.lines].sort(byProduct);
  const present = new Map((await store.upkeep.stock()).map((row) => [row.productId, row]));
  const report: ImportReport = { added: 0, changed: 0, unchanged: 0, stock: [], refused: [] };
  for (let start = 0; start < lines.length; start += atOnce) {
    const some = lines.slice(start, start + atOnce);
    const changes = dryRun
      ? some.map((line) => changeOf(line, present.get(line.productId)))
      : await store.transaction((tx) => writeLines(tx, { ...input, lines: some, present }));
    for (const change of changes) addTo(report, change);
  }
  report.refused.sort((a, b) => a.line - b.line);
  return report;
}

/** What a line makes of a product. */
interface Change {
  line: CatalogLine;
  before: StockRow | undefined;
  /** Absent when the line cannot be taken at all. */
  after?: StockRow;
  refused?: string;
}

function changeOf(line: CatalogLine, before: StockRow | undefined): Change {
  const name = line.name ?? before?.name;
  const price = line.price ?? before?.price;
  if (name === undefined || price === undefined) {
    return { line, before, refused: `${line.productId} is new: expected a name, a price and a currency` };
  }
  const priceRefusal = refusePrice(price, before?.price);
  if (priceRefusal) return { line, before, refused: `price: ${priceRefusal}` };
  const { onHand, reserved } = before ?? { onHand: 0, reserved: 0 };
  const wanted = stockChangeOf(line, before);
  const stock = wanted && changedStock({ onHand, reserved }, wanted);
  const refusal = stock?.refusal;
  return {
    line,
    before,
    after: {
      productId: line.productId,
      name,
      price,
      onHand: stock && !refusal ? stock.to : onHand,
      reserved,
    },
    ...(refusal && { refused: describeStockRefusal(line.productId, { ...stock, refusal }) }),
  };
}

/** A line that expects nothing, or just what it asks for, leaves the stock of a product that exists alone. */
function stockChangeOf(
  { onHand, expectedOnHand }: CatalogLine,
  before: StockRow | undefined,
): StockChange | undefined {
  if (onHand === undefined) return undefined;
  if (before === undefined) return { to: onHand };
  return expectedOnHand === undefined || expectedOnHand === onHand
    ? undefined
    : { to: onHand, expected: expectedOnHand };
}

const differs = ({ before, after }: Change): boolean =>
  after !== undefined && (before === undefined || described(before) !== described(after));

function addTo(report: ImportReport, change: Change): void {
  const { line, before, after, refused } = change;
  const { productId } = line;
  if (refused !== undefined) report.refused.push({ line: line.line, productId, reason: refused });
  if (!differs(change)) report.unchanged += 1;
  else if (before) report.changed += 1;
  else report.added += 1;
  const from = before?.onHand ?? 0;
  if (after && after.onHand !== from) report.stock.push({ productId, from, to: after.onHand });
}

async function writeLines(
  tx: StoreTransaction,
  input: {
    lines: readonly CatalogLine[];
    present: ReadonlyMap<ProductId, StockRow>;
    actor: string;
    reason: string;
    clock: Clock;
  },
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const line of input.lines) {
    const seen = input.present.get(line.productId);
    const change = differs(changeOf(line, seen))
      ? changeOf(line, await lockProduct(tx, line))
      : changeOf(line, seen);
    changes.push(change);
    const { before, after } = change;
    if (!after || !differs(change)) continue;
    const { productId, name, price, onHand } = after;
    await tx.inventory.putProduct({ productId, name, price, onHand });
    await tx.audit.append({
      ...auditOf(input, productId),
      step: 'catalog',
      from: before ? described(before) : '',
      to: described(after),
    });
  }
  return changes;
}

/** The product as it is now, locked; undefined when there is none. */
async function lockProduct(tx: StoreTransaction, { productId }: CatalogLine): Promise<StockRow | undefined> {
  const stock = await tx.inventory.adjust({ productId, by: 0 });
  const [product] = await tx.inventory.products([productId]);
  if (!stock || !product) return undefined;
  return {
    productId,
    name: product.name,
    price: product.price,
    onHand: stock.from,
    reserved: stock.reserved,
  };
}

export const auditOf = (
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

const described = ({ name, price, onHand }: StockRow): string =>
  `${name}, ${formatAmount(price)} ${price.currency}, ${onHand} on hand`;

/** The one order in which products are locked. */
const byProduct = (a: CatalogLine, b: CatalogLine): number => (a.productId < b.productId ? -1 : 1);

import { productSubject, type AuditEntry } from '../../domain/audit.ts';
import type { ProductId } from '../../domain/ids.ts';
import { formatAmount, refusePrice, type Money } from '../../domain/money.ts';
import { unitFactNames, unitFactsOf } from '../../domain/parcel.ts';
import { describeFacts, missingMeasures, namedFacts } from '../../domain/product-facts.ts';
import { changedStock, describeStockRefusal, type StockChange } from '../../domain/stock.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import type { CatalogLine } from './catalog-csv.ts';
import type { ProductFacts, StockRow } from '../../ports/store/goods.ts';

export interface ImportReport {
  added: number;
  changed: number;
  unchanged: number;
  /** What else changes of products that are there already, as text; empty: not known, or not withdrawn. */
  fields: { productId: ProductId; field: string; from: string; to: string }[];
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
 * everything else of them applies. 500 products a transaction: after an interruption run it again, what stands is left
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
  const nowUtc = input.clock.nowUtc();
  const lines = [...input.lines].sort(byProduct);
  const present = new Map((await store.upkeep.stock()).map((row) => [row.productId, row]));
  const report: ImportReport = { added: 0, changed: 0, unchanged: 0, fields: [], stock: [], refused: [] };
  for (let start = 0; start < lines.length; start += atOnce) {
    const some = lines.slice(start, start + atOnce);
    const changes = dryRun
      ? some.map((line) => changeOf(line, present.get(line.productId), nowUtc))
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

function changeOf(line: CatalogLine, before: StockRow | undefined, nowUtc: string): Change {
  const name = line.name ?? before?.name;
  const price = line.price ?? before?.price;
  if (name === undefined || price === undefined) {
    return { line, before, refused: `${line.productId} is new: expected a name, a price and a currency` };
  }
  const priceRefusal = refusePrice(price, before?.price);
  if (priceRefusal) return { line, before, refused: `price: ${priceRefusal}` };
  const facts = factsAfter(line, before, nowUtc);
  const missing = missingMeasures(facts);
  if (missing.length > 0) {
    return {
      line,
      before,
      refused: `${missing.join(', ')}: required, since ${line.productId} has another measure`,
    };
  }
  const { withdrawnAtUtc } = facts;
  if (withdrawnAtUtc !== undefined && withdrawnAtUtc > nowUtc && withdrawnAtUtc !== before?.withdrawnAtUtc) {
    return { line, before, refused: `withdrawnAtUtc: expected a time that is past, came ${withdrawnAtUtc}` };
  }
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
      ...facts,
    },
    ...(refusal && { refused: describeStockRefusal(line.productId, { ...stock, refusal }) }),
  };
}

/** What the line leaves out stays; a product that is withdrawn already keeps its time when it is withdrawn now. */
function factsAfter(line: CatalogLine, before: StockRow | undefined, nowUtc: string): ProductFacts {
  const given = Object.entries(line.facts).map(([fact, value]) => [fact, value ?? undefined]);
  const facts = unitFactsOf({ ...before, ...Object.fromEntries(given) });
  const asked = line.withdrawnAtUtc === 'now' ? (before?.withdrawnAtUtc ?? nowUtc) : line.withdrawnAtUtc;
  const withdrawnAtUtc = asked === undefined ? before?.withdrawnAtUtc : asked;
  return withdrawnAtUtc ? { ...facts, withdrawnAtUtc } : facts;
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
  if (before && after) report.fields.push(...changedFields(before, after));
  const from = before?.onHand ?? 0;
  if (after && after.onHand !== from) report.stock.push({ productId, from, to: after.onHand });
}

const changedFields = (before: StockRow, after: StockRow): ImportReport['fields'] =>
  ['name', 'price', ...unitFactNames, 'withdrawnAtUtc'].flatMap((field) => {
    const [from = '', to = ''] = [before, after].map((row) => new Map(fieldsOf(row)).get(field));
    return from === to ? [] : [{ productId: after.productId, field, from, to }];
  });

const fieldsOf = ({
  name,
  price,
  withdrawnAtUtc = '',
  ...facts
}: StockRow): [field: string, text: string][] => [
  ['name', name],
  ['price', priceText(price)],
  ...namedFacts(facts),
  ['withdrawnAtUtc', withdrawnAtUtc],
];

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
  const nowUtc = input.clock.nowUtc();
  for (const line of input.lines) {
    const seen = input.present.get(line.productId);
    const change = differs(changeOf(line, seen, nowUtc))
      ? changeOf(line, await lockProduct(tx, line), nowUtc)
      : changeOf(line, seen, nowUtc);
    changes.push(change);
    const { before, after } = change;
    if (!after || !differs(change)) continue;
    const { productId, name, price, onHand, reserved: _, ...facts } = after;
    await tx.inventory.putProduct({ productId, name, price, onHand });
    await tx.inventory.describeProduct({ productId, ...facts });
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
  const { available: _, ...described } = product;
  return { ...described, onHand: stock.from, reserved: stock.reserved };
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

const described = ({ name, price, onHand, ...facts }: StockRow): string =>
  `${name}, ${priceText(price)}, ${onHand} on hand${describeFacts(facts)}`;

const priceText = (price: Money): string => `${formatAmount(price)} ${price.currency}`;

/** The one order in which products are locked. */
const byProduct = (a: CatalogLine, b: CatalogLine): number => (a.productId < b.productId ? -1 : 1);

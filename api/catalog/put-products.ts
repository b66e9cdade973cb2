import { productSubject } from '../../domain/audit.ts';
import { productId } from '../../domain/ids.ts';
import { formatAmount, refusePrice } from '../../domain/money.ts';
import { unitFactNames, unitFactsOf } from '../../domain/parcel.ts';
import { describeFacts, missingMeasures } from '../../domain/product-facts.ts';
import { describeStockRefusal, type StockChange } from '../../domain/stock.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { AppDeps } from '../app-deps.ts';
import { invalidFields } from '../http/body.ts';
import { within } from '../../ports/bounded.ts';
import { ApiProblem, type FieldError } from '../http/problems.ts';
import type { ProductPut } from './product-put.ts';
import { storeUnavailable } from '../http/read-store.ts';
import { markStockRequest } from '../../ports/store/stock-requests.ts';
import type { Product, ProductFacts } from '../../ports/store/goods.ts';

const WRITE_TIMEOUT_MS = 2_000;

interface PutRequest {
  puts: readonly ProductPut[];
  callerId: string;
  idempotencyKey?: string;
}

/**
 * Adds and changes products, all or none, with an audit row each; what a put does not name stays. Answers the products
 * as they are now, in the order of the request. Under an Idempotency-Key it takes effect once.
 */
export async function putProducts(deps: AppDeps, request: PutRequest): Promise<Product[]> {
  try {
    return await within(WRITE_TIMEOUT_MS, 'store', () =>
      deps.store.transaction((tx) => writeRequest(tx, { ...request, nowUtc: deps.clock.nowUtc() })),
    );
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

async function writeRequest(
  tx: StoreTransaction,
  { puts, callerId, idempotencyKey, nowUtc }: PutRequest & { nowUtc: string },
): Promise<Product[]> {
  if (idempotencyKey !== undefined) {
    const request = await markStockRequest(tx, { callerId, idempotencyKey, change: puts, nowUtc });
    if (request === 'reused') throw keyReused(idempotencyKey);
    if (request === 'repeated') return inOrder(puts, await tx.inventory.products(idsOf(puts)));
  }
  const written: Product[] = [];
  // Products are locked in the order of their ids, as orders lock them.
  for (const put of [...puts].sort((a, b) => (a.productId < b.productId ? -1 : 1))) {
    written.push(await putProduct(tx, { put, at: puts.indexOf(put), actor: callerId, nowUtc }));
  }
  return inOrder(puts, written);
}

async function putProduct(
  tx: StoreTransaction,
  { put, at, actor, nowUtc }: { put: ProductPut; at: number; actor: string; nowUtc: string },
): Promise<Product> {
  const id = productId(put.productId);
  // By 0: what stays of the product is read under its lock.
  await tx.inventory.adjust({ productId: id, by: 0 });
  const before = await findProduct(tx, put.productId);
  const name = put.name ?? before?.name;
  const price = put.price ?? before?.price;
  if (name === undefined || price === undefined) throw incomplete(at, { name, price });
  const reason = refusePrice(price, before?.price);
  if (reason) throw invalidFields([{ field: `/products/${at}/price/amount`, reason }]);
  await tx.inventory.putProduct({ productId: id, name, price });
  const facts = factsAfter(put, before, nowUtc);
  refuseMeasures(facts, at);
  await tx.inventory.describeProduct({ productId: id, ...facts });
  const change = stockChangeOf(put);
  const stock = change && (await tx.inventory.adjust({ productId: id, ...change }));
  if (stock?.refusal) {
    throw new ApiProblem('act-refused', {
      detail: `${describeStockRefusal(id, { ...stock, refusal: stock.refusal })}. Nothing was changed.`,
      code: `stock_${stock.refusal}`,
    });
  }
  const after = await findProduct(tx, put.productId);
  if (!after) throw new Error(`Product ${put.productId} is not in the store right after it was put there`);
  await tx.audit.append({
    subject: productSubject(put.productId),
    actor,
    step: 'catalog',
    from: before ? describe(before) : '',
    to: describe(after),
    reason: 'Put through the API',
    causingEventId: '',
    workflowId: '',
    runId: '',
    occurredAtUtc: nowUtc,
  });
  return after;
}

/** What the put leaves out stays; null is not known from now on. A product that is withdrawn already keeps its time. */
function factsAfter(put: ProductPut, before: Product | undefined, nowUtc: string): ProductFacts {
  const given = unitFactNames.flatMap((name) =>
    put[name] === undefined ? [] : [[name, put[name] ?? undefined]],
  );
  const facts = unitFactsOf({ ...before, ...Object.fromEntries(given) });
  const withdrawn = put.withdrawn ?? before?.withdrawnAtUtc !== undefined;
  return withdrawn ? { ...facts, withdrawnAtUtc: before?.withdrawnAtUtc ?? nowUtc } : facts;
}

function refuseMeasures(facts: ProductFacts, at: number): void {
  const missing = missingMeasures(facts);
  if (missing.length === 0) return;
  throw invalidFields(
    missing.map((name) => ({
      field: `/products/${at}/${name}`,
      reason: 'required, since the product has another measure',
    })),
  );
}

function stockChangeOf({ available, adjustBy }: ProductPut): StockChange | undefined {
  if (available !== undefined) return { available };
  return adjustBy === undefined ? undefined : { by: adjustBy };
}

function incomplete(at: number, product: { name: unknown; price: unknown }): ApiProblem {
  const missing = (['name', 'price'] as const).filter((field) => product[field] === undefined);
  return invalidFields(
    missing.map((field): FieldError => ({
      field: `/products/${at}/${field}`,
      reason: 'required, since the product is new',
    })),
  );
}

const keyReused = (key: string): ApiProblem =>
  new ApiProblem('idempotency-key-reused', {
    detail: `The Idempotency-Key ${JSON.stringify(key)} was used for another change of the catalog.`,
  });

const idsOf = (puts: readonly ProductPut[]) => puts.map((put) => productId(put.productId));

const inOrder = (puts: readonly ProductPut[], products: readonly Product[]): Product[] =>
  puts.flatMap((put) => products.find((product) => product.productId === put.productId) ?? []);

const findProduct = async (tx: StoreTransaction, id: string): Promise<Product | undefined> =>
  (await tx.inventory.products([productId(id)]))[0];

const describe = ({ name, price, available, ...facts }: Product): string =>
  `${name}, ${formatAmount(price)} ${price.currency}, ${available} available${describeFacts(facts)}`;

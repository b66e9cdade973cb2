import { loadConfigOrExit } from '../config/config.ts';
import { productId, type ProductId } from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import type { Store } from '../ports/store.ts';
import { connectStore } from '../compose/connect-store.ts';

interface CatalogProduct {
  productId: ProductId;
  name: string;
  price: Money;
  onHand: number;
}

const rupees = (amount: number): Money => ({ amountMinor: amount * 100, currency: 'INR' });

/** A small catalog to try the product with; one product is sold out on purpose. */
const catalog: readonly CatalogProduct[] = [
  { productId: productId('keyboard-mx'), name: 'Mechanical keyboard', price: rupees(7_499), onHand: 100_000 },
  { productId: productId('mouse-pro'), name: 'Wireless mouse', price: rupees(2_999), onHand: 100_000 },
  { productId: productId('monitor-27'), name: '27-inch monitor', price: rupees(18_999), onHand: 100_000 },
  { productId: productId('usb-c-hub'), name: 'USB-C hub', price: rupees(1_499), onHand: 100_000 },
  { productId: productId('desk-mat'), name: 'Desk mat', price: rupees(799), onHand: 100_000 },
  { productId: productId('sold-out-lamp'), name: 'Desk lamp', price: rupees(1_299), onHand: 0 },
];

/** Adds the products that are missing and leaves the others with their stock; returns how many it added. */
async function seedCatalog(store: Store): Promise<number> {
  return store.transaction(async (tx) => {
    const present = await tx.inventory.products(catalog.map((product) => product.productId));
    const missing = catalog.filter(
      ({ productId: id }) => !present.some((product) => product.productId === id),
    );
    for (const product of missing) await tx.inventory.putProduct(product);
    return missing.length;
  });
}

const store = await connectStore(loadConfigOrExit());
try {
  const added = await seedCatalog(store);
  console.log(`Catalog: ${added} products added, ${catalog.length - added} were there already.`);
} finally {
  await store.close();
}

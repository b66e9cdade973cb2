import { join } from 'node:path';
import { runCommand } from './dependencies/run-command.ts';
import { projectFolder } from './runtime-folder.ts';

/** Fills the catalog; does nothing to products that are there already. */
export async function seedCatalog(environment: NodeJS.ProcessEnv): Promise<void> {
  await runCommand({
    command: process.execPath,
    args: [join(projectFolder, 'workers', 'seed.ts')],
    env: environment,
    timeoutMs: 60_000,
  });
}

type Product = { productId: string; available: number };

/** A product that can be ordered now, for the example; undefined when the catalog has none. */
export async function firstAvailableProduct(
  api: string,
  apiKey: string | undefined,
): Promise<string | undefined> {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${api}/products`, { headers });
  if (!response.ok) return undefined;
  const { products } = (await response.json()) as { products: Product[] };
  return products.find(({ available }) => available > 0)?.productId;
}

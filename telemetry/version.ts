import { createRequire } from 'node:module';

/** The product's one version: of the package, the API's document, the events' document and the command line. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from '@hono/zod-openapi';
import { version } from '../../telemetry/version.ts';
import type { AppDeps } from '../app-deps.ts';
import { problems } from './problems.ts';
import { addRoute, type App } from './route.ts';

/** The two files of Swagger UI that a page needs, served from the package, so that no CDN is. */
const bundle = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
} as const;

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** /openapi.json and /docs, without an API key. Call it after every other route was added. */
export function addDocs(app: App, deps: AppDeps): void {
  const common = { method: 'get', tag: 'Operations', problems: [], secured: false } as const;
  let document: string | undefined;
  addRoute(
    app,
    {
      ...common,
      path: '/openapi.json',
      operationId: 'openapi',
      summary: 'This API as an OpenAPI 3.1 document',
      description: 'Generated from the code that answers; needs no API key.',
      produces: 'application/json',
      responses: {
        200: { description: 'The document.', content: { 'application/json': { schema: z.looseObject({}) } } },
      },
    },
    (c) => {
      document ??= JSON.stringify(openApiDocument(app, deps));
      return c.body(document, 200, { 'content-type': 'application/json' });
    },
  );
  addRoute(
    app,
    {
      ...common,
      path: '/docs',
      operationId: 'docs',
      summary: 'This API as a page, with every problem type',
      description: 'Swagger UI, served from here; needs no API key.',
      produces: 'text/html',
      responses: { 200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } } },
    },
    (c) => c.html(page, 200, { 'content-security-policy': contentSecurityPolicy }),
  );
  addBundle(app);
}

/** OpenAPI 3.1 of all routes added so far. */
function openApiDocument(app: App, { settings }: AppDeps) {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: settings.callers
      ? 'An API key of a shop or an operator.'
      : 'This installation has no callers configured: every request is the operator `local`.',
  });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Order Saga',
      version,
      description:
        'Places orders that cannot get lost, be charged twice, ship unpaid or oversell. Errors are ' +
        'application/problem+json (RFC 9457); their types are listed at /docs#problems. Times are UTC.',
      contact: { name: 'The maintainers of Order Saga' },
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      {
        name: 'Orders',
        description: 'Checkout, reading, acts of customers and operators, refunds, the live feed.',
      },
      { name: 'Catalog', description: 'Products, prices and stock.' },
      { name: 'Webhooks', description: 'Endpoints of partners, their secrets and deliveries.' },
      {
        name: 'Dead letters',
        description: 'Messages that could not be handled: list, edit, replay, discard.',
      },
      { name: 'Operations', description: 'Health, metrics, cases, providers, and this document.' },
    ],
  });
}

function addBundle(app: App): void {
  const folder = () => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const cached = { 'cache-control': 'public, max-age=3600' };
  for (const [name, type] of Object.entries(bundle)) {
    let content: Promise<Uint8Array<ArrayBuffer>> | undefined;
    app.get(`/docs/${name}`, async (c) => {
      content ??= readFile(join(folder(), name));
      return c.body(await content, 200, { 'content-type': type, ...cached });
    });
  }
  app.get('/docs/start.js', (c) =>
    c.body(script, 200, { 'content-type': bundle['swagger-ui-bundle.js'], ...cached }),
  );
  app.get('/docs/problems', (c) =>
    c.html(problemPage, 200, { 'content-security-policy': contentSecurityPolicy }),
  );
}

const script = `window.SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });`;

const problemTable = Object.entries(problems)
  .map(
    ([type, { status, title, act }]) =>
      `<tr id="${type}"><td><code>/docs/problems#${type}</code></td><td>${status}</td><td>${title}</td><td>${act}</td></tr>`,
  )
  .join('\n')
  .replaceAll(/<key>/g, '&lt;key&gt;')
  .replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const problemSection = `<section id="problems" style="max-width:1460px;margin:0 auto;padding:20px;font-family:sans-serif">
<h2>Problem types</h2>
<p>Every error is <code>application/problem+json</code> (RFC 9457). <code>type</code> is stable; <code>detail</code> says what was expected and what came.</p>
<table cellpadding="6"><thead><tr><th>type</th><th>status</th><th>means</th><th>what to do</th></tr></thead>
<tbody>${problemTable}</tbody></table>
</section>`;

const html = (title: string, head: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>${head}</head><body>${body}</body></html>`;

const page = html(
  'Order Saga API',
  '<link rel="stylesheet" href="/docs/swagger-ui.css">',
  `<div id="api"></div>${problemSection}<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>`,
);

const problemPage = html('Problem types of the Order Saga API', '', problemSection);

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { vi } from 'vitest';
import type { createApp } from '../../api/app.ts';

/* Every answer that the API gives in any test is held against its own OpenAPI document. */
vi.mock(import('../../api/app.ts'), async (original) => {
  const module = await original();
  return { ...module, createApp: (deps) => checked(module.createApp(deps)) };
});

type App = ReturnType<typeof createApp>;

/** What of the document is needed here. */
interface Content {
  content?: Record<string, unknown>;
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Content> }>>;
}

let document: Promise<Document> | undefined;
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const validators = new Map<string, ValidateFunction>();

function checked(app: App): App {
  const fetch = app.fetch;
  app.fetch = async (request, ...rest) => {
    const response = await fetch(request, ...rest);
    document ??= Promise.resolve(fetch(new Request('http://api/openapi.json'))).then(readDocument);
    await check(await document, request, response).catch((error: unknown) => {
      // Behind a server only the log shows it.
      console.error(error);
      throw error;
    });
    return response;
  };
  return app;
}

async function readDocument(response: Response): Promise<Document> {
  const read = (await response.json()) as Document;
  ajv.addSchema(read, 'api');
  return read;
}

async function check({ paths }: Document, request: Request, response: Response): Promise<void> {
  const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
  const path = Object.keys(paths).find((each) => matches(each, new URL(request.url).pathname));
  const operation = path === undefined ? undefined : paths[path]?.[method];
  // What is no operation has no place in the document; our own errors (500) are in every test's own hands.
  if (path === undefined || !operation || response.status === 500) return;
  const { status } = response;
  const named = `${method.toUpperCase()} ${path} answered ${status}`;
  const documented = operation.responses[status];
  if (!documented) throw new Error(`${named}, which the OpenAPI document does not name`);
  const type = response.headers.get('content-type')?.split(';')[0];
  const types = Object.keys(documented.content ?? {});
  if (type === undefined ? types.length > 0 : !types.includes(type)) {
    throw new Error(`${named} as ${type ?? 'nothing'}, documented: ${types.join(', ') || 'nothing'}`);
  }
  if (request.method === 'HEAD' || !type?.endsWith('json')) return;
  const body: unknown = await response.clone().json();
  const pointer = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
  const validate = validatorOf(`api#/${pointer.map(escape).join('/')}`);
  if (!validate(body)) {
    throw new Error(`${named} with a body that does not fit: ${ajv.errorsText(validate.errors)}`);
  }
}

function validatorOf(reference: string): ValidateFunction {
  const known = validators.get(reference) ?? ajv.compile({ $ref: reference });
  validators.set(reference, known);
  return known;
}

const escape = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

const matches = (path: string, pathname: string): boolean => {
  const parts = path.split('/');
  const given = pathname.split('/');
  return (
    parts.length === given.length && parts.every((part, at) => part.startsWith('{') || part === given[at])
  );
};

import type { Context } from 'hono';
import type { z } from '@hono/zod-openapi';
import { repeatedName } from '../../domain/repeated-name.ts';
import { ApiProblem, type FieldError } from './problems.ts';

/** Largest body taken, in bytes. */
const MAX_BODY_BYTES = 65_536;

const MAX_REPORTED_ERRORS = 50;
const MAX_POINTER_LENGTH = 200;

/** Fatal: invalid UTF-8 is refused instead of silently replaced. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The request's JSON body, checked. Refuses, in this order: wrong media type 415, too large 413, invalid UTF-8 or
 * JSON, or an object with one name twice, 400, fields that do not fit 422. With `optional`, no body at all reads as `{}`.
 */
export async function readJson<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
  options: { optional?: boolean } = {},
): Promise<z.output<Schema>> {
  const contentType = c.req.header('content-type');
  if (options.optional && contentType === undefined) {
    if ((await readBytes(c)).length === 0) return check(schema, {});
    throw unsupported(contentType);
  }
  if (!isJson(contentType) || isCompressed(c)) throw unsupported(contentType);
  const text = await readText(c);
  return check(schema, options.optional && text === '' ? {} : parse(text));
}

/** The raw body as text, for signatures. Refuses: too large 413, invalid UTF-8 400. */
export async function readText(c: Context): Promise<string> {
  const bytes = await readBytes(c);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ApiProblem('malformed-request', { detail: 'The body is not valid UTF-8.' });
  }
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiProblem('malformed-request', { detail: 'The body is not well-formed JSON.' });
  }
  const name = repeatedName(text);
  if (name === undefined) return value;
  const shown = JSON.stringify(name.slice(0, 100).toWellFormed());
  throw new ApiProblem('malformed-request', {
    detail: `The body is ambiguous: an object in it has the name ${shown} twice.`,
  });
}

/** Parses `value` or throws 422 with every field that does not fit. */
function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidFields(parsed.error.issues.flatMap(fieldErrors));
}

export const invalidFields = (errors: FieldError[]): ApiProblem =>
  new ApiProblem('invalid-fields', {
    detail: `${errors.length} ${errors.length === 1 ? 'field does' : 'fields do'} not fit.`,
    errors: errors.slice(0, MAX_REPORTED_ERRORS),
  });

/** JSON Pointer (RFC 6901) of a path; over-long names are cut so that an answer never repeats a huge request. */
const pointer = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .toWellFormed()
    .slice(0, MAX_POINTER_LENGTH);

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: pointer([...issue.path, key]), reason: 'unknown field' }));
  }
  if (issue.code === 'invalid_union') {
    const [only, ...others] = issue.errors.filter((branch) => !isNull(branch));
    if (only && others.length === 0)
      return only.flatMap((inner) => fieldErrors({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  return [{ field: pointer(issue.path), reason: reasonOf(issue) }];
}

/** The branch of what may be null as well: nobody needs to hear that it is not. */
const isNull = ([first]: readonly z.core.$ZodIssue[]): boolean =>
  first?.code === 'invalid_type' && first.expected === 'null';

function reasonOf(issue: z.core.$ZodIssue): string {
  const reason = issue.message.replace(/^(Invalid input|Too big|Too small|Invalid option): /, '');
  return reason.endsWith('received undefined') ? 'required' : reason;
}

/** `application/json`, with no other charset than UTF-8. */
function isJson(contentType: string | undefined): boolean {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='));
  return (
    type.trim() === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))
  );
}

const isCompressed = (c: Context): boolean =>
  !['identity', ''].includes((c.req.header('content-encoding') ?? '').toLowerCase());

const unsupported = (contentType: string | undefined): ApiProblem =>
  new ApiProblem('unsupported-media-type', {
    detail: `Expected application/json in UTF-8, not compressed; got ${contentType === undefined ? 'no Content-Type' : 'another Content-Type or encoding'}.`,
    headers: { accept: 'application/json' },
  });

const tooLarge = (): ApiProblem =>
  new ApiProblem('body-too-large', {
    detail: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
    /* The rest of the body is not read, so the connection cannot serve another request. */
    headers: { connection: 'close' },
  });

/** Reads at most MAX_BODY_BYTES, whether the length was declared or not. */
async function readBytes(c: Context): Promise<Uint8Array> {
  const declared = c.req.header('content-length');
  if (declared !== undefined) {
    if (Number(declared) > MAX_BODY_BYTES) throw tooLarge();
    return await aborted(async () => new Uint8Array(await c.req.arrayBuffer()));
  }
  return await aborted(() => readChunks(c.req.raw.body));
}

async function readChunks(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A body that breaks off is the client's doing: nobody reads the answer, and it is no error of ours. */
async function aborted(read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    throw new ApiProblem('malformed-request', { detail: 'The body broke off before its end.' });
  }
}

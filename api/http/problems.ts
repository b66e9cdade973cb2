import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/**
 * Every problem the API answers with (RFC 9457). The key is the stable end of its `type` URI, `/docs/problems#<key>`;
 * the documentation page prints this table.
 */
export const problems = {
  'malformed-request': {
    status: 400,
    title: 'The request cannot be read',
    act: 'Send well-formed JSON in UTF-8 and headers as documented.',
  },
  'idempotency-key': {
    status: 400,
    title: 'The Idempotency-Key header is missing or unusable',
    act: 'Send 1 to 255 printable ASCII characters, a new key for each new request, the same key to repeat one.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not one this API gave out for this list',
    act: 'Start again without a cursor.',
  },
  'invalid-signature': {
    status: 400,
    title: 'The webhook signature does not hold',
    act: 'Check the signing secret on both sides and send the body as it was signed.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid API key is needed',
    act: 'Send `Authorization: Bearer <key>`.',
  },
  forbidden: {
    status: 403,
    title: 'This caller may not do that',
    act: 'Use an API key with the role it needs.',
  },
  'not-found': { status: 404, title: 'There is nothing at this address', act: 'See /openapi.json.' },
  'unknown-order': {
    status: 404,
    title: 'There is no such order',
    act: "Check the id; another caller's order does not exist for you.",
  },
  'unknown-endpoint': {
    status: 404,
    title: 'There is no such webhook endpoint',
    act: 'Check the id; GET /webhook-endpoints lists them all.',
  },
  'unknown-dead-letter': {
    status: 404,
    title: 'There is no such dead letter or replay',
    act: 'List the dead letters; those settled for 30 days are forgotten.',
  },
  'unknown-order-act': {
    status: 404,
    title: 'There is no such act on orders',
    act: 'Check the id; acts are known for 7 days.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not allowed here',
    act: 'Use one that the Allow header names.',
  },
  'not-acceptable': {
    status: 406,
    title: 'None of the accepted media types can be served',
    act: 'Accept the media type that the operation is documented with.',
  },
  'act-refused': {
    status: 409,
    title: 'The act is refused in the present state',
    act: 'Read what it acts on: its state says what it accepts.',
  },
  'same-amount-refunded': {
    status: 409,
    title: 'The same amount was refunded within 24 hours',
    act: 'Look at the order’s refunds. If it is to go back once more, repeat the request with `confirmSameAmount: true`.',
  },
  'run-lost': {
    status: 409,
    title: 'The order has lost its run before it was recorded',
    act: 'Ask an operator to restart or compensate it (GET /cases); a new key would be a second order.',
  },
  'act-run-lost': {
    status: 409,
    title: 'The act on many has lost its run',
    act: 'Have it go on (POST /cases/runs/{workflowId}/restart), or take note of it: nothing is done twice.',
  },
  'order-closed': { status: 409, title: 'The order has ended', act: 'Nothing can be changed any more.' },
  'write-refused': {
    status: 409,
    title: 'The store refuses the change',
    act: 'Read what it changes: `code` names the rule that holds. Repeating it does not help.',
  },
  'dead-letter-taken': {
    status: 409,
    title: 'The dead letter is not open',
    act: 'Read it: another replay has it, or it is replayed or discarded already.',
  },
  'body-too-large': { status: 413, title: 'The body is too large', act: 'Send at most 65,536 bytes.' },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has the wrong media type',
    act: 'Send `Content-Type: application/json`, UTF-8, not compressed.',
  },
  'invalid-fields': {
    status: 422,
    title: 'Some fields do not fit',
    act: 'Correct the fields named in `errors` (JSON Pointers into the body, or names of query parameters).',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used with another body',
    act: 'Repeat the first body exactly, or choose a new key for a new request.',
  },
  'too-many-updates': {
    status: 429,
    title: 'The order has too many updates',
    act: 'Wait as Retry-After says; an order takes 10 updates at a time.',
  },
  'internal-error': {
    status: 500,
    title: 'Something went wrong on our side',
    act: 'Tell the operator the `instance`; the log holds it.',
  },
  'temporal-unavailable': {
    status: 503,
    title: 'Temporal cannot be reached',
    act: 'Repeat the same request as Retry-After says; a checkout repeats safely under its Idempotency-Key.',
  },
  'no-worker': {
    status: 503,
    title: 'No worker took the act in time',
    act: 'The act may still take effect: read the order before repeating it.',
  },
  'store-unavailable': {
    status: 503,
    title: 'The store cannot be read now',
    act: 'Repeat as Retry-After says. Checkouts do not need the store.',
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many event streams are open',
    act: 'Repeat as Retry-After says, or read the order instead.',
  },
} as const satisfies Record<string, { status: ContentfulStatusCode; title: string; act: string }>;

export type ProblemType = keyof typeof problems;

/** One field that does not fit: a JSON Pointer (RFC 6901) into the body, or the name of a query parameter. */
export interface FieldError {
  field: string;
  reason: string;
}

export interface ProblemExtras {
  detail: string;
  errors?: FieldError[];
  /** Machine-readable reason of a refused act. */
  code?: string;
  /** What would be accepted instead of a refused act. */
  legalActs?: string[];
  headers?: Record<string, string>;
}

/** Thrown anywhere below a route; becomes its problem document and nothing else. */
export class ApiProblem extends Error {
  readonly type: ProblemType;
  readonly extras: ProblemExtras;
  constructor(type: ProblemType, extras: ProblemExtras) {
    super(extras.detail);
    this.name = 'ApiProblem';
    this.type = type;
    this.extras = extras;
  }
}

/** Seconds after which a client may come back, by problem. */
const retryAfterSeconds: Partial<Record<ProblemType, string>> = {
  'too-many-updates': '1',
  'temporal-unavailable': '2',
  'no-worker': '5',
  'store-unavailable': '2',
  'too-many-streams': '10',
};

export const problemTypeUri = (type: ProblemType): string => `/docs/problems#${type}`;

/** The answer for a problem; `instance` is a URN of its own that the log repeats for our own errors. */
export function problemResponse(c: Context, problem: ApiProblem): Response {
  const { status, title } = problems[problem.type];
  const { detail, errors, code, legalActs, headers } = problem.extras;
  const retryAfter = retryAfterSeconds[problem.type];
  const body = {
    type: problemTypeUri(problem.type),
    title,
    status,
    detail,
    instance: `urn:uuid:${crypto.randomUUID()}`,
    ...(code === undefined ? {} : { code }),
    ...(errors === undefined ? {} : { errors }),
    ...(legalActs === undefined ? {} : { legalActs }),
  };
  return c.body(JSON.stringify(body), status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...headers,
  });
}

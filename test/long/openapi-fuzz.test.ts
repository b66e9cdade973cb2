import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonTool } from '../setup/python-tool.ts';
import { startOwnProduct, type OwnProduct } from '../support/own-product.ts';

const minutes = 60_000;
const schemathesis = await pythonTool({
  name: 'schemathesis',
  version: '4.32.5',
  start: ['-c', 'from schemathesis.cli import schemathesis; schemathesis()'],
  timeoutMs: 10 * minutes,
});

/* What a client made from the document may send, and what it may not: answers are those that the document tells of. */
describe.skipIf('missing' in schemathesis)('the API under requests made from its OpenAPI document', () => {
  let own: OwnProduct | undefined;

  beforeAll(async () => {
    own = await startOwnProduct('fuzzed', { API_CALLERS: callers });
  });
  afterAll(() => own?.close());

  test(
    'answers as it says, refuses what its schema refuses, and never fails',
    { timeout: 12 * minutes },
    async () => {
      if ('missing' in schemathesis) throw new Error(schemathesis.missing);
      const said = await schemathesis
        .run(['run', `${own?.product.api}/openapi.json`, ...options])
        .catch((error: Error & { stdout?: string }) => error.stdout ?? error.message);
      expect(said).toContain('Fuzzing (in');
      expect(failuresIn(said)).toEqual([]);
    },
  );
});

/** Refusals of requests that fit the schema, which cannot say why. */
const beyondTheSchema = [
  /* Tags are beyond the BMP, which the regular expressions of languages write differently. */
  /"reason":"expected one line without control characters"/,
  /invalid-cursor/,
  /invalid-signature/,
  /placed with another body/,
  /idempotency-key-reused/,
  /* A difference of stock needs a key, a price alone does not. */
  /problems#idempotency-key"/,
  /"reason":"expected at least 1 character"/,
  /"reason":"not together with owed"/,
  /"reason":"too many decimals"/,
  /"reason":"expected at most \d+ characters together with the reason"/,
  /"reason":"required in [A-Z]{2}/,
];

/** Neither is a fault: a machine too busy to answer, and the methods of `/dead-letters/{deadLetterId}` under a longer name. */
const accepted = [
  /problems#(?:no-worker|temporal-unavailable)/,
  /OPTIONS .*dead-letters\/(?:discard|replay)$/m,
];

/** What schemathesis found, by operation, without requests that the schema lets pass and another rule refuses. */
function failuresIn(said: string): string[] {
  const operations = said.split(/^_{3,} (?=[A-Z]+ \/)/m).slice(1);
  return operations.flatMap((operation) => {
    const [own = ''] = operation.split(/^={3,} /m);
    const [head = '', ...cases] = own.split(/^\d+\. Test Case ID/m);
    /* Without a case: the document itself is at fault, or the connection was. */
    const found = cases.length > 0 ? cases.filter((one) => !isExpected(one)) : [own];
    return found.map((one) => `${head.split(' ___')[0]}: ${one.slice(0, 2_000)}`);
  });
}

function isExpected(found: string): boolean {
  if (accepted.some((known) => known.test(found))) return true;
  return !/^- ST(?!202)/m.test(found) && beyondTheSchema.some((known) => known.test(found));
}

const key = 'a-key-of-an-operator-0000000000000000';
const callers = JSON.stringify([{ callerId: 'operator', key, role: 'operator' }]);

const options = [
  `--header=Authorization: Bearer ${key}`,
  '--checks=all',
  '--exclude-checks=use_after_free,ensure_resource_availability,object_level_authorization',
  '--phases=examples,coverage,fuzzing',
  '--max-examples=15',
  '--seed=20261130',
  '--generation-deterministic',
  '--request-timeout=15',
  '--continue-on-failure',
  '--exclude-path-regex=/events$',
  '--no-color',
];

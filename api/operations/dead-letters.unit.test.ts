import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../domain/dead-letters.ts';
import type { DeadLetterReads } from '../../ports/dead-letters.ts';
import { createApp } from '../app.ts';
import { NoWorker } from '../../ports/temporal.ts';
import { mask } from '../http/mask.ts';
import { fakeDeadLetterWorkflows, fakeDeps, fakeStore, operatorKey, send } from '../testing/fake-deps.ts';

const id = '5f1d7a84db00d2fce00b31a7fc73224f';
const nowUtc = '2026-01-02T03:04:05.678Z';
const letter: DeadLetter = {
  id,
  queue: 'email-queue',
  messageId: 'm-1',
  type: 'email.order-confirmation.v1',
  orderId: 'order-1',
  traceId: '',
  reason: 'mail-refused',
  error: '550 user unknown',
  fingerprint: '1b4f0e985197',
  attempts: 1,
  firstFailedAtUtc: nowUtc,
  lastFailedAtUtc: nowUtc,
  indexedAtUtc: nowUtc,
  state: 'open',
  message: {
    content: Buffer.from(JSON.stringify({ to: 'ada@example.com', note: 'ask ada@example.com', total: 3 })),
    properties: { messageId: 'm-1' },
    headers: { authorization: 'Bearer x', 'order-id': 'order-1' },
  },
};

function setUp(
  changes: { letter?: Partial<DeadLetter>; editRefusal?: string; reads?: Partial<DeadLetterReads> } = {},
) {
  const fake = fakeDeadLetterWorkflows();
  const asked: unknown[] = [];
  const stored = { ...letter, ...changes.letter };
  const deadLetters: DeadLetterReads = {
    groups: async () => [],
    page: async (input) => {
      asked.push(input);
      return [stored];
    },
    find: async (wanted) => (wanted === id ? stored : undefined),
    known: async () => [],
    leaving: async () => [],
    count: async () => 1,
    countReplay: async () => ({ open: 0, replaying: 0, settled: 0 }),
    ...changes.reads,
  };
  const deps = fakeDeps({
    store: fakeStore({ reads: { deadLetters } }).store,
    deadLetters: { workflows: fake.workflows, editRefusal: () => changes.editRefusal },
  });
  const app = createApp(deps);
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    key: string | null = operatorKey,
    headers: Record<string, string> = {},
  ) => {
    const response = await send(app, method, path, { body, key, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { call, asked, ...fake };
}

describe('dead letters by HTTP', () => {
  const calls = [
    ['GET', '/dead-letters', undefined],
    ['GET', `/dead-letters/${id}`, undefined],
    ['POST', `/dead-letters/${id}/replay`, { reason: 'r' }],
    ['POST', '/dead-letters/replay', { all: true, reason: 'r' }],
    ['POST', '/dead-letters/discard', { all: true, reason: 'r' }],
    ['DELETE', `/dead-letters/${id}?reason=r`, undefined],
    ['GET', '/dead-letters/replays/x', undefined],
    ['POST', '/dead-letters/replays/x/cancel', undefined],
  ] as const;

  it.each(calls)('are for operators only: %s %s', async (method, path, body) => {
    const { call, started } = setUp();
    expect((await call(method, path, body, null)).status).toBe(401);
    expect((await call(method, path, body, 'shop-key-0123456789')).status).toBe(403);
    expect(started.size).toBe(0);
  });

  it('are shown whole, with secrets and personal data masked', async () => {
    const { body } = await setUp().call('GET', `/dead-letters/${id}`);
    expect(body).toMatchObject({
      id,
      body: { to: '***', note: 'ask ***', total: 3 },
      headers: { authorization: '***', 'order-id': 'order-1' },
    });
  });

  it('masks by name and by look, down to the leaves, and leaves the rest', () => {
    expect(
      mask({
        list: [{ clientSecret: 's', url: 'https://user:pw@host.example/path?token=1' }],
        text: 'key whsec_abcdefgh for https://host.example/a',
        called: 'at +918012345678, 3+918012345678',
        phone_number: '+918012345678',
        orderId: 'order-1',
        gone: null,
      }),
    ).toEqual({
      list: [{ clientSecret: '***', url: 'https://***@host.example/path?***' }],
      text: 'key *** for https://host.example/a',
      called: 'at ***, 3+918012345678',
      phone_number: '***',
      orderId: 'order-1',
      gone: null,
    });
  });

  it('are replayed one by one in the name of the person and the key', async () => {
    const { call, started } = setUp();
    const body = { reason: 'mended', patch: { url: 'https://new.example' }, actor: 'ada' };
    const answer = await call('POST', `/dead-letters/${id}/replay`, body);
    expect(answer).toMatchObject({ status: 200, body: { status: 'completed', settled: 1 } });
    expect([...started.values()]).toMatchObject([
      {
        act: 'replay',
        actor: 'ada (help-desk)',
        reason: 'mended',
        patch: { url: 'https://new.example' },
        filter: { ids: [id], failedUntilUtc: nowUtc },
      },
    ]);
  });

  it('are not touched without a reason, when taken, unknown or wrongly edited', async () => {
    const { call, started } = setUp();
    expect((await call('POST', `/dead-letters/${id}/replay`, {})).status).toBe(422);
    expect((await call('DELETE', `/dead-letters/${id}`)).status).toBe(422);
    expect((await call('DELETE', '/dead-letters/nothing?reason=r')).status).toBe(404);
    const taken = setUp({ letter: { state: 'replaying', replayId: 'r-1' } });
    expect(await taken.call('POST', `/dead-letters/${id}/replay`, { reason: 'r' })).toMatchObject({
      status: 409,
      body: { code: 'replaying', detail: expect.stringContaining('r-1') as string },
    });
    const edited = setUp({ editRefusal: 'total: expected money' });
    const body = { reason: 'r', patch: { total: 'x' } };
    expect(await edited.call('POST', `/dead-letters/${id}/replay`, body)).toMatchObject({
      status: 422,
      body: { errors: [{ field: '/patch', reason: 'total: expected money' }] },
    });
    expect([started.size, taken.started.size, edited.started.size]).toEqual([0, 0, 0]);
  });

  it('are acted on in numbers only by a choice, until now unless a time is given', async () => {
    const { call, started } = setUp();
    expect((await call('POST', '/dead-letters/replay', { reason: 'r' })).status).toBe(422);
    expect((await call('POST', '/dead-letters/replay', { reason: 'r', ids: ['x'] })).status).toBe(422);
    expect((await call('POST', '/dead-letters/replay', { reason: 'r', all: true })).status).toBe(202);
    const until = '2026-01-01T00:00:00Z';
    const answer = await call('POST', '/dead-letters/discard', { reason: 'r', failedUntil: until });
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted', act: 'discard' } });
    expect([...started.values()].map(({ filter }) => filter)).toEqual([
      { failedUntilUtc: nowUtc },
      { failedUntilUtc: '2026-01-01T00:00:00.000Z' },
    ]);
  });

  it('refuse in a dry run, too, a key that is none', async () => {
    const { call } = setUp();
    const headers = { 'idempotency-key': 'ä' };
    for (const path of ['replay', 'discard']) {
      const body = { reason: 'r', all: true, dryRun: true };
      expect((await call('POST', `/dead-letters/${path}`, body, operatorKey, headers)).status).toBe(400);
    }
  });

  it('say in a dry run what would be done, and do nothing', async () => {
    const { call, started } = setUp({ editRefusal: 'no' });
    const body = { reason: 'r', all: true, dryRun: true, patch: { a: 1 } };
    expect(await call('POST', '/dead-letters/replay', body)).toEqual({
      status: 200,
      body: { dryRun: true, count: 1, refused: [{ id, reason: 'no' }] },
    });
    expect(started.size).toBe(0);
  });

  it('are listed page by page with filters, and refuse others', async () => {
    const next = { ...letter, id: '0'.repeat(32) };
    const { call, asked } = setUp({ reads: { page: async (input) => (asked.push(input), [letter, next]) } });
    const first = await call('GET', '/dead-letters?queue=email-queue&limit=1');
    expect(first.body).toMatchObject({ total: 1, messages: [{ id }], nextCursor: `${nowUtc}_${id}` });
    await call('GET', `/dead-letters?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(asked).toMatchObject([
      { filter: { queue: 'email-queue' }, states: ['open'], limit: 2 },
      { after: { lastFailedAtUtc: nowUtc, id } },
    ]);
    expect((await call('GET', '/dead-letters?cursor=made-up')).status).toBe(400);
    expect((await call('GET', '/dead-letters?colour=red')).status).toBe(422);
  });

  it('tell how far an act is, and stop it', async () => {
    const { call, started, cancelled, workflows } = setUp();
    expect((await call('GET', '/dead-letters/replays/none')).status).toBe(404);
    await call('POST', '/dead-letters/replay', { reason: 'r', all: true });
    const [replayId = ''] = started.keys();
    expect((await call('GET', `/dead-letters/replays/${replayId}`)).body).toMatchObject({ settled: 1 });
    expect((await call('POST', `/dead-letters/replays/${replayId}/cancel`)).status).toBe(202);
    expect(cancelled).toEqual([replayId]);
    workflows.progress = () => Promise.reject(new NoWorker('query', undefined));
    expect((await call('GET', `/dead-letters/replays/${replayId}`)).status).toBe(503);
  });
});

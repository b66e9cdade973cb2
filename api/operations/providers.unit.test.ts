import { beforeEach, describe, expect, it } from 'vitest';
import type { ProviderRecords, ProviderSwitch } from '../../domain/providers.ts';
import type { AuditEntry } from '../../domain/audit.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import { createApp } from '../app.ts';
import {
  fakeDeps,
  fakeStore,
  fakeWorkflows,
  operatorKey,
  send,
  shopKey,
  someOrder,
  viewOf,
} from '../testing/fake-deps.ts';

const circuit = {
  provider: 'carrier',
  process: 'worker-1:17',
  state: 'open',
  sinceUtc: '2026-01-02T03:00:00.000Z',
  reason: 'OutcomeUnknown: 503',
  reportedAtUtc: '2026-01-02T03:04:00.000Z',
} as const;

describe('the providers over HTTP', () => {
  let records: { switches: ProviderSwitch[]; circuits: ProviderRecords['circuits'] };
  let audit: AuditEntry[];
  let reads: number;
  let away: boolean;
  let nowMs: number;
  beforeEach(() => {
    [records, audit, reads, away] = [{ switches: [], circuits: [] }, [], 0, false];
    nowMs = Date.parse('2026-01-02T03:04:05.678Z');
  });

  const tx = {
    providers: {
      async change(wanted: ProviderSwitch) {
        const before = records.switches.find(({ provider }) => provider === wanted.provider);
        if ((before?.state ?? 'running') === wanted.state) return false;
        records.switches = [...records.switches.filter((one) => one !== before), wanted];
        return true;
      },
    },
    audit: { append: async (entry: AuditEntry) => void audit.push(entry) },
  } as unknown as StoreTransaction;
  const app = (changes: Parameters<typeof viewOf>[0] = {}) => {
    const providers = async () => {
      reads += 1;
      if (away) throw new Error('SQL is away');
      return records;
    };
    const store: Pick<Store, 'read' | 'transaction' | 'ping'> = {
      ...fakeStore({ reads: { providers } }).store,
      transaction: (work) => work(tx),
    };
    const { workflows } = fakeWorkflows({ query: async () => viewOf(changes) });
    return createApp(fakeDeps({ store, workflows, clock: { nowUtc: () => new Date(nowMs).toISOString() } }));
  };
  const ask = async (
    api: ReturnType<typeof app>,
    method: string,
    path: string,
    body?: unknown,
    key: string = operatorKey,
  ) => {
    const response = await send(api, method, path, { key, ...(body === undefined ? {} : { body }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('shows the switch of each and the circuits of living workers', async () => {
    records.circuits = [
      circuit,
      { ...circuit, process: 'gone:1', reportedAtUtc: '2026-01-02T03:03:00.000Z' },
    ];
    const { status, body } = await ask(app(), 'GET', '/providers');
    const { provider: _, ...shown } = circuit;
    expect([status, body]).toEqual([
      200,
      {
        providers: [
          { provider: 'payments', status: 'available', circuits: [] },
          { provider: 'carrier', status: 'circuit-open', circuits: [shown] },
        ],
      },
    ]);
  });

  it('says that a key is refused, there and in the readiness', async () => {
    records.circuits = [{ ...circuit, keyRefused: true, reason: 'the secret key is refused' }];
    const { body } = await ask(app(), 'GET', '/providers');
    expect(body).toMatchObject({
      providers: [{}, { provider: 'carrier', status: 'key-refused', circuits: [{ keyRefused: true }] }],
    });
    const { body: ready } = await ask(app(), 'GET', '/readyz');
    expect(ready).toMatchObject({ providers: { carrier: { state: 'key-refused' } } });
  });

  it('pauses and resumes with an audit row each, and tells the second of two operators who was first', async () => {
    const api = app();
    const paused = await ask(api, 'POST', '/providers/carrier/pause', {
      reason: 'maintenance',
      actor: 'grace',
    });
    const actor = 'grace (help-desk)';
    expect(paused).toMatchObject({
      status: 200,
      body: {
        provider: 'carrier',
        status: 'paused',
        switch: { state: 'paused', actor, reason: 'maintenance' },
      },
    });
    const dry = (verb: string) =>
      ask(api, 'POST', `/providers/carrier/${verb}`, { reason: 'w', dryRun: true });
    expect([(await dry('resume')).status, (await dry('pause')).status]).toEqual([200, 409]);
    expect(await ask(api, 'POST', '/providers/carrier/pause', { reason: 'me too' })).toMatchObject({
      status: 409,
      body: {
        code: 'already_paused',
        detail: expect.stringMatching(
          /^carrier is paused already since 2026-.*, by grace \(help-desk\): main/,
        ),
      },
    });
    expect(await ask(api, 'POST', '/providers/payments/resume', { reason: 'why not' })).toMatchObject({
      status: 409,
      body: { detail: 'payments is running already; it was never paused.' },
    });
    expect(await ask(api, 'POST', '/providers/carrier/resume', { reason: 'done' })).toMatchObject({
      status: 200,
      body: { status: 'available', switch: { state: 'running', actor: 'help-desk' } },
    });
    expect(
      audit.map(({ subject, actor: who, from, to, reason }) => [subject, who, from, to, reason]),
    ).toEqual([
      ['provider:carrier', actor, 'running', 'paused', 'maintenance'],
      ['provider:carrier', 'help-desk', 'paused', 'running', 'done'],
    ]);
  });

  it('is for operators, for known providers and with a reason', async () => {
    const api = app();
    const reason = { reason: 'because' };
    expect((await ask(api, 'GET', '/providers', undefined, shopKey)).status).toBe(403);
    expect((await ask(api, 'POST', '/providers/carrier/pause', reason, shopKey)).status).toBe(403);
    expect((await ask(api, 'POST', '/providers/mail/pause', reason)).status).toBe(404);
    expect((await ask(api, 'POST', '/providers/carrier/pause', {})).status).toBe(422);
    away = true;
    expect((await ask(api, 'GET', '/providers')).status).toBe(503);
    expect(audit).toEqual([]);
  });

  const paused: ProviderSwitch = {
    provider: 'carrier',
    state: 'paused',
    actor: 'grace',
    reason: 'maintenance',
    sinceUtc: '2026-01-02T03:00:00.000Z',
  };
  const waitingFor = {
    provider: 'carrier',
    state: 'paused',
    sinceUtc: paused.sinceUtc,
    reason: 'maintenance',
  };
  const order = `/orders/${someOrder}`;

  it('says of an order what its present step waits for, and nothing where it does not', async () => {
    records.switches = [paused];
    const shipping = { step: 'shipping' } as const;
    expect((await ask(app(shipping), 'GET', order)).body).toMatchObject({ waitingFor });
    for (const other of [
      { step: 'payment' },
      { ...shipping, sagaState: 'held' },
      { step: 'inventory' },
    ] as const) {
      expect((await ask(app(other), 'GET', order)).body).not.toHaveProperty('waitingFor');
    }
    records.switches = [];
    const known = {
      ...shipping,
      waitingFor: { ...waitingFor, state: 'paused', provider: 'carrier' },
    } as const;
    expect((await ask(app(known), 'GET', order)).body).not.toHaveProperty('waitingFor');
    away = true;
    expect((await ask(app(known), 'GET', order)).body).toMatchObject({ waitingFor });
  });

  it('shows in the readiness, which does not depend on it, and is read once a second', async () => {
    records.switches = [paused];
    const api = app({ step: 'shipping' });
    const ready = () => ask(api, 'GET', '/readyz');
    const providers = { payments: { state: 'available' }, carrier: { state: 'paused' } };
    expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
    expect((await ready()).body).toHaveProperty('providers', providers);
    for (let call = 0; call < 10; call += 1) await ask(api, 'GET', order);
    expect(reads).toBe(1);
    [away, nowMs] = [true, nowMs + 1_000];
    expect((await ready()).body).toHaveProperty('providers', providers);
    expect(reads).toBe(2);
  });
});

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNdjsonSink } from '../adapters/ndjson/ndjson-sink.ts';
import { connectSmtpMailer } from '../adapters/smtp/smtp-mailer.ts';
import { connectSubscriberStore } from '../adapters/sqlite/subscriber-store.ts';
import { productId } from '../domain/ids.ts';
import { startSandbox } from '../sandbox/server.ts';
import { mayMount, mountSmallDisk, type SmallDisk } from '../test/support/small-disk.ts';
import { connectStore, connectStoreWhenThere } from '../compose/connect-store.ts';
import { createStartup } from '../compose/startup.ts';

let disk: SmallDisk;
const withDisk = () => {
  beforeEach(() => {
    disk = mountSmallDisk(8);
  });
  afterEach(() => disk.remove());
};

/** What a process says that starts on the disk as it is now, until `mend` lets it open the store at `path`. */
async function startThatWaits(path: string, mend: () => void): Promise<unknown[]> {
  const said: unknown[] = [];
  const note = (facts: object, text: string) => void said.push([text, facts]);
  const startup = createStartup({ info: note, warn: note } as never, async () => {
    if (said.length === 1) mend();
    await sleep(10);
  });
  const store = await connectStoreWhenThere({ SQL_URL: `sqlite:${path}` }, {}, startup);
  await store.ping();
  await store.close();
  return said;
}

const waitedForStore = (reason: string) => [
  [
    'not ready: waiting for sql, which SQL_URL names',
    expect.objectContaining({ setting: 'SQL_URL', reason: expect.stringContaining(reason) }),
  ],
  ['sql answers now', { setting: 'SQL_URL' }],
];

describe.runIf(mayMount)('on a disk without room', () => {
  withDisk();

  test('the store refuses writes as unavailable, answers reads, and goes on when there is room', async () => {
    const store = await connectStore({ SQL_URL: `sqlite:${join(disk.folder, 'orders.sqlite')}` });
    const put = (name: string) =>
      store.transaction((tx) =>
        tx.inventory.putProduct({
          productId: productId('p'),
          name,
          price: { amountMinor: 100, currency: 'INR' },
          onHand: 1,
        }),
      );
    await put('before');
    disk.fill();
    await expect(put('x'.repeat(40_000))).rejects.toMatchObject({ type: 'StoreUnavailable' });
    expect((await store.read.products()).map(({ name }) => name)).toEqual(['before']);
    disk.makeRoom();
    await put('after');
    expect((await store.read.products()).map(({ name }) => name)).toEqual(['after']);
    await store.close();
  });

  test('a process that starts waits for room, and says that SQL_URL names the store', async () => {
    disk.fill();
    const said = await startThatWaits(join(disk.folder, 'orders.sqlite'), disk.makeRoom);
    expect(said).toEqual(waitedForStore('free some space'));
  });

  test('a line of analytics that was cut short spoils no later one', async () => {
    const event = (n: number) => ({ body: { eventId: `e-${n}`, text: 'x'.repeat(3_000) } }) as never;
    const sink = createNdjsonSink({
      folder: disk.folder,
      clock: { nowUtc: () => '2026-01-02T00:00:00.000Z' },
    });
    await sink.write([event(1)]);
    disk.fill();
    await expect(sink.write([event(2)])).rejects.toThrow('ENOSPC');
    disk.makeRoom();
    await sink.write([event(2)]);
    const [first, cut, retried, ...others] = readFileSync(
      join(disk.folder, 'events-2026-01-02.ndjson'),
      'utf8',
    ).split('\n');
    expect([first, retried].map((line) => JSON.parse(line ?? '').eventId)).toEqual(['e-1', 'e-2']);
    expect(() => JSON.parse(cut ?? '') as unknown).toThrow('JSON');
    expect(others).toEqual(['']);
  });

  test('the sandbox lives on and answers again when there is room', async () => {
    const target = createServer((_request, response) => void response.end()).listen(0, '127.0.0.1');
    await once(target, 'listening');
    const webhookTarget = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    const sandbox = await startSandbox({
      dataDir: join(disk.folder, 'sandbox'),
      settings: { webhookTarget, webhookEvents: ['*'], webhookMinDelayMs: 500, webhookMaxDelayMs: 500 },
    });
    const intent = () =>
      fetch(`${sandbox.url}/v1/payment_intents`, {
        method: 'POST',
        headers: {
          authorization: 'Bearer sk_test_sandbox',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `amount=100&currency=inr&description=${'x'.repeat(500)}`,
      });
    expect((await intent()).status).toBe(200);
    const sentWhileFull = once(target, 'request');
    disk.fill();
    const answers: number[] = [];
    while (answers.length < 200 && !answers.some((status) => status >= 500)) {
      answers.push((await intent()).status);
    }
    expect(answers.at(-1)).toBeGreaterThanOrEqual(500);
    // What it does by itself: webhooks, and every second its counts.
    await Promise.all([sentWhileFull, sleep(1_200)]);
    const mailer = connectSmtpMailer({ url: `smtp://127.0.0.1:${sandbox.smtpPort}`, from: 'a@example.com' });
    await expect(
      mailer.send({
        to: 'b@example.com',
        subject: 's',
        text: 'x'.repeat(9_000),
        messageId: 'm@example.com',
        html: '',
      }),
    ).resolves.toMatchObject({ status: 'later', reason: expect.stringContaining('452') });
    mailer.close();
    disk.makeRoom();
    expect((await intent()).status).toBe(200);
    await sandbox.close();
    target.close();
  });
});

describe.runIf(mayMount)('on a disk that is read-only', () => {
  withDisk();

  test.each([
    ['its file', 'orders.sqlite', true],
    ['its file, which is new', 'orders.sqlite', false],
    ['its folder, which is new', join('data', 'deep', 'orders.sqlite'), false],
  ])('a process that starts waits until it may write %s', async (_what, name, isThere) => {
    const path = join(disk.folder, name);
    if (isThere) await (await connectStore({ SQL_URL: `sqlite:${path}` })).close();
    disk.readOnly();
    expect(await startThatWaits(path, disk.writable)).toEqual(waitedForStore('cannot be used now'));
  });

  test("a subscriber's store is unavailable, and opened when the disk can be written", async () => {
    const path = join(disk.folder, 'data', 'loyalty.sqlite');
    disk.readOnly();
    const refused = expect.objectContaining({
      type: 'StoreUnavailable',
      message: expect.stringContaining('mount that for writing'),
    });
    expect(() => connectSubscriberStore({ path, schema: '' })).toThrow(refused);
    disk.writable();
    await connectSubscriberStore({ path, schema: '' }).close();
  });

  test('analytics keeps its batch for later', async () => {
    const event = { body: { eventId: 'e-1' } } as never;
    const sink = createNdjsonSink({
      folder: disk.folder,
      clock: { nowUtc: () => '2026-01-02T00:00:00.000Z' },
    });
    disk.readOnly();
    await expect(sink.write([event])).rejects.toThrow('EROFS');
    disk.writable();
    expect(await sink.write([event])).toBe('written');
  });
});

test('the sandbox names the setting of a port that is taken', async () => {
  const sandbox = await startSandbox();
  const port = Number(new URL(sandbox.url).port);
  await expect(startSandbox({ port })).rejects.toThrow(
    `127.0.0.1:${port} (SANDBOX_PORT): another program listens there`,
  );
  await expect(startSandbox({ smtpPort: sandbox.smtpPort })).rejects.toThrow(
    `127.0.0.1:${sandbox.smtpPort} (SANDBOX_SMTP_PORT): another program listens there`,
  );
  await sandbox.close();
});

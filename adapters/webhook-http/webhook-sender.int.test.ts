import { once } from 'node:events';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  cutConnection,
  dripAnswer,
  neverAnswer,
  startScriptedServer,
  type ScriptedServer,
} from '../../test/support/scripted-server.ts';
import { partnerCertificate, partnerKey } from './testing/partner-certificate.ts';
import { connectWebhookSender } from './webhook-sender.ts';

type Options = Parameters<typeof connectWebhookSender>[0];

const senders: { close(): Promise<void> }[] = [];
let server: ScriptedServer;
let port: string;

beforeAll(async () => {
  server = await startScriptedServer();
  port = new URL(server.url).port;
});
afterAll(() => server.close());
afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.close()));
});

function sender(options: Partial<Options> = {}) {
  const made = connectWebhookSender({ allowPrivate: ['127.0.0.1/32'], timeoutMs: 500, ...options });
  senders.push(made);
  return (url: string) =>
    made.post({ url, headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
}

describe('a webhook', () => {
  it('is posted as it is, and the answer comes back with what it asks for', async () => {
    server.answerWith(
      (response) => void response.writeHead(503, { 'retry-after': '7' }).end('later\u0000\u001b'),
    );
    expect(await sender()(`${server.url}/hook?x=1`)).toEqual({
      status: 'answered',
      httpStatus: 503,
      retryAfterMs: 7_000,
      body: 'later  ',
    });
    expect(server.requests).toMatchObject([{ method: 'POST', url: '/hook?x=1', body: '{"a":1}' }]);
  });

  it('reads Retry-After as seconds or a date, and nothing else', async () => {
    const post = sender();
    const asked = async (value: string) => {
      server.answerWith((response) => void response.writeHead(429, { 'retry-after': value }).end());
      const answer = await post(server.url);
      return answer.status === 'answered' ? answer.retryAfterMs : answer;
    };
    expect(await asked(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(55_000);
    expect(await asked('Wed, 21 Oct 2015 07:28:00 GMT')).toBe(0);
    for (const value of ['-1', '1.5', 'soon', '99999999999'])
      expect([value, await asked(value)]).toEqual([value, undefined]);
  });

  it('follows no redirect', async () => {
    server.answerWith((response) => void response.writeHead(307, { location: `${server.url}/else` }).end());
    expect(await sender()(server.url)).toMatchObject({ status: 'answered', httpStatus: 307 });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['never comes', neverAnswer, 'timeout'],
    ['is a broken connection', cutConnection, 'connection'],
  ] as const)('fails when the answer %s', async (_, script, reason) => {
    server.answerWith(script);
    const startedMs = performance.now();
    expect(await sender()(server.url)).toMatchObject({ status: 'failed', reason });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  it('takes the status of an answer whose body never ends', async () => {
    server.answerWith(dripAnswer);
    expect(await sender({ timeoutMs: 5_000 })(server.url)).toMatchObject({
      status: 'answered',
      httpStatus: 200,
    });
  });

  it('fails when nobody listens', async () => {
    const free = createTcpServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port: unused } = free.address() as AddressInfo;
    free.close();
    expect(await sender()(`http://127.0.0.1:${unused}/`)).toMatchObject({ reason: 'connection' });
  });
});

describe('a target', () => {
  const nothingArrives = async (post: Promise<unknown>) => {
    server.answerWith((response) => void response.writeHead(200).end());
    const answer = await post;
    await sleep(20);
    expect(server.requests).toHaveLength(0);
    return answer;
  };

  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '2130706433', '0'])(
    'is refused as %s while configuration allows nothing private',
    async (host) => {
      const post = sender({ allowPrivate: [] })(`https://${host}:${port}/`);
      expect(await nothingArrives(post)).toMatchObject({ status: 'failed', reason: 'target-refused' });
    },
  );

  it.each([
    ['loopback', ['127.0.0.1']],
    ['loopback in IPv6', ['::1']],
    ['mapped loopback', ['::ffff:127.0.0.1']],
    ['cloud metadata', ['169.254.169.254']],
    ['a public and a private address', ['8.8.8.8', '10.0.0.1']],
  ])('is refused when its name leads to %s', async (_, addresses) => {
    const post = sender({ allowPrivate: [], resolve: async () => addresses })(
      `https://partner.test:${port}/`,
    );
    expect(await nothingArrives(post)).toMatchObject({
      reason: 'target-refused',
      error: expect.stringContaining('partner.test leads elsewhere') as string,
    });
  });

  it('is judged by the very answer that is connected to: a name that changes its mind gains nothing', async () => {
    // The server listens on 127.0.0.1 alone; the first answer is allowed, and nobody is there.
    const answers = [['127.0.0.2'], ['127.0.0.1']];
    let asked = 0;
    const resolve = async () => answers[asked++] ?? ['127.0.0.1'];
    const post = sender({ allowPrivate: ['127.0.0.2/32'], resolve });
    expect(await nothingArrives(post(`http://partner.test:${port}/`))).toMatchObject({
      reason: 'connection',
      error: expect.stringContaining('127.0.0.2') as string,
    });
    expect(asked).toBe(1);
    expect(await nothingArrives(post(`http://partner.test:${port}/`))).toMatchObject({
      reason: 'target-refused',
    });
    expect(asked).toBe(2);
  });

  it('is looked up again for every delivery, so that no old connection outlives its judgment', async () => {
    let asked = 0;
    const resolve = async () => [(asked += 1) > 1 ? '10.0.0.1' : '127.0.0.1'];
    server.answerWith((response) => void response.writeHead(200).end());
    const post = sender({ resolve });
    expect(await post(`http://partner.test:${port}/`)).toMatchObject({ httpStatus: 200 });
    expect(await post(`http://partner.test:${port}/`)).toMatchObject({ reason: 'target-refused' });
  });

  it('without an address is told from one that is refused', async () => {
    const resolve = async () =>
      Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    expect(await sender({ resolve })('https://partner.test/')).toMatchObject({ reason: 'name-not-found' });
    const none = sender({ resolve: async () => [] });
    expect(await none('https://partner.test/')).toMatchObject({ reason: 'name-not-found' });
  });

  it('is reached by plain http only where it is allowed privately', async () => {
    const post = sender({ allowPrivate: [], resolve: async () => ['8.8.8.8'] });
    expect(await post('http://partner.test/')).toMatchObject({
      reason: 'target-refused',
      error: expect.stringContaining('plain http') as string,
    });
  });
});

describe('over TLS', () => {
  const tls = createServer({ cert: partnerCertificate, key: partnerKey }, (request, response) => {
    response.writeHead(200).end(request.headers.host);
  });
  let tlsPort = 0;
  beforeAll(async () => {
    await once(tls.listen(0, '127.0.0.1'), 'listening');
    tlsPort = (tls.address() as AddressInfo).port;
  });
  afterAll(() => void tls.close());

  const resolve = async () => ['127.0.0.1'];

  it("the partner's name is what the certificate must hold, though the judged address is connected to", async () => {
    const post = sender({ resolve, ca: partnerCertificate });
    expect(await post(`https://partner.test:${tlsPort}/`)).toMatchObject({
      httpStatus: 200,
      body: `partner.test:${tlsPort}`,
    });
    expect(await post(`https://another.test:${tlsPort}/`)).toMatchObject({ reason: 'certificate' });
  });

  it('a certificate that nobody vouches for is refused', async () => {
    expect(await sender({ resolve })(`https://partner.test:${tlsPort}/`)).toMatchObject({
      reason: 'certificate',
    });
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { preflight, refusedKeys, wrongKeys } from './preflight.ts';

const real = {
  STRIPE_SECRET_KEY: 'sk_test_51abc',
  STRIPE_WEBHOOK_SECRET: 'whsec_abc',
  EASYPOST_API_KEY: 'EZTKabc',
};

describe('the keys themselves', () => {
  it.each([{}, real, { ...real, STRIPE_SECRET_KEY: 'rk_test_51abc' }])('may be right: %j', (env) => {
    expect(wrongKeys(loadConfig(env))).toEqual([]);
  });

  it.each([
    [{ STRIPE_SECRET_KEY: 'pk_test_51abc' }, 'publishable key'],
    [{ STRIPE_SECRET_KEY: 'EZTKabc' }, 'no secret key of Stripe'],
    [{ STRIPE_WEBHOOK_SECRET: 'we_1abc' }, 'no signing secret'],
    [{ STRIPE_WEBHOOK_SECRET: '' }, "the sandbox's"],
    [{ STRIPE_SECRET_KEY: 'sk_live_51abc' }, 'customers would pay for labels that do not ship'],
    [{ EASYPOST_API_KEY: 'EZAKabc' }, 'labels would cost money that nobody pays'],
  ])('are wrong: %j', (change, words) => {
    const problems = wrongKeys(loadConfig({ ...real, ...change }));
    expect(problems).toEqual([expect.stringContaining(words)]);
    expect(problems.join()).not.toMatch(/51abc|EZ[AT]Kabc/);
  });
});

describe('a provider', () => {
  let server: Server;
  let base: string;
  const good = [`Bearer ${real.STRIPE_SECRET_KEY}`, `Basic ${Buffer.from('EZTKabc:').toString('base64')}`];
  beforeAll(async () => {
    server = createServer((request, response) => {
      response.statusCode = good.includes(request.headers.authorization ?? '') ? 403 : 401;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const at = (env: object) => loadConfig({ STRIPE_API_BASE: base, EASYPOST_API_BASE: base, ...env });

  it('that takes its key, or lets it not ask this, is fine', async () => {
    expect(await refusedKeys(at(real))).toEqual([]);
  });

  it('that refuses its key is said with what that means', async () => {
    const said: string[] = [];
    const logger = { error: (_: object, text: string) => said.push(text) };
    await preflight(
      at({ ...real, STRIPE_SECRET_KEY: 'sk_test_other', EASYPOST_API_KEY: 'EZTKother' }),
      logger as never,
    );
    expect(said).toEqual([
      expect.stringContaining('orders will wait at the payment'),
      expect.stringContaining('wait at the label'),
    ]);
  });

  it('that does not answer, or is the sandbox, says nothing of its key', async () => {
    expect(await refusedKeys(at({}))).toEqual([]);
    const away = { STRIPE_API_BASE: 'http://127.0.0.1:1', EASYPOST_API_BASE: 'http://127.0.0.1:1' };
    expect(await refusedKeys(loadConfig({ ...real, ...away }))).toEqual([]);
  });
});

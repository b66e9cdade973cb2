import { describe, expect, test } from 'vitest';
import { applicationEnvironment } from './application-environment.ts';

const input = {
  ports: { api: 3000, worker: 1, relay: 2, sandbox: 3, smtp: 4 },
  dataFolder: '/data',
  customerHashKey: 'hash-key',
  webhookSecretKey: 'webhook-key',
  temporal: { address: '127.0.0.1:7000', namespace: 'default', isPrivate: true },
  redisUrl: 'redis://127.0.0.1:6000',
  amqpUrl: 'amqp://127.0.0.1:5000',
  rabbitmqManagementUrl: 'http://127.0.0.1:5001',
};

describe('the environment of the four processes', () => {
  test('points at the private servers and at the sandbox when nothing is set', () => {
    expect(applicationEnvironment({ ...input, user: { PATH: '/bin' } })).toMatchObject({
      PATH: '/bin',
      API_PORT: '3000',
      SQL_URL: 'sqlite:/data/order-saga.sqlite',
      TEMPORAL_ADDRESS: '127.0.0.1:7000',
      REDIS_URL: 'redis://127.0.0.1:6000',
      SMTP_URL: 'smtp://127.0.0.1:4',
      STRIPE_API_BASE: 'http://127.0.0.1:3',
      EASYPOST_API_BASE: 'http://127.0.0.1:3',
      SANDBOX_WEBHOOK_TARGET: 'http://127.0.0.1:3000/webhooks/stripe',
      CUSTOMER_HASH_KEY: 'hash-key',
    });
  });

  test('talks to the real Stripe as soon as a key is set, and to EasyPost still in the sandbox', () => {
    const environment = applicationEnvironment({ ...input, user: { STRIPE_SECRET_KEY: 'sk_live' } });
    expect(environment['STRIPE_SECRET_KEY']).toBe('sk_live');
    expect(environment).not.toHaveProperty('STRIPE_API_BASE');
    expect(environment['EASYPOST_API_BASE']).toBe('http://127.0.0.1:3');
  });

  test('finds the orders of the kept key when the person sets another, unless they name the former ones', () => {
    const user = { CUSTOMER_HASH_KEY: 'a key of their own' };
    expect(applicationEnvironment({ ...input, user })['CUSTOMER_HASH_FORMER_KEYS']).toBe('hash-key');
    const named = { ...user, CUSTOMER_HASH_FORMER_KEYS: 'one,two' };
    expect(applicationEnvironment({ ...input, user: named })['CUSTOMER_HASH_FORMER_KEYS']).toBe('one,two');
    const none = applicationEnvironment({ ...input, user: {} });
    expect(none).not.toHaveProperty('CUSTOMER_HASH_FORMER_KEYS');
  });

  test('lets what the person has set win, and takes an empty variable as not set', () => {
    const user = { SQL_URL: 'sqlite:/mine', SMTP_URL: 'smtp://mail', MAIL_FROM: '', STRIPE_SECRET_KEY: '' };
    const environment = applicationEnvironment({ ...input, user });
    expect(environment).toMatchObject({
      SQL_URL: 'sqlite:/mine',
      SMTP_URL: 'smtp://mail',
      STRIPE_API_BASE: 'http://127.0.0.1:3',
    });
    expect(environment['MAIL_FROM']).toContain('orders@');
  });

  test('keeps the settings of a configured Temporal, and none of them for a private one', () => {
    const user = { TEMPORAL_ADDRESS: 'cloud:7233', TEMPORAL_API_KEY: 'secret', TEMPORAL_NAMESPACE: 'shop' };
    const cloud = {
      ...input,
      user,
      temporal: { address: 'cloud:7233', namespace: 'shop', isPrivate: false },
    };
    expect(applicationEnvironment(cloud)).toMatchObject(user);
    const privately = applicationEnvironment({ ...input, user });
    expect(privately).not.toHaveProperty('TEMPORAL_API_KEY');
    expect(privately).toMatchObject({ TEMPORAL_ADDRESS: '127.0.0.1:7000', TEMPORAL_NAMESPACE: 'default' });
  });
});

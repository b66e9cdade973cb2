import { describe, expect, test } from 'vitest';
import { addressesOf, addressTable, exampleCurl } from './addresses.ts';

const stopped = { version: '1', source: 'path' as const, stop: async () => {} };
const services = {
  temporal: {
    ...stopped,
    name: 'Temporal',
    addresses: {
      address: '127.0.0.1:7000',
      namespace: 'default',
      uiUrl: 'http://127.0.0.1:7001',
      metricsUrl: 'http://127.0.0.1:7002/metrics',
      cli: '',
    },
  },
  rabbitmq: {
    ...stopped,
    name: 'RabbitMQ',
    addresses: {
      url: 'amqp://guest:guest@127.0.0.1:5000',
      managementUrl: 'http://guest:secret@127.0.0.1:5001',
      metricsUrl: 'http://127.0.0.1:5002/metrics',
    },
  },
  redis: { ...stopped, name: 'Redis', addresses: { url: 'redis://127.0.0.1:6000' } },
};
const ports = { api: 3001, worker: 4001, relay: 4002, sandbox: 4003, smtp: 4004 };
const addressesWith = (sqlUrl: string) =>
  addressesOf({ ports, services, sqlUrl, prometheusUrl: '', alertmanagerUrl: '' });
const addresses = addressesWith('sqlite:/data/x.sqlite');

describe('the addresses of a start', () => {
  test('have the API under the key that others read', () => {
    expect(addresses).toMatchObject({
      api: 'http://127.0.0.1:3001',
      docs: 'http://127.0.0.1:3001/docs',
      temporal: '127.0.0.1:7000',
      rabbitmq: 'amqp://guest:guest@127.0.0.1:5000',
      inbox: 'http://127.0.0.1:4003/inbox',
      sql: 'sqlite:/data/x.sqlite',
      metrics: { worker: 'http://127.0.0.1:4001/metrics', temporal: 'http://127.0.0.1:7002/metrics' },
    });
  });

  test('are shown as one aligned table without what is not there', () => {
    const lines = addressTable(addresses).split('\n');
    expect(lines).toContain('  API                  http://127.0.0.1:3001');
    expect(lines).toContain('  Temporal Web UI      http://127.0.0.1:7001');
    for (const address of ['127.0.0.1:7000', 'amqp://guest:guest@127.0.0.1:5000', 'redis://127.0.0.1:6000']) {
      expect(lines.join('\n')).toContain(`  ${address}`);
    }
    expect(lines.join('\n')).toContain(`/workflows?query=OrderStatus%20%3D%20'failed'`);
    expect(lines.join('\n')).not.toContain('Prometheus');
  });

  test('have the sandbox’s mail server, which takes the mails', () => {
    expect(addresses.smtp).toBe('smtp://127.0.0.1:4004');
    expect(addressTable(addresses)).toMatch(/^ {2}Sandbox SMTP +smtp:\/\/127\.0\.0\.1:4004$/m);
  });

  test.each([
    ['mssql://shop:hush@db.example/shop', 'mssql://db.example:1433/shop'],
    ['sqlserver://shop:hush@db.example:1444/shop?encrypt=strict', 'mssql://db.example:1444/shop'],
    ['Server=tcp:db.example,1444;Database=shop;User Id=app;Password=hush', 'mssql://db.example:1444/shop'],
    ['Server=db.example\\sales;Database=shop;Uid=app;Pwd="hu;sh"', 'mssql://db.example\\sales/shop'],
    ['sqlite:/data/x.sqlite', 'sqlite:/data/x.sqlite'],
  ])('show the store of %s without who enters it', (sql, shown) => {
    const found = addressesWith(sql);
    expect(JSON.stringify(found)).not.toContain('hush');
    const lines = addressTable(found).split('\n');
    expect(lines.find((line) => /^ {2}Store /.test(line))?.replace(/^ {2}Store +/, '')).toBe(shown);
  });

  test('keep the passwords of configured servers to themselves', () => {
    const configured = {
      ...addresses,
      redis: 'rediss://default:hush@cache:6380',
      rabbitmq: 'amqps://shop:hush@mq',
      temporalUi: 'https://ops:hush@temporal',
      prometheus: 'https://ops:hush@prometheus',
      alertmanager: 'https://ops:hush@alertmanager',
      metrics: { ...addresses.metrics, rabbitmq: 'https://ops:hush@mq/metrics' },
    };
    expect(addressTable(configured)).toContain('rediss://default:…@cache:6380');
    expect(addressTable(configured)).not.toContain('hush');
  });

  test('show user and password beside the address, where browsers want them', () => {
    expect(addressTable(addresses)).toContain('http://127.0.0.1:5001  (guest / secret)');
  });
});

describe('the example checkout', () => {
  const input = { api: addresses.api, productId: 'desk-mat', idempotencyKey: 'example-1' };

  test('is a body that the API takes', () => {
    const body = /-d '(.*)'$/.exec(exampleCurl(input))?.[1] ?? '';
    expect(JSON.parse(body)).toMatchObject({
      items: [{ productId: 'desk-mat', quantity: 1 }],
      paymentMethodId: 'pm_card_visa',
      shippingAddress: { country: 'IN' },
    });
  });

  test('carries a key only where callers are configured', () => {
    expect(exampleCurl(input)).not.toContain('Authorization');
    expect(exampleCurl({ ...input, apiKey: 'k' })).toContain(`-H 'Authorization: Bearer k'`);
  });
});

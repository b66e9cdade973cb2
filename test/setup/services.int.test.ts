import { connect } from 'amqplib';
import { Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { searchAttributeTypes } from '../../infra/dependencies/temporal-settings.ts';
import { retentionDays } from '../../infra/dependencies/temporal-namespace.ts';
import { createVhost, type Vhost } from './isolation.ts';

describe('the servers of a test run', () => {
  let vhost: Vhost;
  beforeAll(async () => {
    vhost = await createVhost();
  });
  afterAll(() => vhost.remove());

  test('Temporal has the search attributes and keeps closed runs for 7 days', async () => {
    const connection = await Connection.connect({ address: inject('temporalAddress') });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(customAttributes ?? {})).toEqual(
      expect.arrayContaining(Object.keys(searchAttributeTypes)),
    );
    expect(await retentionDays(connection, 'default')).toBe(7);
    await connection.close();
  });

  test('a suite gets an empty RabbitMQ vhost of its own', async () => {
    const connection = await connect(vhost.amqpUrl);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('only-here');
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
    await connection.close();
  });

  test('Redis answers', async () => {
    const redis = new Redis(inject('redisUrl'));
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  });
});

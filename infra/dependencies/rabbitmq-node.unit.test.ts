import { expect, test } from 'vitest';
import { rabbitmqConfig, rabbitmqEnvironment } from './rabbitmq-node.ts';

const ports = { amqp: 1, management: 2, metrics: 3, distribution: 4, epmd: 5 };

test('a private broker listens on loopback only', () => {
  const listeners = rabbitmqConfig(ports).match(/^(listeners|management|prometheus)\.tcp.*$/gm);
  expect(listeners).toEqual([
    'listeners.tcp.1 = 127.0.0.1:1',
    'management.tcp.ip = 127.0.0.1',
    'management.tcp.port = 2',
    'prometheus.tcp.ip = 127.0.0.1',
    'prometheus.tcp.port = 3',
  ]);
});

test('a private broker takes nothing from the person but PATH and language', () => {
  const env = {
    PATH: '/bin',
    HOME: '/home/ada',
    RABBITMQ_NODENAME: 'rabbit',
    RABBITMQ_CONFIG_FILE: '/etc/x',
    LANG: 'C',
  };
  const node = rabbitmqEnvironment({
    env,
    folder: '/data',
    pidFile: '/data/pid',
    ports,
    nodeName: 'order-saga@localhost',
  });
  expect(node).toMatchObject({
    PATH: '/bin',
    HOME: '/data',
    RABBITMQ_NODENAME: 'order-saga@localhost',
    ERL_EPMD_PORT: '5',
  });
  expect(Object.values(node).join(' ')).not.toMatch(/home\/ada|etc\/x/);
});

import { buildProgress } from './temporal-cli.ts';
import { expect, test } from 'vitest';
import { devServerArguments, searchAttributeTypes } from './temporal-settings.ts';

const commandLine = devServerArguments({
  databaseFile: '/data/t.sqlite',
  port: 1,
  uiPort: 2,
  metricsPort: 3,
}).join(' ');

test('the dev server keeps every commit in its file database', () => {
  expect(commandLine).toContain('--db-filename /data/t.sqlite');
  expect(commandLine).toContain('--sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=full');
});

test('the dev server knows the search attributes of an order from its first start', () => {
  expect(Object.keys(searchAttributeTypes)).toEqual([
    'OrderStatus',
    'SagaState',
    'ParkedStep',
    'FailureType',
    'CustomerHash',
    'CallerId',
  ]);
  for (const name of Object.keys(searchAttributeTypes)) {
    expect(commandLine).toContain(`--search-attribute ${name}=Keyword`);
  }
});

test('timers below a second are possible', () => {
  expect(commandLine).toContain('--dynamic-config-value history.timerProcessorMaxTimeShift="10ms"');
});

test('a build says how far it is', () => {
  expect(buildProgress([])).toBe('0 modules fetched, nothing compiled yet');
  const fetching = ['go: downloading go.temporal.io/api v1.53.0', 'go: downloading github.com/x/y v1.0.0'];
  expect(buildProgress(fetching)).toBe('2 modules fetched, nothing compiled yet');
  const compiling = [
    ...fetching,
    'internal/abi',
    'errors',
    'modernc.org/sqlite/lib',
    'golang.org/x/net/http2',
  ];
  expect(buildProgress(compiling)).toBe(
    '4 of at most 1298 packages compiled, golang.org/x/net/http2 was the last',
  );
});

import { expect, it } from 'vitest';
import { outboxPartitionOf } from './outbox-partition.ts';

it('gives ids the partitions that are stored with earlier messages', () => {
  const ids = [
    '',
    'a',
    'order-1',
    '7d444840-9dc0-11d1-b245-5ffdce74fad2',
    '2c1743a3-91e6-5b0c-9f3c-0a6f2a3b4c5d',
  ];
  expect(ids.map(outboxPartitionOf)).toEqual([5, 12, 13, 13, 10]);
});

it('spreads ids over all 16 partitions', () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let index = 0; index < 16_000; index += 1) {
    const partition = outboxPartitionOf(`00000000-0000-5000-8000-${String(index).padStart(12, '0')}`);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(700);
});

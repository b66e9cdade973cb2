import { expect, test } from 'vitest';
import { createStartup } from './startup.ts';

function lines() {
  const said: string[] = [];
  const note = (facts: object, text: string) => void said.push(`${text} ${JSON.stringify(facts)}`);
  return { said, logger: { info: note, warn: note } as unknown as Parameters<typeof createStartup>[0] };
}

test('what is away is waited for, said once by the setting that names it, and named by the readiness check', async () => {
  const { said, logger } = lines();
  const startup = createStartup(logger, async () => {});
  expect(() => startup.notYet('temporal')).toThrow('starting');
  const seen: unknown[] = [];
  let tries = 0;
  const connected = await startup.until({
    check: 'temporal',
    setting: 'TEMPORAL_ADDRESS',
    async connect() {
      tries += 1;
      if (tries > 1) seen.push(reasonOf(() => startup.notYet('temporal')));
      if (tries < 4) throw new Error('nobody at 10.0.0.1:7233');
      return 'a connection';
    },
  });
  expect(connected).toBe('a connection');
  expect(seen).toEqual(Array(3).fill('nobody at 10.0.0.1:7233'));
  expect(said).toEqual([
    'not ready: waiting for temporal, which TEMPORAL_ADDRESS names {"setting":"TEMPORAL_ADDRESS","reason":"nobody at 10.0.0.1:7233"}',
    'temporal answers now {"setting":"TEMPORAL_ADDRESS"}',
  ]);
});

test('what waiting cannot mend ends the start', async () => {
  const { logger } = lines();
  const startup = createStartup(logger, async () => {});
  const start = startup.until({
    check: 'sql',
    setting: 'SQL_URL',
    connect: () => Promise.reject(new Error('schema version 99')),
    isAway: () => false,
  });
  await expect(start).rejects.toThrow('schema version 99');
});

test('pauses grow to five seconds', async () => {
  const { logger } = lines();
  const pauses: number[] = [];
  const startup = createStartup(logger, async (ms) => void pauses.push(ms));
  await startup.until({
    check: 'sql',
    setting: 'SQL_URL',
    connect: async () => {
      if (pauses.length < 7) throw new Error('locked');
    },
  });
  expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

function reasonOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

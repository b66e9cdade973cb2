import { appendFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { AnalyticsSink } from '../../ports/analytics.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * Newline-delimited JSON, one event a line, in `events-<day>.ndjson` of a folder that is made when it is missing; by
 * the day of writing, UTC. A file that has grown to `maximumBytes` (default 64 MiB) is followed by
 * `events-<day>.2.ndjson` and so on. Several processes may append to one file: a batch is one write.
 */
export function createNdjsonSink(input: {
  folder: string;
  clock: Clock;
  maximumBytes?: number;
}): AnalyticsSink {
  const { folder, clock, maximumBytes = 64 * MEBIBYTE } = input;
  const newest = { day: '', number: 1 };

  async function nextFile(): Promise<string> {
    const day = clock.nowUtc().slice(0, 10);
    if (day !== newest.day) Object.assign(newest, { day, number: 1 });
    await mkdir(folder, { recursive: true });
    for (;;) {
      const file = join(folder, fileName(day, newest.number));
      if ((await sizeOf(file)) < maximumBytes) return file;
      newest.number += 1;
    }
  }

  return {
    async write(batch) {
      await appendFile(await nextFile(), batch.map(({ body }) => `${JSON.stringify(body)}\n`).join(''));
      return 'written';
    },
  };
}

const fileName = (day: string, number: number): string =>
  number === 1 ? `events-${day}.ndjson` : `events-${day}.${number}.ndjson`;

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return 0;
    throw error;
  }
}

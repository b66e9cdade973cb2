import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { AnalyticsSink } from '../../ports/analytics.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * Newline-delimited JSON, one event a line, in `events-<day>.ndjson` of a folder that is made when it is missing; by
 * the day of writing, UTC. A file that has grown to `maximumBytes` (default 64 MiB) is followed by
 * `events-<day>.2.ndjson` and so on. Several processes may append to one file: a batch is one write.
 *
 * A full disk or a kill can cut a write short: the cut line stays, the next write begins a new one, and the batch's
 * whole lines come again when it is retried (same `eventId`). A reader passes over empty lines and what is no JSON.
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
      const lines = batch.map(({ body }) => `${JSON.stringify(body)}\n`).join('');
      const file = await open(await nextFile(), 'a+');
      try {
        await file.appendFile((await endsMidLine(file)) ? `\n${lines}` : lines);
      } finally {
        await file.close();
      }
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

async function endsMidLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

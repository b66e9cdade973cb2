import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mayMount, mountSmallDisk, type SmallDisk } from '../test/support/small-disk.ts';
import { alertmanagerCandidates } from './dependencies/alertmanager.ts';
import type { LaunchContext } from './dependencies/dependency.ts';
import { placeFiles } from './dependencies/place-files.ts';
import { prometheusCandidates } from './dependencies/prometheus.ts';
import { rabbitmqCandidates } from './dependencies/rabbitmq.ts';
import { redisCandidates } from './dependencies/redis.ts';
import { temporalCandidates } from './dependencies/temporal.ts';
import { keptKey } from './kept-key.ts';
import { openLogFile } from './log-file.ts';
import { createPortBook, freePort } from './ports.ts';
import { startProcess } from './processes.ts';
import { untilDone } from './until-done.ts';
import { replaceFile } from './whole-file.ts';

/* What the launcher writes, on a disk that fills up or becomes read-only while it runs. */
describe.runIf(mayMount)('the launcher', () => {
  let disk: SmallDisk;
  let said: string[];
  const say = (line: string) => void said.push(line);
  beforeEach(() => {
    disk = mountSmallDisk(2);
    said = [];
  });
  afterEach(() => disk.remove());

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await sleep(10);
  }

  test.each([
    ['is full', () => disk.fill(), () => disk.makeRoom(), 'ENOSPC'],
    ['is read-only', () => disk.readOnly(), () => disk.writable(), 'EROFS'],
  ])("places a server's files when the disk no longer %s", async (_what, spoil, mend, reason) => {
    const folder = join(disk.folder, 'server');
    await placeFiles({ say }, folder, { 'server.conf': 'old', plugins: 'p' });
    spoil();
    await expect(placeFiles({ say }, folder, { 'server.conf': 'new' })).rejects.toThrow(reason);
    expect(said).toEqual([]);
    const sayAndMend = (line: string) => {
      if (said.push(line) === 1) mend();
    };
    await placeFiles({ say: sayAndMend, isOver: () => false }, folder, { 'server.conf': 'new' });
    expect(said).toEqual([
      expect.stringMatching(new RegExp(`${folder} cannot be written, trying again: ${reason}`)),
      `${folder}: written now`,
    ]);
    expect(readFileSync(join(folder, 'server.conf'), 'utf8')).toBe('new');
    expect(readdirSync(folder).toSorted()).toEqual(['plugins', 'server.conf']);
  });

  test('waits for a disk that is read-only with each server, and looks for no other program', async () => {
    const metrics = { api: '', worker: '', relay: '', sandbox: '', rabbitmq: '', temporal: '' };
    const servers = {
      temporal: temporalCandidates,
      'rabbitmq-server': rabbitmqCandidates,
      'redis-server': redisCandidates,
      prometheus: (context: LaunchContext) => prometheusCandidates(context, { metrics }),
      alertmanager: alertmanagerCandidates,
    };
    const bin = join(disk.folder, 'bin');
    mkdirSync(bin);
    for (const program of Object.keys(servers)) {
      // Found, and asked for its version, but never run: the start is given up while it waits.
      writeFileSync(join(bin, program), '#!/bin/sh\necho Server 99.0.0\n');
      chmodSync(join(bin, program), 0o755);
    }
    disk.readOnly();
    const waited = Object.entries(servers).map(async ([program, candidates]) => {
      const waitings: string[] = [];
      const context: LaunchContext = {
        env: { PATH: `${bin}:${process.env['PATH']}` },
        folder: disk.folder,
        keepsData: false,
        takePort: () => freePort(),
        say: (line) => void waitings.push(line),
        useConfigured: false,
        isOver: () => waitings.length > 0,
        installWithSudo: false,
      };
      const onPath = candidates(context).find(({ source }) => source === 'path');
      // Each ends before anything is expected: the disk stays under those that still wait, and nothing stays running.
      const end = await onPath?.start().then(
        ({ stop }) => stop().then(() => 'started'),
        (error: NodeJS.ErrnoException) => error.code,
      );
      return [program, waitings, end];
    });
    const waiting = [expect.stringContaining('cannot be written, trying again: EROFS')];
    expect(await Promise.all(waited)).toEqual(
      Object.keys(servers).map((program) => [program, waiting, 'EROFS']),
    );
  });

  test('on a read-only disk loses lines of a log, says so once, and writes it again', async () => {
    const file = join(disk.folder, 'api.log');
    let now = 0;
    disk.readOnly();
    const log = openLogFile({ file, say, now: () => now });
    log.write('one');
    await until(() => said.length > 0);
    log.write('two');
    expect(said).toEqual([expect.stringMatching(/api\.log cannot be written.*EROFS/)]);
    disk.writable();
    now += 5_000;
    log.write('three');
    await until(() => said.length > 1);
    expect(said[1]).toContain('is written again; 2 lines are missing in it');
    expect(readFileSync(file, 'utf8')).toBe('three\n');
  });

  test('on a read-only disk leaves the old file, whole', () => {
    const file = join(disk.folder, 'addresses.json');
    replaceFile(file, 'old');
    disk.readOnly();
    expect(() => replaceFile(file, 'new')).toThrow('EROFS');
    expect(readFileSync(file, 'utf8')).toBe('old');
    disk.writable();
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(disk.folder)).toEqual(['addresses.json']);
  });

  test('takes addresses that a read-only disk cannot keep, and says so once', async () => {
    disk.readOnly();
    const take = createPortBook(join(disk.folder, 'ports.json'), async () => true, say);
    expect(await take('a')).not.toBe(await take('b'));
    expect(said).toEqual([expect.stringContaining('Addresses will be others after the next start')]);
  });

  test('waits to make a key until the disk can be written, and makes one', async () => {
    const data = join(disk.folder, 'runtime', 'data');
    disk.readOnly();
    const key = await untilDone({
      what: 'The keys',
      act: () => keptKey(data, 'customer-hash-key'),
      say,
      isOver: () => false,
      pause: async () => disk.writable(),
    });
    expect(said).toEqual([expect.stringContaining('EROFS'), 'The keys: written now']);
    expect(readFileSync(join(data, 'customer-hash-key'), 'utf8')).toBe(`${key}\n`);
  });

  test('runs a server whose log and note a read-only disk cannot take, and stops it', async () => {
    const options = { output: { file: join(disk.folder, 'server.log') }, pidFolder: disk.folder };
    disk.readOnly();
    const server = await startProcess({ name: 'server', command: 'sleep', args: ['60'], ...options });
    expect(server.hasExited()).toBe(false);
    await server.stop();
  });
});

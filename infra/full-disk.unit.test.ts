import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogFollower } from './log-follower.ts';
import { openLogFile } from './log-file.ts';
import { createPortBook } from './ports.ts';
import { startProcess } from './processes.ts';
import { untilDone } from './until-done.ts';
import { createFile, replaceFile } from './whole-file.ts';

/* What the launcher writes, on disks that are full (/dev/full), not there (a file where a folder should be) or slow (a pipe that nobody reads). */
const isLinux = process.platform === 'linux';
let folder: string;
let said: string[];
let say: (line: string) => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-full-'));
  const heard: string[] = [];
  said = heard;
  say = (line) => void heard.push(line);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

describe('a log', () => {
  test.runIf(isLinux)(
    'on a full disk loses lines, says so once, and is written again when there is room',
    async () => {
      const file = join(folder, 'api.log');
      symlinkSync('/dev/full', file);
      let now = 0;
      const log = openLogFile({ file, say, now: () => now });
      log.write('one');
      await until(() => said.length > 0);
      log.write('two');
      expect(said).toEqual([expect.stringMatching(/api\.log cannot be written.*ENOSPC/)]);
      rmSync(file);
      now += 5_000;
      log.write('three');
      await until(() => said.length > 1);
      expect(said[1]).toContain('is written again; 2 lines are missing in it');
      expect(readFileSync(file, 'utf8')).toBe('three\n');
    },
  );

  test('in a folder that is none loses lines and nothing else; the terminal still has them', async () => {
    writeFileSync(join(folder, 'logs'), 'a file');
    const printed: string[] = [];
    const logs = createLogFollower({
      folder: join(folder, 'logs'),
      print: (text) => void printed.push(text),
      colors: false,
    });
    const follow = logs.follow({ name: 'api', color: 36 });
    follow('a line');
    await until(() => printed.length > 1);
    expect(printed.join('')).toMatch(/api {6}a line\n.*cannot be written/);
  });

  test.runIf(isLinux)('on a slow disk does not fill the memory', async () => {
    const file = join(folder, 'pipe.log');
    // Opened for reading and never read: writes wait once the pipe is full.
    const reader = execFileSync(
      'sh',
      ['-c', `mkfifo ${file}; sleep 5 <> ${file} >/dev/null 2>&1 & echo $!`],
      {
        encoding: 'utf8',
      },
    );
    const log = openLogFile({ file, say, mostWaitingBytes: 200_000 });
    for (let line = 0; line < 10_000; line += 1) {
      log.write('x'.repeat(1_000));
      if (line % 100 === 0) await sleep(0);
    }
    process.kill(Number(reader), 'SIGKILL');
    expect(said).toEqual([`${file}: the disk is too slow, lines are left out`]);
  });
});

test.runIf(isLinux)('a server whose log or note cannot be written runs without', async () => {
  writeFileSync(join(folder, 'logs'), 'a file');
  const server = await startProcess({
    name: 'server',
    command: 'sleep',
    args: ['60'],
    output: { file: join(folder, 'logs', 'server.log') },
    pidFolder: join(folder, 'logs', 'processes'),
  });
  expect(server.hasExited()).toBe(false);
  await server.stop();
});

test('addresses that cannot be kept are taken all the same, which is said once', async () => {
  writeFileSync(join(folder, 'data'), 'a file');
  const take = createPortBook(join(folder, 'data', 'ports.json'), async () => true, say);
  expect(await take('a')).not.toBe(await take('b'));
  expect(said).toEqual([expect.stringContaining('Addresses will be others after the next start')]);
});

describe('a file is there whole or not at all', () => {
  test.runIf(isLinux)('also when the disk is full: the old one stays', () => {
    const file = join(folder, 'addresses.json');
    replaceFile(file, 'old');
    symlinkSync('/dev/full', `${file}.${process.pid}.unfinished`);
    expect(() => replaceFile(file, 'new')).toThrow('ENOSPC');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['addresses.json']);
    replaceFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  test('a key that is there is never written over', () => {
    const file = join(folder, 'key');
    expect([createFile(file, 'first'), createFile(file, 'second')]).toEqual([true, false]);
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['key']);
  });
});

describe('what needs the disk', () => {
  test('waits for it, says so once, and goes on', async () => {
    const inTheWay = join(folder, 'data');
    writeFileSync(inTheWay, 'a file');
    let pauses = 0;
    await untilDone({
      what: inTheWay,
      act: () => mkdirSync(join(inTheWay, 'logs'), { recursive: true }),
      say,
      isOver: () => false,
      async pause() {
        pauses += 1;
        if (pauses === 3) rmSync(inTheWay);
      },
    });
    expect(pauses).toBe(3);
    expect(existsSync(join(inTheWay, 'logs'))).toBe(true);
    expect(said).toEqual([
      expect.stringContaining(`${inTheWay} cannot be written, trying again: ENOTDIR`),
      `${inTheWay}: written now`,
    ]);
  });

  test('is no excuse for other errors', async () => {
    const act = () => {
      throw new Error('no key');
    };
    await expect(untilDone({ what: 'x', act, say, isOver: () => false })).rejects.toThrow('no key');
  });
});

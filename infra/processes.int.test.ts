import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processIdentity, stopLeftovers } from './leftovers.ts';
import { startProcess } from './processes.ts';

/** A launcher of its own process that starts a shell with a grandchild and says both process ids, then waits. */
function launcherScript(pidFolder: string): string {
  return `
    import { startProcess } from ${JSON.stringify(join(import.meta.dirname, 'processes.ts'))};
    await startProcess({
      name: 'server', command: 'sh', args: ['-c', 'sleep 600 & echo $$ $!; wait'], pidFolder: ${JSON.stringify(pidFolder)},
      output: { onLine: (line) => console.log(line) },
    });`;
}

const isAlive = (pid: number) => processIdentity(pid) !== undefined;

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await sleep(20);
}

describe('the children of a launcher', () => {
  let folder: string;
  let launcher: ChildProcess;
  let children: number[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-processes-'));
    const script = join(folder, 'launcher.ts');
    writeFileSync(script, launcherScript(folder));
    launcher = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<Buffer>((resolve) => launcher.stdout?.once('data', resolve));
    children = line.toString().trim().split(' ').map(Number);
  });
  afterEach(async () => {
    launcher.kill('SIGKILL');
    await untilGone(children);
    rmSync(folder, { recursive: true });
  });

  test('end with it when it is killed with SIGKILL, grandchildren included', async () => {
    expect(children.map(isAlive)).toEqual([true, true]);
    launcher.kill('SIGKILL');
    await untilGone(children);
  });

  test('are found and stopped by a later start when its reaper was killed as well', async () => {
    const reaper = reaperOf(launcher.pid ?? 0);
    process.kill(reaper, 'SIGKILL');
    await untilGone([reaper]);
    launcher.kill('SIGKILL');
    await sleep(200);
    expect(children.map(isAlive)).toEqual([true, true]);
    expect(await stopLeftovers(folder)).toEqual(['server']);
    await untilGone(children);
  });

  test('are left alone by a later start when their process id belongs to another program by now', async () => {
    const [note = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
    writeFileSync(
      join(folder, note),
      JSON.stringify({ pid: children[0], identity: 'of an earlier process' }),
    );
    expect(await stopLeftovers(folder)).toEqual([]);
    expect(children.map(isAlive)).toEqual([true, true]);
  });
});

describe('stopping a child', () => {
  test('lets it end in its own way first', async () => {
    const lines: string[] = [];
    const child = await startProcess({
      name: 'polite',
      command: 'sh',
      args: ['-c', 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done'],
      output: { onLine: (line) => lines.push(line) },
    });
    while (lines.length === 0) await sleep(10);
    await child.stop();
    expect(await child.exited).toEqual({ code: 5, signal: null });
    expect(child.lastLines()).toBe('up\nbye');
  });

  test('kills one that does not within its grace time', async () => {
    const lines: string[] = [];
    const child = await startProcess({
      name: 'stubborn',
      command: 'sh',
      args: ['-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'],
      output: { onLine: (line) => lines.push(line) },
      graceMs: 200,
    });
    while (lines.length === 0) await sleep(10);
    await child.stop();
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  test('a command that does not exist is an error that names it', async () => {
    const start = startProcess({
      name: 'ghost',
      command: 'no-such-command',
      args: [],
      output: { onLine: () => {} },
    });
    await expect(start).rejects.toThrow('ghost: cannot run no-such-command');
  });
});

/** The reaper is the launcher's only other direct child. */
function reaperOf(launcherPid: number): number {
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const line = listing
    .split('\n')
    .find((row) => row.includes('reaper.mjs') && row.trim().split(/\s+/)[1] === String(launcherPid));
  return Number(line?.trim().split(/\s+/)[0]);
}

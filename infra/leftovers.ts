import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 8_000;
const POLL_MS = 50;

type Note = { pid: number; identity: string };

/** Notes a running process in `folder`, so that a later start can recognize and stop it. */
export function recordProcess(folder: string, name: string, pid: number): void {
  mkdirSync(folder, { recursive: true });
  const note: Note = { pid, identity: processIdentity(pid) ?? '' };
  writeFileSync(noteFile(folder, name, pid), JSON.stringify(note));
}

/** Removes the note of a process that has ended; one that cannot be removed names a process that is gone, and is passed over. */
export function forgetProcess(folder: string, name: string, pid: number): void {
  try {
    rmSync(noteFile(folder, name, pid), { force: true });
  } catch {
    // The disk is read-only or away.
  }
}

/**
 * Stops what an earlier run left behind in `folder` (its launcher and reaper both gone) and returns the names.
 * A process id that meanwhile belongs to another program is recognized by its start time and left alone.
 */
export async function stopLeftovers(folder: string): Promise<string[]> {
  const stopped: string[] = [];
  for (const file of noteFiles(folder)) {
    const path = join(folder, file);
    const note = readNote(path);
    if (note !== undefined && isSameProcess(note)) {
      await stopGroup(note);
      stopped.push(file.replace(/-\d+\.json$/, ''));
    }
    rmSync(path, { force: true });
  }
  return stopped;
}

/** Something that stays the same for a process's life and differs for a later one with the same id; undefined when there is none. */
export function processIdentity(pid: number): string | undefined {
  try {
    // Fields after the command name, which may hold spaces; the start time is field 22 of proc(5)'s stat.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return identityFromPs(pid);
  }
}

function identityFromPs(pid: number): string | undefined {
  if (process.platform === 'linux') return undefined;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export function isSameProcess(note: Note): boolean {
  return note.identity !== '' && processIdentity(note.pid) === note.identity;
}

async function stopGroup(note: Note): Promise<void> {
  signalGroup(note.pid, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (Date.now() < deadline && isSameProcess(note)) await sleep(POLL_MS);
  signalGroup(note.pid, 'SIGKILL');
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

function noteFile(folder: string, name: string, pid: number): string {
  return join(folder, `${name}-${pid}.json`);
}

function noteFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
}

function readNote(path: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Note;
  } catch {
    return undefined;
  }
}

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/* What Linux's /proc says about process groups: servers may fork, and what their children use is theirs. */

const BYTES_PER_MIB = 1024 * 1024;

interface ProcessFacts {
  pid: number;
  group: number;
  cpuSeconds: number;
  rssMiB: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

/** CPU seconds (user and system) used so far, by name of the group. */
export const cpuSeconds = (groups: Record<string, number>): Record<string, number> =>
  byName(groups, ({ cpuSeconds: used }) => used);

/** Resident memory in MiB, by name of the group. */
export const residentMiB = (groups: Record<string, number>): Record<string, number> =>
  byName(groups, ({ rssMiB }) => rssMiB);

function byName(
  groups: Record<string, number>,
  value: (facts: ProcessFacts) => number,
): Record<string, number> {
  const processes = allProcesses();
  return Object.fromEntries(
    Object.entries(groups).map(([name, group]) => [
      name,
      processes.filter((facts) => facts.group === group).reduce((total, facts) => total + value(facts), 0),
    ]),
  );
}

/** Open handles on the database file, its write-ahead log and its shared memory, by name of the process. */
export function databaseHandles(
  groups: Record<string, number>,
  databaseFile: string,
): Record<string, number> {
  const counts = Object.entries(groups).map(
    ([name, pid]) => [name, openFiles(pid).filter((file) => file === databaseFile).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const openFiles = (pid: number): string[] =>
  quietly(() => readdirSync(`/proc/${pid}/fd`), []).map((handle) =>
    quietly(() => readlinkSync(join('/proc', String(pid), 'fd', handle)), ''),
  );

const allProcesses = (): ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => quietly(() => [factsOf(Number(pid))], []));

/** Fields of /proc/<pid>/stat after the command, which may hold spaces: proc(5) counts from 3 there. */
function factsOf(pid: number): ProcessFacts {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    group: field(5),
    cpuSeconds: (field(14) + field(15)) / ticksPerSecond,
    rssMiB: (field(24) * pageBytes) / BYTES_PER_MIB,
  };
}

/** A process may end while it is looked at. */
function quietly<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

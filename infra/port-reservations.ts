import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isSameProcess, processIdentity } from './leftovers.ts';

/**
 * Ports that launchers of this user have chosen and do not listen on yet. Two launchers that look at the same moment find
 * the same port free, and each would then take the other's answers for its own server's: so one of them reserves it.
 * A reservation ends with its process. Where the list cannot be written, ports are chosen without it.
 */
export function reservePort(port: number, file = reservationsFile()): boolean {
  let list: DatabaseSync | undefined;
  try {
    list = new DatabaseSync(file, { timeout: 2_000 });
    list.exec('BEGIN IMMEDIATE');
    list.exec(
      'CREATE TABLE IF NOT EXISTS Reservations (Port INTEGER PRIMARY KEY, Pid INTEGER NOT NULL, Identity TEXT NOT NULL) STRICT',
    );
    const holder = list
      .prepare('SELECT Pid AS pid, Identity AS identity FROM Reservations WHERE Port = ?')
      .get(port) as { pid: number; identity: string } | undefined;
    const isMine = holder === undefined || holder.pid === process.pid || !isSameProcess(holder);
    if (isMine) {
      list
        .prepare('INSERT OR REPLACE INTO Reservations (Port, Pid, Identity) VALUES (?, ?, ?)')
        .run(port, process.pid, processIdentity(process.pid) ?? '');
    }
    list.exec('COMMIT');
    return isMine;
  } catch {
    return true;
  } finally {
    list?.close();
  }
}

function reservationsFile(): string {
  const folder = join(tmpdir(), `order-saga-${userInfo().username}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, 'ports.sqlite');
}

import { outboxPartitions, type OutboxStore } from '../../ports/store/messages.ts';
import type { Connection } from './connection.ts';
import type { Synchronous } from './statements.ts';

export const outboxLeaseSql = {
  announce: `INSERT INTO OutboxRelays (Owner, LeaseUntilUtc) VALUES (?, ?)
    ON CONFLICT (Owner) DO UPDATE SET LeaseUntilUtc = excluded.LeaseUntilUtc`,
  dropDead: `DELETE FROM OutboxRelays WHERE LeaseUntilUtc <= ?`,
  relays: `SELECT Owner FROM OutboxRelays ORDER BY Owner`,
  partitions: `SELECT PartitionNumber, Owner, LeaseUntilUtc FROM OutboxPartitions ORDER BY PartitionNumber`,
  take: `UPDATE OutboxPartitions SET Owner = ?, LeaseUntilUtc = ? WHERE PartitionNumber = ?`,
  giveUp: `UPDATE OutboxPartitions SET Owner = NULL, LeaseUntilUtc = NULL WHERE PartitionNumber = ?`,
  giveUpAll: `UPDATE OutboxPartitions SET Owner = NULL, LeaseUntilUtc = NULL WHERE Owner = ?`,
  leave: `DELETE FROM OutboxRelays WHERE Owner = ?`,
};

interface PartitionRecord {
  PartitionNumber: number;
  Owner: string | null;
  LeaseUntilUtc: string | null;
}

export function createOutboxLeases(
  connection: Connection,
): Synchronous<Pick<OutboxStore, 'lease' | 'releaseLeases'>> {
  return {
    lease({ owner, nowUtc, leaseMs }) {
      const untilUtc = new Date(Date.parse(nowUtc) + leaseMs).toISOString();
      connection.run(outboxLeaseSql.dropDead, nowUtc);
      connection.run(outboxLeaseSql.announce, owner, untilUtc);
      const relays = connection.all<{ Owner: string }>(outboxLeaseSql.relays).map((relay) => relay.Owner);
      const { keep, giveUp } = divide(connection.all<PartitionRecord>(outboxLeaseSql.partitions), {
        owner,
        nowUtc,
        share: shareOf(owner, relays),
      });
      for (const partition of giveUp) connection.run(outboxLeaseSql.giveUp, partition);
      for (const partition of keep) connection.run(outboxLeaseSql.take, owner, untilUtc, partition);
      return keep;
    },
    releaseLeases(owner) {
      connection.run(outboxLeaseSql.giveUpAll, owner);
      connection.run(outboxLeaseSql.leave, owner);
    },
  };
}

/** An even share; what does not divide goes to the first owners by name. Shares of all relays add up to 16. */
function shareOf(owner: string, relays: readonly string[]): number {
  const rest = outboxPartitions % relays.length;
  return Math.floor(outboxPartitions / relays.length) + (relays.indexOf(owner) < rest ? 1 : 0);
}

/** Own partitions first, then free ones, up to the share; own ones beyond it are given up for the others. */
function divide(
  partitions: readonly PartitionRecord[],
  { owner, nowUtc, share }: { owner: string; nowUtc: string; share: number },
): { keep: number[]; giveUp: number[] } {
  const numbers = (chosen: readonly PartitionRecord[]) =>
    chosen.map((partition) => partition.PartitionNumber);
  const own = numbers(partitions.filter((partition) => partition.Owner === owner));
  const free = numbers(
    partitions.filter(
      ({ Owner, LeaseUntilUtc }) => Owner !== owner && (LeaseUntilUtc === null || LeaseUntilUtc <= nowUtc),
    ),
  );
  const keep = [...own, ...free].slice(0, share).sort((a, b) => a - b);
  return { keep, giveUp: own.slice(share) };
}

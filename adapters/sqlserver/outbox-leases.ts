import { outboxPartitions, type OutboxStore } from '../../ports/store/messages.ts';
import { statements, type Row, type Session } from './statement.ts';
import { numberOf } from './values.ts';

const partitions = 'scan of PK_OutboxPartitions (16 rows)';
const relays = 'scan of PK_OutboxRelays (one row a relay)';

/** Asked once a second or so by each relay, not per order. */
export const outboxLeaseSql = statements('outboxLeases', {
  /* Relays divide the partitions one after another: the row of partition 0 is what they queue for. */
  enter: {
    index: 'PK_OutboxPartitions',
    text: (hints) =>
      hints.lockingRead({
        table: 'dbo.OutboxPartitions',
        columns: ['PartitionNumber'],
        touch: 'LeaseUntilUtc',
        where: 'PartitionNumber = 0',
      }),
  },
  dropDead: { index: relays, text: () => 'DELETE FROM dbo.OutboxRelays WHERE LeaseUntilUtc <= @NowUtc' },
  announce: {
    index: 'PK_OutboxRelays',
    text: () => `UPDATE dbo.OutboxRelays SET LeaseUntilUtc = @LeaseUntilUtc WHERE Owner = @Owner;
      IF @@ROWCOUNT = 0
        INSERT INTO dbo.OutboxRelays (Owner, LeaseUntilUtc) VALUES (@Owner, @LeaseUntilUtc)`,
  },
  relays: { index: relays, text: () => 'SELECT Owner FROM dbo.OutboxRelays' },
  renew: {
    index: partitions,
    text: () => `UPDATE dbo.OutboxPartitions SET LeaseUntilUtc = @LeaseUntilUtc
      OUTPUT inserted.PartitionNumber
      WHERE Owner = @Owner`,
  },
  /* The claim: any of the free ones will do, so those that somebody is just changing are stepped over. */
  claim: {
    index: partitions,
    text: (
      hints,
    ) => `UPDATE TOP (@Wanted) dbo.OutboxPartitions${hints.table('ROWLOCK', 'UPDLOCK', 'READPAST')}
      SET Owner = @Owner, LeaseUntilUtc = @LeaseUntilUtc
      OUTPUT inserted.PartitionNumber
      WHERE Owner IS NULL OR LeaseUntilUtc <= @NowUtc`,
  },
  giveUp: {
    index: 'PK_OutboxPartitions',
    text: () => `UPDATE dbo.OutboxPartitions SET Owner = NULL, LeaseUntilUtc = NULL
      WHERE PartitionNumber = @PartitionNumber AND Owner = @Owner`,
  },
  giveUpAll: {
    index: partitions,
    text: () => 'UPDATE dbo.OutboxPartitions SET Owner = NULL, LeaseUntilUtc = NULL WHERE Owner = @Owner',
  },
  leave: { index: 'PK_OutboxRelays', text: () => 'DELETE FROM dbo.OutboxRelays WHERE Owner = @Owner' },
});

/** The relay's leases, inside a transaction. */
export function createOutboxLeases(session: Session): Pick<OutboxStore, 'lease' | 'releaseLeases'> {
  return {
    async lease({ owner, nowUtc, leaseMs }) {
      const mine = {
        Owner: owner,
        LeaseUntilUtc: new Date(Date.parse(nowUtc) + leaseMs).toISOString(),
      };
      await session.rows(outboxLeaseSql.enter, {});
      await session.rows(outboxLeaseSql.dropDead, { NowUtc: nowUtc });
      await session.rows(outboxLeaseSql.announce, mine);
      const share = shareOf(owner, await session.rows(outboxLeaseSql.relays, {}));
      const own = numbers(await session.rows(outboxLeaseSql.renew, mine));
      const wanted = share - own.length;
      const claim = { ...mine, NowUtc: nowUtc, Wanted: wanted };
      const claimed = wanted > 0 ? numbers(await session.rows(outboxLeaseSql.claim, claim)) : [];
      const held = [...own, ...claimed];
      for (const partition of held.slice(share)) {
        await session.rows(outboxLeaseSql.giveUp, { Owner: owner, PartitionNumber: partition });
      }
      return held.slice(0, share).sort((a, b) => a - b);
    },
    async releaseLeases(owner) {
      await session.rows(outboxLeaseSql.enter, {});
      await session.rows(outboxLeaseSql.giveUpAll, { Owner: owner });
      await session.rows(outboxLeaseSql.leave, { Owner: owner });
    },
  };
}

const numbers = (rows: readonly Row[]): number[] =>
  rows.map((row) => numberOf(row['PartitionNumber'])).sort((a, b) => a - b);

/** An even share; what does not divide goes to the first owners by name. Shares of all relays add up to 16. */
function shareOf(owner: string, rows: readonly Row[]): number {
  const owners = rows.map((row) => row['Owner'] as string).sort();
  const rest = outboxPartitions % owners.length;
  return Math.floor(outboxPartitions / owners.length) + (owners.indexOf(owner) < rest ? 1 : 0);
}

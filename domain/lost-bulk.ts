import { bulkSubject } from './dead-letters.ts';
import { orderActSubject } from './order-acts.ts';

/** Acts on many, orders or dead letters, whose run ended otherwise than by itself. */
export type BulkKind = 'order-act' | 'dead-letter-replay';

/** Who had an act on many go on, and how the run before had been closed. */
export interface RestartedBulk {
  actor: string;
  reason: string;
  closedAs: string;
}

/** What the audit trail of an act on many says when its run was found closed. */
export const lostBulkState = 'run lost';

/** The act's own audit trail. */
export const bulkActSubject = ({ kind, id }: { kind: BulkKind; id: string }): string =>
  kind === 'order-act' ? orderActSubject(id) : bulkSubject(id);

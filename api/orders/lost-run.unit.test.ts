import { expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import type { AppDeps } from '../app-deps.ts';
import { nextOfUnrecorded } from './lost-run.ts';

/* As `why` tells it of an order that has no audit row. */
it.each([
  ['an open run', { status: 'received' }, undefined],
  [
    'a run that was stopped early',
    { status: 'received', closedAs: 'TERMINATED' },
    /Our staff start it again/,
  ],
  [
    'a run that ended',
    { status: 'cancelled', closedAs: 'COMPLETED' },
    /^Nothing more: the order has ended\.$/,
  ],
  ['a run that was canceled', { status: 'cancelled', closedAs: 'CANCELED' }, /^Nothing more/],
  ['a run that shows more than SQL has', { status: 'payment_processed', closedAs: 'TERMINATED' }, undefined],
])('says what happens next after %s', async (_, run, next) => {
  const workflows = { describe: async () => run } as unknown as AppDeps['workflows'];
  const told = await nextOfUnrecorded({ workflows }, '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' as OrderId);
  expect(told).toEqual(next ? { next: expect.stringMatching(next) } : {});
});

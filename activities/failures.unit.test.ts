import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { TechnicalFailure } from '../domain/failures.ts';
import { asActivity, refusalFailure, technicalFailure } from './failures.ts';

const away = (retryAfterMs?: number) =>
  new TechnicalFailure(
    'ProviderUnavailable',
    'too many requests',
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );

describe('what an activity tells Temporal', () => {
  test('a business answer is not retried, makes no noise and carries the whole refusal', () => {
    const refusal = { type: 'CardDeclined' as const, reason: 'No funds.', details: { declineCode: 'x' } };
    expect(refusalFailure(refusal)).toMatchObject({
      type: 'CardDeclined',
      message: 'No funds.',
      nonRetryable: true,
      category: ApplicationFailureCategory.BENIGN,
      details: [refusal],
    });
  });

  test('a technical failure is retried after the time the provider asks for', () => {
    expect(technicalFailure(away(2_000))).toMatchObject({
      type: 'ProviderUnavailable',
      nonRetryable: false,
      nextRetryDelay: 2_000,
    });
  });

  test('no delay, and one of zero, leave the back-off to the policy', () => {
    expect(technicalFailure(away()).nextRetryDelay).toBeUndefined();
    expect(technicalFailure(away(0)).nextRetryDelay).toBeUndefined();
  });

  test('a provider cannot put an order to sleep for longer than five minutes', () => {
    expect(technicalFailure(away(86_400_000)).nextRetryDelay).toBe(300_000);
  });

  test('a bug passes through as it is', async () => {
    const bug = new TypeError('x is not a function');
    await expect(asActivity(() => Promise.reject(bug))(undefined)).rejects.toBe(bug);
    await expect(asActivity(() => Promise.reject(away()))(undefined)).rejects.toBeInstanceOf(
      ApplicationFailure,
    );
  });
});

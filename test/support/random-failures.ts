import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { isFailureType, referenceNotConfirmed, technicalFailures } from '../../domain/failures.ts';
import type { Answer } from './interleaving.ts';

export interface Storm {
  decisions: number[];
  redis: 'up' | 'down';
  /** Step of the storm at which the compensation, or a person's act, is asked for. */
  from: number;
}

/** One decision for each step of the storm, and whether Redis is there. */
const storms = (length: number) =>
  fc.record({
    decisions: fc.array(fc.nat(1_000_000), { minLength: length / 3, maxLength: length, size: 'max' }),
    redis: fc.constantFrom('up' as const, 'down' as const, 'down' as const),
    from: fc.nat(60),
  });

/** Holds a property against `runs` storms of at most `length` decisions; PROPERTY_RUNS asks for more of them. */
export const holdsInStorms = <T>(
  property: (storm: Storm) => Promise<T>,
  length = 180,
  runs = 150,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(storms(length), async (storm) => {
      await property(storm);
    }),
    {
      numRuns: Number(process.env['PROPERTY_RUNS'] ?? runs),
      plugins: [fc.interruptAfterTimeLimit(40_000)],
      endOnFailure: process.env['PROPERTY_SHRINK'] === 'no',
    },
  );

export const typeOf = (answer: Answer): string | undefined =>
  'error' in answer && answer.error instanceof ApplicationFailure
    ? (answer.error.type ?? undefined)
    : undefined;

export const isDone = (answer: Answer): boolean => 'value' in answer;

/** A business answer, or a provider that does not confirm what a person said. */
export const isRefused = (answer: Answer): boolean => {
  const type = typeOf(answer) ?? '';
  return isFailureType(type) || type === referenceNotConfirmed;
};

const isTechnical = (answer: Answer): boolean =>
  (technicalFailures as readonly string[]).includes(typeOf(answer) ?? '');

/** Whether an answer ends its goal; a bug shows as neither an answer nor a technical failure, and is thrown. */
export function reached(answer: Answer): boolean {
  if (isDone(answer) || isRefused(answer)) return true;
  if (!isTechnical(answer)) throw 'error' in answer ? answer.error : new Error('no answer');
  return false;
}

import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/**
 * What came with a signal or an update and cannot be read, for example in an encoding nobody here knows
 * (`temporal workflow signal --input-meta encoding=text/plain`). An act that is one is refused.
 */
export interface Unreadable {
  unreadable: string;
}

type Decode = (payload: Payload, context?: { type: string }) => unknown;

/**
 * Temporal's own converter, but for the inputs of signals and updates that it cannot read: an error there would fail the
 * workflow task again and again, and a typing mistake of one person would stop the order for good. Answers of
 * activities stay strict: one that cannot be read is a bug.
 */
const fromPayload: Decode = (payload, context) => {
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch (error) {
    if (context?.type !== 'workflow') throw error;
    const unreadable: Unreadable = { unreadable: error instanceof Error ? error.message : 'not decodable' };
    return unreadable;
  }
};

/** Bundled with the workflows; the name is the SDK's. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: fromPayload as PayloadConverter['fromPayload'],
};

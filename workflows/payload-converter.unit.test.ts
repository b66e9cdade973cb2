import type { SerializationContext } from '@temporalio/common';
import { expect, it } from 'vitest';
import { payloadConverter } from './payload-converter.ts';

const workflow = { type: 'workflow' } as SerializationContext;
const activity = { type: 'activity' } as SerializationContext;
const inEncoding = (encoding: string, data: string) => ({
  metadata: { encoding: new TextEncoder().encode(encoding) },
  data: new TextEncoder().encode(data),
});

it('reads back what it has written', () => {
  const value = { actor: 'desk', n: 1, list: ['ä', null] };
  expect(payloadConverter.fromPayload(payloadConverter.toPayload(value, workflow), workflow)).toEqual(value);
});

it.each([
  ['an unknown encoding', inEncoding('text/plain', 'cancel it'), /Unknown encoding: text\/plain/],
  ['JSON that is none', inEncoding('json/plain', '{"actor":'), /JSON/],
  ['a payload without metadata', { data: new Uint8Array() }, /Missing payload metadata/],
])(
  'takes %s that came to a workflow for unreadable, and throws for an answer of an activity',
  (_, payload, why) => {
    expect(payloadConverter.fromPayload(payload, workflow)).toEqual({
      unreadable: expect.stringMatching(why),
    });
    expect(() => payloadConverter.fromPayload(payload, activity)).toThrow(why);
    expect(() => payloadConverter.fromPayload(payload)).toThrow(why);
  },
);

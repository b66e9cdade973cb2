import { z } from 'zod';
import type { DomainEvent, EventType } from '../../domain/events.ts';
import { eventSchemaOf, type EventContract } from './event-contract.ts';

export type ReadEvent =
  | { status: 'event'; event: DomainEvent }
  | { status: 'unknown-type' | 'unknown-version' | 'invalid-event'; error: string };

type EventSchema = ReturnType<typeof eventSchemaOf>;

/** Building a schema is slow. By contract and by type, since two versions may share a contract. */
const schemas = new WeakMap<EventContract, Map<string, EventSchema>>();

/** Reads a body as an event of one of the contracts; fields it does not know are kept. */
export function readEvent(contracts: Readonly<Record<string, EventContract>>, body: unknown): ReadEvent {
  const named = z.object({ eventType: z.string() }).safeParse(body);
  if (!named.success) return { status: 'invalid-event', error: z.prettifyError(named.error) };
  const { eventType } = named.data;
  const contract = Object.hasOwn(contracts, eventType) ? contracts[eventType] : undefined;
  if (contract === undefined) return unknown(contracts, eventType);
  const read = schemaOf(eventType, contract).safeParse(body);
  return read.success
    ? { status: 'event', event: body as DomainEvent }
    : { status: 'invalid-event', error: `${eventType}: ${z.prettifyError(read.error)}` };
}

function schemaOf(eventType: string, contract: EventContract): EventSchema {
  const known = schemas.get(contract) ?? new Map<string, EventSchema>();
  const schema = known.get(eventType) ?? eventSchemaOf(eventType, contract);
  schemas.set(contract, known.set(eventType, schema));
  return schema;
}

function unknown(contracts: Readonly<Record<string, EventContract>>, eventType: string): ReadEvent {
  const name = nameOf(eventType);
  const versions = Object.keys(contracts).filter((known) => nameOf(known) === name);
  return versions.length > 0
    ? { status: 'unknown-version', error: `came ${eventType}; this consumer knows ${versions.join(', ')}` }
    : { status: 'unknown-type', error: `came ${eventType}, which no contract of this consumer describes` };
}

const nameOf = (eventType: string): string => eventType.replace(/\.v\d+$/, '');

/** An event whose type is one of `Types`; a union that `eventType` tells apart. */
export type EventOf<Types extends EventType> = { [Type in Types]: DomainEvent<Type> }[Types];
